/* drivers/iommud/iommud_test.c - domains, mappings, faults, and second-level tables. */
#include <stdlib.h>
#include "drivers/iommud/domain.h"
#include "drivers/iommud/second.h"
#include "lib/test/test.h"

enum { PAGE = 4096 };
static struct domains s;
static const struct pci_address one = { 0, 0, 4 << 3 }, other = { 0, 1, 0 };

TEST(a_function_has_one_domain_at_a_time)
{
	uint32_t first, second;

	domains_init(&s);
	CHECK(domains_are_sane(&s));
	CHECK_EQ(domain_create(&s, one, &first), OK);
	CHECK_EQ(domain_find(&s, one), first);
	CHECK_EQ(domain_find(&s, other), DOMAIN_NONE);
	CHECK_EQ(domain_create(&s, one, &second), OK);
	CHECK(first != second);
	CHECK_EQ(domain_find(&s, one), second);
	CHECK(s.domain[first].is_used && !s.domain[first].is_attached);
}

TEST(domains_run_out)
{
	uint32_t n;

	domains_init(&s);
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		CHECK_EQ(domain_create(&s, (struct pci_address){ 0, 2, (uint8_t)i }, &n), OK);
	CHECK_EQ(domain_create(&s, one, &n), ERR_NFILE);
}

TEST(addresses_do_not_meet)
{
	enum { START = 0x100000, END = START + 64 * PAGE };
	uint32_t domain, n[16];
	uint64_t at;

	domains_init(&s);
	CHECK_EQ(domain_create(&s, one, &domain), OK);
	for (uint32_t i = 0; i < 16; i++) {
		CHECK_EQ(mapping_create(&s, domain, 4 * PAGE, DMA_READ, &n[i]), OK);
		CHECK_EQ(domain_place(&s, domain, START, END, 4 * PAGE, &at), OK);
		CHECK_EQ(at, START + i * 4 * PAGE);
		s.mapping[n[i]].address = at;
	}
	CHECK_EQ(domain_place(&s, domain, START, END, PAGE, &at), ERR_NOSPC);
	s.mapping[n[3]].domain_plus_1 = 0;
	CHECK_EQ(domain_place(&s, domain, START, END, 5 * PAGE, &at), ERR_NOSPC);
	CHECK_EQ(domain_place(&s, domain, START, END, 4 * PAGE, &at), OK);
	CHECK_EQ(at, START + 3 * 4 * PAGE);
	CHECK_EQ(domain_place(&s, domain, START, END, 65 * PAGE, &at), ERR_NOSPC);
	CHECK_EQ(mapping_find(&s, domain, START), n[0]);
	CHECK_EQ(mapping_find(&s, domain, START + PAGE), MAPPINGS_MAX);
	CHECK_EQ(mapping_find(&s, domain + 1, START), MAPPINGS_MAX);
}

TEST(faults_alike_count_and_the_oldest_are_lost)
{
	struct domain d = { .is_used = true };
	struct dma_fault f[DOMAIN_FAULTS_MAX];
	uint32_t seen = 0;

	domain_fault(&d, 0x1000, DMA_READ);
	domain_fault(&d, 0x1000, DMA_READ);
	domain_fault(&d, 0x1000, DMA_WRITE);
	CHECK_EQ(domain_take_faults(&d, &seen, f, DOMAIN_FAULTS_MAX), 2u);
	CHECK_EQ(f[0].count, 2u);
	CHECK_EQ(f[1].access, DMA_WRITE);
	CHECK_EQ(domain_take_faults(&d, &seen, f, DOMAIN_FAULTS_MAX), 0u);
	for (uint64_t i = 0; i < 3 * DOMAIN_FAULTS_MAX; i++)
		domain_fault(&d, i * PAGE, DMA_READ);
	CHECK_EQ(domain_take_faults(&d, &seen, f, DOMAIN_FAULTS_MAX), DOMAIN_FAULTS_MAX);
	CHECK_EQ(f[DOMAIN_FAULTS_MAX - 1].address, (3 * DOMAIN_FAULTS_MAX - 1) * PAGE);
}

TEST(an_interrupt_has_one_entry)
{
	domains_init(&s);
	CHECK_EQ(domain_interrupt(&s, 3, 0), 0u);
	CHECK_EQ(domain_interrupt(&s, 3, 1), 1u);
	CHECK_EQ(domain_interrupt(&s, 4, 0), 2u);
	CHECK_EQ(domain_interrupt(&s, 3, 1), 1u);
	for (uint32_t i = 3; i < INTERRUPTS_MAX; i++)
		CHECK_EQ(domain_interrupt(&s, 5, i), i);
	CHECK_EQ(domain_interrupt(&s, 6, 0), INTERRUPTS_MAX);
}

