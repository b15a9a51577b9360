/* personality/linux/exception.h - the kernel's events as Linux signals. */
#pragma once
#include "abi/arch/regs.h"
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct thread;

/* The CPU's exception vectors (AMD64 APM vol. 2). */
enum { VECTOR_DIVIDE = 0, VECTOR_DEBUG = 1, VECTOR_BREAKPOINT = 3, VECTOR_OVERFLOW = 4, VECTOR_BOUND = 5, VECTOR_OPCODE = 6,
       VECTOR_SEGMENT = 11, VECTOR_STACK = 12, VECTOR_PROTECTION = 13, VECTOR_PAGE = 14, VECTOR_X87 = 16,
       VECTOR_ALIGNMENT = 17, VECTOR_SIMD = 19 };

/* From entry.S: an exception or a notice, in t->event. */
void event_dispatch(struct thread *t) NONNULL;
/* The signal, code and address of an exception. Pure. float_code is for vectors 16 and 19. */
void exception_info(const struct upcall_frame *e, int32_t float_code, struct linux_siginfo *info) NONNULL;
/* SIGFPE's code for the exceptions that are raised and not masked. Pure. */
int32_t exception_float_code(uint32_t unmasked);
