/* kernel/mem/space_map.c - regions come, go and change: map, unmap, protect, remap, advise.
 *
 * What an operation may need (regions for splits) is had before anything changes, so that it either
 * happens wholly or not at all.
 */
#include "kernel/arch/arch.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* ---- Regions ---- */

err_t region_create(struct space *s, const struct region *like, struct region **out)
{
	/* One more may be waiting for its place: what a new region replaces is cut at both ends first. */
	TRY(region_set_reserve(&s->regions, s->regions.count + 2));
	struct region *r = heap_new(struct region);
	if (!r)
		return ERR_NOMEM;
	*r = *like;
	r->space = s;
	list_init(&r->link);
	memobj_get(r->object);
	*out = r;
	return OK;
}

void region_attach(struct space *s, struct region *r)
{
	region_insert(&s->regions, r);
	s->mapped_bytes += r->end - r->start;
	if (r->object)
		memobj_region_add(r->object, r);
}

/* Takes it out; space_unlock destroys it. */
static void region_detach(struct space *s, struct region *r)
{
	if (r->object)
		memobj_region_remove(r->object, r);
	s->mapped_bytes -= r->end - r->start;
	region_remove(&s->regions, r);
	if (s->last == r)
		s->last = NULL;
	list_push_back(&s->gone, &r->link);
}

/* Changes a region's end, without a change of order. */
static void region_set_end(struct space *s, struct region *r, uint64_t end)
{
	/* Who visits the object's regions must not miss what was added to one. */
	if (r->object)
		memobj_region_remove(r->object, r);
	s->mapped_bytes += end - r->end;
	r->end = end;
	if (r->object)
		memobj_region_add(r->object, r);
}

