/* lib/boot/pvh_test.c - what a PVH starter says becomes a boot_info, and what lies out of reach is named. */
#include "lib/boot/pvh.h"
#include "lib/test/test.h"

/* Physical memory [BASE, BASE + sizeof(memory)). */
enum { BASE = 0x9000, START = BASE, MODULE = BASE + 0x100, MAP = BASE + 0x200, LINE = BASE + 0x300 };
static uint8_t memory[8192];
static struct boot_info info;

static const void *lend(void *context, uint64_t address, size_t bytes)
{
	(void)context;
	return address >= BASE && bytes <= sizeof(memory) && address - BASE <= sizeof(memory) - bytes ? memory + (address - BASE) : NULL;
}

static void put(uint64_t address, uint64_t value, size_t bytes) { memcpy(memory + (address - BASE), &value, bytes); }

static void put_range(uint32_t i, uint64_t start, uint64_t bytes, uint32_t kind)
{
	put(MAP + i * 24, start, 8);
	put(MAP + i * 24 + 8, bytes, 8);
	put(MAP + i * 24 + 16, kind, 8);
}

static void set_up(void)
{
	memset(memory, 0, sizeof(memory));
	memset(&info, 0, sizeof(info));
	put(START, 0x336ec578, 4);
	put(START + 4, 1, 4);
	put(START + 12, 1, 4);
	put(START + 16, MODULE, 8);
	put(START + 24, LINE, 8);
	put(START + 32, 0xf0000, 8);
	put(START + 40, MAP, 8);
	put(START + 48, 3, 4);
	put(MODULE, 0x400000, 8);
	put(MODULE + 8, 12345, 8);
	put_range(0, 0, 0x9f000, 1);
	put_range(1, 0xf0000, 0x10000, 2);
	put_range(2, 0x7ff0000, 0x10000, 3);
	memcpy(memory + (LINE - BASE), "mode=test a", 12);
}

static const char *convert(void)
{
	memset(&info, 0, sizeof(info));
	return boot_info_from_pvh(START, lend, &info);
}

TEST(everything_said_arrives)
{
	set_up();
	CHECK(convert() == NULL);
	CHECK_EQ(info.magic, BOOT_MAGIC);
	CHECK_EQ(info.bytes, sizeof(info));
	CHECK_EQ(info.acpi_rsdp, 0xf0000);
	CHECK_EQ(info.initfs, 0x400000);
	CHECK_EQ(info.initfs_bytes, 12345);
	CHECK_EQ(info.memory_count, 3);
	CHECK_EQ(info.memory[0].kind, BOOT_MEMORY_FREE);
	CHECK_EQ(info.memory[0].bytes, 0x9f000);
	CHECK_EQ(info.memory[1].kind, BOOT_MEMORY_RESERVED);
	CHECK_EQ(info.memory[2].kind, BOOT_MEMORY_ACPI);
	CHECK_EQ(strcmp(info.command_line, "mode=test a"), 0);
}

TEST(module_and_command_line_may_be_missing)
{
	set_up();
	put(START + 12, 0, 4);
	put(START + 24, 0, 8);
	CHECK(convert() == NULL);
	CHECK_EQ(info.initfs_bytes, 0);
	CHECK_EQ(info.command_line[0], 0);
}

TEST(a_long_command_line_is_cut_and_ends)
{
	set_up();
	memset(memory + (LINE - BASE), 'x', sizeof(memory) - (LINE - BASE));
	CHECK(convert() == NULL);
	CHECK_EQ(strlen(info.command_line), sizeof(info.command_line) - 1);
}

TEST(each_broken_or_unreachable_part_is_named)
{
	static const struct { uint32_t offset, bytes; uint64_t value; } breaks[] = {
		{ 0, 4, 1 }, { 4, 4, 0 }, { 16, 8, 0 }, { 16, 8, UINT64_MAX - 4 }, { 24, 8, UINT64_MAX }, { 24, 8, 8 },
		{ 40, 8, UINT64_MAX - 4 }, { 40, 8, BASE + sizeof(memory) - 10 }, { 48, 4, BOOT_MEMORY_MAX + 1 }, { 48, 4, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		set_up();
		put(START + breaks[i].offset, breaks[i].value, breaks[i].bytes);
		CHECK(convert() != NULL);
	}
	CHECK(boot_info_from_pvh(0, lend, &info) != NULL);
}
