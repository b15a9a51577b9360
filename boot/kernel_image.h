/* boot/kernel_image.h - where the pieces of a kernel ELF go in physical memory.
 *
 * The file comes from a disk and is believed nothing; a plan is safe to carry out.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { KERNEL_PIECES_MAX = 16 };
/* A kernel whose pieces lie further apart than this, or higher than 4 GiB, is not one. */
#define KERNEL_SPAN_MAX (256ull << 20)

struct kernel_piece {
	uint64_t physical, memory_bytes;        /* what the file does not fill is zero */
	uint64_t file_offset, file_bytes;
};

struct kernel_plan {
	uint64_t start, end;                    /* physical, whole pages */
	uint64_t entry;                         /* physical */
	uint32_t piece_count;
	struct kernel_piece piece[KERNEL_PIECES_MAX];
};

/* NOEXEC: not an ELF for this cpu, truncated, or with pieces that overlap, wrap or lie where no kernel can. *why says it in words. */
err_t kernel_plan_make(const void *file, size_t file_bytes, struct kernel_plan *out, const char **why) NONNULL MUST_CHECK;
