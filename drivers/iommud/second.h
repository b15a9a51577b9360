/* drivers/iommud/second.h - Intel's second-level translation tables: a tree of pages, 9 bits of the address a level. Pure. */
#pragma once
#include "drivers/iommud/tables.h"

/* levels: 3 (39 bits) or 4 (48). root is a table of the highest. */

/* Maps pages [address, address + bytes) to physical ones. access: enum dma_access. NOMEM: perhaps some are mapped; INVAL: beyond the levels. */
err_t second_map(struct tables *t, uint64_t root, uint32_t levels, uint64_t address, uint64_t physical, uint64_t bytes, uint32_t access) NONNULL MUST_CHECK;
/* What is not mapped stays so. */
void second_unmap(struct tables *t, uint64_t root, uint32_t levels, uint64_t address, uint64_t bytes) NONNULL;
/* Frees all tables, root too. Nothing may look at them any more. */
void second_free(struct tables *t, uint64_t root, uint32_t levels) NONNULL;
