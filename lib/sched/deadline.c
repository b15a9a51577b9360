/* lib/sched/deadline.c - earliest deadline first, each thread with a budget: so much runtime in every period.
 *
 * A constant bandwidth server per thread. One that used its runtime up sleeps until its next period (sched.c), so it can take no more than it was
 * admitted with. One that wakes goes on with what it had only if that is no more than its part of the time to its deadline; else a period begins. Admission
 * is by density (runtime / deadline), which is on the safe side when deadlines are shorter than periods.
 */
#include "lib/sched/policy.h"

static uint64_t deadline_of(const struct turn *t) { return t->period_start_ns + t->schedule.deadline_ns; }

static void begin_period(struct turn *t, uint64_t start_ns)
{
	t->period_start_ns = start_ns;
	t->left_ns = (int64_t)t->schedule.runtime_ns + (t->left_ns < 0 ? t->left_ns : 0);
	if (t->left_ns <= 0)            /* it overran by more than a whole runtime, in the kernel */
		t->left_ns = 1;
}

/* Would what is left, used before the deadline, be more than its part? */
static bool is_too_dense(const struct turn *t, uint64_t now_ns)
{
	uint64_t until = deadline_of(t) - now_ns;

	return (uint64_t)t->left_ns * t->schedule.deadline_ns > until * t->schedule.runtime_ns;
}

static void deadline_enqueue(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns)
{
	uint64_t next_ns = t->period_start_ns + t->schedule.period_ns;

	if (t->left_ns <= 0 && now_ns >= next_ns)
		begin_period(t, now_ns - next_ns < t->schedule.period_ns ? next_ns : now_ns);
	else if (woken && t->left_ns > 0 && (now_ns >= deadline_of(t) || is_too_dense(t, now_ns)))
		begin_period(t, now_ns);
	t->share.node.key = deadline_of(t);
	q->deadlines = pairing_heap_insert(q->deadlines, &t->share.node);
}

static void deadline_dequeue(struct run_queue *q, struct turn *t)
{
	q->deadlines = pairing_heap_remove(q->deadlines, &t->share.node);
}

static struct turn *deadline_first(struct run_queue *q, bool spent UNUSED)
{
	return q->deadlines ? container_of(q->deadlines, struct turn, share.node) : NULL;
}

static bool deadline_interrupts(const struct turn *t, const struct turn *current)
{
	return deadline_of(t) < deadline_of(current);
}

uint64_t deadline_wait_ns(const struct turn *t)
{
	bool is_out = t->schedule.priority == PRIORITY_DEADLINE && t->left_ns <= 0;

	return is_out ? t->period_start_ns + t->schedule.period_ns : 0;
}

static uint64_t density_of(const struct task_schedule *s) { return (s->runtime_ns << DENSITY_BITS) / s->deadline_ns; }

bool deadline_admit(struct run_queue *q, const struct task_schedule *old, const struct task_schedule *s)
{
	uint64_t density = q->density - (old ? density_of(old) : 0) + density_of(s);

	if (density > DENSITY_MAX)
		return false;
	q->density = density;
	return true;
}

void deadline_leave(struct run_queue *q, const struct task_schedule *s) { q->density -= density_of(s); }

const struct policy policy_deadline = {
	.enqueue = deadline_enqueue, .dequeue = deadline_dequeue, .first = deadline_first, .interrupts = deadline_interrupts,
};
