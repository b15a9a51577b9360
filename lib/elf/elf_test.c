/* lib/elf/elf_test.c - files made here, right and wrong in one thing at a time. */
#include <elf.h>
#include "abi/types.h"
#include "lib/elf/elf.h"
#include "lib/test/test.h"

enum { HEADERS = 4, FILE_BYTES = 0x4000 };

static struct {
	Elf64_Ehdr e;
	Elf64_Phdr p[HEADERS];
} file;
static struct elf_plan plan;

/* A static program: text, then data with bss. */
static void make(void)
{
	memset(&file, 0, sizeof file);
	file.e = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x401010,
		.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
	};
	file.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0, .p_vaddr = 0x400000,
		.p_filesz = 0x1800, .p_memsz = 0x1800, .p_align = 0x1000 };
	file.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x2100, .p_vaddr = 0x403100,
		.p_filesz = 0x200, .p_memsz = 0x3000, .p_align = 0x1000 };
}

static err_t read_plan(void)
{
	return elf_plan_from_start(&file, sizeof file, FILE_BYTES, &plan);
}

#define WRONG(change) do { make(); change; CHECK_EQ(read_plan(), ERR_NOEXEC); } while (0)

TEST(a_static_program_has_its_segments_and_entry)
{
	make();
	CHECK_EQ(read_plan(), OK);
	CHECK(!plan.is_position_independent && !plan.wants_executable_stack);
	CHECK_EQ(plan.entry, 0x401010);
	CHECK_EQ(plan.segment_count, 2);
	CHECK(plan.start == 0x400000 && plan.end == 0x407000);
	CHECK_EQ(plan.segment[0].map_flags, MAP_READ | MAP_EXEC);
	CHECK_EQ(plan.segment[1].map_flags, MAP_READ | MAP_WRITE);
	CHECK_EQ(plan.table_address, 0x400000 + sizeof(Elf64_Ehdr));
	CHECK_EQ(plan.table_count, 2);
}

TEST(a_segment_maps_as_file_part_cleared_rest_and_zero_pages)
{
	struct elf_mapping m;

	make();
	CHECK_EQ(read_plan(), OK);
	elf_segment_mapping(&plan.segment[1], 0x10000000, &m);
	CHECK(m.file_address == 0x10403000 && m.file_offset == 0x2000 && m.file_bytes == 0x1000);
	CHECK(m.clear_address == 0x10403300 && m.clear_bytes == 0xd00);
	CHECK(m.zero_address == 0x10404000 && m.zero_bytes == 0x3000);
	elf_segment_mapping(&plan.segment[0], 0, &m);
	CHECK(m.file_bytes == 0x2000 && m.clear_bytes == 0 && m.zero_bytes == 0);
}

TEST(a_segment_of_zero_memory_alone_needs_no_file)
{
	struct elf_mapping m;

	make();
	file.p[1].p_filesz = 0;
	CHECK_EQ(read_plan(), OK);
	elf_segment_mapping(&plan.segment[1], 0, &m);
	CHECK(m.file_bytes == 0 && m.clear_bytes == 0 && m.zero_address == 0x403000 && m.zero_bytes == 0x4000);
}

TEST(a_position_independent_program_starts_at_zero)
{
	make();
	file.e.e_type = ET_DYN;
	file.e.e_entry = 0x1010;
	file.p[0].p_vaddr = 0;
	file.p[1].p_vaddr = 0x3100;
	file.p[1].p_align = 0x200000;
	CHECK_EQ(read_plan(), OK);
	CHECK(plan.is_position_independent && plan.start == 0 && plan.align_bytes == 0x200000);
}

TEST(interpreter_stack_and_tls_are_found)
{
	make();
	file.e.e_phnum = 4;
	file.p[2] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0x200, .p_filesz = 28 };
	file.p[3] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X };
	CHECK_EQ(read_plan(), OK);
	CHECK(plan.interpreter_offset == 0x200 && plan.interpreter_bytes == 28 && plan.wants_executable_stack);
	file.p[3] = (Elf64_Phdr){ .p_type = PT_TLS, .p_vaddr = 0x403100, .p_filesz = 8, .p_memsz = 16, .p_align = 8 };
	CHECK_EQ(read_plan(), OK);
	CHECK(plan.tls_memory_bytes == 16 && plan.tls_file_bytes == 8);
}

