/* kernel/arch/x86_64/switch.h - the switch from one thread to another (see thread.c). Inline: a request does it twice. */
#pragma once
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/thread.h"

/* Saves what of the CPU is `from`'s and loads what is `to`'s: segment bases, FPU state, and the stack for entries from user space. */
static ALWAYS_INLINE void arch_thread_exchange(struct cpu *c, struct thread *from, struct thread *to)
{
	c->kernel_stack_top = c->arch.tss.rsp[0] = to->kernel_stack_top;
	from->arch.fs_base = fs_base_read();
	fs_base_write(to->arch.fs_base);
	from->arch.gs_base = user_gs_base_exchange(to->arch.gs_base);
	__asm__ volatile("xsave64 (%0)\n\txrstor64 (%1)" : : "r"(from->arch.fpu), "r"(to->arch.fpu), "a"(-1), "d"(-1) : "memory");
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

/* The same, but goes to user space with the registers of a thread that waits in a system call; whatever else is on its kernel stack is dropped.
 * Off our own stack it lets go of `from`, which others may run from then on. */
static ALWAYS_INLINE void arch_switch_to_user(struct thread *from, struct regs *to)
{
	__asm__ volatile(
		"pushq %%rbp\n\t"
		"pushq $1f\n\t"
		"movq %%rsp, %c[sp](%0)\n\t"
		"movq %1, %%rsp\n\t"
		"movb $0, %c[on_cpu](%0)\n\t"
		"movb $0, %c[lock](%0)\n\t"
		"jmp return_from_call\n"
		"1:\tpopq %%rbp"
		: "+D"(from), "+S"(to)
		: [sp] "i"(offsetof(struct thread, context.sp)), [on_cpu] "i"(offsetof(struct thread, on_cpu)), [lock] "i"(offsetof(struct thread, lock.held))
		: "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}
