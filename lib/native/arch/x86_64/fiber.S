/* lib/native/arch/x86_64/fiber.S - from one stack to another: what the ABI lets a call keep goes along. */

	.section .text.fiber_switch, "ax", @progbits
	.globl	fiber_switch
	.hidden	fiber_switch
	.type	fiber_switch, @function
fiber_switch:			/* rdi = where our stack pointer goes, rsi = the other's */
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	fiber_switch, . - fiber_switch

	.globl	fiber_stack_prepare
	.hidden	fiber_stack_prepare
	.type	fiber_stack_prepare, @function
fiber_stack_prepare:		/* rdi = the end of a new (zero) stack: what fiber_switch is to get for it */
	lea	begin(%rip), %rax
	mov	%rax, -16(%rdi)
	lea	-64(%rdi), %rax
	ret
begin:				/* rsp = the end - 8 */
	push	%rbp
	xor	%ebp, %ebp
	call	fiber_main
	ud2
	.size	fiber_stack_prepare, . - fiber_stack_prepare

	.section .note.GNU-stack, "", @progbits
