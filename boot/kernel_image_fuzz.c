/* boot/kernel_image_fuzz.c - a plan that is accepted can be carried out, whatever the file was. */
#include "boot/kernel_image.h"
#include "lib/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_plan plan;
	const char *why = NULL;

	if (kernel_plan_make(data, size, &plan, &why) != OK) {
		ASSERT(why != NULL);
		return 0;
	}
	ASSERT(plan.piece_count > 0 && plan.end - plan.start <= KERNEL_SPAN_MAX);
	ASSERT(plan.entry >= plan.start && plan.entry < plan.end);
	for (uint32_t i = 0; i < plan.piece_count; i++) {
		const struct kernel_piece *p = &plan.piece[i];
		ASSERT(p->file_bytes <= p->memory_bytes && p->file_offset <= size && p->file_bytes <= size - p->file_offset);
		ASSERT(p->physical >= plan.start && p->physical + p->memory_bytes <= plan.end);
	}
	return 0;
}
