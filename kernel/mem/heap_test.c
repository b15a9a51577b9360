/* kernel/mem/heap_test.c - tests of the heap. */
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

enum { COUNT = 600 };

TEST(allocations_of_all_sizes_are_zeroed_aligned_and_apart)
{
	uint64_t free_frames = machine_start(64 << 20);
	static uint8_t *have[COUNT];
	static size_t bytes[COUNT];
	for (int step = 0; step < 20000; step++) {
		uint32_t i = test_random() % COUNT;
		if (have[i]) {
			for (size_t n = 0; n < bytes[i]; n++)
				CHECK_EQ(have[i][n], (uint8_t)i);
			heap_free(have[i], bytes[i]);
			have[i] = NULL;
			continue;
		}
		bytes[i] = test_random() % 8 ? 1 + test_random() % 2100 : 1 + test_random() % 40000;
		have[i] = heap_alloc(bytes[i]);
		CHECK(have[i]);
		CHECK_EQ((uint64_t)have[i] % 16, 0);
		for (size_t n = 0; n < bytes[i]; n++)
			CHECK_EQ(have[i][n], 0);
		memset(have[i], (uint8_t)i, bytes[i]);
	}
	for (int i = 0; i < COUNT; i++)
		if (have[i])
			heap_free(have[i], bytes[i]);
	machine_check_free(free_frames);
}

TEST(the_nth_allocation_can_be_made_to_fail)
{
	uint64_t free_frames = machine_start(64 << 20);
	heap_fail_after(3);
	void *a = heap_alloc(10), *b = heap_alloc(10), *c = heap_alloc(10), *d = heap_alloc(10);
	CHECK(a && b && !c && d);
	heap_free(a, 10);
	heap_free(b, 10);
	heap_free(c, 10);
	heap_free(d, 10);
	machine_check_free(free_frames);
}

TEST(growing_keeps_the_content_and_zeroes_the_rest)
{
	uint64_t free_frames = machine_start(64 << 20);
	size_t bytes = 1;
	uint8_t *p = heap_alloc(1);
	p[0] = 1;
	while (bytes < 100000) {
		size_t more = bytes + 1 + test_random() % bytes;
		uint8_t *q = heap_grow(p, bytes, more);
		CHECK(q);
		for (size_t i = 0; i < more; i++)
			CHECK_EQ(q[i], i < bytes ? 1 : 0);
		memset(q, 1, more);
		p = q;
		bytes = more;
	}
	heap_fail_after(1);
	CHECK(!heap_grow(p, bytes, bytes * 2));
	CHECK_EQ(p[bytes - 1], 1);
	heap_free(p, bytes);
	machine_check_free(free_frames);
}

TEST(what_is_too_large_is_refused)
{
	uint64_t free_frames = machine_start(64 << 20);
	void *p = heap_alloc((size_t)64 << 20), *q = heap_alloc(SIZE_MAX - 10);
	CHECK(!p && !q);
	machine_check_free(free_frames);
}

TEST(memory_runs_out_with_an_answer)
{
	uint64_t free_frames = machine_start(64 << 20);
	struct list_node all = LIST_INIT(all), *n;
	while ((n = heap_alloc(700)))
		list_push_back(&all, n);
	while (!list_is_empty(&all)) {
		n = all.next;
		list_remove(n);
		heap_free(n, 700);
	}
	machine_check_free(free_frames);
}
