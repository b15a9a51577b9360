/* kernel/mem/frame_test.c - tests of the frame allocator. */
#include "kernel/mem/account.h"
#include "lib/test/host/machine.h"

enum { MB = 1 << 20, MANY = 4096 };

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

static void start(uint64_t bytes)
{
	struct boot_info boot = { .memory_count = 1, .memory = { { MACHINE_RAM_START, bytes, BOOT_MEMORY_FREE, 0 } } };
	CHECK_EQ(machine_start_with(&boot, bytes), OK);
}

static paddr_t alloc(uint32_t order, uint32_t flags)
{
	paddr_t p;
	CHECK_EQ(frame_alloc(order, flags, NULL, &p), OK);
	return p;
}

TEST(most_of_memory_is_free_at_start)
{
	start(16 * MB);
	CHECK(frame_count_free() > 16 * MB / PAGE_BYTES * 98 / 100);
	CHECK_EQ(frame_count_total(), 16 * MB / PAGE_BYTES);
	CHECK_EQ(frame_count_free() + frame_count_kernel(), frame_count_total());
}

TEST(blocks_are_aligned_distinct_and_come_back_whole)
{
	start(16 * MB);
	uint64_t free_before = frame_count_free();
	static paddr_t have[MANY];
	static uint32_t order[MANY];
	for (int round = 0; round < 20; round++) {
		uint32_t count = 0;
		while (count < MANY) {
			order[count] = test_random() % (FRAME_ORDER_MAX + 1);
			if (test_random() % 4)
				order[count] = 0;
			if (frame_alloc(order[count], 0, NULL, &have[count]))
				break;
			CHECK_EQ(have[count].raw & (((uint64_t)PAGE_BYTES << order[count]) - 1), 0);
			uint64_t *words = paddr_to_kernel(have[count]);
			for (uint64_t i = 0; i < 1ull << order[count]; i++)
				words[i * PAGE_BYTES / 8] = have[count].raw + i;
			count++;
		}
		for (uint32_t n = 0; n < count; n++) {
			uint32_t i = n + test_random() % (count - n);
			paddr_t p = have[i];
			uint64_t *words = paddr_to_kernel(p);
			for (uint64_t j = 0; j < 1ull << order[i]; j++)
				CHECK_EQ(words[j * PAGE_BYTES / 8], p.raw + j);
			frame_put(p);
			have[i] = have[n];
			order[i] = order[n];
		}
		CHECK_EQ(frame_count_free(), free_before);
	}
	/* Joined again: the largest blocks can be had. */
	for (int i = 0; i < 3; i++)
		have[i] = alloc(FRAME_ORDER_MAX, 0);
	for (int i = 0; i < 3; i++)
		frame_put(have[i]);
	CHECK_EQ(frame_count_free(), free_before);
}

TEST(the_last_percent_is_kept_for_the_kernel)
{
	start(16 * MB);
	paddr_t p;
	uint64_t taken = 0;
	while (!frame_alloc(0, 0, NULL, &p))
		taken++;
	CHECK(frame_count_free() >= 35 && frame_count_free() < 60);
	while (!frame_alloc(0, FRAME_USE_RESERVE, NULL, &p))
		taken++;
	CHECK_EQ(frame_count_free(), 0);
	CHECK(taken > 4000);
}

TEST(memory_asked_zeroed_is_zero)
{
	start(4 * MB);
	static const char zero[4 * PAGE_BYTES];
	for (int i = 0; i < 100; i++) {
		paddr_t p = alloc(2, FRAME_ZEROED);
		CHECK_MEM(paddr_to_kernel(p), zero, sizeof zero);
		memset(paddr_to_kernel(p), 0xff, sizeof zero);
		frame_put(p);
	}
}

TEST(a_frame_is_freed_with_its_last_reference)
{
	start(4 * MB);
	uint64_t free_before = frame_count_free();
	paddr_t p = alloc(0, 0);
	frame_get(p);
	CHECK_EQ(frame_refs(p), 2);
	frame_put(p);
	CHECK_EQ(frame_count_free(), free_before - 1);
	frame_put(p);
	CHECK_EQ(frame_count_free(), free_before);
}

static void put_twice(void *context)
{
	paddr_t *p = context;
	frame_put(*p);
	frame_put(*p);
}

TEST(putting_a_free_frame_is_caught)
{
	start(4 * MB);
	paddr_t p = alloc(0, 0);
	CHECK_DIES(put_twice, &p);
}

TEST(what_is_no_ram_may_be_got_and_put)
{
	start(4 * MB);
	paddr_t device = paddr(0xfee00000);
	CHECK(!frame_of(device));
	frame_get(device);
	frame_put(device);
	frame_put(frame_zero());
	CHECK(!frame_range_is_ram(device, PAGE_BYTES));
	CHECK(frame_range_is_ram(paddr(MACHINE_RAM_START), MB));
}

