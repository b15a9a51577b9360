/* personality/linux/schedule.c - sched_*: Linux's policies in the kernel's terms (abi/proto/task.h). procd knows who may. */
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"

enum { CPU_MASK_BYTES = 8, PAGE_BYTES = 4096, SLICE_NS = 4000000 };

static bool is_error(int64_t result) { return result < 0 && result > -4096; }

/* Own threads are asked for without procd. */
static int64_t schedule_of(struct thread *t, int32_t pid, struct task_schedule *s)
{
	uint32_t tid = pid ? (uint32_t)pid : t->tid;
	int64_t err;

	if (pid < 0)
		return ERR_INVAL;
	err = native_call(process_self(t->process), TASK_SCHEDULE_INFO, 0, NULL, 0, s, sizeof(*s), tid);
	if (err == ERR_SRCH)
		err = native_call(process_posix(t->process), POSIX_GET_SCHEDULE, 0, NULL, 0, s, sizeof(*s), tid);
	s->tid = tid;
	return is_error(err) ? err : 0;
}

static bool is_realtime(const struct task_schedule *s) { return s->priority >= PRIORITY_REALTIME && s->priority < PRIORITY_DEADLINE; }

static uint32_t policy_of(const struct task_schedule *s)
{
	if (s->priority == PRIORITY_DEADLINE)
		return LINUX_SCHED_DEADLINE;
	if (is_realtime(s))
		return s->flags & SCHEDULE_FIFO ? LINUX_SCHED_FIFO : LINUX_SCHED_RR;
	if (s->priority == PRIORITY_IDLE)
		return LINUX_SCHED_IDLE;
	return s->flags & SCHEDULE_BATCH ? LINUX_SCHED_BATCH : LINUX_SCHED_OTHER;
}

static struct linux_sched_attr attr_of(const struct task_schedule *s)
{
	return (struct linux_sched_attr){
		.size = sizeof(struct linux_sched_attr), .policy = policy_of(s),
		.flags = s->flags & SCHEDULE_RESET_ON_FORK ? LINUX_SCHED_FLAG_RESET_ON_FORK : 0,
		.nice = s->priority < PRIORITY_REALTIME ? s->nice : 0, .priority = is_realtime(s) ? s->priority - PRIORITY_REALTIME + 1u : 0,
		.runtime = s->runtime_ns, .deadline = s->deadline_ns, .period = s->period_ns,
	};
}

/* s: what was; it keeps its thread and, where a has none, its niceness. */
static int64_t schedule_from(const struct linux_sched_attr *a, struct task_schedule *s)
{
	bool is_fixed = a->policy == LINUX_SCHED_FIFO || a->policy == LINUX_SCHED_RR;
	struct task_schedule to = { .tid = s->tid, .nice = s->nice, .priority = PRIORITY_NORMAL };

	if (is_fixed ? a->priority - 1 >= 99 : a->priority != 0)
		return ERR_INVAL;
	switch (a->policy) {
	case LINUX_SCHED_OTHER:
	case LINUX_SCHED_BATCH:
		to.nice = (int8_t)MIN_OF(MAX_OF(a->nice, -20), 19);
		if (s->priority < PRIORITY_REALTIME && s->priority > PRIORITY_NORMAL)
			to.priority = s->priority;      /* a service stays one */
		to.flags = a->policy == LINUX_SCHED_BATCH ? SCHEDULE_BATCH : 0;
		break;
	case LINUX_SCHED_IDLE:
		to.priority = PRIORITY_IDLE;
		break;
	case LINUX_SCHED_FIFO:
	case LINUX_SCHED_RR:
		to.priority = (uint8_t)(PRIORITY_REALTIME + a->priority - 1);
		to.flags = a->policy == LINUX_SCHED_FIFO ? SCHEDULE_FIFO : 0;
		break;
	case LINUX_SCHED_DEADLINE:
		to.priority = PRIORITY_DEADLINE;
		to.runtime_ns = a->runtime;
		to.deadline_ns = a->deadline;
		to.period_ns = a->period ? a->period : a->deadline;
		break;
	default:
		return ERR_INVAL;
	}
	to.flags |= a->flags & LINUX_SCHED_FLAG_RESET_ON_FORK ? SCHEDULE_RESET_ON_FORK : 0;
	*s = to;
	return 0;
}

