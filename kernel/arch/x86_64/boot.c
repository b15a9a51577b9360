/* kernel/arch/x86_64/boot.c - from the first C instruction of the boot CPU to kernel_main.
 *
 * Whatever started us, what it said becomes one checked boot_info. Common: our loader's, or a PVH start_info (QEMU -kernel,
 * Firecracker). A broken one ends the boot with a message on the serial port.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "lib/boot/boot_check.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

/* The low 4 GiB that the first tables map. */
#define MAPPED_AT_START (4ull << 30)

struct cpu boot_cpu ALIGNED(64);
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

/* ---- PVH (Xen's hvm_start_info, version 1) ---- */

#define PVH_MAGIC 0x336ec578u
enum { PVH_MEMORY_RAM = 1, PVH_MEMORY_ACPI = 3, PVH_MEMORY_ACPI_NVS = 4 };

struct pvh_start {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp;
	uint64_t memory;                /* from version 1 on */
	uint32_t memory_count, reserved;
};
struct pvh_module { uint64_t start, bytes, command_line, reserved; };
struct pvh_memory { uint64_t start, bytes; uint32_t kind, reserved; };

/* Memory that the starter speaks of, if the first tables map it. */
static const void *mapped(uint64_t address, uint64_t bytes, const char *what)
{
	if (address == 0 || !range_fits(address, bytes, MAPPED_AT_START))
		boot_stop(what);
	return paddr_to_kernel(paddr(address));
}

static uint32_t kind_from_pvh(uint32_t kind)
{
	if (kind == PVH_MEMORY_RAM)
		return BOOT_MEMORY_FREE;
	return kind == PVH_MEMORY_ACPI ? BOOT_MEMORY_ACPI : BOOT_MEMORY_RESERVED;
}

static void command_line_from_pvh(struct boot_info *b, uint64_t address)
{
	const char *from;
	size_t max;

	if (address == 0)
		return;
	from = mapped(address, 1, "the command line is out of reach");
	max = MIN_OF(sizeof(b->command_line), MAPPED_AT_START - address);
	string_copy_counted(b->command_line, sizeof(b->command_line), from, strnlen(from, max));
}

static void boot_info_from_pvh(struct boot_info *b, uint64_t address)
{
	const struct pvh_start *s = mapped(address, sizeof(*s), "the PVH start info is out of reach");
	const struct pvh_memory *memory;

	if (s->magic != PVH_MAGIC || s->version < 1)
		boot_stop("the PVH start info has the wrong magic number or is too old");
	if (s->memory_count > BOOT_MEMORY_MAX)
		boot_stop("the PVH memory map is too long");
	memory = mapped(s->memory, s->memory_count * sizeof(*memory), "the PVH memory map is out of reach");
	b->magic = BOOT_MAGIC;
	b->version = BOOT_VERSION;
	b->bytes = sizeof(*b);
	b->acpi_rsdp = s->rsdp;
	for (uint32_t i = 0; i < s->memory_count; i++)
		b->memory[i] = (struct boot_memory){ memory[i].start, memory[i].bytes, kind_from_pvh(memory[i].kind), 0 };
	b->memory_count = s->memory_count;
	if (s->module_count) {
		const struct pvh_module *m = mapped(s->modules, sizeof(*m), "the PVH module list is out of reach");

		b->initfs = m->start;
		b->initfs_bytes = m->bytes;
	}
	command_line_from_pvh(b, s->command_line);
}

/* ---- Our own loader ---- */

static void boot_info_from_loader(struct boot_info *b, uint64_t address)
{
	*b = *(const struct boot_info *)mapped(address, sizeof(*b), "boot_info is out of reach");
}

NORETURN void boot_main(uint64_t from, uint64_t pointer)
{
	const struct boot_image image = { (uint64_t)image_physical_start, (uint64_t)image_physical_end };
	const char *why;

	cpus[0] = &boot_cpu;
	descriptors_init_cpu(&boot_cpu, boot_ist_stacks);
	boot_cpu.arch.started = true;
	if (from == BOOT_FROM_PVH)
		boot_info_from_pvh(&boot_copy, pointer);
	else
		boot_info_from_loader(&boot_copy, pointer);
	if ((why = boot_info_check(&boot_copy, &image)))
		boot_stop(why);
	boot_memory_normalize(&boot_copy, &image);
	trampoline_page = paddr(boot_memory_take(&boot_copy, PAGE_BYTES, 0xa0000));
	features_init_cpu();
	paging_init(&boot_copy);
	kernel_main(&boot_copy);
}
