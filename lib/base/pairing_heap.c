/* lib/base/pairing_heap.c - each node's children form a list; removing one melds its children pairwise. */
#include "lib/base/pairing_heap.h"
#include <stddef.h>

static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->key < a->key) {
		struct heap_node *t = a;
		a = b;
		b = t;
	}
	b->previous = a;
	b->sibling = a->child;
	if (a->child)
		a->child->previous = b;
	a->child = b;
	return a;
}

/* Melds a list of siblings pairwise, left to right, then all together, right to left. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
	struct heap_node *pairs = NULL, *root = NULL;

	while (first) {
		struct heap_node *a = first, *b = a->sibling;
		first = b ? b->sibling : NULL;
		a->sibling = a->previous = NULL;
		if (b)
			b->sibling = b->previous = NULL;
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs) {
		struct heap_node *next = pairs->sibling;
		pairs->sibling = NULL;
		root = meld(root, pairs);
		pairs = next;
	}
	return root;
}

struct heap_node *pairing_heap_insert(struct heap_node *root, struct heap_node *node)
{
	node->child = node->sibling = node->previous = NULL;
	return meld(root, node);
}

struct heap_node *pairing_heap_remove(struct heap_node *root, struct heap_node *node)
{
	struct heap_node *rest = meld_siblings(node->child);

	if (node != root) {
		if (node->previous->child == node)
			node->previous->child = node->sibling;
		else
			node->previous->sibling = node->sibling;
		if (node->sibling)
			node->sibling->previous = node->previous;
		rest = meld(root, rest);
	}
	node->child = node->sibling = node->previous = NULL;
	return rest;
}
