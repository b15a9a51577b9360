/* lib/base/heap_test.c - blocks that grow and shrink. */
#include "lib/base/heap.h"
#include "lib/test/test.h"

TEST(a_block_keeps_what_fits_and_the_rest_is_zero)
{
	static const char zeroes[4096];
	for (size_t old_bytes = 0; old_bytes < 3000; old_bytes += 37) {
		size_t new_bytes = test_random() % 4000, kept = old_bytes < new_bytes ? old_bytes : new_bytes;
		char *p = old_bytes ? heap_alloc(old_bytes) : NULL;
		if (p)
			memset(p, 'x', old_bytes);
		p = heap_grow(p, old_bytes, new_bytes);
		for (size_t i = 0; i < kept; i++)
			CHECK_EQ(p[i], 'x');
		CHECK_MEM(p + kept, zeroes, new_bytes - kept);
		heap_free(p, new_bytes);
		CHECK_EQ(heap_used_bytes(), 0);
	}
}

TEST(a_block_that_cannot_grow_stays)
{
	char *p = heap_alloc(10);
	memset(p, 'y', 10);
	heap_fail_after(1);
	CHECK(heap_grow(p, 10, 100) == NULL);
	heap_fail_after(0);
	CHECK_MEM(p, "yyyyyyyyyy", 10);
	heap_free(p, 10);
	CHECK_EQ(heap_used_bytes(), 0);
}
