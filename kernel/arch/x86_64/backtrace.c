/* kernel/arch/x86_64/backtrace.c - stack traces along the chain of frame pointers.
 *
 * Used when things are broken: every address is looked at before it is followed.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/debug/ksyms.h"

enum { FRAMES_MAX = 32 };

static bool is_code(uint64_t ip) { return ip >= (uint64_t)image_text_start && ip < (uint64_t)image_text_end; }

/* Stacks lie in the image or in the low part of the direct map that is surely RAM: their owner's is the best proof we have. */
static bool is_stack(uint64_t address)
{
	bool in_image = address >= (uint64_t)image_data_start && address < (uint64_t)image_end - 16;
	bool in_memory = address >= DIRECT_MAP_BASE && address < DIRECT_MAP_BASE + DIRECT_MAP_BYTES;

	return (in_image || in_memory) && address % 8 == 0;
}

static void print_frame(uint64_t ip)
{
	uint64_t offset = 0;
	const char *name = ksym_find(ip, &offset);

	if (name)
		klog("  %lx %s+0x%lx\n", ip, name, offset);
	else
		klog("  %lx\n", ip);
}

void arch_backtrace(uint64_t frame_pointer, uint64_t ip)
{
	const uint64_t *frame = (const uint64_t *)(frame_pointer ? frame_pointer : (uint64_t)__builtin_frame_address(0));

	if (ip)
		print_frame(ip);
	for (int i = 0; i < FRAMES_MAX && is_stack((uint64_t)frame); i++) {
		if (!is_code(frame[1]))
			return;
		print_frame(frame[1]);
		if (frame[0] <= (uint64_t)frame)
			return;
		frame = (const uint64_t *)frame[0];
	}
}
