/* lib/sched/fixed.c - servers, drivers and real-time threads: the highest priority first, within one by turns. */
#include "lib/sched/policy.h"
#include "lib/base/bits.h"

/* Whoever was interrupted goes on with the rest of its slice. */
static void fixed_enqueue(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns UNUSED)
{
	uint32_t n = t->level = t->priority - (uint32_t)PRIORITY_SERVER;

	if (!woken && t->left_ns > 0) {
		list_push_front(&q->level[n], &t->level_link);
	} else {
		t->left_ns = SLICE_NS;
		list_push_back(&q->level[n], &t->level_link);
	}
	q->levels[n / 64] |= 1ull << n % 64;
}

static void fixed_dequeue(struct run_queue *q, struct turn *t)
{
	uint32_t n = t->level;  /* what is lent may have changed */

	list_remove(&t->level_link);
	if (list_is_empty(&q->level[n]))
		q->levels[n / 64] &= ~(1ull << n % 64);
}

static struct turn *fixed_first(struct run_queue *q, bool spent)
{
	uint64_t low = spent ? q->levels[0] & ((1ull << (PRIORITY_REALTIME - PRIORITY_SERVER)) - 1) : q->levels[0];
	uint64_t high = spent ? 0 : q->levels[1];

	if (!high && !low)
		return NULL;
	uint32_t n = high ? 64 + highest_bit(high) : highest_bit(low);
	return list_first(&q->level[n], struct turn, level_link);
}

static void fixed_charge(struct run_queue *q UNUSED, struct turn *t, uint64_t ran_ns)
{
	if (t->schedule.flags & SCHEDULE_FIFO)
		t->left_ns += (int64_t)ran_ns;  /* its slice has no end */
}

const struct policy policy_fixed = {
	.enqueue = fixed_enqueue, .dequeue = fixed_dequeue, .first = fixed_first, .charge = fixed_charge,
};
