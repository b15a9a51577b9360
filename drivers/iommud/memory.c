/* drivers/iommud/memory.c - objects piece by piece, the largest that can be had first; keeping run by run. */
#include "drivers/iommud/memory.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"

enum { PAGE = 4096, APPEND_MAX = 1024 };

static handle_t keeper = HANDLE_NONE;

void memory_init(handle_t h) { keeper = h; }

/* pages more in pieces of least pages at least. */
static err_t append(handle_t object, uint64_t pages, uint64_t least, uint64_t flags)
{
	while (pages > 0) {
		/* The last may be smaller, but must be whole. */
		uint64_t n = pages <= least ? pages : MIN_OF(1ull << highest_bit(pages), (uint64_t)APPEND_MAX);
		int64_t result;

		while ((result = handle_call(object, MEM_APPEND, NULL, 0, NULL, 0, n | flags << 32)) == ERR_NOMEM && n > least)
			n /= 2;
		if (result < 0)
			return (err_t)result;
		pages -= n;
	}
	return OK;
}

err_t memory_create(const struct dma_request *q, handle_t *out)
{
	uint64_t pages = round_up(q->bytes, PAGE) / PAGE, least = MAX_OF(q->piece_bytes_min / PAGE, 1ull);
	handle_t object;
	err_t err;

	if (q->dma_flags & DMA_WHOLE)
		least = pages;
	if ((q->piece_bytes_min && !is_power_of_two(q->piece_bytes_min)) || q->dma_flags & ~(uint32_t)(DMA_32_BIT | DMA_WHOLE))
		return ERR_INVAL;
	if (least > APPEND_MAX)
		return ERR_NOMEM;
	TRY(handle_open("mem", "new", OPEN_READ | OPEN_WRITE, &object));
	if ((err = append(object, pages, least, q->dma_flags & DMA_32_BIT)) ||
	    (err = result_error(handle_call(object, MEM_SEAL, NULL, 0, NULL, 0, pages * PAGE)))) {
		handle_close(object);
		return err;
	}
	*out = object;
	return OK;
}

err_t memory_keep(handle_t object, struct dma_window w, uint32_t access, uint64_t number, struct dma_piece *out, uint32_t max, uint32_t *count)
{
	uint64_t first = w.offset / PAGE, pages = w.bytes / PAGE, done = 0;
	handle_t none;
	err_t err = OK;

	for (*count = 0; done < pages; ) {
		struct mem_keep k = { .first = first + done, .pages = MIN_OF(pages - done, (uint64_t)MEM_KEEP_MAX), .number = number + done, .access = access };
		struct dma_piece piece, *last = *count ? &out[*count - 1] : NULL;

		if ((err = result_error(sys_call_handle(0, keeper, MEM_KEEP, object, &k, sizeof k, &piece, sizeof piece, 0, &none))))
			break;
		done += piece.bytes / PAGE;
		if (last && last->address + last->bytes == piece.address) {
			last->bytes += piece.bytes;
		} else if (*count == max) {
			err = ERR_RANGE;
			break;
		} else {
			out[(*count)++] = piece;
		}
	}
	if (err)
		memory_free(number, w.bytes);
	return err;
}

void memory_free(uint64_t number, uint64_t bytes)
{
	for (uint64_t n = 0; n < bytes / PAGE; n += MEM_KEEP_MAX) {
		struct mem_keep k = { .number = number + n, .pages = MIN_OF(bytes / PAGE - n, (uint64_t)MEM_KEEP_MAX) };

		(void)handle_call(keeper, MEM_KEEP, &k, sizeof k, NULL, 0, 0);
	}
}

err_t memory_keeper(handle_t *out) { return handle_dup(keeper, RIGHT_CALL | RIGHT_SEND, out); }
