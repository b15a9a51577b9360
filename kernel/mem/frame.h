/* kernel/mem/frame.h - physical memory: frames, their reference counts, and free blocks.
 *
 * A buddy allocator under one lock, with a small per-CPU cache of single frames before it, so
 * that the common case takes no shared lock. Every frame of RAM has a struct frame. Frames that the
 * allocator never hands out (kernel image, initfs, firmware tables, devices) may be got and put, which does nothing.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include "abi/boot.h"
#include "abi/error.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct account;

struct frame {
	_Atomic uint32_t refs;          /* 0: free, or not the first of its block */
	uint8_t order;                  /* of the free or allocated block that starts here */
	uint8_t state;                  /* enum frame_state (frame.c) */
	union {
		uint16_t slab_class;            /* heap.c's, while it owns the frame */
		struct { uint16_t table_level : 2, table_used : 10; };  /* paging's: 0 for a table of pages; how many a shared one has */
		bool is_zeroed;                 /* of the allocator, while in a CPU's cache */
	};
	union {
		struct account *account;        /* [I while refs] who is charged, or null (kernel) */
		struct {                        /* heap.c's, while it owns the frame (then nobody is charged) */
			uint16_t slab_first_free, slab_used;
			uint32_t slab_reserved;
		};
	};
	struct list_node free_link;     /* of the allocator, while free; of its owner, while not */
};

enum { FRAME_ORDER_MAX = 10 };
enum frame_flags {
	FRAME_ZEROED    = 1 << 0,
	FRAME_BELOW_4G  = 1 << 1,
	FRAME_USE_RESERVE = 1 << 2,     /* may take the last 1 % kept for kernel progress (no user data) */
};

/* Hands the allocator the free ranges of a checked and normalized memory map (lib/boot/boot_check.h), after it took what it needs itself
 * out of that. INVAL: no room in it. */
err_t frame_init(struct boot_info *boot) NONNULL MUST_CHECK;
/* 2^order physically contiguous frames with one reference, charged to a (may be null). NOMEM: none left or over the limit. */
err_t frame_alloc(uint32_t order, uint32_t flags, struct account *a, paddr_t *out) MUST_CHECK;
/* One frame with a copy of page; of zeroes when that is NULL or the zero frame. */
err_t frame_copy(const void *page, struct account *a, paddr_t *out) MUST_CHECK;
/* Makes a block single frames, each with one reference. */
void frame_split(paddr_t p);
/* One more reference. */
void frame_get(paddr_t p);
/* Gives back a reference (to a block: by its first frame); the last frees and uncharges. */
void frame_put(paddr_t p);
/* The same, of a frame that is known to hold nothing but zeroes if zeroed. */
void frame_put_zeroed(paddr_t p, bool zeroed);
void frames_put(const paddr_t *p, uint32_t count) NONNULL;
/* Gives back a reference unless it is the only one: then false. */
bool frame_put_shared(paddr_t p);
uint32_t frame_refs(paddr_t p);
/* The frame's record; NULL for what is not RAM. */
struct frame *frame_of(paddr_t p);
paddr_t frame_address(const struct frame *f) NONNULL;
/* Is all of [start, start + bytes) RAM, and so in the direct map? */
bool frame_range_is_ram(paddr_t start, uint64_t bytes);
/* A frame of zeroes, mapped read-only wherever nothing was written yet; never counted. */
paddr_t frame_zero(void);
uint64_t frame_count_total(void);
uint64_t frame_count_free(void);
/* Is so little left that what can be had again should be given back? */
bool frame_is_short(void);
/* Frames that belong to no account: kernel image, tables, stacks without owner. */
uint64_t frame_count_kernel(void);
/* For tests: the n-th allocation from now fails (0: never). */
void frame_fail_after(uint64_t count);
/* Is this the one? Counts. */
static inline bool is_to_fail(_Atomic uint64_t *left)
{
	return atomic_load_explicit(left, memory_order_relaxed) && atomic_fetch_sub_explicit(left, 1, memory_order_relaxed) == 1;
}
