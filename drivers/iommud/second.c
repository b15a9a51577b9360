/* drivers/iommud/second.c - walks down, making tables where they are missing. */
#include "drivers/iommud/second.h"
#include "drivers/iommud/arch/x86_64/flush.h"
#include "abi/proto/dma.h"
#include "lib/base/try.h"

enum { PAGE_SHIFT = 12, PAGE = 1 << PAGE_SHIFT, LEVEL_BITS = 9, INDEX_MASK = (1 << LEVEL_BITS) - 1, ENTRY_READ = 1, ENTRY_WRITE = 2 };
#define ENTRY_ADDRESS 0x000ffffffffff000ull
STATIC_ASSERT((int)ENTRY_READ == (int)DMA_READ && (int)ENTRY_WRITE == (int)DMA_WRITE, "what the device may do is what the entry says");

static uint64_t index_of(uint64_t address, uint32_t level) { return address >> (PAGE_SHIFT + (level - 1) * LEVEL_BITS) & INDEX_MASK; }

static bool fits(uint32_t levels, uint64_t address, uint64_t bytes)
{
	uint64_t end = 1ull << (PAGE_SHIFT + levels * LEVEL_BITS);

	return bytes <= end && address <= end - bytes && (address | bytes) % PAGE == 0;
}

static err_t make_table(struct tables *t, volatile uint64_t *entry)
{
	uint64_t table;

	TRY(table_alloc(t, &table));
	flush_range(table_at(t, table), PAGE);
	*entry = table | ENTRY_READ | ENTRY_WRITE;
	flush_range(entry, sizeof *entry);
	return OK;
}

/* The entry of a page. NOENT: a table for it is missing, and not to be made. */
static err_t find(struct tables *t, uint64_t root, uint32_t levels, uint64_t address, bool make, volatile uint64_t **out)
{
	volatile uint64_t *table = table_at(t, root);

	for (uint32_t level = levels; table; level--) {
		volatile uint64_t *entry = &table[index_of(address, level)];

		if (level == 1) {
			*out = entry;
			return OK;
		}
		if (!*entry && !make)
			return ERR_NOENT;
		if (!*entry)
			TRY(make_table(t, entry));
		table = table_at(t, *entry & ENTRY_ADDRESS);
	}
	return ERR_IO;
}

err_t second_map(struct tables *t, uint64_t root, uint32_t levels, uint64_t address, uint64_t physical, uint64_t bytes, uint32_t access)
{
	volatile uint64_t *entry;

	if (!fits(levels, address, bytes) || physical & ~ENTRY_ADDRESS)
		return ERR_INVAL;
	for (uint64_t at = 0; at < bytes; at += PAGE) {
		TRY(find(t, root, levels, address + at, true, &entry));
		*entry = (physical + at) | (access & (ENTRY_READ | ENTRY_WRITE));
		flush_range(entry, sizeof *entry);
	}
	return OK;
}

void second_unmap(struct tables *t, uint64_t root, uint32_t levels, uint64_t address, uint64_t bytes)
{
	volatile uint64_t *entry;

	for (uint64_t at = 0; fits(levels, address, bytes) && at < bytes; at += PAGE)
		if (find(t, root, levels, address + at, false, &entry) == OK) {
			*entry = 0;
			flush_range(entry, sizeof *entry);
		}
}

void second_free(struct tables *t, uint64_t root, uint32_t levels)
{
	volatile uint64_t *table = table_at(t, root);

	for (uint32_t i = 0; table && levels > 1 && i < TABLE_WORDS; i++)
		if (table[i])
			second_free(t, table[i] & ENTRY_ADDRESS, levels - 1);
	table_free(t, root);
}
