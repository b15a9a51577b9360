/* lib/base/pairing_heap.h - an intrusive priority queue: the least key first, no allocation.
 *
 * Insert is O(1), taking a node out O(log n) amortized. Equal keys come in no particular order.
 */
#pragma once
#include <stdint.h>

struct heap_node {
	uint64_t key;                   /* set by the user before the insert; fixed while in a heap */
	struct heap_node *child, *sibling, *previous;
};

/* Both answer the new root; a NULL root is the empty heap. node must not be in a heap, or must be in this one. */
struct heap_node *pairing_heap_insert(struct heap_node *root, struct heap_node *node);
struct heap_node *pairing_heap_remove(struct heap_node *root, struct heap_node *node);
