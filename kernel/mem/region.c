/* kernel/mem/region.c - the sorted array of regions. */
#include "kernel/mem/region.h"
#include "kernel/mem/addr.h"
#include "kernel/mem/heap.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { ROOM_MIN = 16 };

err_t region_set_reserve(struct region_set *set, uint32_t count)
{
	if (LIKELY(count <= set->room))
		return OK;
	uint32_t room = MAX_OF(MAX_OF(2 * set->room, count), (uint32_t)ROOM_MIN);
	void *at = heap_grow(set->at, set->room * sizeof *set->at, room * sizeof *set->at);
	if (!at)
		return ERR_NOMEM;
	set->at = at;
	set->room = room;
	return OK;
}

void region_set_fini(struct region_set *set)
{
	ASSERT(set->count == 0);
	heap_free(set->at, set->room * sizeof *set->at);
}

/* How many regions end at or before address: the index of what region_at_or_after finds. */
static uint32_t index_of(const struct region_set *set, uint64_t address)
{
	uint32_t low = 0, high = set->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (set->at[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct region *region_at_or_after(const struct region_set *set, uint64_t address)
{
	uint32_t i = index_of(set, address);
	return i < set->count ? set->at[i] : NULL;
}

void region_insert(struct region_set *set, struct region *r)
{
	uint32_t i = index_of(set, r->start);
	ASSERT(set->count < set->room);
	memmove(&set->at[i + 1], &set->at[i], (set->count - i) * sizeof *set->at);
	set->at[i] = r;
	set->count++;
}

void region_remove(struct region_set *set, const struct region *r)
{
	uint32_t i = index_of(set, r->start);
	ASSERT(set->at[i] == r);
	set->count--;
	memmove(&set->at[i], &set->at[i + 1], (set->count - i) * sizeof *set->at);
}

struct region *region_next(const struct region_set *set, const struct region *r)
{
	uint32_t i = index_of(set, r->start) + 1;
	return i < set->count ? set->at[i] : NULL;
}

struct region *region_previous(const struct region_set *set, const struct region *r)
{
	uint32_t i = index_of(set, r->start);
	return i > 0 ? set->at[i - 1] : NULL;
}

/* Where the region begins for those who look for room. */
static uint64_t reserved_start(const struct region *r)
{
	uint64_t room = STACK_BYTES_MAX + STACK_GUARD_BYTES;
	if (!(r->flags & MAP_GROWSDOWN))
		return r->start;
	return MIN_OF(r->start, r->end > room ? r->end - room : 0);
}

bool region_find_gap(const struct region_set *set, uint64_t bytes, uint64_t *out)
{
	uint64_t ceiling = USER_MAX;
	for (uint32_t i = set->count; i-- > 0 && !(ceiling >= set->at[i]->end && ceiling - set->at[i]->end >= bytes);)
		ceiling = MIN_OF(ceiling, reserved_start(set->at[i]));
	if (ceiling < USER_MIN + bytes)
		return false;
	*out = ceiling - bytes;
	return true;
}
