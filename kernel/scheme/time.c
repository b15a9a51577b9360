/* kernel/scheme/time.c - time: timers that are handles, and the page of the clock.
 *
 * time:monotonic and time:realtime are timers (TIMER_SET; READ gives the expirations since the last READ);
 * time:page is the memory object with struct time_page.
 */
#include "abi/proto/kernel.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/counter.h"
#include "kernel/scheme/mem.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* Members: [l] the counter's lock, [I] immutable. */
struct user_timer {
	struct counter expirations;
	struct timer timer;
	struct timer_setting setting;   /* [l] */
};

static void timer_went_off(struct timer *t)
{
	struct user_timer *u = container_of(t, struct user_timer, timer);
	struct timer_setting *s = &u->setting;
	uint64_t now = clock_now_ns();

	spin_lock(&u->expirations.lock);
	if (s->next_ns && s->next_ns <= now) {
		uint64_t passed = 1 + (s->period_ns ? (now - s->next_ns) / s->period_ns : 0);

		counter_add(&u->expirations, passed);
		s->next_ns = s->period_ns ? s->next_ns + passed * s->period_ns : 0;
		if (s->next_ns)
			timer_set(t, s->next_ns);
	}
	spin_unlock(&u->expirations.lock);
}

/* From here on the callback neither runs nor sets the timer again; what was left. Whoever arms it anew is alone with it. */
static struct timer_setting disarm(struct user_timer *u)
{
	spin_lock(&u->expirations.lock);
	struct timer_setting old = u->setting;
	u->setting.next_ns = 0;
	spin_unlock(&u->expirations.lock);
	timer_cancel(&u->timer);
	return old;
}

static int64_t set(struct user_timer *u, struct call_args *a)
{
	struct spinlock *setters = &u->expirations.self->lock;
	struct timer_setting s, old;

	TRY(call_in(a, &s, sizeof(s)));
	if (s.period_ns)        /* faster would only busy the machine; slower, next_ns + it might wrap */
		s.period_ns = MIN_OF(MAX_OF(s.period_ns, 1000ull), (uint64_t)INT64_MAX);
	spin_lock(setters);
	old = disarm(u);
	spin_lock(&u->expirations.lock);
	s.clock = old.clock;
	u->setting = s;
	u->expirations.value = 0;
	if (s.next_ns)
		timer_set(&u->timer, s.next_ns);
	spin_unlock(&u->expirations.lock);
	spin_unlock(setters);
	return a->out_bytes ? call_out(a, &old, sizeof(old)) : OK;
}

static int64_t get(struct user_timer *u, struct call_args *a)
{
	spin_lock(&u->expirations.lock);
	struct timer_setting s = u->setting;
	spin_unlock(&u->expirations.lock);
	return call_out(a, &s, sizeof(s));
}

static int64_t timer_call_op(struct resource *r, struct call_args *a)
{
	struct user_timer *u = r->data;

	switch (a->code) {
	case TIMER_SET:
		return set(u, a);
	case TIMER_GET:
		return get(u, a);
	case CLOCK_SET:
		if (u->setting.clock != CLOCK_REALTIME_NS || process_current()->sender.uid != 0)
			return ERR_PERM;
		clock_set_realtime(a->word);
		return OK;
	default:
		return ERR_NOTTY;
	}
}

static void timer_destroy_op(struct resource *r) { (void)disarm(r->data); }

static const struct resource_ops timer_ops = {
	.name = "timer", .data_bytes = sizeof(struct user_timer),
	.read = counter_read, .call = timer_call_op, .ready = counter_ready, .destroy = timer_destroy_op,
};

static err_t open_timer(uint32_t clock, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	TRY(open_give(&timer_ops, NULL, a, RIGHT_READ, out));
	struct user_timer *u = out->resource->data;
	counter_init(out->resource);
	timer_init(&u->timer, timer_went_off);
	u->setting.clock = clock;
	return OK;
}

static err_t open_page(uint32_t kind UNUSED, const char *rest UNUSED, const struct open_args *a UNUSED, struct passed *out)
{
	out->rights = RIGHT_READ | RIGHT_MAP | RIGHT_DUP | RIGHT_SEND;
	return memobj_resource(clock_page(), &out->resource);
}

const struct scheme_entry time_scheme[] = {
	{ .ref = "monotonic", .open = open_timer, .kind = CLOCK_MONOTONIC_NS },
	{ .ref = "realtime", .open = open_timer, .kind = CLOCK_REALTIME_NS },
	{ .ref = "page", .open = open_page },
	{0},
};
