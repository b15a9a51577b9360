/* kernel/mem/space_copy.c - bytes between spaces, or from one into kernel memory, page by page through the direct map.
 *
 * A page that is written is written under its space's lock: a fork between finding the frame and changing it would
 * turn the change into the child's. The source is only held by a reference: who writes to it meanwhile copies it first, or is seen.
 */
#include "kernel/arch/arch.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* With the lock on OK: the page at address is there for the access. */
static err_t page_lock(struct space *s, uint64_t address, bool write, bool wait, paddr_t *out)
{
	struct page_step step = { .asked = 0 };
	struct page_entry e;
	if (address >= USER_MAX)
		return ERR_FAULT;
	for (;;) {
		spin_lock(&s->lock);
		err_t err = fault_locked(s, page_round_down(address), write ? FAULT_WRITE : 0, &e, &step);
		if (!err && e.flags & PAGE_DEVICE && !frame_of(e.frame))
			err = ERR_FAULT;        /* device memory is not in the direct map */
		*out = e.frame;
		if (!err)
			return OK;
		spin_unlock(&s->lock);
		TRY(fault_retry(&step, err, wait));
	}
}

err_t space_page(struct space *s, uint64_t address, bool write, bool wait, paddr_t *out)
{
	TRY(page_lock(s, address, write, wait, out));
	frame_get(*out);
	spin_unlock(&s->lock);
	return OK;
}

err_t space_copy(struct space *to, uint64_t to_address, struct space *from, uint64_t from_address, size_t bytes, bool wait, size_t *done)
{
	*done = 0;
	if ((to && !user_range_is_valid(to_address, bytes)) || !user_range_is_valid(from_address, bytes))
		return ERR_FAULT;
	while (*done < bytes) {
		uint64_t source = from_address + *done, sink = to_address + *done;
		size_t part = part_in_page(sink, part_in_page(source, bytes - *done));
		paddr_t source_frame, sink_frame = kernel_to_paddr((void *)page_round_down(sink));
		TRY(space_page(from, source, false, wait, &source_frame));
		err_t err = to ? page_lock(to, sink, true, wait, &sink_frame) : OK;
		if (!err) {
			if (LIKELY(sink_frame.raw != source_frame.raw))
				(void)arch_large_copy(paddr_byte(sink_frame, sink), paddr_byte(source_frame, source), part);
			else
				memmove(paddr_byte(sink_frame, sink), paddr_byte(source_frame, source), part);
			if (to)
				spin_unlock(&to->lock);
			*done += part;
		}
		frame_put(source_frame);
		TRY(err);
	}
	return OK;
}
