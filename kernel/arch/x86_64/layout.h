/* kernel/arch/x86_64/layout.h - numbers that C and assembly share: selectors, vectors, addresses, record offsets. */
#pragma once

#define KERNEL_VIRTUAL          0xffffffff80000000

/* Selectors. The user ones have Linux's values, which some programs look at; SYSCALL and SYSRET want this order. */
#define SELECTOR_BOOT_CODE32    0x08
#define SELECTOR_KERNEL_CODE    0x10
#define SELECTOR_KERNEL_DATA    0x18
#define SELECTOR_USER_BASE      0x23    /* SYSRET: + 8 data, + 16 code */
#define SELECTOR_USER_DATA      0x2b
#define SELECTOR_USER_CODE      0x33
#define SELECTOR_TSS            0x40

/* Vectors. 32-47 is where the old interrupt controller is parked, masked. */
#define VECTOR_LINES            0x30
#define VECTOR_MESSAGES         0x70    /* up to VECTOR_LINES_END */
#define VECTOR_LINES_END        0xf0
#define VECTOR_TIMER            0xf0
#define VECTOR_KICK             0xf1
#define VECTOR_SHOOTDOWN        0xf2
#define VECTOR_SPURIOUS         0xff

/* struct cpu */
#define CPU_CURRENT             8
#define CPU_KERNEL_STACK_TOP    16
#define CPU_SCRATCH             24

/* The calls that the entry knows: abi/ops.def with NATIVE_CALL_BASE */
#define NATIVE_CALL             0x43440008
#define NATIVE_REPLY_RECEIVE    0x4344001c

/* struct regs */
#define REGS_RBP                32
#define REGS_R11                40
#define REGS_RCX                48
#define REGS_R12                112
#define REGS_RIP                120
#define REGS_CS                 128
#define REGS_RFLAGS             136
#define REGS_RSP                144
#define REGS_SS                 152
#define REGS_BYTES              160

#define RFLAGS_TF               (1 << 8)
#define RFLAGS_IF               (1 << 9)
#define RFLAGS_DF               (1 << 10)
#define RFLAGS_NT               (1 << 14)
#define RFLAGS_RF               (1 << 16)
#define RFLAGS_AC               (1 << 18)

#define BOOT_STACK_BYTES        16384
#define IST_STACK_BYTES         4096

#define BOOT_FROM_PVH           1
#define BOOT_FROM_LOADER        2
