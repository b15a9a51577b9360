/* personality/linux/exception.h - the kernel's events as Linux signals. */
#pragma once
#include "abi/arch/regs.h"
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct thread;

/* From entry.S: an exception or a notice, in t->event. */
void event_dispatch(struct thread *t) NONNULL;
/* The signal, code and address of an exception. Pure. float_code is for vectors 16 and 19. */
void exception_info(const struct upcall_frame *e, int32_t float_code, struct linux_siginfo *info) NONNULL;
/* SIGFPE's code for the exceptions that are raised and not masked. Pure. */
int32_t exception_float_code(uint32_t unmasked);
