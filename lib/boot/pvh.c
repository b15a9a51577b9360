/* lib/boot/pvh.c - a PVH start_info becomes a boot_info. */
#include "lib/boot/pvh.h"
#include "lib/base/string.h"

#define PVH_MAGIC 0x336ec578u
enum { PVH_MEMORY_RAM = 1, PVH_MEMORY_ACPI = 3 };

struct pvh_start {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp;
	uint64_t memory;                /* from version 1 on */
	uint32_t memory_count, reserved;
};
struct pvh_module { uint64_t start, bytes, command_line, reserved; };
struct pvh_memory { uint64_t start, bytes; uint32_t kind, reserved; };

static uint32_t kind_from_pvh(uint32_t kind)
{
	if (kind == PVH_MEMORY_RAM)
		return BOOT_MEMORY_FREE;
	return kind == PVH_MEMORY_ACPI ? BOOT_MEMORY_ACPI : BOOT_MEMORY_RESERVED;
}

static const char *memory_from_pvh(const struct pvh_start *s, boot_lend *lend, struct boot_info *out)
{
	const struct pvh_memory *memory;

	if (s->memory_count > BOOT_MEMORY_MAX)
		return "the PVH memory map is too long";
	if (!(memory = lend(NULL, s->memory, s->memory_count * sizeof(*memory))))
		return "the PVH memory map is out of reach";
	out->memory_count = s->memory_count;
	for (uint32_t i = 0; i < s->memory_count; i++)
		out->memory[i] = (struct boot_memory){ memory[i].start, memory[i].bytes, kind_from_pvh(memory[i].kind), 0 };
	return NULL;
}

/* Its length is known only once it was read; what does not fit is cut. */
static const char *command_line_from_pvh(uint64_t address, boot_lend *lend, struct boot_info *out)
{
	for (size_t i = 0; address && i < sizeof(out->command_line) - 1; i++) {
		const char *c = lend(NULL, address + i, 1);

		if (!c)
			return "the command line is out of reach";
		if (!*c)
			break;
		out->command_line[i] = *c;
	}
	return NULL;
}

const char *boot_info_from_pvh(uint64_t address, boot_lend *lend, struct boot_info *out)
{
	const struct pvh_start *s = lend(NULL, address, sizeof(*s));
	const struct pvh_module *m;
	const char *why;

	if (!s)
		return "the PVH start info is out of reach";
	if (s->magic != PVH_MAGIC || s->version < 1)
		return "the PVH start info has the wrong magic number or is too old";
	out->magic = BOOT_MAGIC;
	out->version = BOOT_VERSION;
	out->bytes = sizeof(*out);
	out->acpi_rsdp = s->rsdp;
	if ((why = memory_from_pvh(s, lend, out)))
		return why;
	if (s->module_count) {
		if (!(m = lend(NULL, s->modules, sizeof(*m))))
			return "the PVH module list is out of reach";
		out->initfs = m->start;
		out->initfs_bytes = m->bytes;
	}
	return command_line_from_pvh(s->command_line, lend, out);
}
