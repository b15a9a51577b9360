/* lib/base/page_index_test.c - the radix tree against an array. */
#include "lib/base/page_index.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/test/test.h"

enum { PAGES = 10000 };
static uint64_t model[PAGES];

static void drop(void *context, uint64_t n, uint64_t slot)
{
	uint64_t *base = context;
	CHECK_EQ(model[n - *base], slot);
	model[n - *base] = 0;
}

static void check_same(const struct page_index *x, uint64_t base)
{
	uint64_t at = 0, found;
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t *slot = page_index_find(x, base + i), run;
		CHECK_EQ(slot ? *slot : 0, model[i]);
		CHECK_EQ(page_index_run(x, base + i, &run), slot);
		for (uint64_t next = 1; slot && next < run && i + next < PAGES; next++)
			CHECK_EQ(slot[next], model[i + next]);
		if (model[i] == 0)
			continue;
		CHECK(page_index_next(x, base + at, UINT64_MAX, &found));
		CHECK_EQ(found, base + i);
		CHECK(!page_index_next(x, base + at, base + i, &found));
		at = i + 1;
	}
	CHECK(!page_index_next(x, base + at, UINT64_MAX, &found));
}

static void run(uint64_t base)
{
	struct page_index x = { 0 };
	memset(model, 0, sizeof model);
	for (int step = 0; step < 4000; step++) {
		uint64_t i = test_random() % PAGES, *slot, count = 1 + test_random() % 300;
		if (step % 8) {
			for (uint64_t n = i; n < PAGES && n < i + count % 8; n++) {
				CHECK_EQ(page_index_make(&x, base + n, &slot), OK);
				CHECK_EQ(*slot, model[n]);
				*slot = model[n] = (test_random() | 1) << 12;
			}
		} else {
			page_index_remove(&x, base + i, base + MIN_OF(i + count, (uint64_t)PAGES), drop, &base);
			for (uint64_t n = i; n < PAGES && n < i + count; n++)
				CHECK_EQ(model[n], 0);
		}
		if (step % 500 == 0)
			check_same(&x, base);
	}
	check_same(&x, base);
	page_index_remove(&x, 0, UINT64_MAX, drop, &base);
	CHECK_EQ(x.root, 0);
	CHECK_EQ(heap_used_bytes(), 0);
}

TEST(the_tree_agrees_with_an_array_from_page_zero)
{
	run(0);
}

TEST(the_tree_agrees_with_an_array_far_out)
{
	run((1ull << 50) - 5000);
}

TEST(one_page_needs_no_node)
{
	uint64_t *slot, base = 0;
	struct page_index x = { 0 };
	memset(model, 0, sizeof model);
	CHECK_EQ(page_index_make(&x, 0, &slot), OK);
	*slot = model[0] = 0x1000;
	CHECK_EQ(heap_used_bytes(), 0);
	page_index_remove(&x, 0, UINT64_MAX, drop, &base);
	CHECK_EQ(heap_used_bytes(), 0);
}

TEST(a_failed_allocation_leaves_a_usable_tree)
{
	uint64_t *slot, base = 0;
	struct page_index x = { 0 };
	memset(model, 0, sizeof model);
	for (uint64_t n = 1; n < PAGES; n *= 3) {
		for (uint64_t fail = 1;; fail++) {
			heap_fail_after(fail);
			err_t err = page_index_make(&x, n, &slot);
			heap_fail_after(0);
			if (!err)
				break;
			CHECK_EQ(err, ERR_NOMEM);
		}
		*slot = model[n] = n << 12;
		check_same(&x, 0);
	}
	page_index_remove(&x, 0, UINT64_MAX, drop, &base);
	CHECK_EQ(heap_used_bytes(), 0);
}
