/* personality/linux/mmapflags.h - Linux's mapping flags in ours. Pure. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

/* enum map_flags for an mmap; INVAL or OPNOTSUPP (as negative errors). */
int64_t mmap_flags(uint64_t prot, uint64_t flags, uint32_t *out) NONNULL MUST_CHECK;
/* enum map_flags' protection bits; INVAL. */
int64_t mmap_protection(uint64_t prot, uint32_t *out) NONNULL MUST_CHECK;
