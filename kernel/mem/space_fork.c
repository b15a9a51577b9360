/* kernel/mem/space_fork.c - a copy-on-write copy of a space.
 *
 * Frames of the anonymous layer are shared read-only by both, and so are whole tables of a region without object, until either changes
 * something there (pages_own). What is borrowed from objects is not copied: the child
 * finds it there when it needs it, many pages with one fault, and a child that execs or exits never does.
 */
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

static err_t region_fork(struct space *s, const struct region *r, struct space *child)
{
	struct region *copy;
	TRY(region_create(child, r, &copy));
	region_attach(child, copy);
	struct page_walk w = { .tables = &s->tables, .next = r->start, .end = r->end };
	return r->has_anon ? paging_share(&w, &child->tables, child->account, !r->object, &child->resident_count) : OK;
}

err_t space_fork(struct space *s, struct account *a, struct space **out)
{
	struct space *child;
	TRY(space_create(a, &child));
	spin_lock(&s->lock);
	/* Nobody else knows the child, but its regions are on their objects' lists. */
	spin_lock_nested(&child->lock);
	err_t err = region_set_reserve(&child->regions, s->regions.count);
	for (uint32_t i = 0; i < s->regions.count && !err; i++)
		err = region_fork(s, s->regions.at[i], child);
	spin_unlock(&child->lock);
	space_shootdown(s, 0, 0);
	spin_unlock(&s->lock);
	if (err)
		space_put(child);
	else
		*out = child;
	return err;
}
