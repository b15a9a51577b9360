/* kernel/mem/memobj_clone.c - copy-on-write clones of a window of an object.
 *
 * A clone is an anonymous object that begins with its parent's frames. Only where the parent is paged or
 * physical can a page come later: then the clone reads missing pages through to that object, however long the chain of clones.
 */
#include "kernel/mem/memobj.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/paging.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

void memobj_reader_gone(struct memobj *m)
{
	spin_lock(&m->lock);
	if (--m->readers == 0)
		memobj_index_clear(&m->kept);
	spin_unlock(&m->lock);
}

/* Shares the frames of pages [first, end) of m. */
static err_t pages_share(struct memobj *m, uint64_t first, uint64_t end, struct memobj *clone) REQUIRES(&m->lock)
{
	for (uint64_t n = first; page_index_next(&m->pages, n, end, &n); n++) {
		uint64_t *theirs, *slot = page_index_find(&m->pages, n);
		TRY(page_index_make(&clone->pages, n - first, &theirs));
		frame_get(slot_frame(*slot));
		*theirs = slot_frame(*slot).raw | SLOT_COPY;
		*slot |= SLOT_COPY;
		clone->held_count++;
	}
	return OK;
}

static err_t window_share(struct memobj *m, uint64_t first, uint64_t pages, struct memobj *clone) REQUIRES(&m->lock)
{
	uint64_t held = memobj_page_count(m);
	if (m->is_sealed)
		return ERR_PERM;
	if (first >= held)
		return OK;
	pages = MIN_OF(pages, held - first);
	clone->changed_ns = m->changed_ns;
	struct memobj *root = m->kind != MEMOBJ_ANONYMOUS ? m : first < m->window_pages ? m->parent : NULL;
	if (root) {
		memobj_get(root);
		root->readers++;
		clone->parent = root;
		clone->parent_page = first + (root == m ? 0 : m->parent_page);
		clone->window_pages = root == m ? pages : MIN_OF(pages, m->window_pages - first);
	}
	return pages_share(m, first, first + pages, clone);
}

err_t memobj_create_clone(struct memobj *parent, uint64_t offset, uint64_t bytes, struct account *a, struct memobj **out)
{
	struct memobj *clone;
	uint64_t first = offset >> PAGE_SHIFT, pages = page_round_up(bytes) >> PAGE_SHIFT;
	if (offset & PAGE_MASK || offset > MEMOBJ_BYTES_MAX || bytes > MEMOBJ_BYTES_MAX)
		return ERR_INVAL;
	/* Only memory that the kernel can copy. */
	if (parent->kind == MEMOBJ_PHYSICAL && (parent->cache_flags & (PAGE_UNCACHED | PAGE_WRITE_COMBINING) ||
	                                        !memobj_is_ram(parent)))
		return ERR_INVAL;
	err_t err = memobj_new(MEMOBJ_ANONYMOUS, bytes, a, &clone);
	if (err)
		return err;
	spin_lock(&parent->lock);
	err = window_share(parent, first, pages, clone);
	spin_unlock(&parent->lock);
	if (err) {
		memobj_put(clone);
		return err;
	}
	/* Nobody may go on writing to the shared frames through an old mapping. */
	if (clone->held_count)
		memobj_zap(parent, first, first + pages, false);
	*out = clone;
	return OK;
}
