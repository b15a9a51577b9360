/* personality/linux/offsets.h - where entry.S finds things in struct thread (thread.h asserts them). */
#pragma once

#define THREAD_SELF             0
#define THREAD_STACK_TOP        8
#define THREAD_NOTICE_FLAG      16
#define THREAD_BY_CALL          24
#define THREAD_STATE            32
/* struct frame */
#define FRAME_RDI               40
#define FRAME_RSI               48
#define FRAME_RDX               56
#define FRAME_R10               64
#define FRAME_R8                72
#define FRAME_R9                80
#define FRAME_RAX               88
#define FRAME_RBX               96
#define FRAME_RBP               104
#define FRAME_R12               112
#define FRAME_R13               120
#define FRAME_R14               128
#define FRAME_R15               136
#define FRAME_RCX               144
#define FRAME_R11               152
#define FRAME_NUMBER            160
#define FRAME_RIP               168
#define FRAME_CS                176
#define FRAME_FLAGS             184
#define FRAME_RSP               192
#define FRAME_SS                200
/* struct upcall_frame: reason, vector, error_code, address, error, original_rax, then struct regs */
#define EVENT_REGS_RIP          168
