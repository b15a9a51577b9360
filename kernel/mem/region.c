/* kernel/mem/region.c - the sorted array of regions. */
#include "kernel/mem/region.h"
#include "kernel/mem/account.h"
#include "kernel/mem/addr.h"
#include "kernel/mem/heap.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { ROOM_MIN = 16 };

/* What room for so many regions costs, with the regions themselves. */
static uint64_t room_pages(uint32_t room) { return page_round_up(room * (sizeof(struct region) + sizeof(void *))) >> PAGE_SHIFT; }

err_t region_set_reserve(struct region_set *set, uint32_t count)
{
	if (LIKELY(count <= set->room))
		return OK;
	uint32_t room = MAX_OF(MAX_OF(2 * set->room, count), (uint32_t)ROOM_MIN);
	uint64_t pages = room_pages(room) - room_pages(set->room);
	TRY(count > REGIONS_MAX ? ERR_NOMEM : account_charge(set->account, ACCOUNT_PAGES, pages));
	void *at = heap_grow(set->at, set->room * sizeof *set->at, room * sizeof *set->at);
	if (!at) {
		account_uncharge(set->account, ACCOUNT_PAGES, pages);
		return ERR_NOMEM;
	}
	set->at = at;
	set->room = room;
	return OK;
}

void region_set_fini(struct region_set *set)
{
	ASSERT(set->count == 0);
	heap_free(set->at, set->room * sizeof *set->at);
	account_uncharge(set->account, ACCOUNT_PAGES, room_pages(set->room));
}

uint32_t region_index(const struct region_set *set, uint64_t address)
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

void region_insert(struct region_set *set, struct region *r)
{
	uint32_t i = region_index(set, r->start);
	ASSERT(set->count < set->room);
	memmove(&set->at[i + 1], &set->at[i], (set->count - i) * sizeof *set->at);
	set->at[i] = r;
	set->count++;
}

void region_remove(struct region_set *set, const struct region *r)
{
	uint32_t i = region_index(set, r->start);
	ASSERT(set->at[i] == r);
	set->count--;
	memmove(&set->at[i], &set->at[i + 1], (set->count - i) * sizeof *set->at);
}

bool region_find_gap(const struct region_set *set, uint64_t bytes, uint64_t *out)
{
	uint64_t ceiling = USER_MAX;
	for (uint32_t i = set->count; i-- > 0 && !(ceiling >= set->at[i]->end && ceiling - set->at[i]->end >= bytes);)
		ceiling = set->at[i]->start;
	if (ceiling < USER_MIN + bytes)
		return false;
	*out = ceiling - bytes;
	return true;
}
