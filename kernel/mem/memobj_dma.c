/* kernel/mem/memobj_dma.c - frames that devices know: contiguous ones, and keeping them. */
#include "abi/proto/dma.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* Eats the reference. EXIST: there is a frame. */
static err_t frame_add(struct page_index *x, uint64_t n, paddr_t frame)
{
	uint64_t *slot;
	err_t err = page_index_make(x, n, &slot);
	if (!err && *slot)
		err = ERR_EXIST;
	if (err)
		frame_put(frame);
	else
		*slot = frame.raw | SLOT_DIRTY;
	return err;
}

err_t memobj_append(struct memobj *m, uint64_t pages, uint32_t flags, paddr_t *out)
{
	err_t err = OK;
	if (m->kind != MEMOBJ_ANONYMOUS || m->is_sealed || m->bytes & PAGE_MASK || pages == 0 || pages > 1ull << FRAME_ORDER_MAX)
		return ERR_INVAL;
	uint32_t order = highest_bit(pages * 2 - 1);
	TRY(frame_alloc(order, flags | FRAME_ZEROED, m->account, out));
	frame_split(*out);
	spin_lock(&m->lock);
	for (uint64_t i = 0; i < 1ull << order; i++) {
		paddr_t frame = paddr(out->raw + (i << PAGE_SHIFT));
		if (i >= pages || err) {
			frame_put(frame);
		} else if (!(err = frame_add(&m->pages, memobj_page_count(m), frame))) {
			m->held_count++;
			m->bytes += PAGE_BYTES;
		}
	}
	spin_unlock(&m->lock);
	return err;
}

err_t memobj_keep(struct memobj *keeper, uint64_t at, struct memobj *from, struct space *space, uint64_t start, bool write, struct dma_piece *piece)
{
	err_t err = !from || from->kind == MEMOBJ_ANONYMOUS ? OK : ERR_INVAL;
	uint64_t done = 0;
	paddr_t frame;
	for (; done < piece->bytes && !err; done += err ? 0 : PAGE_BYTES) {
		if ((err = from ? memobj_page(from, start + done, write, &frame) : space_page(space, start + done, write, false, &frame)))
			break;
		piece->address = done ? piece->address : frame.raw;
		if (frame.raw != piece->address + done) {
			frame_put(frame);
			break;
		}
		spin_lock(&keeper->lock);
		err = frame_add(&keeper->kept, at + (done >> PAGE_SHIFT), frame);
		spin_unlock(&keeper->lock);
	}
	if (err)
		memobj_unkeep(keeper, at, done >> PAGE_SHIFT);
	piece->bytes = done;
	return err;
}

static void kept_drop(void *context UNUSED, uint64_t n UNUSED, uint64_t slot) { frame_put(slot_frame(slot)); }

void memobj_unkeep(struct memobj *keeper, uint64_t at, uint64_t count)
{
	spin_lock(&keeper->lock);
	page_index_remove(&keeper->kept, at, at + count, kept_drop, NULL);
	spin_unlock(&keeper->lock);
}
