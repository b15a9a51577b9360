/* kernel/mem/space_map.c - regions come, go and change: map, unmap, protect, remap, advise.
 *
 * What an operation may need (regions for splits) is had before anything changes, so that it either
 * happens wholly or not at all. Regions that go are destroyed after the lock is dropped.
 */
#include "kernel/arch/arch.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* ---- Regions ---- */

err_t region_create(struct space *s, struct memobj *object, struct region **out)
{
	uint32_t count = s->region_count++;
	bool charged = count % REGIONS_PER_PAGE == 0;
	err_t err = count < REGIONS_MAX ? region_set_reserve(&s->regions, count + 1) : ERR_NOMEM;
	if (err || (charged && (err = account_charge(s->account, ACCOUNT_PAGES, 1))))
		goto uncount;
	struct region *r = heap_new(struct region);
	if (!r) {
		err = ERR_NOMEM;
		goto uncharge;
	}
	r->space = s;
	r->object = object;
	if (object)
		memobj_get(object);
	*out = r;
	return OK;

uncharge:
	if (charged)
		account_uncharge(s->account, ACCOUNT_PAGES, 1);
uncount:
	s->region_count--;
	return err;
}

void region_destroy(struct region *r)
{
	struct space *s = r->space;
	if (r->object)
		memobj_put(r->object);
	heap_delete(r);
	if (--s->region_count % REGIONS_PER_PAGE == 0)
		account_uncharge(s->account, ACCOUNT_PAGES, 1);
}

void region_attach(struct space *s, struct region *r)
{
	region_insert(&s->regions, r);
	s->mapped_bytes += r->end - r->start;
	if (r->object)
		memobj_region_add(r->object, r);
}

void region_detach(struct space *s, struct region *r)
{
	if (r->object)
		memobj_region_remove(r->object, r);
	s->mapped_bytes -= r->end - r->start;
	region_remove(&s->regions, r);
	if (s->last == r)
		s->last = NULL;
}

/* Changes a region's place (without a change of order) and its window with it. */
static void region_reshape(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
	if (r->object)
		memobj_region_remove(r->object, r);
	s->mapped_bytes += (end - start) - (r->end - r->start);
	if (r->object)
		r->offset += start - r->start;
	r->start = start;
	r->end = end;
	if (r->object)
		memobj_region_add(r->object, r);
}

/* Cuts r at address: upper (which has r's object already) becomes the upper part. */
static void region_split(struct space *s, struct region *r, uint64_t address, struct region *upper)
{
	uint64_t end = r->end;
	upper->flags = r->flags;
	upper->max_prot = r->max_prot;
	upper->has_anon = r->has_anon;
	upper->start = address;
	upper->end = end;
	upper->offset = r->object ? r->offset + (address - r->start) : 0;
	/* The lower part of a stack grows on. */
	upper->flags &= ~(uint32_t)MAP_GROWSDOWN;
	region_reshape(s, r, r->start, address);
	region_attach(s, upper);
}

