/* kernel/mem/space_pages.c - the page table entries of a range: dropped, protected, moved, counted.
 *
 * Frames that leave the tables are gathered, and let go once no CPU's TLB can reach them.
 */
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* Takes out what the walk still sees, but for entries with the flag keep. */
static void entries_drop(struct space *s, struct page_walk *w, uint32_t keep)
{
	paddr_t frames[GATHER_MAX];
	uint32_t taken;
	for (uint64_t start = w->next; s->resident_count && (taken = paging_take(w, keep, GATHER_MAX, frames)) > 0; start = w->next) {
		s->resident_count -= taken;
		space_shootdown(s, start, w->next);
		frames_put(frames, taken);
	}
}

/* Shared tables that show some of [start, end) become the space's own, or (drop; then they lie there wholly) go. */
static err_t tables_unshare(struct space *s, uint64_t start, uint64_t end, bool drop)
{
	struct page_walk w = { .tables = &s->tables, .next = start, .end = end };
	paddr_t left;
	while (s->tables.shared_count && end - start >= PAGE_TABLE_BYTES) {
		TRY(paging_unshare(&w, s->account, drop, &left));
		if (!left.raw)
			break;
		s->resident_count -= drop ? frame_of(left)->table_used : 0;
		/* A copy says of its pages what TLBs already know: one of them, and CPUs forget the table itself too. */
		space_shootdown(s, w.address, w.address + (drop ? PAGE_TABLE_BYTES : PAGE_BYTES));
		paging_table_put(left);
	}
	return OK;
}

err_t pages_own(struct space *s, uint64_t start, uint64_t end)
{
	return tables_unshare(s, round_down(start, PAGE_TABLE_BYTES), round_up(end, PAGE_TABLE_BYTES), false);
}

void pages_drop(struct space *s, uint64_t start, uint64_t end)
{
	struct page_walk w = { .tables = &s->tables, .next = start, .end = end };
	err_t err = tables_unshare(s, start, end, true);
	ASSERT(!err);
	entries_drop(s, &w, 0);
}

void space_zap(struct space *s, uint64_t start, uint64_t end_address, struct memobj *m, uint64_t first, uint64_t end, bool private_too)
{
	struct region *r;
	spin_lock(&s->lock);
	for (uint32_t i = region_index(&s->regions, start); (r = region_at(&s->regions, i)) && r->start < end_address; i++) {
		uint64_t page = r->offset >> PAGE_SHIFT, page_end = page + ((r->end - r->start) >> PAGE_SHIFT);
		struct page_walk w = { .tables = &s->tables, .next = r->start, .end = r->end };
		if (r->object != m || first >= page_end || end <= page)
			continue;
		w.next += first > page ? (first - page) << PAGE_SHIFT : 0;
		w.end -= end < page_end ? (page_end - end) << PAGE_SHIFT : 0;
		entries_drop(s, &w, private_too ? 0 : PAGE_ANON);
	}
	spin_unlock(&s->lock);
}

/* What r grants from now on; what is ours alone may be written at once. */
void pages_protect(struct space *s, struct region *r)
{
	struct page_walk w = { .tables = &s->tables, .next = r->start, .end = r->end };
	struct page_entry e;
	bool lost = false;
	while (paging_next(&w, &e)) {
		uint32_t rights = region_page_flags(r), old = e.flags & (PAGE_READ | PAGE_WRITE | PAGE_EXEC);
		if (r->flags & MAP_WRITE && e.flags & PAGE_ANON && frame_refs(e.frame) == 1)
			rights |= PAGE_WRITE;
		lost |= (old & ~rights) != 0;
		e.flags = (e.flags & ~old) | rights;
		if (old != rights)
			paging_replace(&w, e);
	}
	if (lost)
		space_shootdown(s, r->start, r->end);
}

err_t pages_move(struct space *s, uint64_t from, uint64_t end, uint64_t to)
{
	struct page_walk w = { .tables = &s->tables, .next = from, .end = end };
	struct page_entry e;
	err_t err = pages_own(s, from, end);
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
