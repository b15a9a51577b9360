/* lib/base/page_index.c - the radix tree: grows at the root, shrinks where a removal leaves nothing. */
#include "lib/base/page_index.h"
#include "lib/base/heap.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"

enum { NODE_BITS = 6, NODE_SLOTS = 1 << NODE_BITS, HEIGHT_MAX = 9 };

struct node {
	uint64_t slot[NODE_SLOTS];
};

static struct node *node_of(uint64_t slot) { return (struct node *)slot; }

/* How many pages a tree of this height can name. */
static uint64_t reach(uint32_t height) { return 1ull << height * NODE_BITS; }

static uint32_t slot_at(uint64_t n, uint32_t height) { return n >> (height - 1) * NODE_BITS & (NODE_SLOTS - 1); }

uint64_t *page_index_find(const struct page_index *x, uint64_t n)
{
	if (n >= reach(x->height))
		return NULL;
	const uint64_t *slot = &x->root;
	for (uint32_t h = x->height; h > 0; h--) {
		if (*slot == 0)
			return NULL;
		slot = &node_of(*slot)->slot[slot_at(n, h)];
	}
	return (uint64_t *)slot;
}

uint64_t *page_index_run(const struct page_index *x, uint64_t n, uint64_t *run)
{
	*run = x->height ? NODE_SLOTS - n % NODE_SLOTS : 1;
	return page_index_find(x, n);
}

err_t page_index_make(struct page_index *x, uint64_t n, uint64_t **out)
{
	ASSERT(n < reach(HEIGHT_MAX));
	while (n >= reach(x->height)) {
		if (x->root != 0) {
			struct node *above = heap_new(struct node);
			if (!above)
				return ERR_NOMEM;
			above->slot[0] = x->root;
			x->root = (uint64_t)above;
		}
		x->height++;
	}
	uint64_t *slot = &x->root;
	for (uint32_t h = x->height; h > 0; h--) {
		if (*slot == 0 && !(*slot = (uint64_t)heap_new(struct node)))
			return ERR_NOMEM;
		slot = &node_of(*slot)->slot[slot_at(n, h)];
	}
	*out = slot;
	return OK;
}

/* In the subtree of this height under slot, whose first page is base. */
static bool next_in(uint64_t slot, uint32_t height, uint64_t base, uint64_t first, uint64_t end, uint64_t *found)
{
	if (slot == 0 || base >= end || base + reach(height) <= first)
		return false;
	if (height == 0) {
		*found = base;
		return true;
	}
	uint64_t step = reach(height - 1);
	uint32_t start = first > base ? (uint32_t)((first - base) / step) : 0;
	for (uint32_t i = start; i < NODE_SLOTS && base + i * step < end; i++)
		if (next_in(node_of(slot)->slot[i], height - 1, base + i * step, first, end, found))
			return true;
	return false;
}

bool page_index_next(const struct page_index *x, uint64_t first, uint64_t end, uint64_t *found)
{
	return next_in(x->root, x->height, 0, first, end, found);
}

struct removal {
	uint64_t first, end;
	void (*drop)(void *context, uint64_t n, uint64_t slot);
	void *context;
};

static bool node_is_empty(const struct node *node)
{
	for (int i = 0; i < NODE_SLOTS; i++)
		if (node->slot[i])
			return false;
	return true;
}

static void remove_in(const struct removal *r, uint64_t *slot, uint32_t height, uint64_t base)
{
	if (*slot == 0)
		return;
	if (height == 0) {
		uint64_t old = *slot;
		*slot = 0;
		r->drop(r->context, base, old);
		return;
	}
	struct node *node = node_of(*slot);
	uint64_t step = reach(height - 1);
	uint32_t i = r->first > base ? (uint32_t)((r->first - base) / step) : 0;
	for (; i < NODE_SLOTS && base + i * step < r->end; i++)
		remove_in(r, &node->slot[i], height - 1, base + i * step);
	if (node_is_empty(node)) {
		heap_delete(node);
		*slot = 0;
	}
}

void page_index_remove(struct page_index *x, uint64_t first, uint64_t end,
                       void (*drop)(void *context, uint64_t n, uint64_t slot), void *context)
{
	struct removal r = { .first = first, .end = MIN_OF(end, reach(x->height)), .drop = drop, .context = context };
	if (first < r.end)
		remove_in(&r, &x->root, x->height, 0);
	if (x->root == 0)
		x->height = 0;
}