static bool regions_continue(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->flags == b->flags && a->max_prot == b->max_prot && a->object == b->object &&
	       !(a->flags & MAP_GROWSDOWN) && (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Joins r with the one before it when they continue each other; what is left over goes to gone. The joined one. */
static struct region *region_join(struct space *s, struct region *r, struct list_node *gone)
{
	struct region *before = region_previous(&s->regions, r);
	if (!before || !regions_continue(before, r))
		return r;
	uint64_t end = r->end;
	before->has_anon |= r->has_anon;
	region_detach(s, r);
	list_push_back(gone, &r->gone_link);
	region_reshape(s, before, before->start, end);
	return before;
}

/* Joins all that continue each other from the region before start to the one after end. */
static void regions_join(struct space *s, uint64_t start, uint64_t end, struct list_node *gone)
{
	struct region *r = region_at_or_after(&s->regions, start);
	while (r && r->start <= end) {
		r = region_join(s, r, gone);
		r = region_next(&s->regions, r);
	}
}

static void regions_destroy(struct list_node *gone)
{
	while (!list_is_empty(gone)) {
		struct region *r = list_first(gone, struct region, gone_link);
		list_remove(&r->gone_link);
		region_destroy(r);
	}
}

/* ---- Spares: what splits at two edges may need ---- */

/* The region that address cuts in two, or NULL. */
static struct region *region_cut_by(struct space *s, uint64_t address)
{
	struct region *r = region_at_or_after(&s->regions, address);
	return r && r->start < address ? r : NULL;
}

/* Makes edges at start and end. Drops and retakes the lock when it must allocate: call it before looking at anything. */
static err_t edges_make(struct space *s, uint64_t start, uint64_t end) REQUIRES(&s->lock)
{
	uint64_t edges[] = { start, end };
	for (int i = 0; i < 2;) {
		struct region *r = region_cut_by(s, edges[i]), *upper;
		if (!r) {
			i++;
			continue;
		}
		/* The heap's lock comes after the space's: no need to drop it. */
		TRY(region_create(s, r->object, &upper));
		region_split(s, r, edges[i], upper);
	}
	return OK;
}

/* After an operation that failed behind edges_make: as if they had never been. */
static void edges_forget(struct space *s, uint64_t start, uint64_t end, struct list_node *gone) REQUIRES(&s->lock)
{
	regions_join(s, start, end, gone);
}

/* ---- Unmap ---- */

enum { TRIM_BYTES = 2 << 20 };  /* what a table frame maps: taking away less keeps its table for the next */

static void tables_trim(struct space *s, uint64_t start, uint64_t end) REQUIRES(&s->lock)
{
	struct list_node tables = LIST_INIT(tables);
	paging_trim(&s->tables, start, end, &tables);
	if (!list_is_empty(&tables))
		space_shootdown(s, 0, 0);
	while (!list_is_empty(&tables)) {
		struct frame *f = list_first(&tables, struct frame, free_link);
		list_remove(&f->free_link);
		frame_put(frame_address(f));
	}
}

/* Takes everything in [start, end) away; edges were made. */
static void range_clear(struct space *s, uint64_t start, uint64_t end, struct list_node *gone) REQUIRES(&s->lock)
{
	struct region *r = region_at_or_after(&s->regions, start);
	if (!r || r->start >= end)
		return;
	pages_drop(s, start, end);
	if (end - start >= TRIM_BYTES)
		tables_trim(s, start, end);
	while (r && r->start < end) {
		struct region *next = region_next(&s->regions, r);
		region_detach(s, r);
		list_push_back(gone, &r->gone_link);
		r = next;
	}
}

static bool range_is_good(uint64_t address, uint64_t bytes)
{
	return !(address & PAGE_MASK) && bytes != 0 && bytes <= USER_MAX && user_range_is_valid(address, page_round_up(bytes));
}

err_t space_unmap(struct space *s, uint64_t address, uint64_t bytes)
{
	struct list_node gone = LIST_INIT(gone);
	if (!range_is_good(address, bytes))
		return ERR_INVAL;
	uint64_t end = address + page_round_up(bytes);
	spin_lock(&s->lock);
	err_t err = edges_make(s, address, end);
	if (err)
		edges_forget(s, address, end, &gone);
	else
		range_clear(s, address, end, &gone);
	spin_unlock(&s->lock);
	regions_destroy(&gone);
	return err;
}

/* ---- Map ---- */

static bool range_is_free(struct space *s, uint64_t address, uint64_t bytes)
{
	struct region *r = region_at_or_after(&s->regions, address);
	return address >= USER_MIN && user_range_is_valid(address, bytes) && (!r || r->start >= address + bytes);
}

/* Where the new region goes; what MAP_FIXED replaces is taken away. */
static err_t place_take(struct space *s, uint64_t *address, uint64_t bytes, uint32_t map_flags, struct list_node *gone) REQUIRES(&s->lock)
{
	if (map_flags & (MAP_FIXED | MAP_NOREPLACE)) {
		if (range_is_free(s, *address, bytes))
			return OK;
		if (map_flags & MAP_NOREPLACE)
			return ERR_EXIST;
		err_t err = edges_make(s, *address, *address + bytes);
		if (err)
			edges_forget(s, *address, *address + bytes, gone);
		else
			range_clear(s, *address, *address + bytes, gone);
		return err;
	}
	*address = page_round_down(*address);
	if (*address != 0 && range_is_free(s, *address, bytes))
		return OK;
	return region_find_gap(&s->regions, bytes, address) ? OK : ERR_NOMEM;
}

static err_t map_check(uint64_t address, uint64_t bytes, uint32_t map_flags, uint32_t max_prot, uint64_t offset, bool has_object)
{
	bool exact = map_flags & (MAP_FIXED | MAP_NOREPLACE);
	if (bytes == 0 || offset & PAGE_MASK || (exact && address & PAGE_MASK))
		return ERR_INVAL;
	if (map_flags & MAP_GROWSDOWN && (has_object || map_flags & MAP_SHARED))
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
	struct list_node gone = LIST_INIT(gone);
	struct memobj *own = NULL;
	struct region *r;
	err_t err;

	TRY(map_check(address, bytes, map_flags, max_prot, offset, obj != NULL));
	bytes = page_round_up(bytes);
	if (!obj && map_flags & MAP_SHARED) {
		TRY(memobj_create(bytes, s->account, &own));
		obj = own;
		offset = 0;
	}
	spin_lock(&s->lock);
	if ((err = region_create(s, obj, &r)))
		goto unlock;
	r->flags = map_flags & REGION_FLAGS;
	r->max_prot = max_prot & PROT_MASK;
	r->offset = obj ? offset : 0;
	if ((err = place_take(s, &address, bytes, map_flags, &gone))) {
		list_push_back(&gone, &r->gone_link);
		goto unlock;
	}
	r->start = address;
	r->end = address + bytes;
	region_attach(s, r);
	regions_join(s, address, address + bytes, &gone);
unlock:
	spin_unlock(&s->lock);
	regions_destroy(&gone);
	if (!err && map_flags & MAP_POPULATE)
		range_populate(s, address, address + bytes, map_flags);
	if (!err)
		*out = address;
	if (own)
		memobj_put(own);
	return err;
}

/* ---- Protect, advise ---- */

/* NOMEM: a hole in [start, end). ACCES: prot is more than some region there may have. */
static err_t range_check(struct space *s, uint64_t start, uint64_t end, uint32_t prot) REQUIRES(&s->lock)
{
	struct region *r = region_at_or_after(&s->regions, start);
	for (uint64_t at = start; at < end; r = region_next(&s->regions, r)) {
		if (!r || r->start > at)
			return ERR_NOMEM;
		if (prot & ~r->max_prot)
			return ERR_ACCES;
		at = r->end;
	}
	return OK;
}

err_t space_protect(struct space *s, uint64_t address, uint64_t bytes, uint32_t map_flags)
{
	struct list_node gone = LIST_INIT(gone);
	uint32_t prot = map_flags & PROT_MASK;
	if (address & PAGE_MASK)
		return ERR_INVAL;
	if (bytes == 0)
		return OK;
	if (!range_is_good(address, bytes))
		return ERR_NOMEM;       /* not all of it can be mapped */
	uint64_t end = address + page_round_up(bytes);
	spin_lock(&s->lock);
	err_t err = range_check(s, address, end, prot);
	if (!err && !(err = edges_make(s, address, end))) {
		struct region *r = region_at_or_after(&s->regions, address);
		for (; r && r->start < end; r = region_next(&s->regions, r)) {
			r->flags = (r->flags & ~(uint32_t)PROT_MASK) | prot;
			pages_protect(s, r, r->start, r->end);
		}
	}
	regions_join(s, address, end, &gone);
	spin_unlock(&s->lock);
	regions_destroy(&gone);
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
	if (!err && advice != ADVICE_WILLNEED)
		pages_drop(s, address, end);
	spin_unlock(&s->lock);
	return err;
}

/* ---- Remap ---- */

/* Makes r (edges made around the old range) longer in place. */
static bool grow_in_place(struct space *s, struct region *r, uint64_t bytes) REQUIRES(&s->lock)
{
	if (!range_is_free(s, r->end, bytes))
		return false;
	region_reshape(s, r, r->start, r->end + bytes);
	return true;
}

/* Moves region r (the whole of it) to address, bytes long. */
static err_t region_move(struct space *s, struct region *r, struct region *fresh, uint64_t address, uint64_t bytes) REQUIRES(&s->lock)
{
	fresh->flags = r->flags;
	fresh->max_prot = r->max_prot;
	fresh->has_anon = r->has_anon;
	fresh->offset = r->offset;
	fresh->start = address;
	fresh->end = address + bytes;
	TRY(pages_move(s, r->start, r->start + MIN_OF(bytes, r->end - r->start), address));
	region_attach(s, fresh);
	pages_drop(s, r->start, r->end);
	region_detach(s, r);
	return OK;
}

/* The one region that holds all of [start, end), or NULL. */
static struct region *region_around(struct space *s, uint64_t start, uint64_t end)
{
	struct region *r = region_at_or_after(&s->regions, start);
	return r && r->start <= start && r->end >= end ? r : NULL;
}

static err_t remap_check(uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t flags, uint64_t new_address)
{
	if (!range_is_good(address, bytes) || new_bytes == 0 || flags & ~(uint32_t)(REMAP_MAYMOVE | REMAP_FIXED))
		return ERR_INVAL;
	if (new_bytes > USER_MAX)
		return ERR_NOMEM;
	if (!(flags & REMAP_FIXED))
		return OK;
	if (!(flags & REMAP_MAYMOVE) || new_address < USER_MIN || !range_is_good(new_address, new_bytes))
		return ERR_INVAL;
	return new_address < address + page_round_up(bytes) && address < new_address + page_round_up(new_bytes) ? ERR_INVAL : OK;
}

/* With the lock and edges at both ends of the old range. fresh: a region in case it moves; kept (NULL) when used. */
static err_t remap_locked(struct space *s, uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t flags,
                          uint64_t *to, struct region **fresh, struct list_node *gone) REQUIRES(&s->lock)
{
	struct region *r = region_around(s, address, address + bytes);
	err_t err;
	if (!(flags & REMAP_FIXED)) {
		*to = address;
		if (new_bytes < bytes) {
			if (!(err = edges_make(s, address + new_bytes, address + bytes)))
				range_clear(s, address + new_bytes, address + bytes, gone);
			return err;
		}
		if (new_bytes == bytes || grow_in_place(s, r, new_bytes - bytes))
			return OK;
		if (!(flags & REMAP_MAYMOVE) || !region_find_gap(&s->regions, new_bytes, to))
			return ERR_NOMEM;
	} else if ((err = place_take(s, to, new_bytes, MAP_FIXED, gone))) {
		return err;
	}
	TRY(region_move(s, r, *fresh, *to, new_bytes));
	*fresh = NULL;
	list_push_back(gone, &r->gone_link);
	return OK;
}

err_t space_remap(struct space *s, uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t remap_flags,
                  uint64_t new_address, uint64_t *out)
{
	struct list_node gone = LIST_INIT(gone);
	struct region *r, *fresh = NULL;
	uint64_t to = new_address;
	err_t err = remap_check(address, bytes, new_bytes, remap_flags, new_address);
	if (err)
		return err;
	bytes = page_round_up(bytes);
	new_bytes = page_round_up(new_bytes);
	spin_lock(&s->lock);
	if (!(r = region_around(s, address, address + bytes))) {
		err = ERR_FAULT;
		goto unlock;
	}
	if (r->object && new_bytes > MEMOBJ_BYTES_MAX - (r->offset + (address - r->start))) {
		err = ERR_OVERFLOW;
		goto unlock;
	}
	if ((err = region_create(s, r->object, &fresh)))
		goto unlock;
	if (!(err = edges_make(s, address, address + bytes)))
		err = remap_locked(s, address, bytes, new_bytes, remap_flags, &to, &fresh, &gone);
	regions_join(s, address, address + MAX_OF(bytes, new_bytes), &gone);
	if (!err)
		regions_join(s, to, to + new_bytes, &gone);
	if (fresh)
		list_push_back(&gone, &fresh->gone_link);
unlock:
	spin_unlock(&s->lock);
	regions_destroy(&gone);
	if (!err)
		*out = to;
	return err;
}
