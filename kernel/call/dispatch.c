/* kernel/call/dispatch.c - the way into the kernel: native operations, and all else reflected (DESIGN 6). */
#include "kernel/call/ops.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/process.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sched.h"

int64_t (*const operations[])(struct request *) = {
#define OP(n, NAME, name, doc) [n] = op_##name,
#include "abi/ops.def"
};

int64_t call_execute(uint32_t op, struct request *q)
{
	if (UNLIKELY(op >= sizeof(operations) / sizeof(operations[0]) || !operations[op])) {
		process_current()->unknown_calls++;
		return ERR_NOSYS;
	}
	return operations[op](q);
}

/* A foreign call goes back up, to the personality, with every other register as it was. */
static ALWAYS_INLINE void reflect(struct regs *r)
{
	struct thread *t = thread_current();

	trace(TRACE_FOREIGN_CALL, 0, regs_call_number(r), regs_ip(r));
	if (LIKELY(t->upcall.syscall_entry)) {
		regs_redirect(r, t->upcall.syscall_entry);
		return;
	}
	t->process->unknown_calls++;
	regs_set_result(r, ERR_NOSYS);
}

NOINLINE static int64_t execute_traced(uint32_t op, struct request *q)
{
	trace(TRACE_CALL_BEGIN, (uint16_t)op, (uint64_t)q->handle, q->arg[0]);
	int64_t result = call_execute(op, q);
	trace(TRACE_CALL_END, (uint16_t)op, (uint64_t)result, 0);
	return result;
}

bool call_leave(struct regs *r)
{
	kernel_exit_to_user(r);
	return true;
}

bool kernel_syscall(struct regs *r)
{
	uint32_t op;

	if (UNLIKELY(!regs_is_native_call(r, &op))) {
		reflect(r);
		return UNLIKELY(sched_must_look()) ? call_leave(r) : true;
	}
	cpu_this()->requests++;
	struct request *q = regs_request(r);
	return call_result(r, UNLIKELY(trace_is_on) ? execute_traced(op, q) : call_execute(op, q));
}
