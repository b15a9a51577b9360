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
	REGIONS_MAX = 65536,
	REGIONS_PER_PAGE = 32,          /* a page is charged for so many regions */
	PROT_MASK = MAP_READ | MAP_WRITE | MAP_EXEC,
	REGION_FLAGS = PROT_MASK | MAP_SHARED | MAP_GROWSDOWN,
};

/* Members: [l] lock, [a] atomic, [I] immutable. */
struct space {
	struct object object;
	struct spinlock lock;
	struct account *account;        /* [I] referenced, or null */
	struct page_tables tables;      /* [l] */
	struct region_set regions;      /* [l] */
	struct region *last;            /* [l] where the last fault was, or null */
	_Atomic uint32_t region_count;  /* [a] regions made and not destroyed, in the set or not */
	uint64_t mapped_bytes;          /* [l] */
	uint64_t resident_count;        /* [l] entries present */
	_Atomic uint64_t cpu_mask;      /* [a] CPUs that have the tables loaded */
};

/* Frames taken out of page tables, and kept until no CPU can reach them. */
enum { GATHER_MAX = 64 };
struct gather {
	struct space *space;
	uint64_t start, end;            /* what changed since the last flush */
	uint32_t count;
	paddr_t frames[GATHER_MAX];
};

/* space.c */
void space_shootdown(struct space *s, uint64_t start, uint64_t end);

/* space_pages.c: all with the space's lock. */
void pages_drop(struct space *s, uint64_t start, uint64_t end);
void pages_protect(struct space *s, struct region *r, uint64_t start, uint64_t end);
/* NOMEM: nothing moved. */
err_t pages_move(struct space *s, uint64_t from, uint64_t end, uint64_t to) MUST_CHECK;
uint64_t pages_count(struct space *s, uint64_t start, uint64_t end);
/* Pages [first, end) of m leave [start, end_address), wherever m is mapped there. Takes the lock. */
void space_zap(struct space *s, uint64_t start, uint64_t end_address, struct memobj *m, uint64_t first, uint64_t end, bool private_too);
/* The flags of an entry in r, without PAGE_WRITE. */
static inline uint32_t region_page_flags(const struct region *r)
{
	return (r->flags & PROT_MASK ? PAGE_READ : 0) | (r->flags & MAP_EXEC ? PAGE_EXEC : 0);
}
/* A reference for entries that hold one. */
static inline void entry_get(const struct page_entry *e)
{
	if (!(e->flags & PAGE_DEVICE))
		frame_get(e->frame);
}
static inline void entry_put(const struct page_entry *e)
{
	if (!(e->flags & PAGE_DEVICE))
		frame_put(e->frame);
}

/* space_map.c */
/* A region that is charged, not yet in the set but with room there; object (may be null) gets a reference. NOMEM. */
err_t region_create(struct space *s, struct memobj *object, struct region **out) REQUIRES(&s->lock) MUST_CHECK;
/* Not in the set any more (or never was). No locks: it may be the last use of the object. */
void region_destroy(struct region *r);
/* Puts it into the set and on its object's list. */
void region_attach(struct space *s, struct region *r);
void region_detach(struct space *s, struct region *r);

/* space_fault.c */
/* Makes the page at address (page-aligned) fit for the access. *e: its entry. AGAIN: see step, whose object
 * is referenced then. */
err_t fault_locked(struct space *s, uint64_t address, uint32_t fault_flags, struct page_entry *e, struct page_step *step) REQUIRES(&s->lock) MUST_CHECK;
/* After fault_locked failed with err: OK when it is worth trying again. No locks. */
err_t fault_retry(struct page_step *step, err_t err, bool wait) MUST_CHECK;
