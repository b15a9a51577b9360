/* lib/elf/elf.c - every field is read by a copy, every sum is checked, nothing is believed twice.
 *
 * Layouts and constants: System V ABI, "Object Files", and its AMD64 supplement.
 */
#include "lib/elf/elf.h"
#include "abi/types.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

struct file_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, table_offset, section_offset;
	uint32_t flags;
	uint16_t header_bytes, table_entry_bytes, table_count;
	uint16_t section_entry_bytes, section_count, section_names;
};
STATIC_ASSERT(sizeof(struct file_header) == ELF_HEADER_BYTES, "the file header is 64 bytes");

struct program_header {
	uint32_t type, flags;
	uint64_t offset, address, physical;
	uint64_t file_bytes, memory_bytes, align;
};
STATIC_ASSERT(sizeof(struct program_header) == 56, "a program header is 56 bytes");

enum file_type { TYPE_EXEC = 2, TYPE_DYN = 3 };
enum header_type { HEADER_LOAD = 1, HEADER_INTERP = 3, HEADER_TLS = 7, HEADER_GNU_STACK = 0x6474e551 };
enum header_flags { FLAG_EXEC = 1, FLAG_WRITE = 2, FLAG_READ = 4 };
enum { MACHINE_X86_64 = 62, MACHINE_AARCH64 = 183 };

#if defined(__aarch64__)
enum { MACHINE = MACHINE_AARCH64 };
#else
enum { MACHINE = MACHINE_X86_64 };
#endif

/* What a program may use: as kernel/mem/addr.h has it. */
#define ADDRESS_MIN 0x10000ull
#define ADDRESS_MAX 0x7ffffffff000ull
#define ALIGN_MAX (1ull << 30)

static err_t header_read(const void *start, size_t start_bytes, struct file_header *out)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */, 1 /* version */ };

	if (start_bytes < sizeof *out)
		return ERR_NOEXEC;
	memcpy(out, start, sizeof *out);
	if (memcmp(out->ident, ident, sizeof ident) != 0 || out->version != 1)
		return ERR_NOEXEC;
	if (out->type != TYPE_EXEC && out->type != TYPE_DYN)
		return ERR_NOEXEC;
	if (out->machine != MACHINE)
		return ERR_NOEXEC;
	if (out->table_entry_bytes != sizeof(struct program_header))
		return ERR_NOEXEC;
	if (out->table_count == 0 || out->table_count > ELF_TABLE_MAX)
		return ERR_NOEXEC;
	return OK;
}

err_t elf_table_find(const void *start, size_t start_bytes, uint64_t file_bytes, struct elf_table *out)
{
	struct file_header h;
	err_t err;

	if ((err = header_read(start, start_bytes, &h)))
		return err;
	uint32_t bytes = h.table_count * (uint32_t)sizeof(struct program_header);
	if (!range_fits(h.table_offset, bytes, file_bytes))
		return ERR_NOEXEC;
	out->offset = h.table_offset;
	out->bytes = bytes;
	return OK;
}

static uint32_t map_flags_of(uint32_t header_flags)
{
	return (header_flags & FLAG_READ ? MAP_READ : 0u) | (header_flags & FLAG_WRITE ? MAP_WRITE : 0u) |
	       (header_flags & FLAG_EXEC ? MAP_EXEC : 0u);
}

static err_t segment_check(const struct elf_plan *plan, const struct program_header *p, uint64_t file_bytes)
{
	uint64_t least = plan->is_position_independent ? 0 : ADDRESS_MIN;

	if (p->file_bytes > p->memory_bytes || !range_fits(p->offset, p->file_bytes, file_bytes))
		return ERR_NOEXEC;
	if (p->address < least || !range_fits(p->address, p->memory_bytes, ADDRESS_MAX))
		return ERR_NOEXEC;
	if ((p->address - p->offset) % ELF_PAGE_BYTES != 0)
		return ERR_NOEXEC;
	if (p->align > 1 && (!is_power_of_two(p->align) || p->align > ALIGN_MAX))
		return ERR_NOEXEC;
	/* Ascending, and no page that the segment before reaches into. */
	if (plan->segment_count > 0 && round_down(p->address, ELF_PAGE_BYTES) < plan->end)
		return ERR_NOEXEC;
	return OK;
}

static err_t segment_add(struct elf_plan *plan, const struct program_header *p, uint64_t file_bytes)
{
	err_t err;

	if (p->memory_bytes == 0)
		return OK;
	if (plan->segment_count == ELF_SEGMENT_MAX)
		return ERR_NOEXEC;
	if ((err = segment_check(plan, p, file_bytes)))
		return err;
	if (plan->segment_count == 0)
		plan->start = round_down(p->address, ELF_PAGE_BYTES);
	plan->end = round_up(p->address + p->memory_bytes, ELF_PAGE_BYTES);
	plan->align_bytes = MAX_OF(plan->align_bytes, p->align);
	plan->segment[plan->segment_count++] = (struct elf_segment){
		.address = p->address, .memory_bytes = p->memory_bytes,
		.file_offset = p->offset, .file_bytes = p->file_bytes,
		.map_flags = map_flags_of(p->flags),
	};
	return OK;
}

