/* kernel/call/dispatch.c - the way into the kernel: native operations, and all else reflected (DESIGN 6). */
#include "kernel/call/ops.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sched.h"

typedef int64_t (*op_fn)(struct request *);

static const op_fn operations[OP_LIMIT] = {
#define OP(n, NAME, name, doc) [n] = op_##name,
#include "abi/ops.def"
#include "lib/base/try.h"
};

static int64_t execute(uint32_t op, struct request *q)
{
	if (UNLIKELY(op >= OP_LIMIT || !operations[op])) {
		process_current()->unknown_calls++;
		return ERR_NOSYS;
	}
	return operations[op](q);
}

int64_t call_execute(struct request *q) { return execute(q->op, q); }

/* A foreign call goes back up, to the personality, with every other register as it was. */
static void reflect(struct regs *r)
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

static int64_t execute_traced(uint32_t op, struct request *q)
{
	trace(TRACE_CALL_BEGIN, (uint16_t)op, (uint64_t)q->handle, q->arg[0]);
	int64_t result = execute(op, q);
	trace(TRACE_CALL_END, (uint16_t)op, (uint64_t)result, 0);
	return result;
}

/* CALL changes more than the result. True: it was EXEC, which has put new registers in place; what it answers is not for them. */
static bool call(struct regs *r, struct request *q)
{
	bool is_exec = (uint32_t)q->arg[0] == TASK_EXEC;
	handle_t called = q->handle;
	int64_t result = UNLIKELY(trace_is_on) ? execute_traced(OP_CALL, q) : op_call(q);

	if (is_exec && !result)
		return true;
	regs_set_received(r, q->handle);
	regs_set_result(r, result);
	q->handle = called;
	return false;
}

bool kernel_syscall(struct regs *r)
{
	struct request *q = regs_request(r);
	bool is_changed = false;
	uint32_t op;

	if (UNLIKELY(!regs_is_native_call(r, &op))) {
		reflect(r);
		is_changed = true;
	} else {
		cpu_this()->requests++;
		if (op == OP_CALL)
			is_changed = call(r, q);
		else
			regs_set_result(r, UNLIKELY(trace_is_on) ? execute_traced(op, q) : execute(op, q));
	}
	if (LIKELY(!sched_must_look()))
		return is_changed;
	kernel_exit_to_user(r);
	return true;
}

/* ---- BULK ---- */

enum { BULK_MAX = 256 };

/* tag of a linked entry: the earlier entry's index, and for LINK_ARG the argument in bits 16.. */
static err_t link_entry(struct request *q, uaddr_t array, size_t index)
{
	struct request from;
	size_t earlier = q->tag & 0xffff, argument = q->tag >> 16;

	if (!(q->flags & (REQUEST_LINK_HANDLE | REQUEST_LINK_ARG)))
		return OK;
	if (earlier >= index || argument > 5)
		return ERR_INVAL;
	TRY(copy_from_user(&from, uaddr(array.raw + earlier * sizeof(from)), sizeof(from)));
	if (q->flags & REQUEST_LINK_HANDLE)
		q->handle = from.handle != HANDLE_NONE ? from.handle : (handle_t)from.arg[0];
	if (q->flags & REQUEST_LINK_ARG)
		q->arg[argument] = from.arg[0];
	return OK;
}

int64_t op_bulk(struct request *q)
{
	uaddr_t array = uaddr(q->arg[0]);
	size_t count = q->arg[1], ran;

	if (count > BULK_MAX)
		return ERR_INVAL;
	for (ran = 0; ran < count; ran++) {
		uaddr_t at = uaddr(array.raw + ran * sizeof(struct request));
		struct request entry;
		err_t err;
		if ((err = copy_from_user(&entry, at, sizeof(entry))))
			return ran ? (int64_t)ran : err;
		int64_t result = link_entry(&entry, array, ran);
		bool is_final = entry.op == OP_BULK || (entry.op == OP_CALL && (uint32_t)entry.arg[0] == TASK_EXEC);
		if (!result)
			result = is_final ? ERR_INVAL : call_execute(&entry);
		bool go_on = entry.flags & REQUEST_GO_ON;
		entry.arg[0] = (uint64_t)result;
		entry.handle = entry.op == OP_CALL ? entry.handle : HANDLE_NONE;
		TRY(copy_to_user(at, &entry, sizeof(entry)));
		if (result < 0 && !go_on)
			return (int64_t)ran + 1;
		if (atomic_load(&thread_current()->attention) & ATTENTION_KILL)
			return ERR_INTR;
		sched_preempt();
	}
	return (int64_t)ran;
}
