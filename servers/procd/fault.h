/* servers/procd/fault.h - which signal ends a process whose exception nobody took. */
#pragma once
#include <stdint.h>
#include "servers/procd/linux.h"

/* The CPU's vector (AMD64 APM vol. 2, table 8-1), as task_info.status has it. */
static inline uint32_t fault_signal(uint64_t vector)
{
	switch (vector) {
	case 0: case 16: case 19:       /* divide, x87, SIMD */
		return LINUX_SIGFPE;
	case 1: case 3:                 /* debug, breakpoint */
		return LINUX_SIGTRAP;
	case 6:                         /* undefined opcode */
		return LINUX_SIGILL;
	case 11: case 12: case 17:      /* segment not present, stack, alignment */
		return LINUX_SIGBUS;
	default:
		return LINUX_SIGSEGV;
	}
}
