/* kernel/mem/memobj.c - memory objects: their life, clones, length and holes, and reclaiming what pagers can bring again. */
#include "kernel/mem/memobj.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/paging.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* A hole in a clone is a record per page: no more than this at once (1 GiB). */
enum { CLONE_PUNCH_MAX = 1 << 18 };

static _Atomic uint64_t next_id = 1;
static struct spinlock paged_lock = SPINLOCK_INIT(RANK_PAGED_LIST);
static struct list_node paged_objects = LIST_INIT(paged_objects);       /* [paged_lock] */

/* ---- Life ---- */

static err_t memobj_new(enum memobj_kind kind, uint64_t bytes, struct account *a, struct memobj **out)
{
	if (bytes > MEMOBJ_BYTES_MAX)
		return ERR_INVAL;
	struct memobj *m = heap_new(struct memobj);
	if (!m)
		return ERR_NOMEM;
	object_init(&m->object);
	spin_init(&m->lock, RANK_MEMOBJ);
	m->kind = (uint8_t)kind;
	m->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
	m->bytes = bytes;
	m->account = account_get(a);
	list_init(&m->regions);
	list_init(&m->paged_link);
	*out = m;
	return OK;
}

err_t memobj_create(uint64_t bytes, struct account *a, struct memobj **out)
{
	return memobj_new(MEMOBJ_ANONYMOUS, bytes, a, out);
}

err_t memobj_create_physical(paddr_t start, uint64_t bytes, enum mem_cache cache, struct memobj **out)
{
	uint32_t flags[] = { [MEM_CACHED] = 0, [MEM_UNCACHED] = PAGE_UNCACHED, [MEM_WRITE_COMBINING] = PAGE_WRITE_COMBINING };
	if ((start.raw | bytes) & PAGE_MASK || bytes == 0 || (uint32_t)cache >= ARRAY_COUNT(flags) ||
	    !range_fits(start.raw, bytes, PADDR_MAX))
		return ERR_INVAL;
	TRY(memobj_new(MEMOBJ_PHYSICAL, bytes, NULL, out));
	(*out)->physical = start;
	(*out)->window_pages = bytes >> PAGE_SHIFT;
	(*out)->cache_flags = PAGE_DEVICE | flags[cache];
	return OK;
}

err_t memobj_create_paged(uint64_t bytes, struct account *a, err_t (*ask)(void *context, struct memobj *m, uint64_t offset),
                          void (*drop)(void *context), void *context, struct memobj **out)
{
	TRY(memobj_new(MEMOBJ_PAGED, bytes, a, out));
	struct memobj *m = *out;
	m->ask = ask;
	m->drop = drop;
	m->context = context;
	spin_lock(&paged_lock);
	list_push_back(&paged_objects, &m->paged_link);
	spin_unlock(&paged_lock);
	return OK;
}

static void slot_drop(void *held_count, uint64_t n UNUSED, uint64_t slot)
{
	--*(uint64_t *)held_count;
	frame_put(slot_frame(slot));
}

/* Frees the frames of pages [first, end). */
static void memobj_pages_remove(struct memobj *m, uint64_t first, uint64_t end) REQUIRES(&m->lock)
{
	page_index_remove(&m->pages, first, end, slot_drop, &m->held_count);
}

struct memobj *memobj_get(struct memobj *m) { return object_get(m); }

void memobj_put(struct memobj *m)
{
	if (!m || !object_put(&m->object))
		return;
	ASSERT(list_is_empty(&m->regions));
	if (m->kind == MEMOBJ_PAGED) {
		spin_lock(&paged_lock);
		list_remove(&m->paged_link);
		spin_unlock(&paged_lock);
		if (m->drop)
			m->drop(m->context);
	}
	memobj_pages_remove(m, 0, UINT64_MAX);
	memobj_unkeep(m, 0, UINT64_MAX);
	account_put(m->account);
	heap_delete(m);
}

/* ---- Length ---- */

/* Zeroes [from, end) of one page where it is not zero anyway: in a hole, cut off, or with a pager, who cuts to length what he brings.
 * PERM: the object is sealed. */
