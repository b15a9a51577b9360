/* kernel/call/dispatch.c - the way into the kernel: native operations, and all else reflected (DESIGN 6). */
#include "kernel/call/ops.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"

typedef int64_t (*op_fn)(struct request *);

static const op_fn operations[OP_LIMIT] = {
#define OP(n, NAME, name, doc) [n] = op_##name,
#include "abi/ops.def"
#include "lib/base/try.h"
};

int64_t call_execute(struct request *q)
{
	if (q->op >= OP_LIMIT || !operations[q->op]) {
		process_current()->unknown_calls++;
		return ERR_NOSYS;
	}
	return operations[q->op](q);
}

/* A foreign call goes back up, to the personality, with every other register as it was. */
static void reflect(struct regs *r)
{
	struct thread *t = thread_current();

	trace(TRACE_FOREIGN_CALL, 0, regs_call_number(r), regs_ip(r));
	if (t->upcall.syscall_entry) {
		regs_redirect(r, t->upcall.syscall_entry);
		return;
	}
	t->process->unknown_calls++;
	regs_set_result(r, ERR_NOSYS);
}

void kernel_syscall(struct regs *r)
{
	struct request q;

	if (!regs_decode_call(r, &q)) {
		reflect(r);
		return;
	}
	cpu_this()->requests++;
	trace(TRACE_CALL_BEGIN, (uint16_t)q.op, (uint64_t)q.handle, q.arg[0]);
	int64_t result = call_execute(&q);
	trace(TRACE_CALL_END, (uint16_t)q.op, (uint64_t)result, 0);
	/* EXEC has put new registers in place; what it answers then is not for them. */
	if (q.op == OP_CALL && (uint32_t)q.arg[0] == TASK_EXEC && result == OK)
		return;
	regs_set_result(r, result);
	if (q.op == OP_CALL)
		regs_set_received(r, q.handle);
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
