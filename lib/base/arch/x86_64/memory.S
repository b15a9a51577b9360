/* lib/base/arch/x86_64/memory.S - memcpy, memmove and memset of kernel and guest programs; memory.c says it portably.
 *
 * Common: some dozens of bytes, by moves that overlap in the middle. A page: rep movsq and stosq, which is the cheapest on
 * CPUs and in emulators that count a repetition as an instruction. Never rep movsb.
 */
	.text

	.globl memmove
	.hidden memmove
	.type memmove, @function
memmove:
	movq %rdi, %rax
	subq %rsi, %rax
	cmpq %rdx, %rax
	jae memcpy                      /* `to` is not within [from, from + bytes): upwards is safe */
	cmpq $32, %rdx
	jbe memcpy                      /* which loads all before it stores */
	movq %rdi, %rax
1:	movq -8(%rsi, %rdx), %rcx
	movq %rcx, -8(%rdi, %rdx)
	subq $8, %rdx
	cmpq $32, %rdx
	ja 1b
	.size memmove, . - memmove

	.globl memcpy
	.hidden memcpy
	.type memcpy, @function
memcpy:
	movq %rdi, %rax
	cmpq $16, %rdx
	jbe 2f
	cmpq $32, %rdx
	ja 1f
	movq (%rsi), %rcx
	movq 8(%rsi), %r8
	movq -16(%rsi, %rdx), %r9
	movq -8(%rsi, %rdx), %r10
	movq %rcx, (%rdi)
	movq %r8, 8(%rdi)
	movq %r9, -16(%rdi, %rdx)
	movq %r10, -8(%rdi, %rdx)
	retq
1:	movq -8(%rsi, %rdx), %r8        /* the last 8 bytes, whole or not, are stored last */
	leaq -8(%rdi, %rdx), %r9
	leaq -1(%rdx), %rcx
	shrq $3, %rcx
	rep movsq
	movq %r8, (%r9)
	retq
2:	cmpq $8, %rdx
	jb 3f
	movq (%rsi), %rcx
	movq -8(%rsi, %rdx), %r8
	movq %rcx, (%rdi)
	movq %r8, -8(%rdi, %rdx)
	retq
3:	cmpq $4, %rdx
	jb 4f
	movl (%rsi), %ecx
	movl -4(%rsi, %rdx), %r8d
	movl %ecx, (%rdi)
	movl %r8d, -4(%rdi, %rdx)
	retq
4:	testq %rdx, %rdx
	jz 5f
	movzbl (%rsi), %ecx
	movzbl -1(%rsi, %rdx), %r8d
	shrq $1, %rdx
	movzbl (%rsi, %rdx), %r9d       /* of one byte, two or three: the middle, or the last again */
	movb %r9b, (%rdi, %rdx)
	movb %cl, (%rdi)
	jz 5f
	movq %rdx, %r10
	adcq $0, %r10
	movb %r8b, (%rdi, %r10)
5:	retq
	.size memcpy, . - memcpy

	.globl memset
	.hidden memset
	.type memset, @function
memset:
	movq %rdi, %r8
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %rcx
	imulq %rcx, %rax
	cmpq $8, %rdx
	jb 1f
	movq %rax, -8(%rdi, %rdx)
	leaq -1(%rdx), %rcx
	shrq $3, %rcx
	rep stosq
	movq %r8, %rax
	retq
1:	testq %rdx, %rdx
	jz 3f
2:	movb %al, -1(%rdi, %rdx)
	decq %rdx
	jnz 2b
3:	movq %r8, %rax
	retq
	.size memset, . - memset

	.section .note.GNU-stack, "", @progbits
