/* lib/boot/boot_check.c - checks a boot_info and tidies its memory map. */
#include "lib/boot/boot_check.h"
#include <stdbool.h>
#include <stddef.h>
#include "lib/base/bits.h"

/* No CPU has more physical address bits. */
#define PHYSICAL_LIMIT (1ull << 52)

enum { PAGE_BYTES = 4096 };
#define PAGE_MASK ((uint64_t)PAGE_BYTES - 1)

static uint64_t page_round_up(uint64_t n) { return (n + PAGE_MASK) & ~PAGE_MASK; }
static uint64_t page_round_down(uint64_t n) { return n & ~PAGE_MASK; }

static bool range_is_sane(uint64_t start, uint64_t bytes)
{
	return start < PHYSICAL_LIMIT && bytes <= PHYSICAL_LIMIT - start;
}

static const char *memory_check(const struct boot_info *b)
{
	bool any_free = false;

	if (b->memory_count == 0 || b->memory_count > BOOT_MEMORY_MAX)
		return "the memory map has no entries or too many";
	for (uint32_t i = 0; i < b->memory_count; i++) {
		const struct boot_memory *m = &b->memory[i];

		if (!range_is_sane(m->start, m->bytes))
			return "a range of the memory map leaves the address space";
		if (m->kind < BOOT_MEMORY_FREE || m->kind > BOOT_MEMORY_LOADER)
			return "a range of the memory map is of no known kind";
		any_free |= m->kind == BOOT_MEMORY_FREE && m->bytes >= PAGE_BYTES;
	}
	return any_free ? NULL : "the memory map has no free memory";
}

/* Is all of [start, start + bytes) described? Its end may lie in what the firmware keeps for itself: QEMU's loader puts the initfs below the top
 * of memory without asking, and the firmware's own data, which is over by then, may have grown down into that place. */
static bool range_is_in_memory(const struct boot_info *b, uint64_t start, uint64_t bytes)
{
	uint64_t at = start, end = start + bytes;
	bool moved = true;

	while (at < end && moved) {
		moved = false;
		for (uint32_t i = 0; i < b->memory_count; i++) {
			const struct boot_memory *m = &b->memory[i];

			if ((m->kind != BOOT_MEMORY_RESERVED || at > start) && m->start <= at && at < m->start + m->bytes) {
				at = m->start + m->bytes;
				moved = true;
			}
		}
	}
	return at >= end;
}

static bool text_is_terminated(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] == 0)
			return true;
	return false;
}

static const char *framebuffer_check(const struct boot_framebuffer *f)
{
	uint64_t bytes;

	if (f->address == 0)
		return NULL;
	if (f->width == 0 || f->height == 0 || f->width > 65536 || f->height > 65536)
		return "the framebuffer has no sane size";
	if (f->bits_per_pixel != 16 && f->bits_per_pixel != 24 && f->bits_per_pixel != 32)
		return "the framebuffer has no known depth";
	if (f->pitch_bytes < (uint64_t)f->width * f->bits_per_pixel / 8)
		return "the framebuffer's lines overlap";
	if (mul_overflows(f->pitch_bytes, f->height, &bytes) || !range_is_sane(f->address, bytes))
		return "the framebuffer leaves the address space";
	return NULL;
}

const char *boot_info_check(const struct boot_info *b, const struct boot_image *image)
{
	const char *why;

	if (b->magic != BOOT_MAGIC)
		return "boot_info has the wrong magic number";
	if (b->version != BOOT_VERSION || b->bytes != sizeof(*b))
		return "boot_info is of another version";
	if ((why = memory_check(b)))
		return why;
	if (!range_is_sane(b->initfs, b->initfs_bytes))
		return "the initfs leaves the address space";
	if (b->initfs_bytes && !range_is_in_memory(b, b->initfs, b->initfs_bytes))
		return "the initfs does not lie in memory";
	if (b->initfs_bytes && b->initfs < image->end && image->start < b->initfs + b->initfs_bytes)
		return "the initfs overlaps the kernel";
	if (b->initfs & PAGE_MASK)
		return "the initfs is not page-aligned";
	if (b->acpi_rsdp >= PHYSICAL_LIMIT || b->device_tree >= PHYSICAL_LIMIT)
		return "a table pointer leaves the address space";
	if (!text_is_terminated(b->command_line, sizeof(b->command_line)))
		return "the command line does not end";
	return framebuffer_check(&b->framebuffer);
}

/* The map being built: not on the stack, it is large and built once. */
static struct {
	struct boot_memory memory[BOOT_MEMORY_MAX];
	uint32_t count;
} tidy;

static void tidy_add(uint64_t start, uint64_t end, uint32_t kind)
{
	if (start < end && tidy.count < BOOT_MEMORY_MAX)
		tidy.memory[tidy.count++] = (struct boot_memory){ .start = start, .bytes = end - start, .kind = kind };
}

