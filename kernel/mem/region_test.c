/* kernel/mem/region_test.c - the sorted regions against a bitmap of pages. */
#include "kernel/mem/region.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

enum { PAGES = 512, REGIONS = 200 };
static bool taken[PAGES];
static struct region regions[REGIONS];
static struct region_set set;
#define BASE (USER_MAX - (uint64_t)PAGES * PAGE_BYTES)

static uint64_t page_of(uint64_t address) { return (address - BASE) / PAGE_BYTES; }

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

static void mark(const struct region *r, bool value)
{
	for (uint64_t p = page_of(r->start); p < page_of(r->end); p++)
		taken[p] = value;
}

static void check_all(void)
{
	uint64_t gap, wanted;
	for (uint64_t p = 0; p < PAGES; p++) {
		uint64_t address = BASE + p * PAGE_BYTES;
		struct region *r = region_at_or_after(&set, address);
		CHECK_EQ(r && r->start <= address, taken[p]);
	}
	for (uint64_t pages = 1; pages < 40; pages += 3) {
		if (!model_gap(pages, &wanted))
			continue;
		CHECK(region_find_gap(&set, pages * PAGE_BYTES, &gap));
		CHECK_EQ(gap, wanted);
	}
}

static void start(void)
{
	machine_start(64 << 20);
	set = (struct region_set){ 0 };
	CHECK_EQ(region_set_reserve(&set, REGIONS), OK);
}

/* Whatever is still in it. */
static void finish(void)
{
	set.count = 0;
	region_set_fini(&set);
}

TEST(the_set_agrees_with_a_bitmap)
{
	start();
	memset(taken, 0, sizeof taken);
	memset(regions, 0, sizeof regions);
	for (int step = 0; step < 6000; step++) {
		struct region *r = &regions[test_random() % REGIONS];
		if (r->end) {
			mark(r, false);
			if (test_random() % 4 == 0 && r->end - r->start > PAGE_BYTES) {
				/* It shrinks at one edge. */
				*(test_random() % 2 ? &r->start : &r->end) = r->start + (r->end - r->start) / 2 / PAGE_BYTES * PAGE_BYTES;
				mark(r, true);
			} else {
				region_remove(&set, r);
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
			region_insert(&set, r);
			mark(r, true);
		}
		if (step % 50 == 0)
			check_all();
	}
	check_all();
	finish();
}

TEST(a_full_space_has_no_gap)
{
	start();
	struct region all = { .start = USER_MIN, .end = USER_MAX };
	uint64_t gap;
	CHECK(region_find_gap(&set, USER_MAX - USER_MIN, &gap));
	CHECK_EQ(gap, USER_MIN);
	region_insert(&set, &all);
	CHECK(!region_find_gap(&set, PAGE_BYTES, &gap));
	finish();
}
