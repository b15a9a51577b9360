/* kernel/mem/heap.h - kernel objects by size: slabs over frames, per size class.
 *
 * Freed memory is poisoned in debug builds. For tests, heap_fail_after makes the n-th
 * allocation from now fail (0 never): every caller must live with that.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Zeroed, 16-aligned; NULL when there is none. More than a page comes in whole frames. */
void *heap_alloc(size_t bytes) MUST_CHECK;
/* p may be NULL. bytes as allocated. */
void heap_free(void *p, size_t bytes);
/* Allocates the new size and copies; old stays valid when NULL comes back. */
void *heap_grow(void *old, size_t old_bytes, size_t new_bytes) MUST_CHECK;
size_t heap_used_bytes(void);
/* Gives back what is kept for the next allocation. */
void heap_trim(void);
void heap_fail_after(uint64_t count);

#define heap_new(type) ((type *)heap_alloc(sizeof(type)))
#define heap_delete(p) heap_free((p), sizeof(*(p)))
