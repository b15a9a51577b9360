/* kernel/mem/region.h - the regions of a space: an array of pointers, sorted by address.
 *
 * Look-up is by halves; most spaces have a few dozen. The space's lock protects all. What walks over several regions counts
 * places in the array.
 */
#pragma once
#include <stddef.h>
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct account;
struct memobj;
struct space;

enum { REGIONS_MAX = 65536 };

/* Members: [l] the space's lock. */
struct region {
	uint64_t start, end;            /* [l] */
	uint32_t flags;                 /* [l] MAP_READ, WRITE, EXEC, SHARED */
	uint32_t max_prot;              /* [l] */
	bool has_anon;                  /* [l] there may be pages of the anonymous layer */
	struct space *space;            /* [I] */
	struct memobj *object;          /* [I] referenced, or null: demand-zero */
	uint64_t offset;                /* [l] of start in object; also under the object's lock while on its list */
	struct list_node link;          /* [object's lock] of all that map the object; [l] once taken out: of those to be destroyed */
	uint64_t zap_stamp;             /* [object's lock] */
};

struct region_set {
	struct region **at;             /* [0, count), room for more */
	uint32_t count, room;
	struct account *account;        /* [I] who pays for the room; borrowed */
};

/* Makes room for so many in all. NOMEM. */
err_t region_set_reserve(struct region_set *set, uint32_t count) NONNULL MUST_CHECK;
void region_set_fini(struct region_set *set) NONNULL;
/* How many end at or before address: the place of the one that holds it, or else of the first after it. */
uint32_t region_index(const struct region_set *set, uint64_t address) NONNULL;
/* NULL when there is none at this place, be it count or 0 - 1. */
static inline struct region *region_at(const struct region_set *set, uint32_t i) { return i < set->count ? set->at[i] : NULL; }
/* The region that holds address, or else the first after it, or NULL. */
static inline struct region *region_at_or_after(const struct region_set *set, uint64_t address)
{
	return region_at(set, region_index(set, address));
}
/* It overlaps no other, and there is room. Its start and end may change while the order stays. */
void region_insert(struct region_set *set, struct region *r) NONNULL;
void region_remove(struct region_set *set, const struct region *r) NONNULL;
/* The highest free range of so many bytes in user space; false: none. */
bool region_find_gap(const struct region_set *set, uint64_t bytes, uint64_t *out) NONNULL;
