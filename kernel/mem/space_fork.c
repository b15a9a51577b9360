/* kernel/mem/space_fork.c - a copy-on-write copy of a space: every page of its own is touched once.
 *
 * Frames of the anonymous layer are shared read-only by both. What is borrowed from objects is not copied: the child
 * finds it there when it needs it, many pages with one fault, and a child that execs or exits never does.
 */
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"

struct fork {
	struct space *child;
	uint64_t start, end;            /* of the parent's entries that lost the right to write */
	err_t err;
};

static bool fork_visit(void *context, uint64_t address, struct page_entry *e)
{
	struct fork *f = context;
	struct page_entry copy = *e;
	bool protect = e->flags & PAGE_WRITE;
	if (f->err || !(e->flags & PAGE_ANON))
		return false;
	copy.flags &= ~(uint32_t)PAGE_WRITE;
	if ((f->err = paging_set(&f->child->tables, f->child->account, address, copy)))
		return false;
	frame_get(copy.frame);
	f->child->resident_count++;
	if (!protect)
		return false;
	e->flags &= ~(uint32_t)PAGE_WRITE;
	f->start = MIN_OF(f->start, address);
	f->end = MAX_OF(f->end, address + PAGE_BYTES);
	return true;
}

static err_t region_fork(struct space *s, const struct region *r, struct fork *f)
{
	struct region *copy;
	err_t err = region_create(f->child, r->object, &copy);
	if (err)
		return err;
	copy->flags = r->flags;
	copy->max_prot = r->max_prot;
	copy->has_anon = r->has_anon;
	copy->start = r->start;
	copy->end = r->end;
	copy->offset = r->offset;
	region_attach(f->child, copy);
	if (r->has_anon)
		paging_walk(&s->tables, r->start, r->end, fork_visit, f);
	return f->err;
}

err_t space_fork(struct space *s, struct account *a, struct space **out)
{
	struct fork f = { .start = UINT64_MAX };
	err_t err = space_create(a, &f.child);
	if (err)
		return err;
	spin_lock(&s->lock);
	/* Nobody else knows the child, but its regions are on their objects' lists. */
	spin_lock_nested(&f.child->lock);
	for (uint32_t i = 0; i < s->regions.count && !err; i++)
		err = region_fork(s, s->regions.at[i], &f);
	spin_unlock(&f.child->lock);
	if (f.start < f.end)
		space_shootdown(s, f.start, f.end);
	spin_unlock(&s->lock);
	if (err)
		space_put(f.child);
	else
		*out = f.child;
	return err;
}
