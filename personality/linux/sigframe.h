/* personality/linux/sigframe.h - the frame that a signal handler finds on its stack, exactly Linux's rt_sigframe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"
#include "personality/linux/frame.h"

struct thread;

enum { SIGFRAME_MAGIC2_BYTES = 4 };
struct sigframe_place { uint64_t frame, fpstate; };
/* Where frame and floating point state go below top (fpu_bytes of it and the end mark). Pure. INVAL-free: wild stacks fault when written. */
struct sigframe_place sigframe_place(uint64_t top, uint32_t fpu_bytes);
/* Is sp on this alternate stack? Pure. */
bool sigframe_is_on_stack(const struct linux_stack *s, uint64_t sp) NONNULL;
void sigframe_save_registers(const struct frame *f, struct linux_sigcontext *to) NONNULL;
/* Takes what a program may set; selectors and privileged flags stay. False: the return address cannot be. */
bool sigframe_load_registers(struct frame *f, const struct linux_sigcontext *from) NONNULL MUST_CHECK;

/* Puts a frame for the action on the program's stack and makes t->frame start the handler; uc_sigmask is mask. EFAULT. */
int64_t sigframe_push(struct thread *t, const struct linux_sigaction *action, const struct linux_siginfo *info, uint64_t mask) NONNULL MUST_CHECK;
/* rt_sigreturn: registers, floating point state, mask and alternate stack from the frame at rsp - 8. EFAULT, EINVAL. */
int64_t sigframe_pop(struct thread *t) NONNULL MUST_CHECK;
/* AT_MINSIGSTKSZ. */
uint64_t sigframe_bytes(uint32_t fpu_bytes);
