/* kernel/arch/x86_64/entry.S - every way into the kernel and back out.
 *
 * All build struct regs on the thread's kernel stack. In the kernel GS is struct cpu and interrupts are off.
 * Common: a system call, in by SYSCALL and out by SYSRET. Less so: faults and interrupts, out by IRET. Rare: non-maskable
 * interrupts, double faults and machine checks, each on its own stack since they may come anywhere, even
 * between SYSCALL and swapgs.
 */
#include "kernel/arch/x86_64/asm.h"

/* All but the two that struct regs has last. */
.macro push_from_r8
	.irp register, r8, r10, rdx, rsi, rdi, rax, rcx, r11, rbp, rbx, r13, r14, r15
	pushq %\register
	.endr
.endm

/* What C code does not keep, and rbp, which a call begins with 0. */
.macro pop_from_rbp
	.irp register, rbp, r11, rcx, rax, rdi, rsi, rdx, r10, r8, r9
	popq %\register
	.endr
.endm

.macro pop_all
	.irp register, r15, r14, r13, rbx
	popq %\register
	.endr
	pop_from_rbp
	popq %r12
.endm

	.text

	function syscall_entry
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_KERNEL_STACK_TOP, %rsp
	pushq $SELECTOR_USER_DATA
	pushq %gs:CPU_SCRATCH
	pushq %r11
	pushq $SELECTOR_USER_CODE
	pushq %rcx
	pushq %r12
	pushq %r9
	push_from_r8
	xorl %ebp, %ebp
	movq %rsp, %rdi
	cmpl $NATIVE_CALL, %eax
	je 3f
	cmpl $NATIVE_REPLY_RECEIVE, %eax
	je 4f
	callq kernel_syscall
2:	testb %al, %al
	jnz return_to_user
	testl $(RFLAGS_TF | RFLAGS_RF), REGS_RFLAGS(%rsp)
	jnz return_to_user
	addq $REGS_RBP, %rsp
	pop_from_rbp
	movq REGS_RSP - REGS_R12(%rsp), %rsp
	swapgs
	sysretq
3:	callq call_enter
	jmp 2b
4:	callq reply_receive_enter
	jmp 2b

/* rsp = struct regs. SYSRET loads rip from rcx and flags from r11: it serves whenever they agree. */
	function return_to_user
	movq REGS_RIP(%rsp), %rcx
	movq %rcx, %rax
	shrq $47, %rax
	jnz 2f
	cmpq %rcx, REGS_RCX(%rsp)
	jne 1f
	movq REGS_RFLAGS(%rsp), %r11
	cmpq %r11, REGS_R11(%rsp)
	jne 1f
/* Here for a thread that came by SYSCALL: they do. */
	function return_from_call
	testl $(RFLAGS_TF | RFLAGS_RF), REGS_RFLAGS(%rsp)
	jnz 1f
	pop_all
	movq REGS_RSP - REGS_RIP(%rsp), %rsp
	swapgs
	sysretq

1:	pop_all
	swapgs
	iretq

/* IRET would fault in the kernel: the thread's fault instead, which changes the registers or does not come back. */
2:	movq %rsp, %rdi
	callq trap_bad_return
	jmp return_to_user
	.size syscall_entry, . - syscall_entry

	function arch_enter_user
	movq %rdi, %rsp
	jmp return_to_user
	.size arch_enter_user, . - arch_enter_user

/* One stub a vector, TRAP_STUB_BYTES apart: r12 = error code, r9b = vector, their old values where struct regs has them.
 * (A CPU's error code lies just where r12 belongs.) */
	.balign 16
	function trap_stubs
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	xchgq %r12, (%rsp)
	.else
	pushq %r12
	xorl %r12d, %r12d
	.endif
	pushq %r9
	movb $vector, %r9b
	.if vector == 2 || vector == 8 || vector == 18
	jmp trap_own_stack
	.else
	jmp trap_common
	.endif
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs

	function trap_common
	push_from_r8
	cld
	smap_site clac
	movzbl %r9b, %esi
	movq %r12, %rdx
	movq %rsp, %rdi
	testb $3, REGS_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	callq trap_from_user
	jmp return_to_user
1:	movq %rsp, %rbx
	andq $-16, %rsp
	callq trap_from_kernel
	movq %rbx, %rsp
	pop_all
	iretq
	.size trap_common, . - trap_common

/* GS may be anyone's: struct cpu's address lies above the registers, where descriptors.c put it. */
	function trap_own_stack
	push_from_r8
	cld
	smap_site clac
	movzbl %r9b, %esi
	movq %r12, %rdx
	rdgsbase %rbx
	movq REGS_BYTES(%rsp), %rax
	wrgsbase %rax
	movq %rsp, %rdi
	callq trap_on_own_stack
	wrgsbase %rbx
	pop_all
	iretq
	.size trap_own_stack, . - trap_own_stack

/* Where a context starts (thread.c). */
	function context_start
	popq %rax
	popq %rdi
	xorl %ebp, %ebp
	callq *%rax
	ud2
	.size context_start, . - context_start

	.section .note.GNU-stack, "", @progbits
