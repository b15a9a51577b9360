/* abi/boot.h - what a loader hands to the kernel, whichever way it was started.
 *
 * All pointers are physical. The kernel checks every field: a broken one ends the
 * boot with a message, not a crash.
 */
#pragma once
#include <stdint.h>

#define BOOT_MAGIC 0x65646f6874614343ull   /* "CCathode", little endian */
enum { BOOT_VERSION = 1, BOOT_MEMORY_MAX = 256, BOOT_COMMAND_LINE_MAX = 2048 };

enum boot_memory_kind {
	BOOT_MEMORY_FREE = 1, BOOT_MEMORY_RESERVED = 2, BOOT_MEMORY_ACPI = 3, BOOT_MEMORY_LOADER = 4,
};

struct boot_memory {
	uint64_t start, bytes;
	uint32_t kind, reserved;
};

struct boot_framebuffer {
	uint64_t address;               /* 0: none */
	uint32_t width, height, pitch_bytes, bits_per_pixel;
	uint8_t red_shift, green_shift, blue_shift, reserved[5];
};

struct boot_info {
	uint64_t magic;
	uint32_t version, bytes;        /* bytes: of this struct */
	uint64_t initfs, initfs_bytes;
	uint64_t acpi_rsdp;             /* 0: none */
	uint64_t device_tree;           /* 0: none */
	struct boot_framebuffer framebuffer;
	uint32_t memory_count, reserved;
	struct boot_memory memory[BOOT_MEMORY_MAX];
	char command_line[BOOT_COMMAND_LINE_MAX];   /* 0-terminated */
};
