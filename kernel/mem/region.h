/* kernel/mem/region.h - the regions of a space: a balanced tree by address that knows the gaps between them.
 *
 * Every region is also on a list in address order. The space's lock protects all.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct memobj;
struct space;

enum {
	STACK_BYTES_MAX = 8 << 20,      /* how large a MAP_GROWSDOWN region grows */
	STACK_GUARD_BYTES = 64 << 10,   /* what stays free below it */
};

/* Members: [l] the space's lock. */
struct region {
	struct region *left, *right;    /* [l] */
	struct list_node link;          /* [l] by address */
	uint32_t height;                /* [l] */
	uint32_t flags;                 /* [l] MAP_READ, WRITE, EXEC, SHARED, GROWSDOWN */
	uint64_t start, end;            /* [l] */
	uint64_t gap, gap_max;          /* [l] free bytes right before it; the most in its subtree */
	uint32_t max_prot;              /* [l] */
	bool has_anon;                  /* [l] there may be pages of the anonymous layer */
	struct space *space;            /* [I] */
	struct memobj *object;          /* [I] referenced, or null: demand-zero */
	uint64_t offset;                /* [l] of start in object; also under the object's lock while on its list */
	struct list_node object_link;   /* [object's lock] */
	uint64_t zap_stamp;             /* [object's lock] */
};

struct region_tree {
	struct region *root;
	struct list_node list;
};

void region_tree_init(struct region_tree *t) NONNULL;
/* The region that holds address, or else the first after it, or NULL. */
struct region *region_at_or_after(const struct region_tree *t, uint64_t address) NONNULL;
/* It overlaps no other. */
void region_insert(struct region_tree *t, struct region *r) NONNULL;
void region_remove(struct region_tree *t, struct region *r) NONNULL;
/* Its start or end has changed, without a change of order. */
void region_moved(struct region_tree *t, struct region *r) NONNULL;
/* Neighbours by address, or NULL. */
struct region *region_next(const struct region_tree *t, const struct region *r) NONNULL;
struct region *region_previous(const struct region_tree *t, const struct region *r) NONNULL;
/* The highest free range of so many bytes in user space (room below stacks spared); false: none. */
bool region_find_gap(const struct region_tree *t, uint64_t bytes, uint64_t *out) NONNULL;