/* ---- Tables ---- */

static struct tables_kept kept;
static struct tables tables;

static void fresh(void)
{
	static uint8_t *pages;

	if (!pages)
		pages = aligned_alloc(PAGE, (size_t)TABLES_MAX * PAGE);
	memset(&kept, 0, sizeof kept);
	kept.physical = 0x40000000;
	tables = (struct tables){ .pages = pages, .kept = &kept };
}

/* As the hardware walks; 0: nothing is there. */
static uint64_t walk(uint64_t root, uint32_t levels, uint64_t address)
{
	uint64_t entry = root | 3;

	for (uint32_t level = levels; level > 0 && entry & 3; level--)
		entry = table_at(&tables, entry & 0x000ffffffffff000ull)[address >> (12 + (level - 1) * 9) & 511];
	return entry;
}

static uint32_t used_tables(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < TABLES_MAX; i++)
		count += kept.is_used[i];
	return count;
}

TEST(what_is_mapped_is_found_and_what_is_unmapped_is_not)
{
	uint64_t root;

	for (uint32_t levels = 3; levels <= 4; levels++) {
		fresh();
		CHECK_EQ(table_alloc(&tables, &root), OK);
		CHECK_EQ(second_map(&tables, root, levels, 0x1ff000, 0x12345000, 3 * PAGE, DMA_READ), OK);
		CHECK_EQ(second_map(&tables, root, levels, 0x3ffffff000, 0x77777000, PAGE, DMA_READ | DMA_WRITE), OK);
		CHECK_EQ(walk(root, levels, 0x1ff000), 0x12345001u);
		CHECK_EQ(walk(root, levels, 0x201000), 0x12347001u);
		CHECK_EQ(walk(root, levels, 0x202000), 0u);
		CHECK_EQ(walk(root, levels, 0x3ffffff000), 0x77777003u);
		second_unmap(&tables, root, levels, 0x200000, 100 * PAGE);
		CHECK_EQ(walk(root, levels, 0x1ff000), 0x12345001u);
		CHECK_EQ(walk(root, levels, 0x200000), 0u);
		second_free(&tables, root, levels);
		CHECK_EQ(used_tables(), 0u);
	}
}

TEST(what_is_beyond_the_levels_is_refused)
{
	uint64_t root;

	fresh();
	CHECK_EQ(table_alloc(&tables, &root), OK);
	CHECK_EQ(second_map(&tables, root, 3, 1ull << 39, 0x1000, PAGE, DMA_READ), ERR_INVAL);
	CHECK_EQ(second_map(&tables, root, 3, (1ull << 39) - PAGE, 0x1000, 2 * PAGE, DMA_READ), ERR_INVAL);
	CHECK_EQ(second_map(&tables, root, 3, UINT64_MAX - PAGE + 1, 0x1000, PAGE, DMA_READ), ERR_INVAL);
	CHECK_EQ(second_map(&tables, root, 3, 0x1001, 0x1000, PAGE, DMA_READ), ERR_INVAL);
	CHECK_EQ(second_map(&tables, root, 3, 0x1000, 1ull << 60, PAGE, DMA_READ), ERR_INVAL);
	second_unmap(&tables, root, 3, UINT64_MAX - PAGE + 1, PAGE);
	CHECK_EQ(used_tables(), 1u);
}

TEST(tables_run_out_as_an_error)
{
	uint64_t root, last = 0;
	err_t err = OK;

	fresh();
	CHECK_EQ(table_alloc(&tables, &root), OK);
	for (uint64_t at = 0; !err && at < 1ull << 39; at += 2 << 20)
		if (!(err = second_map(&tables, root, 3, at, 0x1000, PAGE, DMA_READ)))
			last = at;
	CHECK_EQ(err, ERR_NOMEM);
	CHECK_EQ(walk(root, 3, last), 0x1001u);
	second_free(&tables, root, 3);
	CHECK_EQ(used_tables(), 0u);
}

TEST(a_page_that_is_not_ours_is_no_table)
{
	fresh();
	CHECK(table_at(&tables, 0) == NULL);
	CHECK(table_at(&tables, kept.physical) == NULL);
	CHECK(table_at(&tables, UINT64_MAX) == NULL);
	table_free(&tables, 0);
}
