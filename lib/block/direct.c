/* lib/block/direct.c - clients' pages as pieces for the device. */
#include "lib/block/direct.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"

STATIC_ASSERT(DIRECT_SLOTS <= 64, "a bit for each");

static uint64_t slot_number(uint32_t slot) { return (uint64_t)slot * (DIRECT_BYTES_MAX / DIRECT_PAGE); }

void direct_init(struct direct_slots *s, const struct dma_keeper *keeper)
{
	*s = (struct direct_slots){ .keeper = *keeper, .free = UINT64_MAX };
}

void direct_begin(struct direct_slots *s, struct direct *x, struct scheme_deferred *d, bool is_out, uint64_t bytes)
{
	uint32_t pages = (uint32_t)(bytes / DIRECT_PAGE);

	*x = (struct direct){ 0 };
	if (!s->free || bytes < DIRECT_BYTES_MIN || bytes > DIRECT_BYTES_MAX || bytes % DIRECT_PAGE)
		return;
	struct dma_piece *piece = heap_alloc(pages * sizeof(*piece));
	if (!piece)
		return;
	*x = (struct direct){ .piece = piece, .pages = pages, .left = bytes, .slot = lowest_bit(s->free) };
	s->free &= ~(1ull << x->slot);
	if (scheme_deferred_keep(d, is_out, 0, bytes, s->keeper.handle, s->keeper.base + slot_number(x->slot), piece))
		direct_end(s, x);
}

uint64_t direct_take(struct direct *x, uint64_t bytes_max, uint32_t max, struct dma_piece *piece, uint32_t *count)
{
	uint64_t bytes = 0;

	bytes_max = MIN_OF(bytes_max, x->left);
	for (*count = 0; bytes < bytes_max && *count < max; ++*count) {
		const struct dma_piece *from = &x->piece[x->next];
		uint64_t part = MIN_OF(from->bytes - x->taken, bytes_max - bytes);
		piece[*count] = (struct dma_piece){ from->address + x->taken, part };
		bytes += part;
		x->taken += part;
		if (x->taken == from->bytes) {
			x->taken = 0;
			x->next++;
		}
	}
	x->left -= bytes;
	return bytes;
}

void direct_leave(struct direct *x)
{
	heap_free(x->piece, x->pages * sizeof(*x->piece));
	x->piece = NULL;
}

void direct_end(struct direct_slots *s, struct direct *x)
{
	if (!x->piece)
		return;
	dma_unkeep(&s->keeper, slot_number(x->slot), x->pages);
	s->free |= 1ull << x->slot;
	direct_leave(x);
}
