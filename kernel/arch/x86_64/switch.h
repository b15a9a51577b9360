/* kernel/arch/x86_64/switch.h - the switch from one thread to another (see thread.c). Inline: a request does it twice. */
#pragma once
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/thread.h"

static ALWAYS_INLINE void fpu_save(void *to)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(to), "a"(-1), "d"(-1) : "memory");
}

static ALWAYS_INLINE void fpu_load(const void *from)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(from), "a"(-1), "d"(-1) : "memory");
}

/* Saves what the next thread might change. Before arch_switch. */
static ALWAYS_INLINE void arch_thread_unload(struct thread *t)
{
	t->arch.fs_base = fs_base_read();
	t->arch.gs_base = user_gs_base_read();
	fpu_save(t->arch.fpu);
}

/* After a switch: kernel stack for entries from user space, FS and GS base, FPU state of the now current thread. */
static ALWAYS_INLINE void arch_thread_loaded(struct cpu *c, struct thread *t)
{
	uint64_t top = t->kernel_stack_top;

	c->kernel_stack_top = top;
	c->arch.tss.rsp[0] = top;
	fs_base_write(t->arch.fs_base);
	user_gs_base_write(t->arch.gs_base);
	if (c->arch.fpu_owner == t && t->arch.fpu_cpu_plus_1 == c->index + 1)
		return;
	fpu_load(t->arch.fpu);
	c->arch.fpu_owner = t;
	t->arch.fpu_cpu_plus_1 = c->index + 1;
}

/* Saves the caller's context in from and goes on in to. Returns when something switches back. A context is a stack with the place to go on on
 * top. Interrupts are off on both sides, so flags need no care. */
static ALWAYS_INLINE void arch_switch(struct context *from, struct context *to)
{
	__asm__ volatile(
		"pushq %%rbp\n\t"
		"pushq $1f\n\t"
		"movq %%rsp, (%0)\n\t"
		"movq (%1), %%rsp\n\t"
		"retq\n"
		"1:\tpopq %%rbp"
		: "+D"(from), "+S"(to)
		: : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}
