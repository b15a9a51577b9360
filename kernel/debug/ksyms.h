/* kernel/debug/ksyms.h - the kernel's own function names, for stack traces.
 *
 * Made from the linked kernel by tools/ksyms.py and linked in with a second pass (Makefile); sorted by address.
 */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

struct ksym {
	uint64_t address;               /* of the function's first byte */
	uint32_t bytes;                 /* of the function; 0 when not known */
	uint32_t name_offset;           /* into ksym_names; 0-terminated there */
};

extern const uint32_t ksym_count;       /* 0 in the first pass */
extern const struct ksym ksyms[];
extern const char ksym_names[];

/* The function that the address lies in (borrowed for ever), and how far into it; NULL: none is known. */
const char *ksym_find(uint64_t address, uint64_t *offset_out) NONNULL;
