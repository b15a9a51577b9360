/* kernel/mem/frame.h - physical memory: frames, their reference counts, and free blocks.
 *
 * A buddy allocator under one lock, with a small per-CPU cache of single frames before it, so
 * that the common case takes no shared lock. Every frame of RAM has a struct frame.
 */
#pragma once
#include <stdatomic.h>
#include "abi/boot.h"
#include "abi/error.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct account;

struct frame {
	_Atomic uint32_t refs;          /* 0: free */
	uint8_t order;                  /* of the free or allocated block that starts here */
	uint8_t flags;
	uint16_t reserved;
	struct account *account;        /* [I while refs] who is charged, or null (kernel) */
	struct list_node free_link;     /* of the allocator, while free; of its owner, while not */
};

enum { FRAME_ORDER_MAX = 10 };
enum frame_flags {
	FRAME_ZEROED    = 1 << 0,
	FRAME_BELOW_4G  = 1 << 1,
	FRAME_USE_RESERVE = 1 << 2,     /* may take the last 1 % kept for kernel progress (no user data) */
};

/* Hands the allocator the free ranges of the memory map, less the kernel image, initfs and boot_info. INVAL: a broken map. */
err_t frame_init(const struct boot_info *boot) NONNULL MUST_CHECK;
/* 2^order physically contiguous frames with one reference, charged to a (may be null). NOMEM: none left or over the limit. */
err_t frame_alloc(uint32_t order, uint32_t flags, struct account *a, paddr_t *out) MUST_CHECK;
/* One more reference. */
void frame_get(paddr_t p);
/* Gives back a reference (of a block: with the order it was allocated with); the last frees and uncharges. */
void frame_put(paddr_t p);
uint32_t frame_refs(paddr_t p);
/* The frame's record; NULL for what is not RAM. */
struct frame *frame_of(paddr_t p);
uint64_t frame_count_total(void);
uint64_t frame_count_free(void);
/* Frames that belong to no account: kernel image, tables, stacks without owner. */
uint64_t frame_count_kernel(void);
