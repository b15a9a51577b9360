/* drivers/iommud/tables.c - pages by number and by address. */
#include "drivers/iommud/tables.h"
#include "lib/base/string.h"

err_t table_alloc(struct tables *t, uint64_t *physical)
{
	uint32_t n = 0;

	while (n < TABLES_MAX && t->kept->is_used[n])
		n++;
	if (n == TABLES_MAX)
		return ERR_NOMEM;
	memset(t->pages + (size_t)n * TABLE_BYTES, 0, TABLE_BYTES);
	t->kept->is_used[n] = 1;
	*physical = t->kept->physical + (uint64_t)n * TABLE_BYTES;
	return OK;
}

void table_free(struct tables *t, uint64_t physical)
{
	uint64_t n = (physical - t->kept->physical) / TABLE_BYTES;

	if (n < TABLES_MAX)
		t->kept->is_used[n] = 0;
}

volatile uint64_t *table_at(const struct tables *t, uint64_t physical)
{
	uint64_t n = (physical - t->kept->physical) / TABLE_BYTES;

	return n < TABLES_MAX && t->kept->is_used[n] ? (volatile uint64_t *)(t->pages + n * TABLE_BYTES) : NULL;
}
