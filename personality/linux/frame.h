/* personality/linux/frame.h - a program's registers while it is in a system call or an event.
 *
 * The arguments of a call lie together, in order.
 */
#pragma once
#include <stdint.h>

struct frame {
	uint64_t argument[6];           /* rdi rsi rdx r10 r8 r9 */
	uint64_t rax, rbx, rbp, r12, r13, r14, r15, rcx, r11;
	uint64_t number;                /* of the system call; ~0 when it is none (any more) */
	uint64_t rip, cs, rflags, rsp, ss;
};
#define FRAME_NO_CALL UINT64_MAX
enum { FRAME_ARG_RDI, FRAME_ARG_RSI, FRAME_ARG_RDX, FRAME_ARG_R10, FRAME_ARG_R8, FRAME_ARG_R9 };
