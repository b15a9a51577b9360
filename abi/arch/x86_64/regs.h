/* abi/arch/x86_64/regs.h - a thread's registers, and how a call is made.
 *
 * Native call: rax = NATIVE_CALL_BASE + op | flags << 32, rdi = handle (sign-extended
 * 32 bits), arguments 0-5 in rsi, rdx, r10, r8, r9, r12. Result in rax, a received
 * handle in rdx. rcx and r11 are lost (AMD64 APM vol. 3, SYSCALL); all else is kept.
 */
#pragma once
#include <stdint.h>

struct regs {
	uint64_t r15, r14, r13, rbx, rbp, r11, rcx;
	/* A native call's registers in the order of struct request: the kernel need not copy them into one. */
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9, r12;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* What an upcall finds at upcall_setup.frame. */
struct upcall_frame {
	uint64_t reason;                /* enum upcall_reason */
	uint64_t vector;                /* exception: CPU vector (14 = page fault) */
	uint64_t error_code;            /* exception: as pushed by the CPU */
	uint64_t address;               /* page fault: the address (CR2) */
	uint64_t error;                 /* page fault: -err of what the memory system said
	                                 * (ERR_FAULT no mapping, ERR_ACCES protection, ERR_IO pager, ERR_NOMEM) */
	uint64_t original_rax;
	struct regs regs;
	uint64_t fs_base, gs_base;
};

/* How a new or exec'ed thread starts. */
struct thread_start {
	uint64_t ip, sp;
	uint64_t arg[3];                /* rdi, rsi, rdx */
	uint64_t fs_base, gs_base;
	uint64_t notice_mask;
};
