/* lib/sched/policy.c - a CPU's run queue: the policies, one before the other. */
#include "lib/sched/policy.h"
#include "lib/base/bits.h"

static const struct policy *const policies[] = { &policy_deadline, &policy_fixed, &policy_fair };

/* Levels below REALTIME, all in the first word. */
#define ORDINARY_LEVELS ((1ull << (PRIORITY_REALTIME - PRIORITY_SERVER)) - 1)

#define PERIOD_MAX_NS   4000000000ull

static err_t check(const struct task_schedule *s)
{
	if (s->priority >= PRIORITY_COUNT || s->nice < -20 || s->nice > 19)
		return ERR_INVAL;
	if (s->flags & ~(SCHEDULE_FIFO | SCHEDULE_BATCH | SCHEDULE_RESET_ON_FORK) || !s->affinity)
		return ERR_INVAL;
	if (s->priority != PRIORITY_DEADLINE)
		return s->runtime_ns || s->deadline_ns || s->period_ns ? ERR_INVAL : OK;
	/* Less than a microsecond could not be kept to; the products of long periods would not fit. */
	bool fits = s->runtime_ns >= 1024 && s->runtime_ns <= s->deadline_ns && s->deadline_ns <= s->period_ns &&
	            s->period_ns <= PERIOD_MAX_NS;
	return fits ? OK : ERR_INVAL;
}

struct task_schedule schedule_inherit(const struct task_schedule *s)
{
	bool resets = s->flags & SCHEDULE_RESET_ON_FORK || s->priority == PRIORITY_DEADLINE;

	return (struct task_schedule){
		.priority = resets && s->priority > PRIORITY_NORMAL ? PRIORITY_NORMAL : s->priority,
		.nice = resets && s->nice < 0 ? 0 : s->nice, .flags = resets ? 0 : s->flags,
		.affinity = s->affinity,
	};
}

err_t schedule_change(const struct task_schedule *old, uint64_t online, bool may_raise, struct task_schedule *s)
{
	uint64_t affinity = s->affinity ? s->affinity & online : old->affinity;

	if (s->flags & SCHEDULE_ONLY_AFFINITY)
		*s = *old;
	else if (!may_raise && (s->priority > old->priority || s->nice < old->nice || s->priority >= PRIORITY_SERVER))
		return ERR_ACCES;
	s->affinity = affinity;
	return check(s);
}

/* 1024 for nice 0; a quarter more for each level down. */
static uint64_t weight_of(const struct task_schedule *s)
{
	uint64_t weight = 1024 << 10;

	if (s->priority == PRIORITY_IDLE)
		return 3;
	for (int i = 0; i < s->nice; i++)
		weight = weight * 4 / 5;
	for (int i = 0; i > s->nice; i--)
		weight = weight * 5 / 4;
	return (s->priority == PRIORITY_LOW ? weight / 4 : weight) >> 10;
}

void turn_set(struct turn *t, const struct task_schedule *s)
{
	bool stays = t->schedule.priority == PRIORITY_DEADLINE && s->priority == PRIORITY_DEADLINE;

	t->schedule = *s;
	t->share.weight = weight_of(s);
	t->gives_way = false;
	t->left_ns = stays ? MIN_OF(t->left_ns, (int64_t)s->runtime_ns) : 0;
	if (!stays)
		t->period_start_ns = 0;
	turn_settle(t);
}

void run_queue_init(struct run_queue *q, uint32_t cpu)
{
	*q = (struct run_queue){ .cpu = cpu };
	list_init(&q->ready);
	for (uint32_t i = 0; i < LEVELS; i++)
		list_init(&q->level[i]);
}

void run_queue_add(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns)
{
	if (UNLIKELY(t->lent))          /* since when it was in no queue */
		turn_settle(t);
	t->queue = q;
	list_push_back(&q->ready, &t->ready_link);
	q->count++;
	q->unfair += t->policy != &policy_fair;
	t->policy->enqueue(q, t, woken, now_ns);
}

