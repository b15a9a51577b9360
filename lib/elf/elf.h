/* lib/elf/elf.h - what to map where, so that an ELF file becomes a running program.
 *
 * The file is hostile: everything in a plan was checked, so that whoever maps it needs no checks of its own
 * beyond those of the mapping calls. Nothing here allocates, reads files or maps: the kernel (starting init), lib/native
 * (spawn) and the Linux personality (execve) share it.
 *
 * Use: read the file's first bytes; elf_table_find says where its program headers are (nearly always within them); elf_plan_make.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum {
	ELF_HEADER_BYTES = 64,          /* of the file header: the least to read */
	ELF_START_BYTES = 4096,         /* a good amount to read first */
	ELF_TABLE_MAX = 128,            /* program headers in a file we take */
	ELF_SEGMENT_MAX = 16,           /* segments to load in a file we take */
	ELF_INTERPRETER_MAX = 4096,
	ELF_PAGE_BYTES = 4096,
};

/* Where the program headers lie in the file. */
struct elf_table {
	uint64_t offset;
	uint32_t bytes;
};

/* One piece to map. Addresses are the file's: for a position-independent one add the bias. */
struct elf_segment {
	uint64_t address, memory_bytes;
	uint64_t file_offset, file_bytes;       /* file_bytes <= memory_bytes; offset and address agree modulo a page */
	uint32_t map_flags;                     /* MAP_READ, MAP_WRITE, MAP_EXEC */
};

struct elf_plan {
	bool is_position_independent;           /* ET_DYN: loads anywhere, at a bias that is a multiple of align_bytes */
	bool wants_executable_stack;
	uint64_t start, end;                    /* whole pages; every segment is inside */
	uint64_t align_bytes;                   /* at least a page */
	uint64_t entry;
	uint64_t table_address;                 /* of the program headers in memory (AT_PHDR); 0: not loaded */
	uint32_t table_count;
	uint64_t interpreter_offset;            /* in the file: a path, its last byte should be 0 */
	uint32_t interpreter_bytes;             /* 0: none */
	uint64_t tls_address, tls_file_bytes, tls_memory_bytes, tls_align_bytes;   /* memory_bytes 0: none */
	uint32_t segment_count;
	struct elf_segment segment[ELF_SEGMENT_MAX];    /* ascending, no page in two of them */
};

/* How to make one segment: first map the file part, then clear, then map zero memory. Any of them may be empty. */
struct elf_mapping {
	uint64_t file_address, file_offset, file_bytes; /* whole pages, private */
	uint64_t clear_address, clear_bytes;            /* the end of the file part's last page, to be zeroed (only when writable or asked of zero memory) */
	uint64_t zero_address, zero_bytes;              /* whole pages */
};

/* NOEXEC: not an ELF file for this CPU that we can run. */
err_t elf_table_find(const void *start, size_t start_bytes, uint64_t file_bytes, struct elf_table *out) NONNULL MUST_CHECK;
/* table points to the bytes that elf_table_find named. NOEXEC: broken, truncated or beyond our limits. */
err_t elf_plan_make(const void *start, size_t start_bytes, const void *table, size_t table_bytes, uint64_t file_bytes,
                    struct elf_plan *out) NONNULL MUST_CHECK;
/* Both at once, for a file whose program headers are within its first bytes (as linkers put them); NOEXEC also when they are not. */
err_t elf_plan_from_start(const void *start, size_t start_bytes, uint64_t file_bytes, struct elf_plan *out) NONNULL MUST_CHECK;
/* How to map a segment of a plan, at this bias. */
void elf_segment_mapping(const struct elf_segment *s, uint64_t bias, struct elf_mapping *out) NONNULL;
