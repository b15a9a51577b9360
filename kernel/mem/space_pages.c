/* kernel/mem/space_pages.c - the page table entries of a range: dropped, protected, moved, counted.
 *
 * Frames that leave the tables are gathered, and let go once no CPU's TLB can reach them.
 */
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"

/* ---- Gathering ---- */

static void gather_flush(struct gather *g)
{
	if (g->start < g->end)
		space_shootdown(g->space, g->start, g->end);
	for (uint32_t i = 0; i < g->count; i++)
		frame_put(g->frames[i]);
	g->count = 0;
	g->start = UINT64_MAX;
	g->end = 0;
}

/* The entry at address is about to go or to lose rights; frames before it have gone already. */
static void gather_page(struct gather *g, uint64_t address, const struct page_entry *e)
{
	if (g->count == GATHER_MAX)
		gather_flush(g);
	g->start = MIN_OF(g->start, address);
	g->end = MAX_OF(g->end, address + PAGE_BYTES);
	if (!(e->flags & PAGE_DEVICE))
		g->frames[g->count++] = e->frame;
}

static bool drop_visit(void *context, uint64_t address, struct page_entry *e)
{
	struct gather *g = context;
	gather_page(g, address, e);
	g->space->resident_count--;
	*e = (struct page_entry){ .flags = 0 };
	return true;
}

void pages_drop(struct space *s, uint64_t start, uint64_t end)
{
	struct gather g = { .space = s, .start = UINT64_MAX };
	if (s->resident_count == 0)
		return;
	paging_walk(&s->tables, start, end, drop_visit, &g);
	gather_flush(&g);
}

/* ---- Zapping: an object's pages leave every mapping ---- */

struct zap {
	struct gather gather;
	bool private_too;
};

static bool zap_visit(void *context, uint64_t address, struct page_entry *e)
{
	struct zap *z = context;
	if (e->flags & PAGE_ANON && !z->private_too)
		return false;
	return drop_visit(&z->gather, address, e);
}

/* The part of r that maps pages [first, end) of its object. */
static void zap_region(struct zap *z, const struct region *r, uint64_t first, uint64_t end)
{
	uint64_t region_first = r->offset >> PAGE_SHIFT, region_end = region_first + ((r->end - r->start) >> PAGE_SHIFT);
	first = MAX_OF(first, region_first);
	end = MIN_OF(end, region_end);
	if (first < end)
		paging_walk(&z->gather.space->tables, r->start + ((first - region_first) << PAGE_SHIFT),
		            r->start + ((end - region_first) << PAGE_SHIFT), zap_visit, z);
}

void space_zap(struct space *s, uint64_t start, uint64_t end_address, struct memobj *m, uint64_t first, uint64_t end, bool private_too)
{
	struct zap z = { .gather = { .space = s, .start = UINT64_MAX }, .private_too = private_too };
	spin_lock(&s->lock);
	struct region *r = region_at_or_after(&s->regions, start);
	for (; r && r->start < end_address; r = region_next(&s->regions, r))
		if (r->object == m)
			zap_region(&z, r, first, end);
	gather_flush(&z.gather);
	spin_unlock(&s->lock);
}

/* ---- Protection ---- */

struct protect {
	struct gather gather;
	uint32_t flags;                 /* enum page_flags that the region grants */
	bool writable;                  /* what is ours alone may be written at once */
};

static bool protect_visit(void *context, uint64_t address, struct page_entry *e)
{
	struct protect *p = context;
	uint32_t rights = p->flags;
	if (p->writable && e->flags & PAGE_ANON && frame_refs(e->frame) == 1)
		rights |= PAGE_WRITE;
	uint32_t old = e->flags & (PAGE_READ | PAGE_WRITE | PAGE_EXEC);
	if (old == rights)
		return false;
	if (old & ~rights) {
		p->gather.start = MIN_OF(p->gather.start, address);
		p->gather.end = MAX_OF(p->gather.end, address + PAGE_BYTES);
	}
	e->flags = (e->flags & ~old) | rights;
	return true;
}

void pages_protect(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
	struct protect p = {
		.gather = { .space = s, .start = UINT64_MAX },
		.flags = region_page_flags(r),
		.writable = r->flags & MAP_WRITE,
	};
	paging_walk(&s->tables, start, end, protect_visit, &p);
	gather_flush(&p.gather);
}

/* ---- Moving ---- */

struct move {
	struct space *space;
	uint64_t from, to;
	err_t err;
};

static bool move_copy_visit(void *context, uint64_t address, struct page_entry *e)
{
	struct move *m = context;
	if (!m->err)
		m->err = paging_set(&m->space->tables, m->space->account, m->to + (address - m->from), *e);
	return false;
}

static bool move_clear_visit(void *context UNUSED, uint64_t address UNUSED, struct page_entry *e)
{
	*e = (struct page_entry){ .flags = 0 };
	return true;
}

err_t pages_move(struct space *s, uint64_t from, uint64_t end, uint64_t to)
{
	struct move m = { .space = s, .from = from, .to = to };
	/* Twice there for a moment: then an error only takes away the second. */
	paging_walk(&s->tables, from, end, move_copy_visit, &m);
	uint64_t gone = m.err ? to : from;
	paging_walk(&s->tables, gone, gone + (end - from), move_clear_visit, &m);
	space_shootdown(s, gone, gone + (end - from));
	return m.err;
}

/* ---- Counting ---- */

static bool count_visit(void *context, uint64_t address, struct page_entry *e)
{
	uint64_t *count = context;
	(void)address;
	(void)e;
	++*count;
	return false;
}

uint64_t pages_count(struct space *s, uint64_t start, uint64_t end)
{
	uint64_t count = 0;
	paging_walk(&s->tables, start, end, count_visit, &count);
	return count;
}
