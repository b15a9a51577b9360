/* boot/kernel_image_test.c - kernels that are good, truncated and hostile. */
#include "boot/kernel_image.h"
#include "lib/test/test.h"

/* A kernel of two pieces: 0x100 bytes of text at 1 MiB, data with 0x1000 bytes of zeros behind it. */
struct piece { uint32_t type, flags; uint64_t offset, address, physical, file_bytes, memory_bytes, align; };
struct file {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, table_offset, section_offset;
	uint32_t flags;
	uint16_t header_bytes, entry_bytes, count, section[3];
	struct piece piece[2];
	uint8_t content[0x200];
};

static const char *why;
static struct kernel_plan plan;

static struct file good(void)
{
	return (struct file){
		.ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }, .type = 2, .machine = 62, .version = 1,
		.entry = 0xffffffff80100010, .table_offset = 64, .header_bytes = 64, .entry_bytes = 56, .count = 2,
		.piece = {
			{ 1, 5, offsetof(struct file, content), 0xffffffff80100000, 0x100000, 0x100, 0x100, 4096 },
			{ 1, 6, offsetof(struct file, content) + 0x100, 0xffffffff80101000, 0x101000, 0x100, 0x1100, 4096 },
		},
	};
}

static err_t make(const struct file *f)
{
	return kernel_plan_make(f, sizeof *f, &plan, &why);
}

TEST(a_good_kernel_is_planned_with_physical_addresses)
{
	struct file f = good();

	CHECK_EQ(make(&f), OK);
	CHECK_EQ(plan.piece_count, 2);
	CHECK_EQ(plan.start, 0x100000);
	CHECK_EQ(plan.end, 0x103000);
	CHECK_EQ(plan.entry, 0x100010);
	CHECK_EQ(plan.piece[1].memory_bytes, 0x1100);
}

TEST(every_truncation_is_refused_or_harmless)
{
	struct file f = good();

	for (size_t bytes = 0; bytes < sizeof f - 1; bytes++)
		CHECK(kernel_plan_make(&f, bytes, &plan, &why) == ERR_NOEXEC);
}

TEST(a_piece_that_wraps_is_refused)
{
	struct file f = good();

	f.piece[1].physical = UINT64_MAX - 0x800;
	CHECK_EQ(make(&f), ERR_NOEXEC);
	f = good();
	f.piece[1].memory_bytes = UINT64_MAX;
	CHECK_EQ(make(&f), ERR_NOEXEC);
	f = good();
	f.piece[1].offset = UINT64_MAX;
	CHECK_EQ(make(&f), ERR_NOEXEC);
}

TEST(pieces_that_overlap_are_refused)
{
	struct file f = good();

	f.piece[1].physical = 0x1000ff;
	CHECK_EQ(make(&f), ERR_NOEXEC);
	CHECK_STR(why, "two pieces overlap");
}

TEST(an_entry_outside_is_refused)
{
	struct file f = good();

	f.entry = 0x1234;
	CHECK_EQ(make(&f), ERR_NOEXEC);
}

TEST(the_first_page_is_not_for_kernels)
{
	struct file f = good();

	f.piece[0].physical = 0;
	CHECK_EQ(make(&f), ERR_NOEXEC);
}

TEST(another_cpu_or_format_is_refused)
{
	struct file f = good();

	f.machine = 183;
	CHECK_EQ(make(&f), ERR_NOEXEC);
	f = good();
	f.ident[4] = 1;
	CHECK_EQ(make(&f), ERR_NOEXEC);
}
