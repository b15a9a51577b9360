/* kernel/call/ops.h - the functions behind abi/ops.def, one per operation.
 *
 * Each answers a result >= 0 or an err_t; CALL leaves in q->handle the handle that came back (HANDLE_NONE: none).
 */
#pragma once
#include "abi/ops.h"
#include "abi/types.h"
#include "kernel/sched/run_queue.h"

#define OP(n, NAME, name, doc) int64_t op_##name(struct request *q);
#include "abi/ops.def"

/* By number; NULL: retired. */
extern int64_t (*const operations[])(struct request *);

struct passed;
struct resource;
/* CALL of what is no user scheme's resource, or with a handle to pass; eats the reference to r. *received: the handle that came
 * back, if any did. */
int64_t call_general(struct request *q, struct resource *r, uint32_t rights, handle_t *received) NONNULL;
/* Gives the caller the handle that came with the result (eats it); the result, or why that cannot be. */
int64_t call_give_handle(struct passed *reply, int64_t result, handle_t *received) NONNULL;

/* Runs one request, however it came. NOSYS (and counted) when there is no such operation. */
int64_t call_execute(uint32_t op, struct request *q);

/* ---- From and to registers ---- */

/* CALL and REPLY_RECEIVE from user space (ipc/fast.c). As kernel_syscall. */
bool call_enter(struct regs *r) NONNULL;
bool reply_receive_enter(struct regs *r) NONNULL;
/* Something is to be looked at before the way back. True: r may have changed. */
bool call_leave(struct regs *r) NONNULL;

static ALWAYS_INLINE bool call_result(struct regs *r, int64_t result)
{
	regs_set_result(r, result);
	return UNLIKELY(sched_must_look()) ? call_leave(r) : false;
}
