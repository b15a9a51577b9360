/* drivers/iommud/memory.h - what the kernel does for DMA memory (abi/proto/kernel.def, MEM_APPEND, MEM_KEEP). */
#pragma once
#include "abi/proto/dma.h"
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

/* keeper: the object that keeps. */
void memory_init(handle_t keeper);
/* A sealed object as requested. INVAL, NOMEM. */
err_t memory_create(const struct dma_request *q, handle_t *out) NONNULL MUST_CHECK;
/* Keeps a window of object under numbers from `number` on; its physical pieces. RANGE: more than max; then nothing is kept. */
err_t memory_keep(handle_t object, struct dma_window w, uint32_t access, uint64_t number, struct dma_piece *out, uint32_t max, uint32_t *count) NONNULL MUST_CHECK;
void memory_free(uint64_t number, uint64_t bytes);
/* A handle of the object that keeps, for nothing else. */
err_t memory_keeper(handle_t *out) NONNULL MUST_CHECK;
