/* personality/linux/call.h - the table of system calls and what their handlers use.
 *
 * int64_t linux_NAME(struct thread *t, const uint64_t *a): a are the six arguments; the result or -errno.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/error.h"
#include "personality/linux/abi.h"
#include "personality/linux/native.h"
#include "personality/linux/process.h"
#include "personality/linux/thread.h"
#include "personality/linux/timeconvert.h"
#include "personality/linux/user.h"

typedef int64_t call_handler(struct thread *t, const uint64_t *a);

#define CALL(number, name, kinds) call_handler linux_##name;
#define NONE(number, name, kinds)
#include "personality/linux/calls.def"
#undef CALL
#undef NONE

struct call_entry {
	call_handler *handler;          /* NULL: not there */
	const char *name;               /* NULL: no such number */
	const char *kinds;
};
/* By number, LINUX_CALL_COUNT of them. */
extern HIDDEN const struct call_entry call_table[LINUX_CALL_COUNT];

/* From entry.S: runs the call in t->frame; the result is in frame.rax. True: every register must be loaded. */
bool call_dispatch(struct thread *t) NONNULL;
/* From entry.S: the thread is about to go back to the program and has notices. */
void call_leave(struct thread *t) NONNULL;

/* What an interruptible native request answered, as a call's result: ERR_INTR becomes ERESTARTSYS. */
static inline int64_t call_interrupted(int64_t result)
{
	return result == ERR_INTR ? -LINUX_ERESTARTSYS : result;
}
/* The absolute monotonic deadline of a relative timeout: when the call is repeated, the first run's. */
uint64_t call_deadline(struct thread *t, uint64_t timeout_ns) NONNULL;
/* A user's timespec as nanoseconds: EFAULT, EINVAL. pointer 0: DEADLINE_NONE. */
int64_t call_timeout(uint64_t pointer, uint64_t *out_ns) NONNULL MUST_CHECK;
/* Like call_timeout and call_deadline in one, for poll-like calls. */
int64_t call_deadline_of(struct thread *t, uint64_t timespec, uint64_t *out_deadline_ns) NONNULL MUST_CHECK;
/* Sets the mask for the length of one call (ppoll, sigsuspend): the exit path puts the old one back, after
 * a handler that ran meanwhile. mask_pointer 0: nothing. bytes must be 8: EINVAL. */
int64_t call_mask_swap(struct thread *t, uint64_t mask_pointer, uint64_t bytes) NONNULL MUST_CHECK;
