/* kernel/arch/x86_64/usercopy.S - the only instructions that touch user memory, each with a place to go on when it faults.
 *
 * A fault that the memory system cannot resolve continues at the fixup (trap.c looks in fixup_start..fixup_end).
 * rep movsq is the cheapest bulk copy both on CPUs and in emulators that count a repetition as an instruction.
 */
#include "kernel/arch/x86_64/asm.h"

.macro may_fault fixup, instruction:vararg
8:	\instruction
	.pushsection .fixup_table, "a", @progbits
	.quad 8b, \fixup
	.popsection
.endm

	.text

/* arch_copy_from_user and arch_copy_to_user (arch.h), which are the same: bytes NOT copied. rdx holds the end of `to`, so that
 * wherever it stops the rest is rdx - rdi. */
	.globl arch_copy_from_user, arch_copy_to_user
	.type arch_copy_from_user, @function
	.type arch_copy_to_user, @function
arch_copy_from_user:
arch_copy_to_user:
	smap_site stac
	movq %rdx, %rcx
	addq %rdi, %rdx
	shrq $3, %rcx
	jz 1f
	may_fault 7f, rep movsq
1:	movq %rdx, %rcx
	subq %rdi, %rcx
	jz 7f
	may_fault 7f, rep movsb
7:	movq %rdx, %rax
	subq %rdi, %rax
	smap_site clac
	retq
	.size arch_copy_from_user, . - arch_copy_from_user
	.size arch_copy_to_user, . - arch_copy_to_user

/* size_t user_zero(void *to, size_t bytes): bytes NOT zeroed. */
	.globl user_zero
	.type user_zero, @function
user_zero:
	smap_site stac
	xorl %eax, %eax
	movq %rsi, %rcx
	leaq (%rdi, %rsi), %rdx
	shrq $3, %rcx
	jz 1f
	may_fault 7f, rep stosq
1:	movq %rdx, %rcx
	subq %rdi, %rcx
	jz 7f
	may_fault 7f, rep stosb
7:	movq %rdx, %rax
	subq %rdi, %rax
	smap_site clac
	retq
	.size user_zero, . - user_zero

/* bool user_load_u32(const uint32_t *from, uint32_t *out): false when it cannot be had. */
	.globl user_load_u32
	.type user_load_u32, @function
user_load_u32:
	smap_site stac
	xorl %eax, %eax
	may_fault 7f, movl (%rdi), %ecx
	movl %ecx, (%rsi)
	incl %eax
7:	smap_site clac
	retq
	.size user_load_u32, . - user_load_u32

	.section .note.GNU-stack, "", @progbits
