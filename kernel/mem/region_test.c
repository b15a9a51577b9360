/* kernel/mem/region_test.c - the region tree against a bitmap of pages. */
#include "kernel/mem/region.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

enum { PAGES = 512, REGIONS = 200 };
static bool taken[PAGES];
static struct region regions[REGIONS];
static struct region_tree tree;
#define BASE (USER_MAX - (uint64_t)PAGES * PAGE_BYTES)

static uint64_t page_of(uint64_t address) { return (address - BASE) / PAGE_BYTES; }

static uint32_t check_node(const struct region *r, uint64_t low, uint64_t high)
{
	if (!r)
		return 0;
	CHECK(r->start >= low && r->end <= high && r->start < r->end);
	uint32_t left = check_node(r->left, low, r->start), right = check_node(r->right, r->end, high);
	CHECK_EQ(r->height, 1 + (left > right ? left : right));
	CHECK(left <= right + 1 && right <= left + 1);
	return r->height;
}

/* The highest free run below everything else, as the bitmap sees it. */
static bool model_gap(uint64_t pages, uint64_t *out)
{
	for (uint64_t end = PAGES, run = 0, i = PAGES; i-- > 0;) {
		run = taken[i] ? 0 : run + 1;
		if (run >= pages) {
			(void)end;
			*out = BASE + i * PAGE_BYTES;
			return true;
		}
	}
	return false;
}

static void set(const struct region *r, bool value)
{
	for (uint64_t p = page_of(r->start); p < page_of(r->end); p++)
		taken[p] = value;
}

static void check_all(void)
{
	uint64_t gap, wanted;
	check_node(tree.root, 0, USER_MAX);
	for (uint64_t p = 0; p < PAGES; p++) {
		uint64_t address = BASE + p * PAGE_BYTES;
		struct region *r = region_at_or_after(&tree, address);
		CHECK_EQ(r && r->start <= address, taken[p]);
	}
	for (uint64_t pages = 1; pages < 40; pages += 3) {
		if (!model_gap(pages, &wanted))
			continue;
		CHECK(region_find_gap(&tree, pages * PAGE_BYTES, &gap));
		CHECK_EQ(gap, wanted);
	}
}

TEST(the_tree_agrees_with_a_bitmap)
{
	region_tree_init(&tree);
	memset(taken, 0, sizeof taken);
	memset(regions, 0, sizeof regions);
	for (int step = 0; step < 6000; step++) {
		struct region *r = &regions[test_random() % REGIONS];
		if (r->end) {
			set(r, false);
			if (test_random() % 4 == 0 && r->end - r->start > PAGE_BYTES) {
				/* It shrinks at one edge. */
				*(test_random() % 2 ? &r->start : &r->end) = r->start + (r->end - r->start) / 2 / PAGE_BYTES * PAGE_BYTES;
				region_moved(&tree, r);
				set(r, true);
			} else {
				region_remove(&tree, r);
				r->end = 0;
			}
		} else {
			uint64_t first = test_random() % PAGES, end = first;
			while (end < PAGES && !taken[end] && end < first + 1 + test_random() % 9)
				end++;
			if (end == first)
				continue;
			r->start = BASE + first * PAGE_BYTES;
			r->end = BASE + end * PAGE_BYTES;
			region_insert(&tree, r);
			set(r, true);
		}
		if (step % 50 == 0)
			check_all();
	}
	check_all();
}

TEST(room_below_a_stack_is_not_given_away)
{
	region_tree_init(&tree);
	struct region stack = { .start = USER_MAX - 0x2000, .end = USER_MAX - 0x1000, .flags = MAP_GROWSDOWN };
	uint64_t gap;
	region_insert(&tree, &stack);
	CHECK(region_find_gap(&tree, 0x1000, &gap));
	CHECK_EQ(gap, USER_MAX - 0x1000);
	CHECK(region_find_gap(&tree, 0x2000, &gap));
	CHECK_EQ(gap, stack.end - STACK_BYTES_MAX - STACK_GUARD_BYTES - 0x2000);
}

TEST(a_full_space_has_no_gap)
{
	region_tree_init(&tree);
	struct region all = { .start = USER_MIN, .end = USER_MAX };
	uint64_t gap;
	CHECK(region_find_gap(&tree, USER_MAX - USER_MIN, &gap));
	CHECK_EQ(gap, USER_MIN);
	region_insert(&tree, &all);
	CHECK(!region_find_gap(&tree, PAGE_BYTES, &gap));
}
