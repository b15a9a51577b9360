/* boot/kernel_image.c - each number of the ELF is checked before it is used. Layout: System V ABI, "Object Files". */
#include "boot/kernel_image.h"
#include <stdbool.h>
#include "lib/base/assert.h"
#include "lib/base/string.h"

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, table_offset, section_offset;
	uint32_t flags;
	uint16_t header_bytes, table_entry_bytes, table_count, section_entry_bytes, section_count, section_names;
};
STATIC_ASSERT(sizeof(struct elf_header) == 64, "an ELF header is 64 bytes");

struct program_header {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_bytes, memory_bytes, align;
};
STATIC_ASSERT(sizeof(struct program_header) == 56, "a program header is 56 bytes");

enum { TYPE_EXEC = 2, MACHINE_X86_64 = 62, PIECE_LOAD = 1, PAGE = 4096, TABLE_MAX = 64 };
#define PHYSICAL_MAX (1ull << 32)

static bool header_is_ours(const struct elf_header *h)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	return memcmp(h->ident, ident, sizeof ident) == 0 && h->type == TYPE_EXEC && h->machine == MACHINE_X86_64 &&
	       h->table_entry_bytes == sizeof(struct program_header);
}

/* Is [start, start + bytes) inside [0, limit)? */
static bool range_fits(uint64_t start, uint64_t bytes, uint64_t limit)
{
	return start <= limit && bytes <= limit - start;
}

static const char *piece_problem(const struct program_header *p, size_t file_bytes)
{
	if (!range_fits(p->offset, p->file_bytes, file_bytes))
		return "it is truncated";
	if (p->file_bytes > p->memory_bytes)
		return "a piece is larger in the file than in memory";
	if (p->physical < PAGE || !range_fits(p->physical, p->memory_bytes, PHYSICAL_MAX))
		return "a piece does not lie between the first page and 4 GiB";
	return NULL;
}

static bool pieces_overlap(const struct kernel_piece *a, const struct kernel_piece *b)
{
	return a->physical < b->physical + b->memory_bytes && b->physical < a->physical + a->memory_bytes;
}

static const char *piece_add(struct kernel_plan *plan, const struct program_header *p)
{
	struct kernel_piece piece = { p->physical, p->memory_bytes, p->offset, p->file_bytes };

	if (plan->piece_count == KERNEL_PIECES_MAX)
		return "it has too many pieces";
	for (uint32_t i = 0; i < plan->piece_count; i++)
		if (pieces_overlap(&piece, &plan->piece[i]))
			return "two pieces overlap";
	plan->piece[plan->piece_count++] = piece;
	uint64_t start = p->physical & ~(uint64_t)(PAGE - 1);
	uint64_t end = (p->physical + p->memory_bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	if (start < plan->start)
		plan->start = start;
	if (end > plan->end)
		plan->end = end;
	return NULL;
}

/* The entry may be given as an address of the kernel's own or as a physical one. */
static void entry_find(struct kernel_plan *plan, const struct program_header *p, uint64_t entry)
{
	if (entry >= p->address && entry - p->address < p->file_bytes)
		plan->entry = p->physical + (entry - p->address);
}

static const char *table_read(const uint8_t *file, size_t file_bytes, const struct elf_header *h, struct kernel_plan *plan)
{
	const char *problem;

	for (uint32_t i = 0; i < h->table_count; i++) {
		struct program_header p;
		memcpy(&p, file + h->table_offset + i * sizeof p, sizeof p);
		if (p.type != PIECE_LOAD || p.memory_bytes == 0)
			continue;
		if ((problem = piece_problem(&p, file_bytes)) || (problem = piece_add(plan, &p)))
			return problem;
		entry_find(plan, &p, h->entry);
	}
	if (plan->piece_count == 0)
		return "it has nothing to load";
	if (plan->end - plan->start > KERNEL_SPAN_MAX)
		return "its pieces lie too far apart";
	return plan->entry ? NULL : "its entry lies outside of it";
}

static const char *plan_problem(const uint8_t *file, size_t file_bytes, struct kernel_plan *plan)
{
	struct elf_header h;

	if (file_bytes < sizeof h)
		return "it is too short";
	memcpy(&h, file, sizeof h);
	if (!header_is_ours(&h))
		return "it is not a static 64-bit ELF file for this cpu";
	if (h.table_count > TABLE_MAX || !range_fits(h.table_offset, h.table_count * sizeof(struct program_header), file_bytes))
		return "its table of pieces is broken";
	return table_read(file, file_bytes, &h, plan);
}

err_t kernel_plan_make(const void *file, size_t file_bytes, struct kernel_plan *out, const char **why)
{
	struct kernel_plan plan = { .start = UINT64_MAX };
	const char *problem = plan_problem(file, file_bytes, &plan);

	if (problem) {
		*why = problem;
		return ERR_NOEXEC;
	}
	*out = plan;
	return OK;
}
