/* lib/base/page_index.h - which frame is page n of an object: a radix tree of 64-slot nodes.
 *
 * A slot is 0 (no page) or a frame's address with the owner's flags in the low 12 bits. An object of one page
 * needs no node. The owner locks.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct page_index {
	uint64_t root;          /* height 0: the slot of page 0; else the node's address */
	uint32_t height;        /* levels of nodes */
};

/* The slot of page n, or NULL when there is no node for it. */
uint64_t *page_index_find(const struct page_index *x, uint64_t n) NONNULL;
/* The same; *run: how many pages from n on have their slots side by side there. */
uint64_t *page_index_run(const struct page_index *x, uint64_t n, uint64_t *run) NONNULL;
/* The slot of page n, with the nodes it needs. NOMEM. */
err_t page_index_make(struct page_index *x, uint64_t n, uint64_t **out) NONNULL MUST_CHECK;
/* The first page in [first, end) that has a frame; false when there is none. */
bool page_index_next(const struct page_index *x, uint64_t first, uint64_t end, uint64_t *found) NONNULL;
/* Calls drop for each slot with a frame in [first, end), empties it, and frees nodes that hold nothing more. */
void page_index_remove(struct page_index *x, uint64_t first, uint64_t end,
                       void (*drop)(void *context, uint64_t n, uint64_t slot), void *context);