static bool regions_continue(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->flags == b->flags && a->max_prot == b->max_prot && a->object == b->object &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Joins all that continue each other from the region before start to the one after end. */
static void regions_join(struct space *s, uint64_t start, uint64_t end)
{
	uint32_t i = region_index(&s->regions, start);
	struct region *r;
	while ((r = region_at(&s->regions, i)) && r->start <= end) {
		struct region *before = region_at(&s->regions, i - 1);
		if (!before || !regions_continue(before, r)) {
			i++;
			continue;
		}
		before->has_anon |= r->has_anon;
		region_detach(s, r);
		region_set_end(s, before, r->end);
	}
}

/* Cuts the region that address is inside of, if any, in two. */
static err_t edge_make(struct space *s, uint64_t address) REQUIRES(&s->lock)
{
	struct region *r = region_at_or_after(&s->regions, address), *upper;
	if (!r || r->start >= address)
		return OK;
	TRY(pages_own(s, address, address));
	TRY(region_create(s, r, &upper));
	upper->start = address;
	upper->offset += r->object ? address - r->start : 0;
	region_set_end(s, r, address);
	region_attach(s, upper);
	return OK;
}

/* Makes edges at start and end, so that every region is inside or outside. NOMEM: all is as it was. */
static err_t edges_make(struct space *s, uint64_t start, uint64_t end) REQUIRES(&s->lock)
{
	TRY(edge_make(s, start));
	err_t err = edge_make(s, end);
	if (err)
		regions_join(s, start, start);
	return err;
}

/* ---- Unmap ---- */

static void tables_trim(struct space *s, uint64_t start, uint64_t end) REQUIRES(&s->lock)
{
	struct list_node tables = LIST_INIT(tables);
	struct frame *f, *next;
	paging_trim(&s->tables, start, end, &tables);
	if (!list_is_empty(&tables))
		space_shootdown(s, 0, 0);
	list_each_safe(f, next, &tables, free_link)
		frame_put_zeroed(frame_address(f), true);
}

/* Takes everything in [start, end) away. */
static err_t range_clear(struct space *s, uint64_t start, uint64_t end) REQUIRES(&s->lock)
{
	struct region *r = region_at_or_after(&s->regions, start);
	if (!r || r->start >= end)
		return OK;
	TRY(edges_make(s, start, end));
	pages_drop(s, start, end);
	/* Taking away less keeps the table for the next. */
	if (end - start >= PAGE_TABLE_BYTES)
		tables_trim(s, start, end);
	for (uint32_t i = region_index(&s->regions, start); (r = region_at(&s->regions, i)) && r->start < end;)
		region_detach(s, r);
	return OK;
}

static bool range_is_good(uint64_t address, uint64_t bytes)
{
	return !(address & PAGE_MASK) && bytes != 0 && bytes <= USER_MAX && user_range_is_valid(address, page_round_up(bytes));
}

err_t space_unmap(struct space *s, uint64_t address, uint64_t bytes)
{
	if (!range_is_good(address, bytes))
		return ERR_INVAL;
	spin_lock(&s->lock);
	err_t err = range_clear(s, address, address + page_round_up(bytes));
	space_unlock(s);
	return err;
}

/* ---- Map ---- */

static bool range_is_free(struct space *s, uint64_t address, uint64_t bytes)
{
	struct region *r = region_at_or_after(&s->regions, address);
	return address >= USER_MIN && user_range_is_valid(address, bytes) && (!r || r->start >= address + bytes);
}

/* Where the new region goes; what MAP_FIXED replaces is taken away. */
static err_t place_take(struct space *s, uint64_t *address, uint64_t bytes, uint32_t map_flags) REQUIRES(&s->lock)
{
	if (map_flags & MAP_NOREPLACE)
		return range_is_free(s, *address, bytes) ? OK : ERR_EXIST;
	if (map_flags & MAP_FIXED)
		return range_clear(s, *address, *address + bytes);
	*address = page_round_down(*address);
	if (*address != 0 && range_is_free(s, *address, bytes))
		return OK;
	return region_find_gap(&s->regions, bytes, address) ? OK : ERR_NOMEM;
}

static err_t map_check(uint64_t address, uint64_t bytes, uint32_t map_flags, uint32_t max_prot, uint64_t offset)
{
	bool exact = map_flags & (MAP_FIXED | MAP_NOREPLACE);
	if (bytes == 0 || offset & PAGE_MASK || (exact && address & PAGE_MASK))
		return ERR_INVAL;
	if (bytes > USER_MAX)
		return ERR_NOMEM;
	bytes = page_round_up(bytes);
	if (exact && (address < USER_MIN || !user_range_is_valid(address, bytes)))
		return ERR_NOMEM;
	if (offset > MEMOBJ_BYTES_MAX || bytes > MEMOBJ_BYTES_MAX - offset)
		return ERR_OVERFLOW;
	return map_flags & PROT_MASK & ~max_prot ? ERR_ACCES : OK;
}

/* MAP_POPULATE is a wish: what cannot be had now comes with its fault. */
static void range_populate(struct space *s, uint64_t start, uint64_t end, uint32_t map_flags)
{
	uint32_t access = map_flags & MAP_WRITE ? FAULT_WRITE : map_flags & MAP_READ ? 0 : FAULT_EXECUTE;
	for (uint64_t at = start; at < end && map_flags & PROT_MASK; at += PAGE_BYTES)
		if (space_fault(s, at, access, true))
			return;
}

err_t space_map(struct space *s, uint64_t address, uint64_t bytes, uint32_t map_flags, uint32_t max_prot,
                struct memobj *obj, uint64_t offset, uint64_t *out)
{
	struct region *r, wanted = { .flags = map_flags & REGION_FLAGS, .max_prot = max_prot & PROT_MASK, .object = obj, .offset = obj ? offset : 0 };
	struct memobj *own = NULL;
	err_t err;

	TRY(map_check(address, bytes, map_flags, max_prot, offset));
	bytes = page_round_up(bytes);
	if (!obj && map_flags & MAP_SHARED) {
		TRY(memobj_create(bytes, s->account, &own));
		wanted.object = own;
	}
	spin_lock(&s->lock);
	if ((err = region_create(s, &wanted, &r)))
		goto unlock;
	if ((err = place_take(s, &address, bytes, map_flags))) {
		list_push_back(&s->gone, &r->link);
		goto unlock;
	}
	r->start = address;
	r->end = address + bytes;
	region_attach(s, r);
	regions_join(s, address, address + bytes);
unlock:
	space_unlock(s);
	memobj_put(own);
	TRY(err);
	if (map_flags & MAP_POPULATE)
		range_populate(s, address, address + bytes, map_flags);
	*out = address;
	return OK;
}

/* ---- Protect, advise ---- */

/* NOMEM: a hole in [start, end). ACCES: prot is more than some region there may have. */
static err_t range_check(struct space *s, uint64_t start, uint64_t end, uint32_t prot) REQUIRES(&s->lock)
{
	for (uint32_t i = region_index(&s->regions, start); start < end; i++) {
		struct region *r = region_at(&s->regions, i);
		if (!r || r->start > start)
			return ERR_NOMEM;
		if (prot & ~r->max_prot)
			return ERR_ACCES;
		start = r->end;
	}
	return OK;
}

err_t space_protect(struct space *s, uint64_t address, uint64_t bytes, uint32_t map_flags)
{
	uint32_t prot = map_flags & PROT_MASK;
	uint64_t end = address + page_round_up(bytes);
	struct region *r;
	if (address & PAGE_MASK)
		return ERR_INVAL;
	if (bytes == 0)
		return OK;
	if (!range_is_good(address, bytes))
		return ERR_NOMEM;       /* not all of it can be mapped */
	spin_lock(&s->lock);
	err_t err = range_check(s, address, end, prot);
	if (err || (err = pages_own(s, address, end)) || (err = edges_make(s, address, end)))
		goto unlock;
	for (uint32_t i = region_index(&s->regions, address); (r = region_at(&s->regions, i)) && r->start < end; i++) {
		r->flags = (r->flags & ~(uint32_t)PROT_MASK) | prot;
		pages_protect(s, r);
	}
	regions_join(s, address, end);
unlock:
	space_unlock(s);
	return err;
}

err_t space_advise(struct space *s, uint64_t address, uint64_t bytes, uint32_t advice)
{
	if (bytes == 0 && !(address & PAGE_MASK))
		return OK;
	if (!range_is_good(address, bytes) || advice < ADVICE_DONTNEED || advice > ADVICE_FREE)
		return ERR_INVAL;
	uint64_t end = address + page_round_up(bytes);
	spin_lock(&s->lock);
	err_t err = range_check(s, address, end, 0);
	if (!err && advice != ADVICE_WILLNEED && !(err = pages_own(s, address, address)) && !(err = pages_own(s, end, end)))
		pages_drop(s, address, end);
	spin_unlock(&s->lock);
	return err;
}

/* ---- Remap ---- */

/* The one region that holds all of [start, end), or NULL. */
static struct region *region_around(struct space *s, uint64_t start, uint64_t end)
{
	struct region *r = region_at_or_after(&s->regions, start);
	return r && r->start <= start && r->end >= end ? r : NULL;
}

static err_t remap_check(uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t flags, uint64_t new_address)
{
	if (!range_is_good(address, bytes) || new_bytes == 0 || flags & ~(uint32_t)REMAP_MOVE)
		return ERR_INVAL;
	if (new_bytes > USER_MAX)
		return ERR_NOMEM;
	if (!(flags & REMAP_MOVE))
		return OK;
	if (new_address < USER_MIN || !range_is_good(new_address, new_bytes))
		return ERR_INVAL;
	return new_address < address + page_round_up(bytes) && address < new_address + page_round_up(new_bytes) ? ERR_INVAL : OK;
}

/* Moves r (the whole of it) to another place, new_bytes long. */
static err_t region_move(struct space *s, struct region *r, uint64_t new_bytes, uint64_t to) REQUIRES(&s->lock)
{
	struct region *moved;
	TRY(region_create(s, r, &moved));
	err_t err = range_clear(s, to, to + new_bytes);
	if (!err)
		err = pages_move(s, r->start, MIN_OF(r->end, r->start + new_bytes), to);
	if (err) {
		list_push_back(&s->gone, &moved->link);
		return err;
	}
	moved->start = to;
	moved->end = to + new_bytes;
	region_attach(s, moved);
	pages_drop(s, r->start, r->end);
	region_detach(s, r);
	return OK;
}

/* Of the whole range in one region. */
static err_t remap_locked(struct space *s, uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t flags, uint64_t to) REQUIRES(&s->lock)
{
	struct region *r = region_around(s, address, address + bytes);
	if (!r)
		return ERR_FAULT;
	if (r->object && new_bytes > MEMOBJ_BYTES_MAX - (r->offset + (address - r->start)))
		return ERR_OVERFLOW;
	TRY(edges_make(s, address, address + bytes));
	r = region_at_or_after(&s->regions, address);
	if (flags & REMAP_MOVE)
		return region_move(s, r, new_bytes, to);
	if (new_bytes <= bytes)
		return range_clear(s, address + new_bytes, address + bytes);
	if (!range_is_free(s, r->end, new_bytes - bytes))
		return ERR_NOMEM;
	region_set_end(s, r, address + new_bytes);
	return OK;
}

err_t space_remap(struct space *s, uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t remap_flags,
                  uint64_t new_address, uint64_t *out)
{
	TRY(remap_check(address, bytes, new_bytes, remap_flags, new_address));
	bytes = page_round_up(bytes);
	new_bytes = page_round_up(new_bytes);
	spin_lock(&s->lock);
	new_address = remap_flags & REMAP_MOVE ? new_address : address;
	err_t err = remap_locked(s, address, bytes, new_bytes, remap_flags, new_address);
	regions_join(s, address, address + MAX_OF(bytes, new_bytes));
	if (!err) {
		regions_join(s, new_address, new_address + new_bytes);
		*out = new_address;
	}
	space_unlock(s);
	return err;
}