void run_queue_remove(struct run_queue *q, struct turn *t)
{
	t->policy->dequeue(q, t);
	list_remove(&t->ready_link);
	q->count--;
	q->unfair -= t->policy != &policy_fair;
	t->queue = NULL;
}

static bool is_spent(const struct run_queue *q, uint64_t now_ns)
{
	return q->realtime_ns >= REALTIME_PART_NS && now_ns < q->window_end_ns;
}

struct turn *run_queue_next(struct run_queue *q, struct turn *current, uint64_t now_ns)
{
	struct turn *t = NULL;

	if (current) {
		if (q->count == 1 && run_queue_is_fair(q) && (t = fair_swap(q, current)))
			return t;
		run_queue_add(q, current, false, now_ns);
	}
	if (q->count == 0)
		return NULL;
	if (run_queue_is_fair(q)) {
		t = q->alone ? q->alone : policy_fair.first(q, false);
		run_queue_remove(q, t);
		return t;
	}
	bool spent = is_spent(q, now_ns);
	for (size_t i = 0; i < ARRAY_COUNT(policies) && !t; i++)
		t = policies[i]->first(q, spent);
	if (!t)                         /* nobody else wants what real-time threads have had */
		t = policy_fixed.first(q, false);
	run_queue_remove(q, t);
	return t;
}

void run_queue_charge(struct run_queue *q, struct turn *t, uint64_t ran_ns, uint64_t now_ns)
{
	if (t->priority >= PRIORITY_REALTIME) {
		if (now_ns >= q->window_end_ns) {
			q->window_end_ns = now_ns + REALTIME_WINDOW_NS;
			q->realtime_ns = 0;
		}
		q->realtime_ns += ran_ns;
	}
	t->left_ns -= (int64_t)ran_ns;
	if (t->policy->charge)
		t->policy->charge(q, t, ran_ns);
}

static bool has_ordinary(const struct run_queue *q) { return q->alone || q->groups.root || q->levels[0] & ORDINARY_LEVELS; }

static bool has_realtime(const struct run_queue *q) { return q->levels[0] & ~ORDINARY_LEVELS || q->levels[1]; }

uint64_t run_queue_look_ns(const struct run_queue *q, const struct turn *t, uint64_t now_ns)
{
	uint64_t end = now_ns + (uint64_t)MAX_OF(t->left_ns, 0);

	if (LIKELY(t->policy == &policy_fair) && run_queue_is_fair(q))
		return q->count ? end : UINT64_MAX;
	if (t->policy == &policy_deadline)
		return end;
	if (q->count == 0)
		return UINT64_MAX;
	if (t->policy == &policy_fixed && t->schedule.flags & SCHEDULE_FIFO)
		end = UINT64_MAX;
	if (t->priority < PRIORITY_REALTIME)
		return has_realtime(q) ? MIN_OF(end, q->window_end_ns) : end;
	if (!has_ordinary(q))
		return end;
	return MIN_OF(end, now_ns + (is_spent(q, now_ns) ? 0 : REALTIME_PART_NS - MIN_OF(q->realtime_ns, REALTIME_PART_NS)));
}

bool run_queue_has_above(const struct run_queue *q, uint8_t priority)
{
	uint32_t above = priority < PRIORITY_SERVER ? 0 : priority - PRIORITY_SERVER + 1u;

	if (q->deadlines && priority < PRIORITY_DEADLINE)
		return true;
	return above < 64 ? q->levels[0] >> above != 0 || q->levels[1] != 0 : q->levels[1] >> (above - 64) != 0;
}

/* Among those that share fairly it is the share that counts: LOW and IDLE are small weights. */
bool turn_interrupts(const struct turn *t, const struct turn *current)
{
	uint8_t own = t->priority, its = current->priority;

	if (t->policy == &policy_fair && current->policy == &policy_fair)
		return policy_fair.interrupts(t, current);
	if (own != its || t->policy != current->policy)
		return own > its || (own == its && t->policy == &policy_deadline);
	return t->policy->interrupts && t->policy->interrupts(t, current);
}
