/* lib/boot/pvh_fuzz.c - any start_info in any memory: nothing but what was lent is read, and what comes of it can be judged. */
#include "lib/boot/pvh.h"
#include <stdlib.h>
#include <string.h>
#include "lib/boot/boot_check.h"

enum { BASE = 16 };
static const uint8_t *memory;
static size_t memory_bytes;

static const void *lend(void *context, uint64_t address, size_t bytes)
{
	(void)context;
	if (address < BASE || (bytes > 1 && address % 8) || bytes > memory_bytes || address - BASE > memory_bytes - bytes)
		return NULL;
	return memory + (address - BASE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct boot_image image = { 0x200000, 0x280000, 1ull << 39 };
	static struct boot_info info;
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size >= 8)
		memcpy(copy, "\x78\xc5\x6e\x33\x01", 5);
	memory = copy;
	memory_bytes = size;
	memset(&info, 0, sizeof(info));
	if (!boot_info_from_pvh(BASE, lend, &info) && !boot_info_check(&info, &image))
		boot_memory_normalize(&info, &image);
	free(copy);
	return 0;
}
