/* personality/linux/user.S - touching the program's memory and floating point state (user.h, fpu.h).
 *
 * A fault at any instruction here makes event_entry go on at user_access_failed: so nothing between
 * the two labels may push or move rsp.
 */
	.section .text.user, "ax", @progbits
	.globl user_access_start
user_access_start:

/* user_copy(rdi to, rsi from, rdx bytes) */
	.globl user_copy
	.type user_copy, @function
user_copy:
	movq	%rdx, %rcx
	shrq	$4, %rcx
	jz	2f
1:	movq	(%rsi), %rax
	movq	8(%rsi), %r8
	movq	%rax, (%rdi)
	movq	%r8, 8(%rdi)
	addq	$16, %rsi
	addq	$16, %rdi
	decq	%rcx
	jnz	1b
2:	testl	$8, %edx
	jz	5f
	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
5:	testl	$4, %edx
	jz	6f
	movl	(%rsi), %eax
	movl	%eax, (%rdi)
	addq	$4, %rsi
	addq	$4, %rdi
6:	andl	$3, %edx
	jz	4f
3:	movzbl	(%rsi), %eax
	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decl	%edx
	jnz	3b
4:	xorl	%eax, %eax
	ret

/* user_load_u32(rdi address, rsi out) */
	.globl user_load_u32
	.type user_load_u32, @function
user_load_u32:
	movl	(%rdi), %eax
	movl	%eax, (%rsi)
	xorl	%eax, %eax
	ret

/* user_swap_u32(rdi address, esi expected, edx value, rcx found) */
	.globl user_swap_u32
	.type user_swap_u32, @function
user_swap_u32:
	movl	%esi, %eax
	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret

/* user_string(rdi to, rsi from, rdx max): length, or -ENAMETOOLONG. Eight bytes at once, from where that cannot meet the next page. */
	.globl user_string
	.type user_string, @function
user_string:
	movabsq	$0x0101010101010101, %r8
	movabsq	$0x8080808080808080, %r9
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	jae	3f
	leaq	(%rsi,%rax), %rcx
	testl	$7, %ecx
	jnz	2f
	leaq	8(%rax), %r10
	cmpq	%rdx, %r10
	ja	2f
	movq	(%rcx), %rcx
	movq	%rcx, %r11
	notq	%r11
	andq	%r9, %r11
	movq	%rcx, (%rdi,%rax)
	subq	%r8, %rcx
	testq	%r11, %rcx              /* a byte is 0 where taking 1 from it borrows though its top bit was clear */
	jnz	2f
	movq	%r10, %rax
	jmp	1b
2:	movzbl	(%rsi,%rax), %ecx
	movb	%cl, (%rdi,%rax)
	testl	%ecx, %ecx
	jz	4f
	incq	%rax
	jmp	1b
3:	movq	$-36, %rax
4:	ret

/* fpu_save(rdi area, rsi features) */
	.globl fpu_save
	.type fpu_save, @function
fpu_save:
	testq	%rsi, %rsi
	jz	1f
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	xsave64	(%rdi)
	xorl	%eax, %eax
	ret
1:	fxsave64 (%rdi)
	xorl	%eax, %eax
	ret

/* fpu_load(rdi area, rsi features): a broken area is a fault */
	.globl fpu_load
	.type fpu_load, @function
fpu_load:
	testq	%rsi, %rsi
	jz	1f
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	xrstor64 (%rdi)
	xorl	%eax, %eax
	ret
1:	fxrstor64 (%rdi)
	xorl	%eax, %eax
	ret

	.globl user_access_end
user_access_end:

	.globl user_access_failed
	.type user_access_failed, @function
user_access_failed:
	movq	$-14, %rax
	ret

/* fpu_status(rdi control_and_status: u16 control, u16 status, u32 mxcsr): for SIGFPE's code */
	.globl fpu_status
	.type fpu_status, @function
fpu_status:
	fnstcw	(%rdi)
	fnstsw	2(%rdi)
	stmxcsr	4(%rdi)
	ret

/* fpu_features(): XCR0, or 0 when the kernel does not use xsave */
	.globl fpu_features
	.type fpu_features, @function
fpu_features:
	pushq	%rbx
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	xorl	%eax, %eax
	testl	$(1 << 27), %ecx
	jz	1f
	xorl	%ecx, %ecx
	xgetbv
	shlq	$32, %rdx
	orq	%rdx, %rax
1:	popq	%rbx
	ret

/* fpu_bytes(): of an xsave image with the features that are on */
	.globl fpu_bytes
	.type fpu_bytes, @function
fpu_bytes:
	pushq	%rbx
	movl	$0xd, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ebx, %eax
	popq	%rbx
	ret

/* cpu_features(): CPUID 1 edx */
	.globl cpu_features
	.type cpu_features, @function
cpu_features:
	pushq	%rbx
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%edx, %eax
	popq	%rbx
	ret
