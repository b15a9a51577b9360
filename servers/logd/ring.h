/* servers/logd/ring.h - the newest bytes of a log, of which the oldest lines fall away. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct ring {
	char *bytes;
	size_t capacity;
	uint64_t end;                   /* bytes ever put */
};

static inline void ring_init(struct ring *r, char *bytes, size_t capacity) { *r = (struct ring){ bytes, capacity, 0 }; }
/* Of more than the capacity, the end stays. */
void ring_put(struct ring *r, const char *text, size_t bytes) NONNULL;
/* Copies from *position on and moves it. A position that has fallen away goes on at the oldest whole line. */
size_t ring_read(const struct ring *r, uint64_t *position, char *to, size_t bytes) NONNULL;
