/* lib/boot/boot_check_fuzz.c - any memory map: refused, or one whose free ranges are disjoint, aligned and clear of the kernel.
 *
 * An input is ranges of 8 bytes, small numbers that overlap often; then, with its first bit set, raw bytes over the whole record.
 */
#include "lib/boot/boot_check.h"
#include <stddef.h>
#include <string.h>
#include "kernel/mem/addr.h"

static struct boot_info b;
static const struct boot_image image = { 0x200000, 0x280000, 1ull << 39 };

static void fill_ranges(const uint8_t *data, size_t size)
{
	for (; size >= 8 && b.memory_count < BOOT_MEMORY_MAX; data += 8, size -= 8) {
		uint64_t start = (uint64_t)(data[0] | data[1] << 8) << 8, bytes = (uint64_t)(data[2] | data[3] << 8) << (data[4] & 7);

		b.memory[b.memory_count++] = (struct boot_memory){ .start = start, .bytes = bytes, .kind = data[5] % 5 };
		b.initfs = (uint64_t)data[6] << 16;
		b.initfs_bytes = (uint64_t)data[7] << 8;
	}
}

static void check_map(void)
{
	uint64_t until = 0;

	if (b.memory_count > BOOT_MEMORY_MAX)
		__builtin_trap();
	for (uint32_t i = 0; i < b.memory_count; i++) {
		const struct boot_memory *m = &b.memory[i];

		if (m->kind != BOOT_MEMORY_FREE)
			continue;
		if (m->start < until || m->bytes == 0 || (m->start | m->bytes) & PAGE_MASK)
			__builtin_trap();
		if (m->start < image.end && m->start + m->bytes > image.start)
			__builtin_trap();
		if (b.initfs_bytes && m->start < b.initfs + b.initfs_bytes && m->start + m->bytes > b.initfs)
			__builtin_trap();
		until = m->start + m->bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&b, 0, sizeof(b));
	if (size && data[0] & 1)
		memcpy(&b, data, size < sizeof(b) ? size : sizeof(b));
	else
		fill_ranges(data, size);
	b.magic = BOOT_MAGIC;
	b.version = BOOT_VERSION;
	b.bytes = sizeof(b);
	if (boot_info_check(&b, &image))
		return 0;
	boot_memory_normalize(&b, &image);
	check_map();
	(void)!boot_memory_take(&b, PAGE_BYTES, 0xa0000);
	return 0;
}
