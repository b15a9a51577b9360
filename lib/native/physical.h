/* lib/native/physical.h - physical memory in this program's space, for who holds a handle of mem:phys. */
#pragma once
#include "abi/proto/kernel.h"
#include "lib/base/attr.h"

/* [start, start + bytes) need not be page-aligned. map_flags: MAP_READ, MAP_WRITE. NULL: it cannot be had. Nobody unmaps it but the caller, by pages. */
void *physical_map(handle_t phys, uint64_t start, uint64_t bytes, enum mem_cache cache, uint64_t map_flags);
/* For struct acpi_memory: context points to the handle. */
const void *physical_lend(void *context, uint64_t address, size_t bytes) NONNULL;
/* The firmware's root pointer as the loader found it (a handle of sys:boot); 0: none. */
uint64_t physical_acpi_root(handle_t boot);
