/* kernel/mem/region.h - the regions of a space: an array of pointers, sorted by address.
 *
 * Look-up is by halves; most spaces have a few dozen. The space's lock protects all.
 */
#pragma once
#include "abi/error.h"
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
	uint64_t start, end;            /* [l] */
	uint32_t flags;                 /* [l] MAP_READ, WRITE, EXEC, SHARED, GROWSDOWN */
	uint32_t max_prot;              /* [l] */
	bool has_anon;                  /* [l] there may be pages of the anonymous layer */
	struct space *space;            /* [I] */
	struct memobj *object;          /* [I] referenced, or null: demand-zero */
	uint64_t offset;                /* [l] of start in object; also under the object's lock while on its list */
	struct list_node object_link;   /* [object's lock] */
	uint64_t zap_stamp;             /* [object's lock] */
	struct list_node gone_link;     /* of those taken out, until they are destroyed */
};

struct region_set {
	struct region **at;             /* [0, count), room for more */
	uint32_t count, room;
};

/* Makes room for so many in all. NOMEM. */
err_t region_set_reserve(struct region_set *set, uint32_t count) NONNULL MUST_CHECK;
void region_set_fini(struct region_set *set) NONNULL;
/* The region that holds address, or else the first after it, or NULL. */
struct region *region_at_or_after(const struct region_set *set, uint64_t address) NONNULL;
/* It overlaps no other, and there is room. Its start and end may change while the order stays. */
void region_insert(struct region_set *set, struct region *r) NONNULL;
void region_remove(struct region_set *set, const struct region *r) NONNULL;
/* Neighbours by address, or NULL. */
struct region *region_next(const struct region_set *set, const struct region *r) NONNULL;
struct region *region_previous(const struct region_set *set, const struct region *r) NONNULL;
/* The highest free range of so many bytes in user space (room below stacks spared); false: none. */
bool region_find_gap(const struct region_set *set, uint64_t bytes, uint64_t *out) NONNULL;