static int64_t apply(struct thread *t, const struct linux_sched_attr *a, struct task_schedule *s)
{
	int64_t err = schedule_from(a, s);

	return err ? err : native_call(process_posix(t->process), POSIX_SET_SCHEDULE, 0, s, sizeof(*s), NULL, 0, 0);
}

int64_t linux_sched_setscheduler(struct thread *t, const uint64_t *a)
{
	uint32_t policy = (uint32_t)a[1], priority;
	struct task_schedule s;
	int64_t err;

	if ((int32_t)policy < 0 || a[2] == 0 || (int32_t)a[0] < 0)
		return ERR_INVAL;
	if ((err = user_read(&priority, a[2], sizeof(priority))) || (err = schedule_of(t, (int32_t)a[0], &s)))
		return err;
	struct linux_sched_attr attr = {
		.policy = policy & ~(uint32_t)LINUX_SCHED_RESET_ON_FORK, .priority = priority, .nice = s.nice,
		.flags = policy & LINUX_SCHED_RESET_ON_FORK ? LINUX_SCHED_FLAG_RESET_ON_FORK : 0,
	};
	return apply(t, &attr, &s);
}

int64_t linux_sched_setparam(struct thread *t, const uint64_t *a)
{
	struct task_schedule s;
	uint32_t priority;
	int64_t err;

	if (a[1] == 0 || (int32_t)a[0] < 0)
		return ERR_INVAL;
	if ((err = user_read(&priority, a[1], sizeof(priority))) || (err = schedule_of(t, (int32_t)a[0], &s)))
		return err;
	struct linux_sched_attr attr = attr_of(&s);
	attr.priority = priority;
	attr.nice = s.nice;
	attr.runtime = 0;               /* a deadline thread has no such parameter */
	return apply(t, &attr, &s);
}

/* The caller's struct may be older or younger than ours: what we do not know must be 0. */
static int64_t attr_read(uint64_t from, struct linux_sched_attr *out)
{
	const uint32_t known = sizeof(*out);
	uint32_t size;
	uint8_t more;

	if (user_read(&size, from, sizeof(size)))
		return ERR_FAULT;
	size = size ? size : LINUX_SCHED_ATTR_SIZE_0;
	bool fits = size >= LINUX_SCHED_ATTR_SIZE_0 && size <= PAGE_BYTES;
	for (uint32_t i = known; fits && i < size; i++) {
		if (user_read(&more, from + i, 1))
			return ERR_FAULT;
		fits = more == 0;
	}
	if (!fits)
		return user_write(from, &known, sizeof(known)) ? ERR_FAULT : ERR_2BIG;
	memset(out, 0, sizeof(*out));
	return user_read(out, from, MIN_OF(size, known)) ? ERR_FAULT : 0;
}

int64_t linux_sched_setattr(struct thread *t, const uint64_t *a)
{
	const uint64_t flags = LINUX_SCHED_FLAG_RESET_ON_FORK | LINUX_SCHED_FLAG_KEEP_POLICY | LINUX_SCHED_FLAG_KEEP_PARAMS;
	struct linux_sched_attr attr;
	struct task_schedule s;
	int64_t err;

	if (a[1] == 0 || (int32_t)a[0] < 0 || (uint32_t)a[2] != 0)
		return ERR_INVAL;
	if ((err = attr_read(a[1], &attr)))
		return err;
	if ((int32_t)attr.policy < 0)
		return ERR_INVAL;
	if ((err = schedule_of(t, (int32_t)a[0], &s)))
		return err;
	if (attr.flags & ~flags)
		return ERR_INVAL;
	if (attr.flags & LINUX_SCHED_FLAG_KEEP_POLICY)
		attr.policy = policy_of(&s);
	if (attr.flags & LINUX_SCHED_FLAG_KEEP_PARAMS) {
		struct linux_sched_attr old = attr_of(&s);
		old.policy = attr.policy;
		old.flags = attr.flags;
		attr = old;
	}
	return apply(t, &attr, &s);
}

