/* boot/memory_map.c - insertion into a sorted table; maps have some hundred entries. */
#include "boot/memory_map.h"
#include "boot/uefi.h"
#include "lib/base/string.h"

static enum boot_memory_kind kind_of(uint32_t type)
{
	switch (type) {
	case EFI_CONVENTIONAL:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
		return BOOT_MEMORY_FREE;
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
		return BOOT_MEMORY_LOADER;
	case EFI_ACPI_RECLAIM:
		return BOOT_MEMORY_ACPI;
	default:
		return BOOT_MEMORY_RESERVED;
	}
}

static void entry_remove(struct boot_info *info, uint32_t at)
{
	memmove(&info->memory[at], &info->memory[at + 1], (--info->memory_count - at) * sizeof info->memory[0]);
}

static bool entries_join(const struct boot_memory *a, const struct boot_memory *b)
{
	return a->kind == b->kind && a->start + a->bytes == b->start;
}

static void smallest_remove(struct boot_info *info)
{
	uint32_t smallest = 0;

	for (uint32_t i = 1; i < info->memory_count; i++)
		if (info->memory[i].bytes < info->memory[smallest].bytes)
			smallest = i;
	entry_remove(info, smallest);
}

static void entry_insert(struct boot_info *info, struct boot_memory entry)
{
	uint32_t at = info->memory_count;

	while (at > 0 && info->memory[at - 1].start > entry.start)
		at--;
	if (at > 0 && entries_join(&info->memory[at - 1], &entry)) {
		info->memory[--at].bytes += entry.bytes;
	} else {
		memmove(&info->memory[at + 1], &info->memory[at], (info->memory_count++ - at) * sizeof entry);
		info->memory[at] = entry;
	}
	if (at + 1 < info->memory_count && entries_join(&info->memory[at], &info->memory[at + 1])) {
		info->memory[at].bytes += info->memory[at + 1].bytes;
		entry_remove(info, at + 1);
	}
}

void memory_map_convert(const void *map, size_t map_bytes, size_t entry_bytes, struct boot_info *info)
{
	const uint8_t *at = map;

	info->memory_count = 0;
	if (entry_bytes < sizeof(struct efi_memory))
		return;
	for (; map_bytes >= entry_bytes; map_bytes -= entry_bytes, at += entry_bytes) {
		struct efi_memory m;
		memcpy(&m, at, sizeof m);
		if (m.pages == 0 || m.pages > (UINT64_MAX - m.physical) / EFI_PAGE_BYTES)
			continue;
		if (info->memory_count == BOOT_MEMORY_MAX)
			smallest_remove(info);
		entry_insert(info, (struct boot_memory){ m.physical, m.pages * EFI_PAGE_BYTES, kind_of(m.type), 0 });
	}
}
