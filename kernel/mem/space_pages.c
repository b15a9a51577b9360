/* kernel/mem/space_pages.c - the page table entries of a range: dropped, protected, moved, counted.
 *
 * Frames that leave the tables are gathered, and let go once no CPU's TLB can reach them.
 */
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"

/* Frames taken out of page tables, and what changed there since the last flush. */
struct gather {
	struct space *space;
	uint64_t start, end;
	uint32_t count;
	paddr_t frames[GATHER_MAX];
};

static void gather_page(struct gather *g, uint64_t address)
{
	g->start = g->end ? MIN_OF(g->start, address) : address;
	g->end = MAX_OF(g->end, address + PAGE_BYTES);
}

static void gather_flush(struct gather *g)
{
	if (g->end)
		space_shootdown(g->space, g->start, g->end);
	frames_put(g->frames, g->count);
	g->count = 0;
	g->end = 0;
}

/* Takes out the entry that was found last. */
static void gather_entry(struct gather *g, struct page_walk *w, const struct page_entry *e)
{
	if (g->count == GATHER_MAX)
		gather_flush(g);
	gather_page(g, w->address);
	if (!(e->flags & PAGE_DEVICE))
		g->frames[g->count++] = e->frame;
	g->space->resident_count--;
	paging_replace(w, (struct page_entry){ .flags = 0 });
}

void pages_drop(struct space *s, uint64_t start, uint64_t end)
{
	struct page_walk w = { .tables = &s->tables, .next = start, .end = end };
	paddr_t frames[GATHER_MAX];
	uint32_t taken, count;
	for (; s->resident_count && (taken = paging_take(&w, GATHER_MAX, frames, &count)) > 0; start = w.next) {
		s->resident_count -= taken;
		space_shootdown(s, start, w.next);
		frames_put(frames, count);
	}
}

void pages_drop_all(struct space *s)
{
	struct page_walk w = { .tables = &s->tables };
	paddr_t frames[GATHER_MAX];
	uint32_t count;
	for (uint32_t i = 0; i < s->regions.count; i++) {
		w.next = s->regions.at[i]->start;
		w.end = s->regions.at[i]->end;
		while (paging_take(&w, GATHER_MAX, frames, &count) > 0)
			frames_put(frames, count);
	}
}

void space_zap(struct space *s, uint64_t start, uint64_t end_address, struct memobj *m, uint64_t first, uint64_t end, bool private_too)
{
	struct gather g = { .space = s };
	struct page_entry e;
	struct region *r;
	spin_lock(&s->lock);
	for (uint32_t i = region_index(&s->regions, start); (r = region_at(&s->regions, i)) && r->start < end_address; i++) {
		uint64_t page = r->offset >> PAGE_SHIFT, page_end = page + ((r->end - r->start) >> PAGE_SHIFT);
		struct page_walk w = { .tables = &s->tables, .next = r->start, .end = r->end };
		if (r->object != m || first >= page_end || end <= page)
			continue;
		w.next += first > page ? (first - page) << PAGE_SHIFT : 0;
		w.end -= end < page_end ? (page_end - end) << PAGE_SHIFT : 0;
		while (paging_next(&w, &e))
			if (private_too || !(e.flags & PAGE_ANON))
				gather_entry(&g, &w, &e);
	}
	gather_flush(&g);
	spin_unlock(&s->lock);
}

/* What r grants from now on; what is ours alone may be written at once. */
void pages_protect(struct space *s, struct region *r)
{
	struct page_walk w = { .tables = &s->tables, .next = r->start, .end = r->end };
	struct page_entry e;
	uint64_t first = 0, last = 0;
	while (paging_next(&w, &e)) {
		uint32_t rights = region_page_flags(r), old = e.flags & (PAGE_READ | PAGE_WRITE | PAGE_EXEC);
		if (r->flags & MAP_WRITE && e.flags & PAGE_ANON && frame_refs(e.frame) == 1)
			rights |= PAGE_WRITE;
		if (old & ~rights) {
			first = last ? first : w.address;
			last = w.address + PAGE_BYTES;
		}
		e.flags = (e.flags & ~old) | rights;
		if (old != rights)
			paging_replace(&w, e);
	}
	if (last)
		space_shootdown(s, first, last);
}

err_t pages_move(struct space *s, uint64_t from, uint64_t end, uint64_t to)
{
	struct page_walk w = { .tables = &s->tables, .next = from, .end = end };
	struct page_entry e;
	err_t err = OK;
	/* Twice there for a moment: then an error only takes away the second. */
	while (!err && paging_next(&w, &e))
		err = paging_set(&s->tables, s->account, to + (w.address - from), e);
	uint64_t gone = err ? to : from;
	w = (struct page_walk){ .tables = &s->tables, .next = gone, .end = gone + (end - from) };
	while (paging_next(&w, &e))
		paging_replace(&w, (struct page_entry){ .flags = 0 });
	space_shootdown(s, gone, gone + (end - from));
	return err;
}

uint64_t pages_count(struct space *s, uint64_t start, uint64_t end)
{
	struct page_walk w = { .tables = &s->tables, .next = start, .end = end };
	struct page_entry e;
	uint64_t count = 0;
	while (paging_next(&w, &e))
		count++;
	return count;
}
