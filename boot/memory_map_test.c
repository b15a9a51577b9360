/* boot/memory_map_test.c - conversion of firmware memory maps. */
#include "boot/memory_map.h"
#include "boot/uefi.h"
#include "lib/test/test.h"

static struct boot_info info;

#define CONVERT(map) memory_map_convert((map), sizeof(map), sizeof((map)[0]), &info)

TEST(entries_come_out_sorted_and_merged)
{
	struct efi_memory map[] = {
		{ .type = EFI_CONVENTIONAL, .physical = 0x200000, .pages = 16 },
		{ .type = EFI_BOOT_DATA, .physical = 0x1000, .pages = 1 },
		{ .type = EFI_BOOT_CODE, .physical = 0x3000, .pages = 1 },
		{ .type = EFI_CONVENTIONAL, .physical = 0x2000, .pages = 1 },
		{ .type = EFI_RUNTIME_DATA, .physical = 0x4000, .pages = 1 },
	};

	CONVERT(map);
	CHECK_EQ(info.memory_count, 3);
	CHECK_EQ(info.memory[0].start, 0x1000);
	CHECK_EQ(info.memory[0].bytes, 0x3000);
	CHECK_EQ(info.memory[0].kind, BOOT_MEMORY_FREE);
	CHECK_EQ(info.memory[1].kind, BOOT_MEMORY_RESERVED);
	CHECK_EQ(info.memory[2].start, 0x200000);
}

TEST(the_loaders_memory_and_acpis_are_told_apart)
{
	struct efi_memory map[] = {
		{ .type = EFI_LOADER_DATA, .physical = 0x1000, .pages = 1 },
		{ .type = EFI_ACPI_RECLAIM, .physical = 0x2000, .pages = 1 },
		{ .type = EFI_ACPI_NVS, .physical = 0x3000, .pages = 1 },
		{ .type = 0x80000001, .physical = 0x5000, .pages = 1 },
	};

	CONVERT(map);
	CHECK_EQ(info.memory_count, 4);
	CHECK_EQ(info.memory[0].kind, BOOT_MEMORY_LOADER);
	CHECK_EQ(info.memory[1].kind, BOOT_MEMORY_ACPI);
	CHECK_EQ(info.memory[2].kind, BOOT_MEMORY_RESERVED);
	CHECK_EQ(info.memory[3].kind, BOOT_MEMORY_RESERVED);
}

TEST(entries_that_wrap_or_are_empty_are_ignored)
{
	struct efi_memory map[] = {
		{ .type = EFI_CONVENTIONAL, .physical = 0x1000, .pages = UINT64_MAX },
		{ .type = EFI_CONVENTIONAL, .physical = UINT64_MAX - 0xfff, .pages = 1 },
		{ .type = EFI_CONVENTIONAL, .physical = 0x1000, .pages = 0 },
	};

	CONVERT(map);
	CHECK_EQ(info.memory_count, 0);
}

TEST(too_many_entries_lose_the_smallest)
{
	static struct efi_memory map[BOOT_MEMORY_MAX + 40];

	for (size_t i = 0; i < BOOT_MEMORY_MAX + 40; i++)
		map[i] = (struct efi_memory){ .type = EFI_CONVENTIONAL, .physical = i * 0x100000, .pages = i < 40 ? 1 : 16 };
	CONVERT(map);
	CHECK_EQ(info.memory_count, BOOT_MEMORY_MAX);
	for (uint32_t i = 0; i < info.memory_count; i++)
		CHECK_EQ(info.memory[i].bytes, 0x10000);
}

TEST(entries_larger_than_we_know_are_stepped_over_rightly)
{
	struct { struct efi_memory m; uint64_t more; } map[2] = {
		{ { .type = EFI_CONVENTIONAL, .physical = 0x1000, .pages = 1 }, 1 },
		{ { .type = EFI_CONVENTIONAL, .physical = 0x9000, .pages = 1 }, 2 },
	};

	CONVERT(map);
	CHECK_EQ(info.memory_count, 2);
	CHECK_EQ(info.memory[1].start, 0x9000);
}
