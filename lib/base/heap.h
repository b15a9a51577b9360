/* lib/base/heap.h - memory for objects by size; each environment has its own behind these calls: the kernel slabs over
 * frames, programs size classes over mappings, the host calloc (so that sanitizers see every misuse).
 *
 * For tests, heap_fail_after makes the n-th allocation from now fail (0: never): every caller must live with that.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Zeroed, 16-aligned; NULL when there is none. */
void *heap_alloc(size_t bytes) MUST_CHECK;
/* p may be NULL. bytes as allocated. */
void heap_free(void *p, size_t bytes);
/* A block of the new size with what fits of the old one, the rest zeroed; the old one stays valid when NULL comes back. old may be NULL. */
void *heap_grow(void *old, size_t old_bytes, size_t new_bytes) MUST_CHECK;
/* Bytes in blocks that are allocated now. (Not in the kernel, where what is left free tells.) */
size_t heap_used_bytes(void);
void heap_fail_after(uint64_t count);

#define heap_new(type) ((type *)heap_alloc(sizeof(type)))
#define heap_delete(p) heap_free((p), sizeof(*(p)))
