/* kernel/scheme/time.c - time: timers that are handles, and the page of the clock.
 *
 * time:monotonic and time:realtime are timers (TIMER_SET; READ gives the expirations since the last READ);
 * time:page is the memory object with struct time_page.
 */
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/mem.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* Members: [l] lock, [I] immutable. setting: the timer itself is being set or cancelled, lock dropped. */
struct user_timer {
	struct spinlock lock;           /* RANK_PIPE */
	struct resource *self;          /* [I] borrowed */
	struct timer timer;
	bool realtime;                  /* [I] */
	bool setting;                   /* [l] */
	uint64_t next_ns, period_ns;    /* [l] next_ns 0: disarmed; monotonic */
	uint64_t expirations;           /* [l] */
	struct list_node waiters;       /* [l] */
};

static void timer_went_off(struct timer *t)
{
	struct user_timer *u = container_of(t, struct user_timer, timer);
	uint64_t next = 0;

	spin_lock(&u->lock);
	if (u->next_ns && !u->setting) {
		uint64_t now = clock_now_ns();
		uint64_t missed = u->period_ns ? (now - u->next_ns) / u->period_ns : 0;
		u->expirations += 1 + missed;
		u->next_ns = u->period_ns ? u->next_ns + (1 + missed) * u->period_ns : 0;
		next = u->next_ns;
		wait_wake_all(&u->waiters);
		resource_notify(u->self, READY_READ);
	}
	if (next)
		timer_set(t, next);
	spin_unlock(&u->lock);
}

static struct timer_setting left(const struct user_timer *u) REQUIRES(&u->lock)
{
	uint64_t now = clock_now_ns();
	struct timer_setting s = { .period_ns = u->period_ns };
	if (u->next_ns)
		s.first_ns = u->next_ns > now ? u->next_ns - now : 1;
	return s;
}

static uint64_t monotonic_of(const struct user_timer *u, uint64_t first_ns, uint32_t flags)
{
	uint64_t now = clock_now_ns();

	if (!first_ns)
		return 0;
	if (!(flags & TIMER_ABSOLUTE))
		return first_ns > UINT64_MAX - now ? UINT64_MAX - 1 : now + first_ns;
	if (!u->realtime)
		return first_ns;
	uint64_t offset = clock_realtime_offset_ns();
	return first_ns > offset ? first_ns - offset : 1;
}

static err_t begin_setting(struct user_timer *u)
{
	spin_lock(&u->lock);
	bool busy = u->setting;
	u->setting = true;
	spin_unlock(&u->lock);
	if (!busy)
		timer_cancel(&u->timer);
	return busy ? ERR_BUSY : OK;
}

static int64_t set(struct user_timer *u, struct call_args *a)
{
	struct timer_setting s, old;

	TRY(call_in(a, &s, sizeof(s)));
	if (s.period_ns && s.period_ns < 1000)
		s.period_ns = 1000;     /* faster would only busy the machine */
	TRY(begin_setting(u));
	spin_lock(&u->lock);
	old = left(u);
	u->next_ns = monotonic_of(u, s.first_ns, (uint32_t)a->word);
	u->period_ns = s.first_ns ? s.period_ns : 0;
	u->expirations = 0;
	u->setting = false;
	if (u->next_ns)
		timer_set(&u->timer, u->next_ns);
	spin_unlock(&u->lock);
	return a->out_bytes ? call_out(a, &old, sizeof(old)) : OK;
}

static int64_t get(struct user_timer *u, struct call_args *a)
{
	spin_lock(&u->lock);
	struct timer_setting s = left(u);
	spin_unlock(&u->lock);
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
		if (!u->realtime || process_current()->sender.uid != 0)
			return ERR_PERM;
		clock_set_realtime(a->word);
		return OK;
	default:
		return ERR_NOTTY;
	}
}

static int64_t timer_read_op(struct resource *r, struct transfer *t)
{
	struct user_timer *u = r->data;
	uint64_t count;
	err_t err = OK;

	if (t->bytes < sizeof(count))
		return ERR_INVAL;
	spin_lock(&u->lock);
	while (!(count = u->expirations) && !err)
		err = wait_on(&u->waiters, &u->lock, t->open_flags, t->request_flags);
	u->expirations = 0;
	spin_unlock(&u->lock);
	if (!count)
		return err;
	err = copy_to_user(t->buffer, &count, sizeof(count));
	return err ? err : (int64_t)sizeof(count);
}

static uint32_t timer_ready_op(struct resource *r)
{
	struct user_timer *u = r->data;
	spin_lock(&u->lock);
	bool ready = u->expirations != 0;
	spin_unlock(&u->lock);
	return ready ? READY_READ : 0;
}

static void timer_destroy_op(struct resource *r)
{
	struct user_timer *u = r->data;
	spin_lock(&u->lock);
	u->setting = true;      /* the callback arms it no more */
	spin_unlock(&u->lock);
	timer_cancel(&u->timer);
	heap_delete(u);
}

static const struct resource_ops timer_ops = {
	.name = "timer", .read = timer_read_op, .call = timer_call_op, .ready = timer_ready_op, .destroy = timer_destroy_op,
};

static err_t open_timer(bool realtime, const struct open_args *a, struct passed *out)
{
	struct user_timer *u = heap_new(struct user_timer);
	err_t err;

	if (!u)
		return ERR_NOMEM;
	spin_init(&u->lock, RANK_PIPE);
	timer_init(&u->timer, timer_went_off);
	list_init(&u->waiters);
	u->realtime = realtime;
	if ((err = open_give(&timer_ops, u, a, RIGHT_READ, out))) {
		heap_delete(u);
		return err;
	}
	u->self = out->resource;
	return OK;
}

static err_t open_monotonic(const char *rest UNUSED, const struct open_args *a, struct passed *out) { return open_timer(false, a, out); }

static err_t open_realtime(const char *rest UNUSED, const struct open_args *a, struct passed *out) { return open_timer(true, a, out); }

static err_t open_page(const char *rest UNUSED, const struct open_args *a UNUSED, struct passed *out)
{
	out->rights = RIGHT_READ | RIGHT_MAP | RIGHT_DUP | RIGHT_SEND;
	return memobj_resource(clock_page(), &out->resource);
}

const struct scheme_entry time_scheme[] = {
	{ .ref = "monotonic", .open = open_monotonic },
	{ .ref = "realtime", .open = open_realtime },
	{ .ref = "page", .open = open_page },
	{0},
};
