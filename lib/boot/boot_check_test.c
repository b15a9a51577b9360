/* lib/boot/boot_check_test.c - what a loader says is refused when broken, and never claims memory twice. */
#include "lib/boot/boot_check.h"
#include "lib/test/test.h"

static struct boot_info b;
static const struct boot_image image = { 0x200000, 0x280000, 1ull << 39 };

static void add(uint64_t start, uint64_t bytes, uint32_t kind)
{
	b.memory[b.memory_count++] = (struct boot_memory){ .start = start, .bytes = bytes, .kind = kind };
}

static void set_up(void)
{
	memset(&b, 0, sizeof(b));
	b.magic = BOOT_MAGIC;
	b.version = BOOT_VERSION;
	b.bytes = sizeof(b);
}

static bool is_free(uint64_t address)
{
	for (uint32_t i = 0; i < b.memory_count; i++)
		if (b.memory[i].kind == BOOT_MEMORY_FREE && address >= b.memory[i].start && address < b.memory[i].start + b.memory[i].bytes)
			return true;
	return false;
}

static uint64_t free_bytes(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < b.memory_count; i++)
		sum += b.memory[i].kind == BOOT_MEMORY_FREE ? b.memory[i].bytes : 0;
	return sum;
}

TEST(a_sane_boot_info_is_accepted)
{
	set_up();
	add(0x100000, 0x1000000, BOOT_MEMORY_FREE);
	b.initfs = 0x400000;
	b.initfs_bytes = 12345;
	CHECK(boot_info_check(&b, &image) == NULL);
}

TEST(each_broken_field_is_named)
{
	set_up();
	add(0x100000, 0x1000000, BOOT_MEMORY_FREE);
	struct boot_info good = b;

	b.magic++;
	CHECK(boot_info_check(&b, &image));
	b = good, b.version++;
	CHECK(boot_info_check(&b, &image));
	b = good, b.bytes--;
	CHECK(boot_info_check(&b, &image));
	b = good, b.memory_count = 0;
	CHECK(boot_info_check(&b, &image));
	b = good, b.memory_count = BOOT_MEMORY_MAX + 1;
	CHECK(boot_info_check(&b, &image));
	b = good, b.memory[0].bytes = UINT64_MAX;
	CHECK(boot_info_check(&b, &image));
	b = good, b.memory[0].kind = 99;
	CHECK(boot_info_check(&b, &image));
	b = good, b.memory[0].kind = BOOT_MEMORY_RESERVED;
	CHECK(boot_info_check(&b, &image));
	b = good, b.acpi_rsdp = UINT64_MAX;
	CHECK(boot_info_check(&b, &image));
	b = good, memset(b.command_line, 'x', sizeof(b.command_line));
	CHECK(boot_info_check(&b, &image));
}

TEST(an_initfs_outside_memory_or_over_the_kernel_is_refused)
{
	set_up();
	add(0x100000, 0x400000, BOOT_MEMORY_FREE);
	b.initfs = 0x400000, b.initfs_bytes = 0x100001;
	CHECK(boot_info_check(&b, &image));
	b.initfs = 0x27f000, b.initfs_bytes = 0x1000;
	CHECK(boot_info_check(&b, &image));
	b.initfs = 0x400010, b.initfs_bytes = 16;
	CHECK(boot_info_check(&b, &image));
	b.initfs = UINT64_MAX & ~0xfffull, b.initfs_bytes = 0x2000;
	CHECK(boot_info_check(&b, &image));
	b.initfs = 0x400000, b.initfs_bytes = 0x100000;
	CHECK(boot_info_check(&b, &image) == NULL);
}

TEST(an_initfs_may_span_neighbouring_ranges)
{
	set_up();
	add(0x500000, 0x100000, BOOT_MEMORY_LOADER);
	add(0x100000, 0x400000, BOOT_MEMORY_FREE);
	b.initfs = 0x480000, b.initfs_bytes = 0x100000;
	CHECK(boot_info_check(&b, &image) == NULL);
}

TEST(an_initfs_may_end_in_what_the_firmware_keeps_but_not_begin_there)
{
	set_up();
	add(0x100000, 0x400000, BOOT_MEMORY_FREE);
	add(0x500000, 0x40000, BOOT_MEMORY_RESERVED);
	b.initfs = 0x480000, b.initfs_bytes = 0x90000;
	CHECK(boot_info_check(&b, &image) == NULL);
	b.initfs_bytes = 0xc1000;
	CHECK(boot_info_check(&b, &image));
	b.initfs = 0x500000, b.initfs_bytes = 0x1000;
	CHECK(boot_info_check(&b, &image));
}

TEST(a_framebuffer_must_hold_its_lines)
{
	set_up();
	add(0x100000, 0x1000000, BOOT_MEMORY_FREE);
	b.framebuffer = (struct boot_framebuffer){ .address = 0x80000000, .width = 1280, .height = 800, .pitch_bytes = 5120, .bits_per_pixel = 32 };
	CHECK(boot_info_check(&b, &image) == NULL);
	b.framebuffer.pitch_bytes = 5119;
	CHECK(boot_info_check(&b, &image));
	b.framebuffer.pitch_bytes = 5120, b.framebuffer.bits_per_pixel = 7;
	CHECK(boot_info_check(&b, &image));
	b.framebuffer.bits_per_pixel = 32, b.framebuffer.height = 0;
	CHECK(boot_info_check(&b, &image));
}

