/* lib/native/mutex.h - a lock that sleeps in the kernel only when it must. Zeroed is unlocked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct mutex {
	uint32_t state;                 /* 0 free, 1 held, 2 held and perhaps waited for */
};

void mutex_lock(struct mutex *m) NONNULL;
bool mutex_try_lock(struct mutex *m) NONNULL MUST_CHECK;
void mutex_unlock(struct mutex *m) NONNULL;
