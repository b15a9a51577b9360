/* lib/block/pool.c - first fit over a bitmap: requests are few and short. */
#include "lib/block/pool.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"

static bool is_used(const struct pool *p, uint32_t page) { return p->used[page / 64] >> page % 64 & 1; }

static void mark(struct pool *p, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		p->used[i / 64] ^= 1ull << i % 64;
}

static uint32_t pages_of(size_t bytes) { return (uint32_t)((bytes + POOL_PAGE_BYTES - 1) / POOL_PAGE_BYTES); }

void pool_init(struct pool *p, const struct dma_memory *memory)
{
	*p = (struct pool){ .memory = *memory };
	p->pages = p->free_pages = (uint32_t)MIN_OF(memory->bytes / POOL_PAGE_BYTES, (size_t)POOL_PAGES_MAX);
}

/* The first of count free pages in a row, or else of the longest row there is: its length. */
static uint32_t run_find(const struct pool *p, uint32_t count, uint32_t *first)
{
	uint32_t run = 0, longest = 0;

	for (uint32_t page = 0; page < p->pages && longest < count; page++) {
		run = is_used(p, page) ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*first = page + 1 - run;
		}
	}
	return longest;
}

uint8_t *pool_take(struct pool *p, size_t least, size_t *bytes)
{
	uint32_t first = 0, count = p->free_pages >= pages_of(least) ? run_find(p, pages_of(*bytes), &first) : 0;

	if (count < pages_of(least))
		return NULL;
	mark(p, first, count);
	p->free_pages -= count;
	*bytes = MIN_OF(*bytes, (size_t)count * POOL_PAGE_BYTES);
	return p->memory.at + (size_t)first * POOL_PAGE_BYTES;
}

void pool_give(struct pool *p, uint8_t *at, size_t bytes)
{
	uint32_t first = (uint32_t)((size_t)(at - p->memory.at) / POOL_PAGE_BYTES);

	ASSERT(first + pages_of(bytes) <= p->pages && is_used(p, first));
	mark(p, first, pages_of(bytes));
	p->free_pages += pages_of(bytes);
}

uint32_t pool_pieces(const struct pool *p, const uint8_t *at, size_t bytes, struct dma_piece *piece, uint32_t max)
{
	size_t offset = (size_t)(at - p->memory.at), run;
	uint32_t count = 0;

	for (; bytes > 0; bytes -= run, offset += run) {
		uint64_t address = dma_address(&p->memory, offset, &run);
		run = MIN_OF(run, bytes);
		if (count > 0 && piece[count - 1].address + piece[count - 1].bytes == address) {
			piece[count - 1].bytes += run;
			continue;
		}
		if (count == max)
			return 0;
		piece[count++] = (struct dma_piece){ address, run };
	}
	return count;
}
