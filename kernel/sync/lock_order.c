/* kernel/sync/lock_order.c - see lock_order.h. */
#include "kernel/sync/lock_order.h"

bool lock_order_allows(const struct spinlock *const *held, uint32_t count, const struct spinlock *l, bool nested)
{
	for (uint32_t i = 0; i < count; i++) {
		if (held[i] == l)
			return false;
		if (l->rank == RANK_NONE || held[i]->rank == RANK_NONE)
			continue;
		if (held[i]->rank > l->rank || (held[i]->rank == l->rank && !nested))
			return false;
	}
	return true;
}

bool lock_order_remove(const struct spinlock **held, uint32_t *count, const struct spinlock *l)
{
	for (uint32_t i = *count; i-- > 0; ) {
		if (held[i] != l)
			continue;
		for (uint32_t j = i; j + 1 < *count; j++)
			held[j] = held[j + 1];
		--*count;
		return true;
	}
	return false;
}
