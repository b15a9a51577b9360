/* lib/test/host/kernel/arch/x86_64/inline.h - the inline part of arch.h on the host (lib/test/host/machine.h has the rest). */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "lib/base/attr.h"

struct cpu;
struct thread;

NORETURN void arch_end(void);

struct context {
	uint64_t sp;
};

struct arch_thread {
	uint64_t fs_base, gs_base;
};

struct arch_cpu {
	uint64_t reserved;
};

/* The CPU and thread that the test plays just now. */
extern struct cpu *machine_cpu;
extern struct thread *machine_thread;

static ALWAYS_INLINE struct cpu *cpu_this(void) { return machine_cpu; }
static ALWAYS_INLINE struct thread *arch_thread_current(void) { return machine_thread; }
static ALWAYS_INLINE void arch_pause(void) { }
static ALWAYS_INLINE void arch_interrupts_on(void) { }
static ALWAYS_INLINE void arch_interrupts_off(void) { }
static ALWAYS_INLINE void arch_interrupts_window(void) { }
static ALWAYS_INLINE bool arch_interrupts_are_on(void) { return false; }
static ALWAYS_INLINE uint64_t arch_ticks(void) { return 0; }
void paging_flush_all(void);
static ALWAYS_INLINE void arch_load_tables(uint64_t root) { (void)root; paging_flush_all(); }
static ALWAYS_INLINE void arch_page_zero(void *page) { memset(page, 0, 4096); }
static ALWAYS_INLINE void arch_bytes_copy(void *to, const void *from, uint64_t bytes) { memcpy(to, from, bytes); }
static ALWAYS_INLINE size_t arch_large_copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
	return 0;
}
static ALWAYS_INLINE void arch_page_copy(void *to, const void *from) { memcpy(to, from, 4096); }
static ALWAYS_INLINE bool arch_flag_take(_Atomic bool *flag) { return atomic_exchange_explicit(flag, true, memory_order_acquire); }
bool arch_copy_user_quads(void *to, const void *from, uint64_t count);
bool arch_store_user_both(int32_t *half, int32_t half_value, uint64_t *word, uint64_t word_value);
