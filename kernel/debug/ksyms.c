/* kernel/debug/ksyms.c - looks up an address in the kernel's symbol table. */
#include "kernel/debug/ksyms.h"
#include <stddef.h>

const char *ksym_find(uint64_t address, uint64_t *offset_out)
{
	uint32_t low = 0, high = ksym_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ksyms[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset_out = address - ksyms[low - 1].address;
	return ksym_names + ksyms[low - 1].name_offset;
}
