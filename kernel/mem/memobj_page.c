/* kernel/mem/memobj_page.c - which frame is page n of an object, for looking, mapping or writing.
 *
 * Common: the page is there, or is a hole of an anonymous object. Rare: a pager must be asked, or a page that
 * a clone shares is written: then all mappings of the old frame go before the copy appears.
 */
#include "kernel/arch/arch.h"
#include "kernel/mem/account.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/sched/clock.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

void memobj_touch_changed(struct memobj *m) { m->changed_ns = clock_realtime_ns(); }

static uint64_t slot_get(const struct page_index *x, uint64_t n)
{
	const uint64_t *slot = page_index_find(x, n);
	return slot ? *slot : 0;
}

/* Before page n can be had something must be done without locks. */
static err_t page_later(struct memobj *m, uint64_t n, enum page_todo todo, struct page_step *step)
{
	step->object = m;
	step->page = n;
	step->todo = todo;
	return ERR_AGAIN;
}

/* Puts a frame (whose reference it takes) at page n, which is empty. */
static err_t page_put(struct memobj *m, uint64_t n, paddr_t frame, uint64_t flags) REQUIRES(&m->lock)
{
	uint64_t *slot;
	TRY(page_index_make(&m->pages, n, &slot));
	ASSERT(*slot == 0);
	*slot = frame.raw | flags;
	m->held_count++;
	return OK;
}

/* Replaces the shared frame in slot by a copy. Nothing maps the old one. */
static err_t slot_copy(struct memobj *m, uint64_t *slot) REQUIRES(&m->lock)
{
	paddr_t old = slot_frame(*slot), frame;
	TRY(frame_copy(paddr_to_kernel(old), m->account, &frame));
	*slot = frame.raw | SLOT_DIRTY;
	frame_put(old);
	return OK;
}

/* The page is there and will be written. */
static err_t page_change(struct memobj *m, uint64_t n, uint64_t *slot, paddr_t *out, struct page_step *step) REQUIRES(&m->lock)
{
	if (*slot & SLOT_COPY && frame_refs(slot_frame(*slot)) == 1)
		*slot &= ~(uint64_t)SLOT_COPY;
	if (*slot & SLOT_COPY && !list_is_empty(&m->regions)) {
		*slot |= SLOT_BUSY;
		return page_later(m, n, PAGE_TODO_COPY, step);
	}
	if (*slot & SLOT_COPY)
		TRY(slot_copy(m, slot));
	*slot |= SLOT_DIRTY;
	memobj_touch_changed(m);
	*out = slot_frame(*slot);
	return OK;
}

/* Brings page n in, or only tells its frame if it is to be looked at. */
static err_t page_missing(struct memobj *m, uint64_t n, enum page_mode mode, paddr_t *out, struct page_step *step) REQUIRES(&m->lock)
{
	if (n < m->window_pages) {      /* the frames of a physical object are nobody's: no reference */
		*out = paddr(m->physical.raw + (n << PAGE_SHIFT));
		return mode == PAGE_LOOK ? OK : page_put(m, n, *out, SLOT_COPY);
	}
	if (m->kind == MEMOBJ_PAGED || mode == PAGE_NEAR)
		return page_later(m, n, PAGE_TODO_ASK, step);
	if (mode == PAGE_LOOK) {
		*out = frame_zero();
		return OK;
	}
	TRY(frame_alloc(0, FRAME_ZEROED, m->account, out));
	err_t err = page_put(m, n, *out, 0);
	if (err)
		frame_put(*out);
	return err;
}

err_t memobj_page_locked(struct memobj *m, uint64_t n, enum page_mode mode, paddr_t *out, struct page_step *step)
{
	if (n >= memobj_page_count(m))
		return ERR_RANGE;
	if (m->kind == MEMOBJ_PHYSICAL) {
		*out = paddr(m->physical.raw + (n << PAGE_SHIFT));
		return OK;
	}
	uint64_t *slot = page_index_find(&m->pages, n);
	if (!slot || *slot == 0) {
		err_t err = page_missing(m, n, mode, out, step);
		if (err || mode != PAGE_CHANGE)
			return err;
		slot = page_index_find(&m->pages, n);
	}
	if (UNLIKELY(*slot & SLOT_BUSY) && mode != PAGE_LOOK)
		return page_later(m, n, PAGE_TODO_SPIN, step);
	if (mode == PAGE_CHANGE)
		return page_change(m, n, slot, out, step);
	*out = slot_frame(*slot);
	return OK;
}

