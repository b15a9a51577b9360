/* lib/base/pairing_heap_test.c - order and removal, against a plain array. */
#include <stdlib.h>
#include "lib/base/pairing_heap.h"
#include "lib/test/test.h"

enum { NODES = 200, STEPS = 20000 };

TEST(the_least_key_is_always_at_the_root_whatever_is_taken_out)
{
	static struct heap_node nodes[NODES];
	bool in[NODES] = { false };
	struct heap_node *root = NULL;

	srand(1);
	for (int step = 0; step < STEPS; step++) {
		int i = rand() % NODES;
		if (in[i]) {
			root = pairing_heap_remove(root, &nodes[i]);
		} else {
			nodes[i].key = (uint64_t)(rand() % 50);
			root = pairing_heap_insert(root, &nodes[i]);
		}
		in[i] = !in[i];
		uint64_t least = UINT64_MAX;
		for (int k = 0; k < NODES; k++)
			if (in[k] && nodes[k].key < least)
				least = nodes[k].key;
		CHECK_EQ(root ? root->key : UINT64_MAX, least);
	}
}

TEST(nodes_come_out_in_order)
{
	static struct heap_node nodes[NODES];
	struct heap_node *root = NULL;
	uint64_t last = 0;

	for (uint64_t i = 0; i < NODES; i++) {
		nodes[i].key = i * 7919 % NODES;
		root = pairing_heap_insert(root, &nodes[i]);
	}
	for (int i = 0; i < NODES; i++) {
		CHECK(root->key >= last);
		last = root->key;
		root = pairing_heap_remove(root, root);
	}
	CHECK(root == NULL);
}
