/* personality/linux/area.h - memory of the personality's own, away from where programs map.
 *
 * Addresses from AREA_START up; each piece is followed by an unmapped page.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct process;

/* Programs' memory ends below PROGRAM_TOP. What every process has lies in one 2 MiB: each further table of pages is to be made, filled
 * and freed at each fork. The image itself is linked at IMAGE_BASE (image.ld). */
#define PROGRAM_TOP   0x7fe000000000ull
#define RECORDS       0x7ff000000000ull
#define IMAGE_BASE    0x7ff000200000ull
#define TIME_PAGE     0x7ff000280000ull
#define MISSING_PAGE  0x7ff000281000ull
#define AREA_START    0x7ff000283000ull
#define AREA_END      0x7ffff0000000ull

/* Zeroed, private, writable memory. NOMEM. The area's place is next, which moves. */
err_t area_map_at(uint64_t *next, size_t bytes, void **out) NONNULL MUST_CHECK;
/* The same for p, under its lock (not held by the caller). */
err_t area_map(struct process *p, size_t bytes, void **out) NONNULL MUST_CHECK;
void area_unmap(void *start, size_t bytes);
