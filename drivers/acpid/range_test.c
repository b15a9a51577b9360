/* drivers/acpid/range_test.c - what firmware's bytecode may reach, and what is not for it. */
#include "drivers/acpid/range.h"
#include "lib/test/test.h"

#define MIB (1ull << 20)

/* As a PC with 512 MiB has it: tables at the end of memory, a hole, flash. */
static const struct boot_memory list[] = {
	{ 0, 0x9f000, BOOT_MEMORY_FREE, 0 }, { 0x9f000, 0x1000, BOOT_MEMORY_RESERVED, 0 }, { 0xf0000, 0x10000, BOOT_MEMORY_RESERVED, 0 },
	{ MIB, 500 * MIB, BOOT_MEMORY_FREE, 0 }, { 501 * MIB, MIB, BOOT_MEMORY_LOADER, 0 }, { 502 * MIB, MIB, BOOT_MEMORY_ACPI, 0 },
	{ 0xb0000000, 0x10000000, BOOT_MEMORY_RESERVED, 0 }, { 0x100000000, MIB, BOOT_MEMORY_FREE, 0 },
};
enum { COUNT = sizeof list / sizeof *list };

static bool memory(uint64_t start, uint64_t bytes) { return range_has_memory(list, COUNT, start, bytes); }
static bool table(uint64_t start, uint64_t bytes) { return range_is_table(list, COUNT, start, bytes); }

TEST(ports_of_power_management_are_the_firmwares)
{
	CHECK(range_has_ports(0x604, 2));
	CHECK(range_has_ports(0xb2, 1));
	CHECK(range_has_ports(0xae00, 4));
	CHECK(range_has_ports(0x70, 1));
	CHECK(range_has_ports(0xffff, 1));
}

TEST(ports_by_which_the_machine_runs_are_not)
{
	CHECK(!range_has_ports(0x20, 1));
	CHECK(!range_has_ports(0x1f, 4));
	CHECK(!range_has_ports(0x40, 1));
	CHECK(!range_has_ports(0xa1, 1));
	CHECK(!range_has_ports(0xcf8, 4));
	CHECK(!range_has_ports(0xcfc, 2));
}

TEST(the_reset_register_inside_of_pcis_is_one_byte)
{
	CHECK(range_has_ports(0xcf9, 1));
	CHECK(!range_has_ports(0xcf9, 2));
	CHECK(!range_has_ports(0xcf7, 2));
}

TEST(no_access_leaves_the_ports_or_has_an_odd_width)
{
	CHECK(!range_has_ports(0xffff, 2));
	CHECK(!range_has_ports(0x10000, 1));
	CHECK(!range_has_ports(UINT32_MAX, 4));
	CHECK(!range_has_ports(0x604, 0));
	CHECK(!range_has_ports(0x604, 3));
	CHECK(!range_has_ports(0x604, 8));
}

TEST(tables_and_registers_can_be_mapped)
{
	CHECK(memory(0xf0000, 0x10000));
	CHECK(memory(502 * MIB, MIB));
	CHECK(memory(0xfed00000, 0x400));
	CHECK(memory(0xb0000000, 0x1000));
}

TEST(memory_of_programs_cannot_not_even_its_last_byte)
{
	CHECK(!memory(MIB, 1));
	CHECK(!memory(501 * MIB, 1));
	CHECK(!memory(502 * MIB - 1, 2));
	CHECK(!memory(0x9efff, 2));
	CHECK(!memory(0x100000000, 8));
	CHECK(!memory(0, UINT64_MAX));
}

TEST(interrupt_controllers_cannot)
{
	CHECK(!memory(0xfee00300, 4));
	CHECK(!memory(0xfec00000, 0x20));
	CHECK(!memory(0xfebfffff, 2));
	CHECK(memory(0xfebffffe, 2));
}

TEST(ranges_that_wrap_or_are_empty_are_refused)
{
	CHECK(!memory(UINT64_MAX, 2));
	CHECK(memory(UINT64_MAX, 1));
	CHECK(!memory(0xfed00000, 0));
	CHECK(!table(UINT64_MAX, 2));
	CHECK(!table(502 * MIB, 0));
}

TEST(only_what_is_memory_is_mapped_as_such)
{
	CHECK(table(0xf0000, 0x1000));
	CHECK(table(502 * MIB, MIB));
	CHECK(!table(502 * MIB, MIB + 1));
	CHECK(!table(0xb0000000, 0x1000));
	CHECK(!table(0xfed00000, 0x400));
}
