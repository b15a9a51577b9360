/* kernel/mem/region.c - an AVL tree of regions, each subtree with its largest gap.
 *
 * Recursion is as deep as the tree is high: at most 24 for the regions a space may have.
 */
#include "kernel/mem/region.h"
#include "kernel/mem/addr.h"
#include "lib/base/bits.h"

void region_tree_init(struct region_tree *t)
{
	t->root = NULL;
	list_init(&t->list);
}

struct region *region_next(const struct region_tree *t, const struct region *r)
{
	return r->link.next == &t->list ? NULL : container_of(r->link.next, struct region, link);
}

struct region *region_previous(const struct region_tree *t, const struct region *r)
{
	return r->link.prev == &t->list ? NULL : container_of(r->link.prev, struct region, link);
}

/* ---- Gaps ---- */

/* Where the region begins for those who look for room. */
static uint64_t reserved_start(const struct region *r)
{
	if (!(r->flags & MAP_GROWSDOWN))
		return r->start;
	uint64_t room = STACK_BYTES_MAX + STACK_GUARD_BYTES;
	return MIN_OF(r->start, r->end > room ? r->end - room : 0);
}

static void gap_update(const struct region_tree *t, struct region *r)
{
	struct region *before = region_previous(t, r);
	uint64_t floor = before ? before->end : USER_MIN, start = reserved_start(r);
	r->gap = start > floor ? start - floor : 0;
}

/* ---- Balance ---- */

static uint32_t height_of(const struct region *r) { return r ? r->height : 0; }

static uint64_t gap_max_of(const struct region *r) { return r ? r->gap_max : 0; }

static void node_update(struct region *r)
{
	r->height = 1 + MAX_OF(height_of(r->left), height_of(r->right));
	r->gap_max = MAX_OF(r->gap, MAX_OF(gap_max_of(r->left), gap_max_of(r->right)));
}

static struct region *rotate_right(struct region *r)
{
	struct region *top = r->left;
	r->left = top->right;
	top->right = r;
	node_update(r);
	node_update(top);
	return top;
}

static struct region *rotate_left(struct region *r)
{
	struct region *top = r->right;
	r->right = top->left;
	top->left = r;
	node_update(r);
	node_update(top);
	return top;
}

static struct region *balance(struct region *r)
{
	if (height_of(r->left) > height_of(r->right) + 1) {
		if (height_of(r->left->right) > height_of(r->left->left))
			r->left = rotate_left(r->left);
		return rotate_right(r);
	}
	if (height_of(r->right) > height_of(r->left) + 1) {
		if (height_of(r->right->left) > height_of(r->right->right))
			r->right = rotate_right(r->right);
		return rotate_left(r);
	}
	node_update(r);
	return r;
}

static struct region *node_insert(struct region *at, struct region *r)
{
	if (!at)
		return r;
	if (r->start < at->start)
		at->left = node_insert(at->left, r);
	else
		at->right = node_insert(at->right, r);
	return balance(at);
}

/* Takes the lowest region out of a subtree. */
static struct region *node_take_first(struct region *at, struct region **first)
{
	if (!at->left) {
		*first = at;
		return at->right;
	}
	at->left = node_take_first(at->left, first);
	return balance(at);
}

static struct region *node_remove(struct region *at, struct region *r)
{
	if (r->start < at->start) {
		at->left = node_remove(at->left, r);
	} else if (r->start > at->start) {
		at->right = node_remove(at->right, r);
	} else {
		struct region *first;
		if (!r->right)
			return r->left;
		struct region *right = node_take_first(r->right, &first);
		first->left = r->left;
		first->right = right;
		at = first;
	}
	return balance(at);
}

/* Brings gap_max up to date from r to the root. */
static void path_update(struct region *at, const struct region *r)
{
	if (r->start < at->start)
		path_update(at->left, r);
	else if (r->start > at->start)
		path_update(at->right, r);
	node_update(at);
}

static void gap_refresh(struct region_tree *t, struct region *r)
{
	gap_update(t, r);
	path_update(t->root, r);
}

/* ---- The interface ---- */

struct region *region_at_or_after(const struct region_tree *t, uint64_t address)
{
	struct region *best = NULL, *at = t->root;
	while (at) {
		if (at->end > address) {
			best = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return best;
}

void region_insert(struct region_tree *t, struct region *r)
{
	struct region *after = region_at_or_after(t, r->start);
	r->left = r->right = NULL;
	list_push_back(after ? &after->link : &t->list, &r->link);
	gap_update(t, r);
	node_update(r);
	t->root = node_insert(t->root, r);
	if (after)
		gap_refresh(t, after);
}

void region_remove(struct region_tree *t, struct region *r)
{
	struct region *after = region_next(t, r);
	t->root = node_remove(t->root, r);
	list_remove(&r->link);
	if (after)
		gap_refresh(t, after);
}

void region_moved(struct region_tree *t, struct region *r)
{
	struct region *after = region_next(t, r);
	gap_refresh(t, r);
	if (after)
		gap_refresh(t, after);
}

bool region_find_gap(const struct region_tree *t, uint64_t bytes, uint64_t *out)
{
	const struct region *last = list_is_empty(&t->list) ? NULL : container_of(t->list.prev, struct region, link);
	if (USER_MAX - (last ? last->end : USER_MIN) >= bytes) {
		*out = USER_MAX - bytes;
		return true;
	}
	const struct region *at = t->root;
	while (gap_max_of(at) >= bytes) {
		if (gap_max_of(at->right) >= bytes) {
			at = at->right;
		} else if (at->gap >= bytes) {
			*out = reserved_start(at) - bytes;
			return true;
		} else {
			at = at->left;
		}
	}
	return false;
}