static err_t part_clear(struct memobj *m, uint64_t from, uint64_t end) REQUIRES(&m->lock)
{
	struct page_step step;
	paddr_t frame;
	if (m->is_sealed || from >= end)
		return m->is_sealed ? ERR_PERM : OK;
	err_t err = memobj_page_locked(m, from >> PAGE_SHIFT, PAGE_LOOK, &frame, &step);
	if (err == ERR_RANGE || (err == ERR_AGAIN && m->kind == MEMOBJ_PAGED) || (!err && frame.raw == frame_zero().raw))
		return OK;
	err = memobj_part_change(m, from, NULL, end - from);
	return m->is_sealed ? ERR_PERM : err == ERR_RANGE ? OK : err;
}

uint64_t memobj_bytes(struct memobj *m)
{
	spin_lock(&m->lock);
	uint64_t bytes = m->bytes;
	spin_unlock(&m->lock);
	return bytes;
}

err_t memobj_resize(struct memobj *m, uint64_t bytes)
{
	if (m->kind == MEMOBJ_PHYSICAL || bytes > MEMOBJ_BYTES_MAX)
		return ERR_INVAL;
	uint64_t first = page_round_up(bytes) >> PAGE_SHIFT;
	spin_lock(&m->lock);
	/* When it grows too: a mapping could write behind the end. */
	uint64_t last = MIN_OF(bytes, m->bytes);
	err_t err = part_clear(m, last, page_round_up(last));
	bool cut = !err && bytes < m->bytes;
	if (cut) {
		m->window_pages = MIN_OF(m->window_pages, first);
		memobj_pages_remove(m, first, UINT64_MAX);
	}
	if (!err) {
		m->bytes = bytes;
		memobj_touch_changed(m);
	}
	spin_unlock(&m->lock);
	if (cut)
		memobj_zap(m, first, UINT64_MAX, true);
	return err;
}

err_t memobj_seal(struct memobj *m, uint64_t bytes)
{
	paddr_t frame;
	spin_lock(&m->lock);
	bool can = m->kind == MEMOBJ_ANONYMOUS && !m->window_pages && m->bytes == bytes;
	m->is_sealed |= can;
	spin_unlock(&m->lock);
	if (!can)
		return ERR_INVAL;
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		TRY(memobj_page(m, at, true, &frame));
		frame_put(frame);
	}
	return OK;
}

/* ---- Clones of a window ----
 *
 * A clone is an anonymous object that begins with its parent's frames. Of a physical object those are in one piece, and need not be
 * listed before they are used; a clone of such a clone knows the place as well.
 */

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
	clone->physical = paddr(m->physical.raw + (first << PAGE_SHIFT));
	clone->window_pages = first < m->window_pages ? MIN_OF(pages, m->window_pages - first) : 0;
	return pages_share(m, first, first + pages, clone);
}

