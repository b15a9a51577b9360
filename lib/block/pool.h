/* lib/block/pool.h - memory that the device reaches, lent page by page to requests. Pure over what dma_allocate gave. */
#pragma once
#include "lib/base/attr.h"
#include "lib/driver/driver.h"

enum { POOL_PAGE_BYTES = 4096, POOL_PAGES_MAX = 512 };

struct pool {
	struct dma_memory memory;
	uint32_t pages, free_pages;
	uint64_t used[POOL_PAGES_MAX / 64];
};

/* Over memory of whole pages, at most POOL_PAGES_MAX. */
void pool_init(struct pool *p, const struct dma_memory *memory) NONNULL;
/* Consecutive pages for at least `least` of *bytes (neither is 0), all if there are so many: *bytes becomes how many they are for. NULL: there are not.
 * Less than all is whole pages. */
uint8_t *pool_take(struct pool *p, size_t least, size_t *bytes) NONNULL MUST_CHECK;
void pool_give(struct pool *p, uint8_t *at, size_t bytes) NONNULL;
/* Where the device finds [at, at + bytes): how many pieces. 0: more than max. */
uint32_t pool_pieces(const struct pool *p, const uint8_t *at, size_t bytes, struct dma_piece *piece, uint32_t max) NONNULL MUST_CHECK;
