/* kernel/arch/x86_64/inline.h - the part of kernel/arch/arch.h that must be inline or of known size.
 *
 * Included by every kernel file through arch.h. What only kernel/arch/x86_64 needs is in cpu.h and asm.h there.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct cpu;
struct thread;


/* A thread that is not running: all else lies on its kernel stack (switch.S). */
struct context {
	uint64_t sp;
};

/* Members: [c] by the CPU that runs the thread, or anyone while it does not run. */
struct arch_thread {
	uint64_t fs_base, gs_base;      /* [c] stale while it runs: arch_user_bases_get */
	void *fpu;                      /* [I] XSAVE area, 64-aligned, inside fpu_block */
	void *fpu_block;                /* [I] what the heap gave */
};

/* Task state segment: stacks to use on entry from user space and for the vectors that need their own. */
struct PACKED tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map_base;
};

enum { GDT_ENTRIES = 10 };

/* Members: [c] this CPU only, [a] atomic, [I] immutable after start. */
struct arch_cpu {
	struct tss tss ALIGNED(16);             /* [c] */
	uint64_t gdt[GDT_ENTRIES] ALIGNED(16);  /* [I] */
	bool kick_seen;                         /* [c] an interrupt came since arch_idle began */
	_Atomic uint32_t idle_state;            /* [a] enum idle_state (idle.c) */
	_Atomic bool kicked;                    /* [a] arch_kick came */
	_Atomic uint64_t flush_asked;           /* [a] CPUs whose TLB shootdown this one has not looked at */
	_Atomic uint64_t flush_waits_for;       /* [a] CPUs that have not answered this one's */
	uint64_t flush_start, flush_end;        /* [c] what it asks; valid while flush_waits_for is not 0 */
	_Atomic bool stopped;                   /* [a] panic: it wrote its trace and halted */
};

/* Volatile, so that the compiler does not carry it over a call that may switch to another CPU. */
static ALWAYS_INLINE struct cpu *cpu_this(void)
{
	struct cpu *c;
	__asm__ volatile("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* The same wherever and whenever its caller goes on. */
static ALWAYS_INLINE struct thread *arch_thread_current(void)
{
	struct thread *t;
	__asm__("mov %%gs:8, %0" : "=r"(t));
	return t;
}

/* Sets a flag, with what acquire means; was it set? At the start of 4 aligned bytes, of which only the flag changes. */
static ALWAYS_INLINE bool arch_flag_take(_Atomic bool *flag)
{
	bool was_set;
	__asm__ volatile("lock btsl $0, %0" : "+m"(*(uint32_t *)(void *)flag), "=@ccc"(was_set) : : "memory");
	return was_set;
}

static ALWAYS_INLINE void arch_pause(void) { __asm__ volatile("pause" ::: "memory"); }

static ALWAYS_INLINE void arch_interrupts_on(void) { __asm__ volatile("sti" ::: "memory"); }

static ALWAYS_INLINE void arch_interrupts_off(void) { __asm__ volatile("cli" ::: "memory"); }

/* Lets in what interrupts are pending (they return here): sti holds interrupts off for one instruction more. */
static ALWAYS_INLINE void arch_interrupts_window(void) { __asm__ volatile("sti\n\tnop\n\tcli" ::: "memory"); }

static ALWAYS_INLINE uint64_t arch_ticks(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Makes page tables (their root) this CPU's. */
static ALWAYS_INLINE void arch_load_tables(uint64_t root) { __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory"); }

/* Large copies of kernel memory that does not overlap: 0. Whole pages, aligned. (usercopy.S) */
size_t arch_large_copy(void *to, const void *from, size_t bytes);
void arch_page_zero(void *page);

/* Any bytes of kernel memory that do not overlap, or lie higher in from; few. The quadword string forms count once per 8 bytes in emulators. */
static ALWAYS_INLINE void arch_bytes_copy(void *to, const void *from, uint64_t bytes)
{
	uint64_t count = bytes / 8, rest = bytes % 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	if (rest)
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

#define ARCH_SMAP_SITE(instruction) "9:\t" instruction "\n\t.pushsection .smap_sites, \"a\", @progbits\n\t.quad 9b\n\t.popsection\n\t"

/* As arch_copy_to_user (usercopy.S), inline, either way: were all copied? */
static ALWAYS_INLINE bool arch_copy_user_quads(void *to, const void *from, uint64_t left)
{
	__asm__ volatile(ARCH_SMAP_SITE("stac") "7:\trep movsq\n8:\t" ARCH_SMAP_SITE("clac")
	                 ".pushsection .fixup_table, \"a\", @progbits\n\t.quad 7b, 8b\n\t.popsection"
	                 : "+D"(to), "+S"(from), "+c"(left) : : "memory", "cc");
	return left == 0;
}

/* Two stores to addresses of the user's: were both made? */
static ALWAYS_INLINE bool arch_store_user_both(int32_t *half, int32_t half_value, uint64_t *word, uint64_t word_value)
{
	__asm__ goto(ARCH_SMAP_SITE("stac") "7:\tmovl %1, %0\n8:\tmovq %3, %2\n\t" ARCH_SMAP_SITE("clac")
	             ".pushsection .fixup_table, \"a\", @progbits\n\t.quad 7b, %l[fault], 8b, %l[fault]\n\t.popsection"
	             : : "m"(*half), "ri"(half_value), "m"(*word), "r"(word_value) : "memory" : fault);
	return true;
fault:
	__asm__ volatile(ARCH_SMAP_SITE("clac"));
	return false;
}

static ALWAYS_INLINE void arch_page_copy(void *to, const void *from)
{
	(void)arch_large_copy(to, from, 4096);
}