TEST(free_memory_leaves_out_kernel_initfs_and_page_zero)
{
	set_up();
	add(0, 0xa0000, BOOT_MEMORY_FREE);
	add(0x100000, 0xf00000, BOOT_MEMORY_FREE);
	b.initfs = 0x800000, b.initfs_bytes = 0x1001;
	CHECK(boot_info_check(&b, &image) == NULL);
	boot_memory_normalize(&b, &image);
	CHECK(!is_free(0));
	CHECK(is_free(0x1000) && is_free(0x9ffff) && !is_free(0xa0000));
	CHECK(is_free(0x1fffff) && !is_free(0x200000) && !is_free(0x27ffff) && is_free(0x280000));
	CHECK(is_free(0x7fffff) && !is_free(0x800000) && !is_free(0x801fff) && is_free(0x802000));
	CHECK_EQ(free_bytes(), 0xa0000 + 0xf00000 - 0x1000 - 0x80000 - 0x2000);
}

TEST(overlapping_ranges_give_memory_once_and_the_stricter_kind_wins)
{
	set_up();
	add(0x1000000, 0x100000, BOOT_MEMORY_FREE);
	add(0x1080000, 0x100000, BOOT_MEMORY_FREE);
	add(0x1100100, 0x10, BOOT_MEMORY_RESERVED);
	add(0x1000000, 0x100000, BOOT_MEMORY_FREE);
	boot_memory_normalize(&b, &image);
	CHECK_EQ(free_bytes(), 0x180000 - 0x1000);
	CHECK(!is_free(0x1100000) && is_free(0x1101000));
}

TEST(partial_pages_are_not_free)
{
	set_up();
	add(0x1000800, 0x2000, BOOT_MEMORY_FREE);
	boot_memory_normalize(&b, &image);
	CHECK_EQ(free_bytes(), 0x1000);
	CHECK(is_free(0x1001000) && !is_free(0x1000800) && !is_free(0x1002000));
}

TEST(a_full_map_loses_memory_but_makes_none_up)
{
	set_up();
	for (uint64_t i = 0; i < BOOT_MEMORY_MAX / 2; i++) {
		add(0x1000000 + i * 0x10000, 0x10000, BOOT_MEMORY_FREE);
		add(0x1000000 + i * 0x10000 + 0x8000, 0x1000, BOOT_MEMORY_RESERVED);
	}
	boot_memory_normalize(&b, &image);
	CHECK(b.memory_count <= BOOT_MEMORY_MAX);
	for (uint64_t i = 0; i < BOOT_MEMORY_MAX / 2; i++)
		CHECK(!is_free(0x1000000 + i * 0x10000 + 0x8000));
}

TEST(memory_taken_is_free_no_more)
{
	set_up();
	add(0x1000, 0x9f000, BOOT_MEMORY_FREE);
	add(0x1000000, 0x2000, BOOT_MEMORY_FREE);
	boot_memory_normalize(&b, &image);
	CHECK_EQ(boot_memory_take(&b, 0x1000, 0xa0000), 0x9f000);
	CHECK(!is_free(0x9f000) && is_free(0x9e000));
	CHECK_EQ(boot_memory_take(&b, 0x2000, UINT64_MAX), 0x1000000);
	CHECK(!is_free(0x1000000));
	CHECK_EQ(boot_memory_take(&b, 0x1000000, UINT64_MAX), 0);
}

TEST(firmware_pages_are_those_of_reserved_and_acpi_ranges_alone)
{
	set_up();
	add(0x1000, 0x9e000, BOOT_MEMORY_FREE);
	add(0xf0000, 0x10000, BOOT_MEMORY_RESERVED);
	add(0x100000, 0x7e00000, BOOT_MEMORY_FREE);
	add(0x7fe0100, 0x800, BOOT_MEMORY_ACPI);
	boot_memory_normalize(&b, &image);
	CHECK(boot_memory_is_firmware(&b, 0xf0000) && boot_memory_is_firmware(&b, 0xff000));
	CHECK(boot_memory_is_firmware(&b, 0x7fe0000));
	CHECK(!boot_memory_is_firmware(&b, 0xef000) && !boot_memory_is_firmware(&b, 0x7fe1000));
	CHECK(!boot_memory_is_firmware(&b, 0) && !boot_memory_is_firmware(&b, 0x1000) && !boot_memory_is_firmware(&b, 0x200000));
	add(0xff800, 0x800, BOOT_MEMORY_LOADER);
	CHECK(!boot_memory_is_firmware(&b, 0xff000));
}

TEST(memory_beyond_reach_is_not_free)
{
	set_up();
	add((1ull << 39) - 0x2000, 0x4000, BOOT_MEMORY_FREE);
	add(1ull << 40, 0x4000, BOOT_MEMORY_FREE);
	boot_memory_normalize(&b, &image);
	CHECK_EQ(free_bytes(), 0x2000);
	CHECK(is_free((1ull << 39) - 1) && !is_free(1ull << 39));
}
