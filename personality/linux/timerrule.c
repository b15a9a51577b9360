/* personality/linux/timerrule.c - the pure half of timers: what is left, and periods that passed. */
#include "lib/base/string.h"
#include "personality/linux/timer.h"

uint64_t timer_left(const struct timer *t, uint64_t now_ns)
{
	if (t->due_ns == 0)
		return 0;
	/* An armed timer never says zero. */
	return t->due_ns > now_ns ? t->due_ns - now_ns : 1;
}

uint64_t timer_advance(struct timer *t, uint64_t now_ns)
{
	if (t->due_ns == 0 || t->due_ns > now_ns)
		return 0;
	if (t->period_ns == 0) {
		t->due_ns = 0;
		return 1;
	}
	uint64_t periods = (now_ns - t->due_ns) / t->period_ns + 1;
	t->due_ns += periods * t->period_ns;
	return periods;
}

void timer_clear(struct timer_state *s)
{
	if (!s->is_used)
		return;
	memset(s->timer, 0, TIMER_COUNT * sizeof(*s->timer));
	*s = (struct timer_state){ .timer = s->timer };
}
