/* lib/boot/boot_check.h - is what a loader handed over sane? And a memory map that is easy to use.
 *
 * The information comes from outside and is checked before anything relies on it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/boot.h"
#include "lib/base/attr.h"

/* Where the kernel itself lies (physical, [start, end)), and where the memory ends that it can reach. */
struct boot_image { uint64_t start, end, reach; };

/* What is wrong with it, or NULL. Reads nothing but *b. */
const char *boot_info_check(const struct boot_info *b, const struct boot_image *image) NONNULL MUST_CHECK;

/* Of a checked b: makes the memory map page-aligned and without overlaps, free ranges first and sorted. Free is only what lies within the
 * kernel's reach and no other range, nor the kernel image, initfs or page 0 overlaps; those three are added as BOOT_MEMORY_LOADER. What does not fit is lost, never made up. */
void boot_memory_normalize(struct boot_info *b, const struct boot_image *image) NONNULL;

/* Is this page of a normalized map the firmware's, all of it: of a range that is reserved or holds ACPI tables? */
bool boot_memory_is_firmware(const struct boot_info *b, uint64_t page) NONNULL;

/* Cuts bytes (a multiple of the page size, as its alignment) from the top of the highest free range that lies below limit and
 * adds them as BOOT_MEMORY_LOADER. Of a normalized map. 0: there is no such range. */
uint64_t boot_memory_take(struct boot_info *b, uint64_t bytes, uint64_t limit) NONNULL MUST_CHECK;
