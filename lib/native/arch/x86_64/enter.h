/* lib/native/arch/x86_64/enter.h - the instruction that asks the kernel (abi/arch/x86_64/regs.h). */
#pragma once
#include "abi/ops.h"
#include "lib/base/attr.h"

/* The result, and in *received what came in rdx (a handle, for CALL). */
static ALWAYS_INLINE int64_t sys_enter_6(enum op op, uint32_t flags, handle_t h, uint64_t a0, uint64_t a1, uint64_t a2,
                                         uint64_t a3, uint64_t a4, uint64_t a5, uint64_t *received)
{
	register uint64_t rax __asm__("rax") = (uint64_t)(NATIVE_CALL_BASE + op) | (uint64_t)flags << 32;
	register uint64_t rdx __asm__("rdx") = a1;
	register uint64_t r10 __asm__("r10") = a2;
	register uint64_t r8 __asm__("r8") = a3;
	register uint64_t r9 __asm__("r9") = a4;
	register uint64_t r12 __asm__("r12") = a5;

	__asm__ volatile("syscall" : "+r"(rax), "+r"(rdx)
	                 : "D"((uint64_t)(int64_t)h), "S"(a0), "r"(r10), "r"(r8), "r"(r9), "r"(r12)
	                 : "rcx", "r11", "memory");
	*received = rdx;
	return (int64_t)rax;
}

/* Up to three arguments: what most operations have. */
static ALWAYS_INLINE int64_t sys_enter_3(enum op op, uint32_t flags, handle_t h, uint64_t a0, uint64_t a1, uint64_t a2)
{
	register uint64_t rax __asm__("rax") = (uint64_t)(NATIVE_CALL_BASE + op) | (uint64_t)flags << 32;
	register uint64_t rdx __asm__("rdx") = a1;
	register uint64_t r10 __asm__("r10") = a2;

	__asm__ volatile("syscall" : "+r"(rax), "+r"(rdx) : "D"((uint64_t)(int64_t)h), "S"(a0), "r"(r10) : "rcx", "r11", "memory");
	return (int64_t)rax;
}