int64_t linux_sched_getattr(struct thread *t, const uint64_t *a)
{
	uint32_t size = (uint32_t)a[2];
	struct task_schedule s;
	int64_t err;

	if (a[1] == 0 || (int32_t)a[0] < 0 || size < LINUX_SCHED_ATTR_SIZE_0 || size > PAGE_BYTES || (uint32_t)a[3] != 0)
		return ERR_INVAL;
	if ((err = schedule_of(t, (int32_t)a[0], &s)))
		return err;
	struct linux_sched_attr attr = attr_of(&s);
	attr.size = MIN_OF(size, (uint32_t)sizeof(attr));
	return user_write(a[1], &attr, attr.size);
}

int64_t linux_sched_getscheduler(struct thread *t, const uint64_t *a)
{
	struct task_schedule s;
	int64_t err = schedule_of(t, (int32_t)a[0], &s);

	return err ? err : (int64_t)(policy_of(&s) | (s.flags & SCHEDULE_RESET_ON_FORK ? LINUX_SCHED_RESET_ON_FORK : 0u));
}

int64_t linux_sched_getparam(struct thread *t, const uint64_t *a)
{
	struct task_schedule s;
	int64_t err = a[1] ? schedule_of(t, (int32_t)a[0], &s) : ERR_INVAL;

	if (err)
		return err;
	struct linux_sched_attr attr = attr_of(&s);
	return user_write(a[1], &attr.priority, sizeof(attr.priority));
}

static int64_t priority_bound(uint64_t policy, int64_t realtime)
{
	switch ((uint32_t)policy) {
	case LINUX_SCHED_FIFO:
	case LINUX_SCHED_RR:
		return realtime;
	case LINUX_SCHED_OTHER:
	case LINUX_SCHED_BATCH:
	case LINUX_SCHED_IDLE:
	case LINUX_SCHED_DEADLINE:
		return 0;
	default:
		return ERR_INVAL;
	}
}

int64_t linux_sched_get_priority_max(struct thread *t, const uint64_t *a)
{
	(void)t;
	return priority_bound(a[0], 99);
}

int64_t linux_sched_get_priority_min(struct thread *t, const uint64_t *a)
{
	(void)t;
	return priority_bound(a[0], 1);
}

/* 0: whoever has no turns. */
int64_t linux_sched_rr_get_interval(struct thread *t, const uint64_t *a)
{
	struct task_schedule s;
	int64_t err = schedule_of(t, (int32_t)a[0], &s);

	if (err)
		return err;
	uint32_t policy = policy_of(&s);
	struct linux_timespec slice = { 0, policy == LINUX_SCHED_FIFO || policy == LINUX_SCHED_DEADLINE ? 0 : SLICE_NS };
	return user_write(a[1], &slice, sizeof(slice));
}

/* ---- Which CPUs ---- */

int64_t linux_sched_getaffinity(struct thread *t, const uint64_t *a)
{
	uint32_t bytes = (uint32_t)a[1];
	struct task_schedule s;
	int64_t err;

	if (bytes < CPU_MASK_BYTES || bytes % sizeof(uint64_t))
		return ERR_INVAL;
	if ((err = schedule_of(t, (int32_t)a[0], &s)))
		return err == ERR_INVAL ? ERR_SRCH : err;
	return user_write(a[2], &s.affinity, CPU_MASK_BYTES) ? ERR_FAULT : CPU_MASK_BYTES;
}

int64_t linux_sched_setaffinity(struct thread *t, const uint64_t *a)
{
	struct task_schedule s;
	uint64_t mask = 0;
	int64_t err;

	if (user_read(&mask, a[2], MIN_OF((uint32_t)a[1], sizeof(mask))))
		return ERR_FAULT;
	if ((err = schedule_of(t, (int32_t)a[0], &s)))
		return err == ERR_INVAL ? ERR_SRCH : err;
	if (!mask)
		return ERR_INVAL;
	s.flags = SCHEDULE_ONLY_AFFINITY;
	s.affinity = mask;
	err = native_call(process_self(t->process), TASK_SCHEDULE, 0, &s, sizeof(s), NULL, 0, 0);
	return err == ERR_SRCH ? native_call(process_posix(t->process), POSIX_SET_SCHEDULE, 0, &s, sizeof(s), NULL, 0, 0) : err;
}
