/* kernel/mem/space_inner.h - what the files of kernel/mem know of a space, and nobody else.
 *
 * space.c: life, switching, facts. space_map.c: regions come, go and change. space_pages.c: page table entries of a range.
 * space_fault.c: one page comes. space_fork.c, space_copy.c.
 */
#pragma once
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/region.h"
#include "kernel/mem/space.h"
#include "kernel/sync/spinlock.h"

enum {
	GATHER_MAX = 64,                /* frames that leave page tables between two shootdowns */
	PROT_MASK = MAP_READ | MAP_WRITE | MAP_EXEC,
	REGION_FLAGS = PROT_MASK | MAP_SHARED,
};

/* Members: [l] lock, [a] atomic, [I] immutable. */
struct space {
	struct object object;
	struct spinlock lock;
	struct account *account;        /* [I] referenced, or null */
	struct page_tables tables;      /* [l] */
	struct region_set regions;      /* [l] */
	struct list_node gone;          /* [l] regions taken out: space_unlock destroys them */
	struct region *last;            /* [l] where the last fault was, or null */
	uint64_t mapped_bytes;          /* [l] */
	uint64_t resident_count;        /* [l] entries present */
	_Atomic uint64_t cpu_mask;      /* [a] CPUs that have the tables loaded */
};

/* space.c */
void space_shootdown(struct space *s, uint64_t start, uint64_t end);
/* Unlocks, and destroys the regions that were taken out: their objects may need any lock. */
void space_unlock(struct space *s);

/* space_pages.c: all with the space's lock. */
/* Page tables that show some of [start, end) are shared with no other space from now on; if start is end, one with pages on both sides of it. NOMEM: some are not. */
err_t pages_own(struct space *s, uint64_t start, uint64_t end) MUST_CHECK;
/* No shared table lies there only in part: edges of regions, and what is dropped, lie in tables that are the space's own. */
void pages_drop(struct space *s, uint64_t start, uint64_t end);
void pages_protect(struct space *s, struct region *r);
/* NOMEM: nothing moved. */
err_t pages_move(struct space *s, uint64_t from, uint64_t end, uint64_t to) MUST_CHECK;
uint64_t pages_count(struct space *s, uint64_t start, uint64_t end);
/* Pages [first, end) of m leave the entries that show them between the addresses; private_too: and those copied from them. Takes the lock. */
void space_zap(struct space *s, uint64_t start, uint64_t end_address, struct memobj *m, uint64_t first, uint64_t end, bool private_too);
/* The flags of an entry in r, without PAGE_WRITE. */
static inline uint32_t region_page_flags(const struct region *r)
{
	return (r->flags & PROT_MASK ? PAGE_READ : 0) | (r->flags & MAP_EXEC ? PAGE_EXEC : 0);
}

/* space_map.c: all with the space's lock. */
/* A copy of like, with room for it in the set and a reference to its object. NOMEM. */
err_t region_create(struct space *s, const struct region *like, struct region **out) MUST_CHECK;
/* Puts it into the set and on its object's list. */
void region_attach(struct space *s, struct region *r);

/* space_fault.c */
/* Makes the page at address (page-aligned) fit for the access. *e: its entry. AGAIN: see step, whose object
 * is referenced then. */
err_t fault_locked(struct space *s, uint64_t address, uint32_t fault_flags, struct page_entry *e, struct page_step *step) REQUIRES(&s->lock) MUST_CHECK;
/* After fault_locked failed with err: OK when it is worth trying again. No locks. */
err_t fault_retry(struct page_step *step, err_t err, bool wait) MUST_CHECK;