static err_t interpreter_set(struct elf_plan *plan, const struct program_header *p, uint64_t file_bytes)
{
	if (plan->interpreter_bytes > 0)
		return OK;      /* only the first counts */
	if (p->file_bytes < 2 || p->file_bytes > ELF_INTERPRETER_MAX || !range_fits(p->offset, p->file_bytes, file_bytes))
		return ERR_NOEXEC;
	plan->interpreter_offset = p->offset;
	plan->interpreter_bytes = (uint32_t)p->file_bytes;
	return OK;
}

static err_t tls_set(struct elf_plan *plan, const struct program_header *p)
{
	if (p->file_bytes > p->memory_bytes || !range_fits(p->address, p->memory_bytes, ADDRESS_MAX))
		return ERR_NOEXEC;
	plan->tls_address = p->address;
	plan->tls_file_bytes = p->file_bytes;
	plan->tls_memory_bytes = p->memory_bytes;
	plan->tls_align_bytes = p->align;
	return OK;
}

static err_t header_take(struct elf_plan *plan, const struct program_header *p, uint64_t file_bytes)
{
	switch (p->type) {
	case HEADER_LOAD:
		return segment_add(plan, p, file_bytes);
	case HEADER_INTERP:
		return interpreter_set(plan, p, file_bytes);
	case HEADER_TLS:
		return tls_set(plan, p);
	case HEADER_GNU_STACK:
		plan->wants_executable_stack = p->flags & FLAG_EXEC;
		return OK;
	default:
		return OK;
	}
}

/* The segment whose memory holds address; NULL: none. */
static const struct elf_segment *segment_at(const struct elf_plan *plan, uint64_t address)
{
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct elf_segment *s = &plan->segment[i];
		if (address >= s->address && address - s->address < s->memory_bytes)
			return s;
	}
	return NULL;
}

/* Where the program headers are in memory, when a segment loads all of them. */
static uint64_t table_address(const struct elf_plan *plan, uint64_t offset, uint64_t bytes)
{
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct elf_segment *s = &plan->segment[i];
		if (offset >= s->file_offset && range_fits(offset - s->file_offset, bytes, s->file_bytes))
			return s->address + (offset - s->file_offset);
	}
	return 0;
}

err_t elf_plan_make(const void *start, size_t start_bytes, const void *table, size_t table_bytes, uint64_t file_bytes,
                    struct elf_plan *out)
{
	struct file_header h;
	struct elf_table where;
	struct elf_plan plan = { .align_bytes = ELF_PAGE_BYTES };
	err_t err;

	if ((err = header_read(start, start_bytes, &h)))
		return err;
	if ((err = elf_table_find(start, start_bytes, file_bytes, &where)))
		return err;
	if (table_bytes < where.bytes)
		return ERR_NOEXEC;
	plan.is_position_independent = h.type == TYPE_DYN;
	plan.table_count = h.table_count;
	for (uint32_t i = 0; i < h.table_count; i++) {
		struct program_header p;
		memcpy(&p, (const uint8_t *)table + i * sizeof p, sizeof p);
		if ((err = header_take(&plan, &p, file_bytes)))
			return err;
	}
	const struct elf_segment *code = segment_at(&plan, h.entry);
	if (!code || !(code->map_flags & MAP_EXEC))
		return ERR_NOEXEC;
	plan.entry = h.entry;
	plan.table_address = table_address(&plan, where.offset, where.bytes);
	*out = plan;
	return OK;
}

err_t elf_plan_from_start(const void *start, size_t start_bytes, uint64_t file_bytes, struct elf_plan *out)
{
	struct elf_table where;
	err_t err;

	if ((err = elf_table_find(start, start_bytes, file_bytes, &where)))
		return err;
	if (!range_fits(where.offset, where.bytes, start_bytes))
		return ERR_NOEXEC;
	return elf_plan_make(start, start_bytes, (const uint8_t *)start + where.offset, where.bytes, file_bytes, out);
}

void elf_segment_mapping(const struct elf_segment *s, uint64_t bias, struct elf_mapping *out)
{
	uint64_t address = bias + s->address;
	uint64_t inset = address % ELF_PAGE_BYTES;
	uint64_t first = address - inset;
	uint64_t file_end = s->file_bytes ? round_up(address + s->file_bytes, ELF_PAGE_BYTES) : first;
	uint64_t memory_end = round_up(address + s->memory_bytes, ELF_PAGE_BYTES);

	*out = (struct elf_mapping){
		.file_address = first, .file_offset = s->file_offset - inset, .file_bytes = file_end - first,
		.zero_address = file_end, .zero_bytes = memory_end - file_end,
	};
	if (s->file_bytes > 0 && s->memory_bytes > s->file_bytes) {
		out->clear_address = address + s->file_bytes;
		out->clear_bytes = file_end - out->clear_address;
	}
}
