/* kernel/arch/x86_64/usercopy.S - the only instructions that touch user memory, each with a place to go on when it faults; large copies.
 *
 * A fault that the memory system cannot resolve continues at the fixup (trap.c looks in fixup_start..fixup_end).
 * Where AVX can be used (features.c), its moves are the cheapest bulk copy; else and for little it is rep movsq.
 */
#include "kernel/arch/x86_64/asm.h"

.macro may_fault fixup, instruction:vararg
8:	\instruction
	.pushsection .fixup_table, "a", @progbits
	.quad 8b, \fixup
	.popsection
.endm

	.text

/* arch_copy_from_user and arch_copy_to_user (arch.h), which are the same: bytes NOT copied; arch_large_copy is for kernel memory alone.
 * rdx holds the end of `to`, so that wherever it stops the rest is rdx - rdi. Many bytes go by 32 at a time through a register that is the
 * user's and gets its value back; a fault on the way goes on in the small way, which finds out at which byte. */
	function arch_copy_from_user
	function arch_copy_to_user
	smap_site stac
	function arch_large_copy
	movq %rdx, %rcx
	addq %rdi, %rdx
	cmpq wide_least_bytes(%rip), %rcx
	jae 4f
1:	shrq $3, %rcx
	jz 2f
	may_fault 7f, rep movsq
2:	movq %rdx, %rcx
	subq %rdi, %rcx
	jz 7f
	may_fault 7f, rep movsb
7:	movq %rdx, %rax
	subq %rdi, %rax
	smap_site clac
	retq
4:	subq $32, %rsp
	vmovdqu %ymm0, (%rsp)
5:	.irp at, 0, 32, 64, 96, 128, 160, 192, 224
	may_fault 6f, vmovdqu \at(%rsi), %ymm0
	may_fault 6f, vmovdqu %ymm0, \at(%rdi)
	.endr
	addq $256, %rsi
	addq $256, %rdi
	subq $256, %rcx
	cmpq $256, %rcx
	jae 5b
6:	vmovdqu (%rsp), %ymm0
	addq $32, %rsp
	movq %rdx, %rcx
	subq %rdi, %rcx
	jmp 1b
	.size arch_copy_from_user, . - arch_copy_from_user
	.size arch_copy_to_user, . - arch_copy_to_user
	.size arch_large_copy, . - arch_large_copy

/* void arch_page_zero(void *page): of the direct map. */
	function arch_page_zero
	cmpq $-1, wide_least_bytes(%rip)
	je 2f
	subq $32, %rsp
	vmovdqu %ymm0, (%rsp)
	vpxor %xmm0, %xmm0, %xmm0
	movl $4096 / 512, %ecx
1:	.irp at, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
	vmovdqa %ymm0, \at(%rdi)
	.endr
	addq $512, %rdi
	decl %ecx
	jnz 1b
	vmovdqu (%rsp), %ymm0
	addq $32, %rsp
	retq
2:	xorl %eax, %eax
	movl $4096 / 8, %ecx
	rep stosq
	retq
	.size arch_page_zero, . - arch_page_zero

/* err_t arch_load_user_u32(uint64_t from, uint32_t *out) */
	function arch_load_user_u32
	smap_site stac
	movl $-14, %eax                 /* ERR_FAULT */
	may_fault 7f, movl (%rdi), %ecx
	movl %ecx, (%rsi)
	xorl %eax, %eax
7:	smap_site clac
	retq
	.size arch_load_user_u32, . - arch_load_user_u32

	.section .note.GNU-stack, "", @progbits
