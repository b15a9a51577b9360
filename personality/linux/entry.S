/* personality/linux/entry.S - the doors between a program and the personality.
 *
 * The kernel enters at syscall_entry with every register as at the syscall instruction (rcx return
 * address, r11 flags) and on the program's stack, which is not touched; at event_entry for exceptions and
 * notices, with the registers in thread->event. User GS is the thread block. C code here is compiled for
 * general registers only, so that SSE and x87 state is the program's all the time.
 */
#include "personality/linux/offsets.h"

#define NATIVE_CALL_BASE 0x43440000
#define OP_THREAD_EXIT   16

	.section .text.entry, "ax", @progbits

	.globl syscall_entry
	.type syscall_entry, @function
syscall_entry:
	movq	%rsp, %gs:FRAME_RSP
	movq	$0, %gs:THREAD_BY_CALL
save_and_dispatch:
	movq	%rcx, %gs:FRAME_RIP
	movq	%rcx, %gs:FRAME_RCX
	movq	%r11, %gs:FRAME_R11
	movq	%r11, %gs:FRAME_FLAGS
	movq	%rax, %gs:FRAME_NUMBER
	movq	%rdi, %gs:FRAME_RDI
	movq	%rsi, %gs:FRAME_RSI
	movq	%rdx, %gs:FRAME_RDX
	movq	%r10, %gs:FRAME_R10
	movq	%r8, %gs:FRAME_R8
	movq	%r9, %gs:FRAME_R9
	movq	%rbx, %gs:FRAME_RBX
	movq	%rbp, %gs:FRAME_RBP
	movq	%r12, %gs:FRAME_R12
	movq	%r13, %gs:FRAME_R13
	movq	%r14, %gs:FRAME_R14
	movq	%r15, %gs:FRAME_R15
	movq	%gs:THREAD_STACK_TOP, %rsp
	movq	%gs:THREAD_SELF, %rdi
	xorl	%ebp, %ebp
	cld
	call	call_dispatch
	testb	%al, %al
	jz	exit_fast
	jmp	exit_full

/* The same by a plain call: rax number, arguments as for syscall; rcx and r11 are lost as there. */
	.globl call_entry
	.type call_entry, @function
call_entry:
	popq	%rcx
	pushfq
	popq	%r11
	movq	%rsp, %gs:FRAME_RSP
	movq	$1, %gs:THREAD_BY_CALL
	jmp	save_and_dispatch

/* rdi: the upcall frame (thread->event). A fault while copying program memory ends the copy with EFAULT, on
 * the stack it had; all else starts afresh on our own. */
	.globl event_entry
	.type event_entry, @function
event_entry:
	movq	EVENT_REGS_RIP(%rdi), %rax
	leaq	user_access_start(%rip), %rcx
	cmpq	%rcx, %rax
	jb	1f
	leaq	user_access_end(%rip), %rcx
	cmpq	%rcx, %rax
	jb	user_access_failed
1:	movq	%gs:THREAD_STACK_TOP, %rsp
	movq	%gs:THREAD_SELF, %rdi
	xorl	%ebp, %ebp
	cld
	call	event_dispatch
	jmp	exit_full

exit_leave:
	movq	%gs:THREAD_STACK_TOP, %rsp
	movq	%gs:THREAD_SELF, %rdi
	xorl	%ebp, %ebp
	cld
	call	call_leave
	jmp	exit_full

/* A thread's or a fork's child's first instruction: rdi the thread block, rsi what its starter says (clone.c). */
	.globl child_entry
	.type child_entry, @function
child_entry:
	xorl	%ebp, %ebp
	call	clone_child
	jmp	exit_full

/* The first instruction in a new program's space: rdi the thread block, rsi and rdx ITIMER_REAL's rest (exec.c). */
	.globl exec_entry
	.type exec_entry, @function
exec_entry:
	xorl	%ebp, %ebp
	call	exec_finish
	jmp	exit_full

/* The image started as a native program: rdi the startup block. */
	.globl _start
	.type _start, @function
_start:
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	start_main
	ud2

/* start_run(thread): leaves the starter's stack for the thread's own and goes on in start_program. */
	.globl start_run
	.type start_run, @function
start_run:
	wrgsbase %rdi
	movq	%gs:THREAD_STACK_TOP, %rsp
	xorl	%ebp, %ebp
	call	start_program
	ud2

/* helper_entry: a thread of the personality's own (timer.c); rdi the thread block. */
	.globl helper_entry
	.type helper_entry, @function
helper_entry:
	xorl	%ebp, %ebp
	call	timer_helper
	ud2

/* thread_end(thread, clear_address): gives the block back and ends. From the store on the block may be
 * another thread's, so only registers are used. */
	.globl thread_end
	.type thread_end, @function
thread_end:
	movq	$0, THREAD_STATE(%rdi)
	movq	$-1, %rdi
	movl	$1, %edx
	movl	$(NATIVE_CALL_BASE + OP_THREAD_EXIT), %eax
	syscall
	ud2

	.globl thread_pointer_get
	.type thread_pointer_get, @function
thread_pointer_get:
	rdfsbase %rax
	ret

	.globl thread_pointer_set
	.type thread_pointer_set, @function
thread_pointer_set:
	wrfsbase %rdi
	ret

/* Before the image's start: notices that come here count as come in the program, and event_dispatch knows that
 * thread->frame is still whole. */
	.section .exit_window, "ax", @progbits

/* After a call without signals: rax and what the call convention keeps are in place. */
exit_fast:
	cmpq	$0, %gs:THREAD_NOTICE_FLAG
	jne	exit_leave
	movq	%gs:FRAME_RDI, %rdi
	movq	%gs:FRAME_RSI, %rsi
	movq	%gs:FRAME_RDX, %rdx
	movq	%gs:FRAME_R10, %r10
	movq	%gs:FRAME_R8, %r8
	movq	%gs:FRAME_R9, %r9
	movq	%gs:FRAME_R11, %r11
	pushq	%r11
	popfq
	movq	%gs:FRAME_RBP, %rbp
	movq	%gs:FRAME_RAX, %rax
	movq	%gs:FRAME_RCX, %rcx
	movq	%gs:FRAME_RSP, %rsp
	jmp	*%rcx

/* Every register. The jump through memory needs none; no move changes the flags. (iretq would do it in one
 * instruction, but QEMU's TCG reads its stack with the kernel's rights, which SMAP refuses.) */
exit_full:
	cmpq	$0, %gs:THREAD_NOTICE_FLAG
	jne	exit_leave
	movq	%gs:THREAD_STACK_TOP, %rsp
	pushq	%gs:FRAME_FLAGS
	popfq
	movq	%gs:FRAME_RDI, %rdi
	movq	%gs:FRAME_RSI, %rsi
	movq	%gs:FRAME_RDX, %rdx
	movq	%gs:FRAME_R10, %r10
	movq	%gs:FRAME_R8, %r8
	movq	%gs:FRAME_R9, %r9
	movq	%gs:FRAME_RAX, %rax
	movq	%gs:FRAME_RBX, %rbx
	movq	%gs:FRAME_RBP, %rbp
	movq	%gs:FRAME_R12, %r12
	movq	%gs:FRAME_R13, %r13
	movq	%gs:FRAME_R14, %r14
	movq	%gs:FRAME_R15, %r15
	movq	%gs:FRAME_RCX, %rcx
	movq	%gs:FRAME_R11, %r11
	movq	%gs:FRAME_RSP, %rsp
	jmp	*%gs:FRAME_RIP
