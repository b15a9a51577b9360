/* kernel/arch/x86_64/boot.c - from the first C instruction of the boot CPU to kernel_main.
 *
 * Whatever started us, what it said becomes one checked boot_info. Common: our loader's, or a PVH start_info (QEMU -kernel,
 * Firecracker). A broken one ends the boot with a message on the serial port.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "lib/boot/boot_check.h"
#include "lib/boot/pvh.h"
#include "lib/base/string.h"

struct cpu boot_cpu ALIGNED(64) = { .bit = 1 };
struct boot_info boot_copy;
paddr_t trampoline_page;
static uint8_t boot_ist_stacks[IST_STACKS * IST_STACK_BYTES] ALIGNED(16);

void boot_stop(const char *why)
{
	static const char prefix[] = "Cathode cannot start: ";

	arch_serial_write(prefix, sizeof(prefix) - 1);
	arch_serial_write(why, strlen(why));
	arch_serial_write("\n", 1);
	arch_end();
}

static const char *boot_info_from_loader(uint64_t address, struct boot_info *out)
{
	const struct boot_info *given = paging_lend(NULL, address, sizeof(*given));

	if (given)
		*out = *given;
	return given ? NULL : "boot_info is out of reach";
}

NORETURN void boot_main(uint64_t from, uint64_t pointer)
{
	const struct boot_image image = { (uint64_t)image_physical_start, (uint64_t)image_physical_end, DIRECT_MAP_BYTES };
	const char *why;

	cpus[0] = &boot_cpu;
	descriptors_init_cpu(&boot_cpu, boot_ist_stacks);
	why = from == BOOT_FROM_PVH ? boot_info_from_pvh(pointer, paging_lend, &boot_copy) : boot_info_from_loader(pointer, &boot_copy);
	if (why || (why = boot_info_check(&boot_copy, &image)))
		boot_stop(why);
	boot_memory_normalize(&boot_copy, &image);
	trampoline_page = paddr(boot_memory_take(&boot_copy, PAGE_BYTES, 0xa0000));
	features_init_cpu();
	paging_init(&boot_copy);
	kernel_main(&boot_copy);
}
