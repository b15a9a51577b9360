/* lib/driver/test_dma.h - memory for DMA in host tests: addresses are nothing like pointers, and one that was not given out fails the test.
 *
 * A test includes it once, with its mock device.
 */
#pragma once
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/driver/driver.h"
#include "lib/test/test.h"

enum { TEST_DMA_MAX = 64, TEST_DMA_PAGE = 4096 };

static struct {
	struct { uint8_t *at; struct dma_piece piece; } memory[TEST_DMA_MAX];
	uint32_t count;
	uint32_t fail_after;            /* the so-many-th allocation from now fails; 0: none */
} test_dma;

err_t dma_allocate(struct device *d, size_t bytes, size_t piece_bytes_min, uint32_t dma_flags, struct dma_memory *out)
{
	(void)d, (void)piece_bytes_min, (void)dma_flags;
	if (test_dma.fail_after && --test_dma.fail_after == 0)
		return ERR_NOMEM;
	CHECK(test_dma.count < TEST_DMA_MAX);
	bytes = round_up(bytes, TEST_DMA_PAGE);
	uint32_t i = test_dma.count++;
	uint8_t *at = aligned_alloc(TEST_DMA_PAGE, bytes);
	memset(at, 0, bytes);
	test_dma.memory[i].at = at;
	test_dma.memory[i].piece = (struct dma_piece){ 0x100000000ull * (i + 1), bytes };
	*out = (struct dma_memory){ at, bytes, 1, &test_dma.memory[i].piece };
	return OK;
}

uint64_t dma_address(const struct dma_memory *m, size_t offset, size_t *run_out)
{
	CHECK(offset < m->bytes);
	if (run_out)
		*run_out = m->bytes - offset;
	return m->piece->address + offset;
}

/* Nothing is kept for devices here. */
void dma_unkeep(const struct dma_keeper *k, uint64_t number, uint64_t pages) { (void)k, (void)number, (void)pages; }

/* What the device sees at an address: memory that was given to it, or a failed test. */
static void *test_dma_at(uint64_t address, size_t bytes)
{
	for (uint32_t i = 0; i < test_dma.count; i++) {
		const struct dma_piece *p = &test_dma.memory[i].piece;
		if (address >= p->address && range_fits(address - p->address, bytes, p->bytes))
			return test_dma.memory[i].at + (address - p->address);
	}
	test_fail(__FILE__, __LINE__, "the driver sent the device to %llx", (unsigned long long)address);
}

/* Every test begins with this. */
__attribute__((destructor)) static void test_dma_forget(void)
{
	for (uint32_t i = 0; i < test_dma.count; i++)
		free(test_dma.memory[i].at);
	test_dma.count = test_dma.fail_after = 0;
}