TEST(initfs_and_the_kernel_are_left_alone)
{
	struct boot_info boot = {
		.memory_count = 1, .memory = { { MACHINE_RAM_START, 8 * MB, BOOT_MEMORY_FREE, 0 } },
		.initfs = MACHINE_RAM_START + MB, .initfs_bytes = 2 * MB,
	};
	CHECK_EQ(machine_start_with(&boot, 8 * MB), OK);
	paddr_t p;
	while (!frame_alloc(0, FRAME_USE_RESERVE, NULL, &p))
		CHECK(p.raw + PAGE_BYTES <= boot.initfs || p.raw >= boot.initfs + boot.initfs_bytes);
}

TEST(overlapping_entries_give_each_frame_once)
{
	struct boot_info boot = { .memory_count = 3, .memory = {
		{ MACHINE_RAM_START + MB, 2 * MB, BOOT_MEMORY_FREE, 0 }, { MACHINE_RAM_START, 4 * MB, BOOT_MEMORY_FREE, 0 },
		{ MACHINE_RAM_START + 3 * MB + 1, MB - 2, BOOT_MEMORY_FREE, 0 } } };
	CHECK_EQ(machine_start_with(&boot, 4 * MB), OK);
	CHECK(frame_count_free() <= 1024);
	static uint8_t seen[2048];
	memset(seen, 0, sizeof seen);
	paddr_t p;
	while (!frame_alloc(0, FRAME_USE_RESERVE, NULL, &p))
		CHECK_EQ(seen[p.raw >> PAGE_SHIFT]++, 0);
}

TEST(a_memory_map_without_room_is_refused)
{
	struct boot_info boot = { .memory_count = 0 };
	CHECK_EQ(machine_start_with(&boot, MB), ERR_INVAL);
	boot = (struct boot_info){ .memory_count = 1, .memory = { { MACHINE_RAM_START, MB, BOOT_MEMORY_RESERVED, 0 } } };
	CHECK_EQ(machine_start_with(&boot, MB), ERR_INVAL);
	/* A bank whose records would not fit anywhere. */
	boot = (struct boot_info){ .memory_count = 2, .memory = {
		{ MACHINE_RAM_START, MB, BOOT_MEMORY_FREE, 0 }, { 8 * MB, 3ull << 30, BOOT_MEMORY_LOADER, 0 } } };
	CHECK_EQ(machine_start_with(&boot, MB), ERR_INVAL);
}

TEST(memory_below_4_gib_can_be_asked_for)
{
	/* An arena with a hole nobody touches. */
	struct boot_info boot = { .memory_count = 2, .memory = {
		{ MACHINE_RAM_START, 4 * MB, BOOT_MEMORY_FREE, 0 }, { 4ull << 30, 4 * MB, BOOT_MEMORY_FREE, 0 } } };
	CHECK_EQ(machine_start_with(&boot, (4ull << 30) + 4 * MB), OK);
	CHECK(alloc(0, 0).raw >= 4ull << 30);
	CHECK(alloc(3, 0).raw >= 4ull << 30);
	CHECK(alloc(0, FRAME_BELOW_4G).raw < 4ull << 30);
	CHECK(alloc(4, FRAME_BELOW_4G).raw < 4ull << 30);
}

TEST(a_charge_beyond_the_limit_takes_nothing)
{
	start(4 * MB);
	struct account *a;
	paddr_t p[8];
	struct account_info info;
	uint64_t free_before = frame_count_free();
	CHECK_EQ(account_create(NULL, &(struct account_limits){ 6, 0, 0 }, &a), OK);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(frame_alloc(0, 0, a, &p[i]), OK);
	CHECK_EQ(frame_alloc(0, 0, a, &p[6]), ERR_NOMEM);
	CHECK_EQ(frame_alloc(1, 0, a, &p[6]), ERR_NOMEM);
	frame_put(p[5]);
	frame_put(p[4]);
	CHECK_EQ(frame_alloc(1, 0, a, &p[4]), OK);
	account_info(a, &info);
	CHECK_EQ(info.used.pages, 6);
	account_put(a);         /* what is charged keeps it */
	for (int i = 0; i < 5; i++)
		frame_put(p[i]);
	CHECK_EQ(frame_count_free(), free_before);
}

TEST(zeroed_means_zeroed_whoever_had_the_frame)
{
	static const char zeroes[PAGE_BYTES];
	paddr_t p;
	start(8 * MB);
	for (int i = 0; i < 300; i++) {
		bool left_clean = test_random() % 2, wanted_clean = test_random() % 2;
		CHECK_EQ(frame_alloc(0, wanted_clean ? FRAME_ZEROED : 0, NULL, &p), OK);
		if (wanted_clean)
			CHECK_MEM(paddr_to_kernel(p), zeroes, PAGE_BYTES);
		memset(paddr_to_kernel(p), left_clean ? 0 : 0x77, PAGE_BYTES);
		frame_put_zeroed(p, left_clean);
	}
}
