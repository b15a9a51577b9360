/* lib/native/physical.c - an object over the pages, mapped. */
#include "lib/native/physical.h"
#include "abi/boot.h"
#include "lib/base/bits.h"
#include "lib/native/handle.h"

enum { PAGE = 4096 };

void *physical_map(handle_t phys, uint64_t start, uint64_t bytes, enum mem_cache cache, uint64_t map_flags)
{
	uint64_t first = round_down(start, PAGE);
	struct mem_window window = { .offset = first, .bytes = round_up(start + bytes, PAGE) - first };
	handle_t object;

	if (start > UINT64_MAX - PAGE || bytes > UINT64_MAX - PAGE - start ||
	    handle_call_get(phys, MEM_PHYSICAL, &window, sizeof window, cache, &object))
		return NULL;
	int64_t at = sys_map(0, object, 0, window.bytes, map_flags | MAP_SHARED, 0, HANDLE_NONE, 0);
	handle_close(object);
	return at < 0 ? NULL : (char *)at + (start - first);
}

const void *physical_lend(void *context, uint64_t address, size_t bytes)
{
	return physical_map(*(const handle_t *)context, address, bytes, MEM_CACHED, MAP_READ);
}

uint64_t physical_acpi_root(handle_t boot)
{
	uint64_t root = 0;

	return boot != HANDLE_NONE && handle_read_at(boot, &root, sizeof root, offsetof(struct boot_info, acpi_rsdp)) == OK ? root : 0;
}
