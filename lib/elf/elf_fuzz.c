/* lib/elf/elf_fuzz.c - any bytes give an error or a plan that keeps its promises. */
#include "abi/types.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/elf/elf.h"

static void check_plan(const struct elf_plan *plan, uint64_t file_bytes)
{
	uint64_t end = plan->start;

	ASSERT(plan->segment_count > 0 && plan->segment_count <= ELF_SEGMENT_MAX);
	ASSERT(plan->end <= 0x7ffffffff000ull && is_power_of_two(plan->align_bytes));
	ASSERT(range_fits(plan->interpreter_offset, plan->interpreter_bytes, file_bytes));
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct elf_segment *s = &plan->segment[i];
		struct elf_mapping m;
		elf_segment_mapping(s, 0, &m);
		ASSERT(m.file_address >= end && m.file_address % ELF_PAGE_BYTES == 0 && m.file_offset % ELF_PAGE_BYTES == 0);
		ASSERT(m.file_bytes == 0 || m.file_offset < file_bytes);
		ASSERT(m.zero_address == m.file_address + m.file_bytes);
		ASSERT(m.clear_bytes < ELF_PAGE_BYTES);
		end = m.zero_address + m.zero_bytes;
		ASSERT(end <= plan->end);
	}
	ASSERT(plan->entry >= plan->start && plan->entry < plan->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_plan plan;

	if (elf_plan_from_start(data, size, size, &plan) == OK)
		check_plan(&plan, size);
	/* The same head of a file that is said to be large. */
	if (elf_plan_from_start(data, size, 1ull << 40, &plan) == OK)
		check_plan(&plan, 1ull << 40);
	return 0;
}
