/* personality/linux/vdso.S - the small ELF image that AT_SYSINFO_EHDR points to.
 *
 * It is only headers and a symbol table, written here by hand: addresses in it are relative to its start, and its
 * functions (vdso.c) lie further on in the personality image. C libraries look symbols up by name, version
 * LINUX_2.6, through the System V hash table.
 */
	.section .vdso_header, "a", @progbits
	.balign 4096
	.globl vdso_start
vdso_start:
	.byte	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
	.short	3, 62                           /* ET_DYN, EM_X86_64 */
	.long	1
	.quad	0, program_headers - vdso_start, 0
	.long	0
	.short	64, 56, 2, 0, 0, 0

	.balign 8
program_headers:
	.long	1, 5                            /* PT_LOAD, readable and executable */
	.quad	0, 0, 0, vdso_functions_end - vdso_start, vdso_functions_end - vdso_start, 4096
	.long	2, 4                            /* PT_DYNAMIC */
	.quad	dynamic - vdso_start, dynamic - vdso_start, dynamic - vdso_start, dynamic_end - dynamic, dynamic_end - dynamic, 8

	.balign 8
dynamic:
	.quad	4, hash - vdso_start            /* DT_HASH */
	.quad	5, strings - vdso_start         /* DT_STRTAB */
	.quad	6, symbols - vdso_start         /* DT_SYMTAB */
	.quad	10, strings_end - strings       /* DT_STRSZ */
	.quad	11, 24                          /* DT_SYMENT */
	.quad	14, soname - strings            /* DT_SONAME */
	.quad	0x6ffffff0, versions - vdso_start       /* DT_VERSYM */
	.quad	0x6ffffffc, definitions - vdso_start    /* DT_VERDEF */
	.quad	0x6ffffffd, 2                           /* DT_VERDEFNUM */
	.quad	0, 0
dynamic_end:

/* One bucket: the chain goes through every symbol. */
	.balign 8
hash:
	.long	1, 5
	.long	1
	.long	0, 2, 3, 4, 0

	.balign 8
symbols:
	.fill	24, 1, 0
	.macro symbol name, function
	.long	\name - strings
	.byte	0x12, 0                         /* global function */
	.short	1                               /* in some section: defined */
	.quad	\function - vdso_start, 64
	.endm
	symbol	name_clock_gettime, vdso_clock_gettime
	symbol	name_gettimeofday, vdso_gettimeofday
	symbol	name_time, vdso_time
	symbol	name_getcpu, vdso_getcpu

versions:
	.short	0, 2, 2, 2, 2

/* Version 1 is the file itself, 2 is LINUX_2.6; the hashes are ELF's of the names. */
	.balign 8
definitions:
	.short	1, 1, 1, 1
	.long	0x0deebfa1, 20, 28
	.long	soname - strings, 0
	.short	1, 0, 2, 1
	.long	0x03ae75f6, 20, 0
	.long	version - strings, 0

strings:
	.byte	0
name_clock_gettime:
	.asciz	"__vdso_clock_gettime"
name_gettimeofday:
	.asciz	"__vdso_gettimeofday"
name_time:
	.asciz	"__vdso_time"
name_getcpu:
	.asciz	"__vdso_getcpu"
soname:
	.asciz	"linux-vdso.so.1"
version:
	.asciz	"LINUX_2.6"
strings_end:
	.balign 4096
