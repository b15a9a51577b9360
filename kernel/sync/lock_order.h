/* kernel/sync/lock_order.h - the rule of spinlock.h as pure functions over the list of locks that a CPU holds. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "kernel/sync/spinlock.h"
#include "lib/base/attr.h"

/* May l be taken by who holds these? Their ranks must all be lower, or (nested) equal; and it must not be one of them. Rank 0 takes no part. */
bool lock_order_allows(const struct spinlock *const *held, uint32_t count, const struct spinlock *l, bool nested) NONNULL;
/* Takes l from the list, wherever in it: locks need not be released in the order they were taken. False: it is not there. */
bool lock_order_remove(const struct spinlock **held, uint32_t *count, const struct spinlock *l) NONNULL;