static void sort_by_start(struct boot_memory *m, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct boot_memory moved = m[i];
		uint32_t at = i;

		for (; at > 0 && m[at - 1].start > moved.start; at--)
			m[at] = m[at - 1];
		m[at] = moved;
	}
}

/* What of the free range [start, end) nothing else claims; others is sorted. */
static void add_unclaimed(uint64_t start, uint64_t end, const struct boot_memory *others, uint32_t count)
{
	for (uint32_t i = 0; i < count && start < end; i++) {
		uint64_t other_start = page_round_down(others[i].start);
		uint64_t other_end = page_round_up(others[i].start + others[i].bytes);

		if (others[i].kind == BOOT_MEMORY_FREE || others[i].bytes == 0 || other_end <= start || other_start >= end)
			continue;
		tidy_add(start, other_start, BOOT_MEMORY_FREE);
		start = other_end;
	}
	tidy_add(start, end, BOOT_MEMORY_FREE);
}

/* The same free memory without the ranges [start, end). */
static void cut_free(uint64_t start, uint64_t end)
{
	uint32_t count = tidy.count;

	for (uint32_t i = 0; i < count; i++) {
		struct boot_memory *m = &tidy.memory[i];
		uint64_t m_end = m->start + m->bytes;

		if (m->kind != BOOT_MEMORY_FREE || m_end <= start || m->start >= end)
			continue;
		m->bytes = start > m->start ? start - m->start : 0;
		tidy_add(MAX_OF(end, m->start), m_end, BOOT_MEMORY_FREE);
	}
}

static void drop_empty(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < tidy.count; i++)
		if (tidy.memory[i].bytes)
			tidy.memory[kept++] = tidy.memory[i];
	tidy.count = kept;
}

void boot_memory_normalize(struct boot_info *b, const struct boot_image *image)
{
	uint64_t free_until = 0;
	const struct { uint64_t start, end; } ours[] = {
		{ 0, PAGE_BYTES },
		{ page_round_down(image->start), page_round_up(image->end) },
		{ page_round_down(b->initfs), page_round_up(b->initfs + b->initfs_bytes) },
	};

	tidy.count = 0;
	sort_by_start(b->memory, b->memory_count);
	for (uint32_t i = 0; i < b->memory_count; i++) {
		struct boot_memory *m = &b->memory[i];
		uint64_t end = page_round_down(MIN_OF(m->start + m->bytes, image->reach));

		if (m->kind != BOOT_MEMORY_FREE)
			continue;
		add_unclaimed(MAX_OF(page_round_up(m->start), free_until), end, b->memory, b->memory_count);
		free_until = MAX_OF(free_until, end);
	}
	for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
		cut_free(ours[i].start, ours[i].end);
	drop_empty();
	sort_by_start(tidy.memory, tidy.count);
	for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
		tidy_add(ours[i].start, ours[i].end, BOOT_MEMORY_LOADER);
	for (uint32_t i = 0; i < b->memory_count; i++)
		if (b->memory[i].kind != BOOT_MEMORY_FREE)
			tidy_add(b->memory[i].start, b->memory[i].start + b->memory[i].bytes, b->memory[i].kind);
	for (uint32_t i = 0; i < tidy.count; i++)
		b->memory[i] = tidy.memory[i];
	b->memory_count = tidy.count;
}

bool boot_memory_is_firmware(const struct boot_info *b, uint64_t page)
{
	bool is_firmware = false;

	for (uint32_t i = 0; i < b->memory_count; i++) {
		const struct boot_memory *m = &b->memory[i];

		if (m->start >= page + PAGE_BYTES || m->start + m->bytes <= page)
			continue;
		if (m->kind != BOOT_MEMORY_RESERVED && m->kind != BOOT_MEMORY_ACPI)
			return false;
		is_firmware = true;
	}
	return is_firmware;
}

uint64_t boot_memory_take(struct boot_info *b, uint64_t bytes, uint64_t limit)
{
	for (uint32_t i = b->memory_count; i-- > 0; ) {
		struct boot_memory *m = &b->memory[i];
		uint64_t at;

		if (m->kind != BOOT_MEMORY_FREE || m->bytes < bytes || m->start > limit - bytes)
			continue;
		if (m->start + m->bytes > limit)
			continue;
		at = m->start + m->bytes - bytes;
		if (m->bytes == bytes) {
			m->kind = BOOT_MEMORY_LOADER;
			return at;
		}
		if (b->memory_count < BOOT_MEMORY_MAX)
			b->memory[b->memory_count++] = (struct boot_memory){ .start = at, .bytes = bytes, .kind = BOOT_MEMORY_LOADER };
		m->bytes -= bytes;
		return at;
	}
	return 0;
}
