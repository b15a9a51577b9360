/* lib/block/direct.h - large transfers that the device does straight from and to the client's pages (internal to lib/block).
 *
 * The kernel keeps the pages where they are (COPY_KEEP) and says where; that goes only where a device sees physical addresses, and for buffers that lie
 * on pages. All of a call is kept before any of it begins: pages that a pager must bring first make the client ask again (ERR_CANCELED), and nothing
 * of the call may be at the device then. Everything else is copied (pool.h).
 */
#pragma once
#include "abi/proto/dma.h"
#include "lib/base/attr.h"
#include "lib/driver/driver.h"
#include "lib/scheme/scheme.h"

enum {
	DIRECT_SLOTS = 64,              /* so many calls at once */
	DIRECT_PAGE = 4096,
	DIRECT_BYTES_MIN = 32 * 1024,   /* below this a copy is as cheap */
	DIRECT_BYTES_MAX = DMA_KEEPER_PAGES / DIRECT_SLOTS * DIRECT_PAGE,
};

struct direct_slots {
	struct dma_keeper keeper;
	uint64_t free;                  /* a bit per slot; a slot is DIRECT_BYTES_MAX of numbers. 0: none, or there is no keeper */
};

/* Where the pages of one call are. */
struct direct {
	struct dma_piece *piece;        /* NULL: it is copied */
	uint32_t pages, slot;
	uint32_t next;                  /* of piece: what was not yet taken begins `taken` bytes into it */
	uint64_t taken, left;           /* left: bytes in all that were not; no piece lies behind them */
};

void direct_init(struct direct_slots *s, const struct dma_keeper *keeper) NONNULL;
/* For all bytes of what d sends or (is_out) takes. It goes directly if x->piece is not NULL then. */
void direct_begin(struct direct_slots *s, struct direct *x, struct scheme_deferred *d, bool is_out, uint64_t bytes) NONNULL;
/* The next bytes, at most so many (whole pages) in at most so many pieces: how many bytes. */
uint64_t direct_take(struct direct *x, uint64_t bytes_max, uint32_t max, struct dma_piece *piece, uint32_t *count) NONNULL;
/* The device may be at them for ever: they stay as they are, until its domain goes. */
void direct_leave(struct direct *x) NONNULL;
/* The device must be done with them. */
void direct_end(struct direct_slots *s, struct direct *x) NONNULL;
