/* boot/memory_map.h - the firmware's memory map in the kernel's terms. */
#pragma once
#include <stddef.h>
#include "abi/boot.h"
#include "lib/base/attr.h"

/*
 * Fills info->memory from a map of the firmware: sorted, neighbours of a kind merged. Boot services' memory counts
 * as free: the map is that of the moment after they ended. When the table is full, the smallest range is left out,
 * which the kernel then does not use.
 */
void memory_map_convert(const void *map, size_t map_bytes, size_t entry_bytes, struct boot_info *info) NONNULL;