err_t memobj_page_try(struct memobj *m, uint64_t n, enum page_mode mode, paddr_t *out, struct page_step *step)
{
	spin_lock(&m->lock);
	err_t err = memobj_page_locked(m, n, mode, out, step);
	if (!err)
		frame_get(*out);
	spin_unlock(&m->lock);
	return err;
}

void memobj_pages_near(struct memobj *m, uint64_t n, uint32_t count, paddr_t *out)
{
	struct page_step step;
	uint64_t run = 0, *slot = NULL;
	spin_lock(&m->lock);
	for (uint32_t i = 0; i < count; i++, run--) {
		slot = run == 0 ? page_index_run(&m->pages, n + i, &run) : slot ? slot + 1 : NULL;
		/* Common: it is there. What is beyond the end is not. */
		bool is_there = slot && *slot && !(*slot & SLOT_BUSY);
		if (LIKELY(is_there))
			out[i] = slot_frame(*slot);
		else if (memobj_page_locked(m, n + i, PAGE_NEAR, &out[i], &step))
			out[i] = paddr(0);
		if (out[i].raw)
			frame_get(out[i]);
	}
	spin_unlock(&m->lock);
}

/* Makes the copy of a busy page once nothing maps the old frame. */
static err_t page_copy_finish(struct memobj *m, uint64_t n)
{
	err_t err = OK;
	memobj_zap(m, n, n + 1, false);
	spin_lock(&m->lock);
	uint64_t *slot = page_index_find(&m->pages, n);
	/* Cut off meanwhile: the next try finds out. */
	if (slot && *slot & SLOT_BUSY) {
		*slot &= ~(uint64_t)SLOT_BUSY;
		err = slot_copy(m, slot);
	}
	spin_unlock(&m->lock);
	return err;
}

err_t memobj_page_retry(struct page_step *step, err_t err, bool wait)
{
	struct memobj *m = step->object;
	if (err == ERR_NOMEM)
		return memobj_reclaim(MEMOBJ_RECLAIM_COUNT) ? OK : err;
	if (err != ERR_AGAIN || (step->todo == PAGE_TODO_ASK && !wait))
		return err;
	if (step->todo == PAGE_TODO_COPY)
		return page_copy_finish(m, step->page);
	if (step->todo == PAGE_TODO_ASK && step->asked++ == MEMOBJ_ASK_MAX)
		return ERR_IO;  /* it says yes but brings nothing */
	if (step->todo == PAGE_TODO_ASK)
		return m->ask(m->context, m, step->page << PAGE_SHIFT);
	arch_poll_requests();
	arch_pause();
	return OK;
}

err_t memobj_page(struct memobj *m, uint64_t offset, bool write, paddr_t *out)
{
	struct page_step step = { .asked = 0 };
	for (;;) {
		err_t err = memobj_page_try(m, offset >> PAGE_SHIFT, write ? PAGE_CHANGE : PAGE_LOOK, out, &step);
		if (!err || (err = memobj_page_retry(&step, err, true)))
			return err;
	}
}

err_t memobj_supply(struct memobj *m, uint64_t offset, const void *page)
{
	uint64_t n = offset >> PAGE_SHIFT;
	paddr_t frame;
	err_t err = OK;

	if (m->kind != MEMOBJ_PAGED || offset & PAGE_MASK)
		return ERR_INVAL;
	TRY(frame_copy(page, m->account, &frame));
	spin_lock(&m->lock);
	if (offset >= m->bytes) {
		err = ERR_RANGE;
	} else if (slot_get(&m->pages, n) == 0) {
		if (m->bytes - offset < PAGE_BYTES)
			memset((char *)paddr_to_kernel(frame) + (m->bytes - offset), 0, PAGE_BYTES - (m->bytes - offset));
		if (!(err = page_put(m, n, frame, 0)))
			frame_get(frame);
	}
	spin_unlock(&m->lock);
	frame_put(frame);
	return err;
}
