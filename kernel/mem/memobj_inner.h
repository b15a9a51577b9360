/* kernel/mem/memobj_inner.h - what the files of kernel/mem know of a memory object, and nobody else.
 *
 * memobj.c: life, clones, length, holes. memobj_page.c: which frame is a page. memobj_map.c: every mapping of an object.
 * memobj_copy.c: bytes in and out. memobj_dma.c: frames that devices know.
 */
#pragma once
#include "kernel/mem/frame.h"
#include "kernel/mem/memobj.h"
#include "lib/base/page_index.h"

#define MEMOBJ_BYTES_MAX (1ull << 62)
#define PADDR_MAX (1ull << 52)
#define SLOT_FRAME_MASK (~PAGE_MASK)

enum {
	MEMOBJ_ASK_MAX = 8,             /* a pager that says yes and brings nothing is asked no more than this */
	MEMOBJ_RECLAIM_COUNT = 64,      /* pages taken back at once when memory is short */
};

enum memobj_kind { MEMOBJ_ANONYMOUS, MEMOBJ_PHYSICAL, MEMOBJ_PAGED };

/* In a page_index slot. */
enum slot_flags {
	SLOT_COPY  = 1 << 0,    /* others may see the frame: copy it before a write */
	SLOT_BUSY  = 1 << 1,    /* its copy is on the way: old mappings are being taken away, new ones must wait */
	SLOT_DIRTY = 1 << 2,    /* written: a pager cannot bring it again */
};

/* Members: [l] lock, [I] immutable, [z] the one that set zapping. */
struct memobj {
	struct object object;
	struct spinlock lock;
	uint8_t kind;                   /* [I] enum memobj_kind */
	bool zapping;                   /* [l] somebody changes all mappings */
	bool is_sealed;                 /* [l] no page goes any more */
	uint64_t id;                    /* [I] */
	uint64_t bytes;                 /* [l] */
	struct account *account;        /* [I] referenced, or null */
	struct page_index pages;        /* [l] */
	uint64_t held_count;            /* [l] pages with a frame */
	uint64_t changed_ns;            /* [l] */
	struct list_node regions;       /* [l] every region that maps it; those with an old zap_stamp first */
	uint64_t zap_stamp;             /* [z] */

	struct page_index kept;         /* [l] frames of others that stay as long as this (memobj_dma.c) */
	paddr_t physical;               /* [I] of a physical object, and of a clone of one: where its missing pages */
	uint64_t window_pages;          /* [l] below this are */
	uint32_t cache_flags;           /* [I] enum page_flags */

	err_t (*ask)(void *context, struct memobj *m, uint64_t offset);         /* [I] */
	void (*drop)(void *context);    /* [I] */
	void *context;                  /* [I] */
	struct list_node paged_link;    /* of all paged objects */
};

enum page_mode {
	PAGE_LOOK,      /* to read its bytes: a hole is the zero frame */
	PAGE_SHOW,      /* to map it read-only: the frame stays that page's until mappings were told */
	PAGE_NEAR,      /* the same, but only if it is at hand */
	PAGE_CHANGE,    /* to write */
};

/* What to do, without locks, before asking for a page again. */
enum page_todo { PAGE_TODO_ASK, PAGE_TODO_COPY, PAGE_TODO_SPIN };
struct page_step {
	struct memobj *object;          /* borrowed: the one asked for */
	uint64_t page;
	enum page_todo todo;
	uint32_t asked;                 /* how often the pager was: 0 at first */
};

/* The frame of page n, borrowed. AGAIN: *step says what must be done first. RANGE, NOMEM. */
err_t memobj_page_locked(struct memobj *m, uint64_t n, enum page_mode mode, paddr_t *out, struct page_step *step) REQUIRES(&m->lock) MUST_CHECK;
/* The same, locking, with a reference for the caller. */
err_t memobj_page_try(struct memobj *m, uint64_t n, enum page_mode mode, paddr_t *out, struct page_step *step) MUST_CHECK;
/* The frames of pages [n, n + count) that can be mapped read-only at once, each with a reference; paddr 0 for the others. */
void memobj_pages_near(struct memobj *m, uint64_t n, uint32_t count, paddr_t *out);
/* After err: OK when it is worth trying again, since the step was done or memory was short and is less so. wait as in memobj_page. No locks. */
err_t memobj_page_retry(struct page_step *step, err_t err, bool wait) MUST_CHECK;
/* Changes part bytes at offset at, within one page: zeroes them, or (from not NULL, within one page too) copies what the current process
 * has there, and the object grows to hold them. The lock is dropped and retaken when something else must be done first.
 * NOMEM, RANGE, IO, INTR, FAULT. */
err_t memobj_part_change(struct memobj *m, uint64_t at, const uaddr_t *from, uint64_t part) REQUIRES(&m->lock) MUST_CHECK;
/* Is it memory that the kernel can read? */
static inline bool memobj_is_ram(const struct memobj *m) { return m->kind != MEMOBJ_PHYSICAL || frame_range_is_ram(m->physical, m->bytes); }
/* Maps nothing more of pages [first, end), in any space; private_too: not even what private mappings copied. No locks. */
void memobj_zap(struct memobj *m, uint64_t first, uint64_t end, bool private_too);
void memobj_touch_changed(struct memobj *m) REQUIRES(&m->lock);

struct region;
/* The space's lock is held. Also, remove then add, around every change of a region's place or window. */
void memobj_region_add(struct memobj *m, struct region *r);
void memobj_region_remove(struct memobj *m, struct region *r);

static inline uint64_t memobj_page_count(const struct memobj *m) { return page_round_up(m->bytes) >> PAGE_SHIFT; }

static inline paddr_t slot_frame(uint64_t slot) { return paddr(slot & SLOT_FRAME_MASK); }
