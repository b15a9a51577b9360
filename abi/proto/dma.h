/* abi/proto/dma.h - structs of DMA domains (dma.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum { DMA_PIECES_MAX = 512, DMA_KEEPER_PAGES = 1 << 18 };

struct dma_info {
	uint32_t is_isolated;           /* 1: an IOMMU stands between the device and memory */
	uint32_t address_bits;
};

enum dma_flags {
	DMA_32_BIT = 1 << 0,            /* addresses below 4 GiB */
	DMA_WHOLE  = 1 << 1,            /* in one piece */
};
struct dma_request {
	uint64_t bytes;                 /* rounded up to pages */
	uint64_t piece_bytes_min;       /* without DMA_WHOLE: no piece but the last is smaller. A power of two; 0: a page */
	uint32_t dma_flags;
	uint32_t reserved;
};

enum dma_access { DMA_READ = 1, DMA_WRITE = 2 };        /* by the device */
struct dma_window { uint64_t offset, bytes; };
/* Consecutive in the object. */
struct dma_piece { uint64_t address, bytes; };

struct dma_fault {
	uint64_t address;
	uint32_t access;                /* enum dma_access; 0: an interrupt that is not its own */
	uint32_t count;                 /* so many alike */
};
