/* lib/base/heap.c - what every environment's heap does alike. */
#include "lib/base/heap.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

void *heap_grow(void *old, size_t old_bytes, size_t new_bytes)
{
	void *p = heap_alloc(new_bytes);

	if (p && old) {
		memcpy(p, old, MIN_OF(old_bytes, new_bytes));
		heap_free(old, old_bytes);
	}
	return p;
}