TEST(what_is_no_program_for_this_cpu_is_refused)
{
	WRONG(file.e.e_ident[0] = 0);
	WRONG(file.e.e_ident[EI_CLASS] = ELFCLASS32);
	WRONG(file.e.e_ident[EI_DATA] = ELFDATA2MSB);
	WRONG(file.e.e_type = ET_REL);
	WRONG(file.e.e_type = ET_CORE);
	WRONG(file.e.e_machine = EM_386);
	WRONG(file.e.e_machine = EM_AARCH64);
	WRONG(file.e.e_version = 0);
	WRONG(file.e.e_phentsize = 32);
	WRONG(file.e.e_phnum = 0);
	WRONG(file.e.e_phnum = 0xffff);
	WRONG(file.e.e_phoff = FILE_BYTES - 8);
	WRONG(file.e.e_phoff = UINT64_MAX - 8);
}

TEST(segments_outside_the_file_or_user_memory_are_refused)
{
	WRONG(file.p[1].p_offset = FILE_BYTES + 0x100);
	WRONG(file.p[1].p_offset = UINT64_MAX - 0xeff);
	WRONG(file.p[1].p_filesz = 0x3001);
	WRONG(file.p[1].p_filesz = UINT64_MAX);
	WRONG(file.p[1].p_memsz = UINT64_MAX);
	WRONG(file.p[1].p_memsz = 0x7fffffffffff);
	WRONG(file.p[1].p_vaddr = 0xffffffff80003100);
	WRONG(file.p[0].p_vaddr = 0);
	WRONG(file.p[1].p_vaddr = 0x403101);
	WRONG(file.p[1].p_align = 0x1001);
	WRONG(file.p[1].p_align = 1ull << 40);
}

TEST(segments_out_of_order_or_sharing_a_page_are_refused)
{
	WRONG(file.p[1].p_vaddr = 0x401100);
	WRONG(file.p[1].p_vaddr = 0x3ff100);
	WRONG(file.p[0].p_memsz = 0x3101);
}

TEST(an_entry_outside_the_code_is_refused)
{
	WRONG(file.e.e_entry = 0);
	WRONG(file.e.e_entry = 0x403100);
	WRONG(file.e.e_entry = 0x401800);
}

TEST(a_broken_interpreter_is_refused)
{
	make();
	file.e.e_phnum = 3;
	file.p[2] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = FILE_BYTES - 4, .p_filesz = 8 };
	CHECK_EQ(read_plan(), ERR_NOEXEC);
	file.p[2] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0, .p_filesz = ELF_INTERPRETER_MAX + 1 };
	CHECK_EQ(read_plan(), ERR_NOEXEC);
	file.p[2].p_filesz = 1;
	CHECK_EQ(read_plan(), ERR_NOEXEC);
}

TEST(a_truncated_file_is_refused_at_every_length)
{
	make();
	for (size_t bytes = 0; bytes < sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr); bytes++)
		CHECK_EQ(elf_plan_from_start(&file, bytes, FILE_BYTES, &plan), ERR_NOEXEC);
	for (uint64_t whole = 0; whole < 0x2300; whole += 0x10)
		CHECK_EQ(elf_plan_from_start(&file, sizeof file, whole, &plan), ERR_NOEXEC);
	CHECK_EQ(elf_plan_from_start(&file, sizeof file, 0x2300, &plan), OK);
}

TEST(a_table_elsewhere_in_the_file_is_asked_for)
{
	struct elf_table table;

	make();
	file.e.e_phoff = 0x3000;
	CHECK_EQ(read_plan(), ERR_NOEXEC);
	CHECK_EQ(elf_table_find(&file, sizeof file, FILE_BYTES, &table), OK);
	CHECK(table.offset == 0x3000 && table.bytes == 2 * sizeof(Elf64_Phdr));
	CHECK_EQ(elf_plan_make(&file, sizeof file, file.p, sizeof file.p, FILE_BYTES, &plan), OK);
	CHECK_EQ(plan.table_address, 0);
	CHECK_EQ(elf_plan_make(&file, sizeof file, file.p, sizeof(Elf64_Phdr), FILE_BYTES, &plan), ERR_NOEXEC);
}