err_t memobj_create_clone(struct memobj *parent, uint64_t offset, uint64_t bytes, struct account *a, struct memobj **out)
{
	struct memobj *clone;
	uint64_t first = offset >> PAGE_SHIFT, pages = page_round_up(bytes) >> PAGE_SHIFT;
	if (offset & PAGE_MASK || offset > MEMOBJ_BYTES_MAX || bytes > MEMOBJ_BYTES_MAX)
		return ERR_INVAL;
	/* Only memory that the kernel can copy, and has. */
	if (parent->cache_flags & (PAGE_UNCACHED | PAGE_WRITE_COMBINING) || !memobj_is_ram(parent) || parent->kind == MEMOBJ_PAGED)
		return ERR_INVAL;
	TRY(memobj_new(MEMOBJ_ANONYMOUS, bytes, a, &clone));
	spin_lock(&parent->lock);
	err_t err = window_share(parent, first, pages, clone);
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

/* ---- Holes ---- */

/* A clone's missing page is what it was made of, so a hole in it is the zero frame. */
static err_t clone_punch(struct memobj *m, uint64_t first, uint64_t end) REQUIRES(&m->lock)
{
	if (end >= memobj_page_count(m))
		m->window_pages = MIN_OF(m->window_pages, first);
	end = MIN_OF(end, m->window_pages);
	if (end > first && end - first > CLONE_PUNCH_MAX)
		return ERR_NOMEM;
	for (uint64_t n = first; n < end; n++) {
		uint64_t *slot;
		TRY(page_index_make(&m->pages, n, &slot));
		if (*slot)
			continue;
		*slot = frame_zero().raw | SLOT_COPY;
		m->held_count++;
	}
	return OK;
}

err_t memobj_punch(struct memobj *m, uint64_t offset, uint64_t bytes)
{
	if (m->kind == MEMOBJ_PHYSICAL || offset > MEMOBJ_BYTES_MAX || bytes > MEMOBJ_BYTES_MAX)
		return ERR_INVAL;
	spin_lock(&m->lock);
	uint64_t end = MIN_OF(offset + bytes, page_round_up(m->bytes)), middle = MIN_OF(page_round_up(offset), end);
	uint64_t first = page_round_up(offset) >> PAGE_SHIFT, last = end < m->bytes ? end >> PAGE_SHIFT : memobj_page_count(m);
	err_t err = part_clear(m, offset, middle);
	if (!err)
		err = part_clear(m, MAX_OF(last << PAGE_SHIFT, middle), end);
	if (!err && first < last)
		memobj_pages_remove(m, first, last);
	if (!err && first < last)
		err = clone_punch(m, first, last);
	if (!err)
		memobj_touch_changed(m);
	spin_unlock(&m->lock);
	if (first < last)
		memobj_zap(m, first, last, false);
	return err;
}

int64_t memobj_next_data(struct memobj *m, uint64_t offset)
{
	int64_t at = ERR_NXIO;
	uint64_t n = offset >> PAGE_SHIFT;
	spin_lock(&m->lock);
	if (offset < m->bytes && (m->kind != MEMOBJ_ANONYMOUS || n < m->window_pages))
		at = (int64_t)offset;   /* what is not here now is somewhere */
	else if (offset < m->bytes && page_index_next(&m->pages, n, memobj_page_count(m), &n))
		at = (int64_t)MAX_OF(offset, n << PAGE_SHIFT);
	spin_unlock(&m->lock);
	return at;
}

void memobj_info(struct memobj *m, struct mem_info *out)
{
	spin_lock(&m->lock);
	*out = (struct mem_info){
		.bytes = m->bytes,
		.held_bytes = m->held_count << PAGE_SHIFT,
		.changed_ns = m->changed_ns,
		.physical = m->kind == MEMOBJ_PHYSICAL ? m->physical.raw : 0,
	};
	spin_unlock(&m->lock);
}

/* ---- Reclaim ---- */

/* Clean pages that only the object holds. */
static uint64_t object_reclaim(struct memobj *m, uint64_t count)
{
	uint64_t done = 0, n = 0;
	spin_lock(&m->lock);
	for (; done < count && page_index_next(&m->pages, n, UINT64_MAX, &n); n++) {
		uint64_t slot = *page_index_find(&m->pages, n);
		if (slot & (SLOT_DIRTY | SLOT_BUSY) || frame_refs(slot_frame(slot)) != 1)
			continue;
		memobj_pages_remove(m, n, n + 1);
		done++;
	}
	spin_unlock(&m->lock);
	return done;
}

/* The paged object that was looked at longest ago, referenced; NULL when there is none. */
static struct memobj *paged_next(void)
{
	struct memobj *found = NULL, *m;
	spin_lock(&paged_lock);
	list_each(m, &paged_objects, paged_link) {
		if (!object_try_get(&m->object))
			continue;
		found = m;
		list_remove(&m->paged_link);
		list_push_back(&paged_objects, &m->paged_link);
		break;
	}
	spin_unlock(&paged_lock);
	return found;
}

uint64_t memobj_reclaim(uint64_t count)
{
	enum { OBJECTS_MAX = 64 };
	uint64_t done = 0;
	if (!frame_is_short())
		return 0;       /* whoever asks is over its quota: others' pages would not help */
	for (int i = 0; i < OBJECTS_MAX && done < count; i++) {
		struct memobj *m = paged_next();
		if (!m)
			break;
		done += object_reclaim(m, count - done);
		memobj_put(m);
	}
	return done;
}
