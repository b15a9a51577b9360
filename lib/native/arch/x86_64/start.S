/* lib/native/arch/x86_64/start.S - the first instructions of a program and of its threads. */

	.section .text._start, "ax", @progbits
	.globl	_start
	.type	_start, @function
_start:				/* rdi = struct startup; 0: a Linux program's stack */
	xor	%ebp, %ebp
	mov	%rsp, %rsi
	and	$-16, %rsp
	call	native_main
	ud2
	.size	_start, . - _start

	.section .text.thread_entry, "ax", @progbits
	.globl	thread_entry
	.hidden	thread_entry
	.type	thread_entry, @function
thread_entry:			/* rdi = struct thread_begin */
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	thread_main
	ud2
	.size	thread_entry, . - thread_entry

	.section .note.GNU-stack, "", @progbits
