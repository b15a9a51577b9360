/* kernel/call/ops_thread.c - operations on the calling thread: end, sleep, notices, upcalls. */
#include "kernel/call/ops.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/wait.h"
#include "lib/base/try.h"

int64_t op_exit(struct request *q)
{
	process_end(process_current(), TASK_EXITED, q->arg[0]);
	thread_finish();
}

int64_t op_thread_exit(struct request *q)
{
	uaddr_t clear = uaddr(q->arg[0]);
	uint32_t zero = 0;

	/* A bad address is the program's own affair: whoever joins will see no change. */
	if (clear.raw && copy_to_user(clear, &zero, sizeof(zero)) == OK && q->arg[1])
		futex_wake(clear, 1, UINT32_MAX);
	thread_finish();
}

int64_t op_yield(struct request *q UNUSED)
{
	sched_give_way();
	return 0;
}

int64_t op_clock(struct request *q)
{
	struct thread *t = thread_current();
	struct process *p = t->process;
	uint64_t ns;

	switch (q->arg[0]) {
	case CLOCK_REALTIME_NS:
		return (int64_t)clock_realtime_ns();
	case CLOCK_MONOTONIC_NS:
		return (int64_t)clock_now_ns();
	case CLOCK_THREAD_NS:
		sched_charge();
		return (int64_t)(t->user_ns + t->system_ns);
	case CLOCK_PROCESS_NS:
		sched_charge();
		spin_lock(&p->lock);
		ns = p->user_ns + p->system_ns;
		list_each(t, &p->threads, process_link)
			ns += t->user_ns + t->system_ns;
		spin_unlock(&p->lock);
		return (int64_t)ns;
	default:
		return ERR_INVAL;
	}
}

int64_t op_sleep(struct request *q)
{
	uint32_t park_flags = park_flags_of(q->flags);
	err_t err;

	do
		err = thread_park(q->arg[0], park_flags);
	while (!err);           /* woken for nothing */
	return err == ERR_TIMEDOUT ? OK : err;
}

int64_t op_futex_wait(struct request *q)
{
	return futex_wait(uaddr(q->arg[0]), (uint32_t)q->arg[1], (uint32_t)(q->arg[1] >> 32), q->arg[2],
	                  q->flags & REQUEST_INTERRUPTIBLE);
}

int64_t op_futex_wake(struct request *q) { return futex_wake(uaddr(q->arg[0]), q->arg[1], (uint32_t)q->arg[2]); }

int64_t op_futex_requeue(struct request *q)
{
	return futex_requeue(uaddr(q->arg[0]), q->arg[1], q->arg[2], uaddr(q->arg[3]), q->arg[4]);
}

int64_t op_notice_mask(struct request *q)
{
	uint64_t out[2];

	out[1] = process_set_notice_mask(q->arg[0], &out[0]);
	return q->arg[1] ? copy_to_user(uaddr(q->arg[1]), out, sizeof(out)) : OK;
}

int64_t op_notice_take(struct request *q)
{
	uint64_t set = q->arg[0], deadline_ns = q->arg[1];
	err_t err = deadline_ns == DEADLINE_NOW ? ERR_TIMEDOUT : OK;
	uint32_t notice;

	while (!(notice = process_take_notice(set)) && !err)
		err = thread_park(deadline_ns, PARK_INTERRUPTIBLE);
	if (notice)
		return notice;
	process_take_notice(0);         /* it is not wanted any more */
	return err == ERR_TIMEDOUT ? ERR_AGAIN : err;
}

int64_t op_upcall(struct request *q)
{
	struct upcall_setup setup;

	TRY(copy_from_user(&setup, uaddr(q->arg[0]), sizeof(setup)));
	if (setup.syscall_entry >= USER_MAX || setup.event_entry >= USER_MAX || setup.image_end < setup.image_start ||
	    !user_range_is_valid(setup.frame, sizeof(struct upcall_frame)) ||
	    !user_range_is_valid(setup.notice_flag, sizeof(uint64_t)))
		return ERR_INVAL;
	thread_current()->upcall = setup;
	return OK;
}
