/* drivers/acpid/range.c - see range.h. */
#include "drivers/acpid/range.h"
#include "lib/base/bits.h"

struct range { uint64_t first, last; };

/* PC ports: DMA, the interrupt controllers, the timer, DMA pages (but for 0x80, where firmware tells how far it is), DMA again, PCI. */
static const struct range taken_ports[] = {
	{ 0x00, 0x1f }, { 0x20, 0x21 }, { 0x40, 0x43 }, { 0x81, 0x8f }, { 0xa0, 0xa1 }, { 0xc0, 0xdf }, { 0x4d0, 0x4d1 }, { 0xcf8, 0xcf8 }, { 0xcfa, 0xcff },
};
#define FOUR_GIB (1ull << 32)
enum { RESET_CONTROL_PORT = 0xcf9, PORTS = 0x10000, LOW_MEMORY = 1 << 20 };

/* Interrupt controllers, where messages are written to, and what stands between. */
static const struct range taken_memory[] = { { 0xfec00000, 0xfec3ffff }, { 0xfee00000, 0xfeefffff } };

static bool meets(const struct range *r, uint64_t first, uint64_t last) { return first <= r->last && last >= r->first; }

bool range_has_ports(uint32_t port, uint32_t bytes)
{
	if ((bytes != 1 && bytes != 2 && bytes != 4) || port >= PORTS || bytes > PORTS - port)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(taken_ports); i++)
		if (meets(&taken_ports[i], port, port + bytes - 1))
			return false;
	/* Wider, it is PCI's address register. */
	return port != RESET_CONTROL_PORT || bytes == 1;
}

bool range_has_memory(const struct boot_memory *list, uint32_t count, uint64_t start, uint64_t bytes)
{
	if (bytes == 0 || start > UINT64_MAX - (bytes - 1))
		return false;
	uint64_t last = start + (bytes - 1);
	for (size_t i = 0; i < ARRAY_COUNT(taken_memory); i++)
		if (meets(&taken_memory[i], start, last))
			return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct boot_memory *m = &list[i];
		bool is_firmwares = m->kind == BOOT_MEMORY_RESERVED || m->kind == BOOT_MEMORY_ACPI;

		if (!is_firmwares && m->bytes && m->bytes - 1 <= UINT64_MAX - m->start && meets(&(struct range){ m->start, m->start + (m->bytes - 1) }, start, last))
			return false;
	}
	return true;
}

/* The end of free memory below 4 GiB: what is reserved below it is memory, too. */
static uint64_t low_memory_end(const struct boot_memory *list, uint32_t count)
{
	uint64_t end = LOW_MEMORY;

	for (uint32_t i = 0; i < count; i++)
		if (list[i].kind == BOOT_MEMORY_FREE && list[i].start < FOUR_GIB && list[i].bytes <= FOUR_GIB - list[i].start)
			end = MAX_OF(end, list[i].start + list[i].bytes);
	return end;
}

bool range_is_table(const struct boot_memory *list, uint32_t count, uint64_t start, uint64_t bytes)
{
	if (bytes == 0 || start > UINT64_MAX - (bytes - 1))
		return false;
	uint64_t last = start + (bytes - 1), low_end = low_memory_end(list, count);
	if (last < LOW_MEMORY)
		return true;
	for (uint32_t i = 0; i < count; i++)
		if ((list[i].kind == BOOT_MEMORY_ACPI || (list[i].kind == BOOT_MEMORY_RESERVED && list[i].start < low_end)) && start >= list[i].start &&
		    last - list[i].start < list[i].bytes)
			return true;
	return false;
}
