/* personality/linux/timer.c - timers that send signals, and the helper thread that waits for them. */
#include "personality/linux/timer.h"
#include "lib/base/bits.h"
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/entry.h"
#include "personality/linux/timecalls.h"

/* A CPU clock does not say when it will be due: it is looked at this often. */
enum { CPU_CLOCK_LOOK_NS = 4000000 };
static const uint32_t itimer_clock[TIMER_ITIMERS] = { CLOCK_MONOTONIC_NS, CLOCK_PROCESS_NS, CLOCK_PROCESS_NS };
static const uint8_t itimer_signal[TIMER_ITIMERS] = { LINUX_SIGALRM, LINUX_SIGVTALRM, LINUX_SIGPROF };

/* Sends what is due. Under the lock, which is dropped around the sending. The monotonic time to look again. */
static uint64_t helper_look(struct process *p)
{
	uint64_t next = DEADLINE_NONE;

	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		struct timer *timer = &p->timer.timer[i];
		if (!timer->is_used || timer->due_ns == 0)
			continue;
		uint64_t now = native_clock(timer->clock), periods = timer_advance(timer, now);
		if (periods && timer->signal) {
			struct linux_siginfo info = { .signal = (int32_t)timer->signal, .code = timer->code };
			info.timer.id = (int32_t)i;
			info.timer.value = timer->value;
			uint32_t tid = timer->tid;
			bool send = !timer->is_sent;
			uint64_t overrun = timer->overrun + (send ? periods - 1 : periods);
			timer->overrun = (uint32_t)MIN_OF(overrun, (uint64_t)INT32_MAX);
			timer->is_sent = i >= TIMER_ITIMERS;
			lock_release(&p->lock);
			if (send)
				(void)signal_send(p, tid, &info);
			lock_take(&p->lock);
		}
		if (timer->due_ns == 0)
			continue;
		uint64_t left = timer_left(timer, native_clock(timer->clock)), wall = native_clock(CLOCK_MONOTONIC_NS);
		/* The wall clock may be set meanwhile, CPU clocks stand still: they are looked at again. */
		uint64_t look = timer->clock == CLOCK_MONOTONIC_NS ? left : MIN_OF(left, timer->clock == CLOCK_REALTIME_NS ? 1000000000ull : MAX_OF(left / 2, CPU_CLOCK_LOOK_NS));
		next = MIN_OF(next, wall + look < wall ? DEADLINE_NONE : wall + look);
	}
	return next;
}

/* The helper's life; from entry.S. */
NORETURN void timer_helper(struct thread *t);
void timer_helper(struct thread *t)
{
	struct process *p = t->process;

	if (thread_set_upcall(t))
		thread_end(t, 0);
	for (;;) {
		uint32_t seen = atomic_load_explicit(&p->timer.changed, memory_order_acquire);
		lock_take(&p->lock);
		uint64_t next = helper_look(p);
		lock_release(&p->lock);
		(void)native(OP_FUTEX_WAIT, 0, HANDLE_NONE, (uint64_t)&p->timer.changed, seen, next, 0, 0, 0);
	}
}

static int64_t helper_start(struct thread *t)
{
	struct process *p = t->process;
	struct thread *helper;
	err_t err;

	if (p->timer.helper)
		return 0;
	if ((err = thread_create(p, THREAD_HELPER, &helper)))
		return err;
	struct thread_start start = {
		.ip = (uint64_t)helper_entry, .sp = helper->stack_top, .arg = { (uint64_t)helper }, .gs_base = (uint64_t)helper, .notice_mask = ~0ull,
	};
	p->timer.helper = helper;
	int64_t tid = native_call(process_self(p), TASK_THREAD, 0, &start, sizeof(start), NULL, 0, 0);
	if (tid < 0) {
		p->timer.helper = NULL;
		thread_cancel(helper);
	}
	return tid < 0 ? tid : 0;
}

/* Something changed: the helper looks anew. */
static int64_t helper_tell(struct thread *t)
{
	struct process *p = t->process;
	int64_t err = helper_start(t);

	atomic_fetch_add_explicit(&p->timer.changed, 1, memory_order_release);
	(void)native(OP_FUTEX_WAKE, 0, HANDLE_NONE, (uint64_t)&p->timer.changed, 1, 0, 0, 0, 0);
	return err;
}

static uint64_t sum_limited(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return add_overflows(a, b, &sum) ? DEADLINE_NONE - 1 : sum;
}

/* Arms or disarms timer i; the old setting comes back. first_ns is relative unless absolute. */
static int64_t timer_set(struct thread *t, unsigned i, uint64_t first_ns, uint64_t period_ns, bool is_absolute, struct timer *old)
{
	struct process *p = t->process;
	struct timer *timer = &p->timer.timer[i];

	lock_take(&p->lock);
	uint64_t now = native_clock(timer->clock);
	*old = *timer;
	old->due_ns = timer_left(timer, now);
	timer->due_ns = first_ns == 0 ? 0 : is_absolute ? first_ns : sum_limited(now, first_ns);
	timer->period_ns = period_ns;
	timer->overrun = 0;
	timer->is_sent = false;
	bool is_armed = timer->due_ns != 0;
	lock_release(&p->lock);
	return is_armed ? helper_tell(t) : 0;
}

static void itimer_prepare(struct process *p, unsigned i)
{
	p->timer.is_used = p->timer.timer[i].is_used = true;
	p->timer.timer[i].clock = itimer_clock[i];
	p->timer.timer[i].signal = itimer_signal[i];
	p->timer.timer[i].code = LINUX_SI_KERNEL;
}

void timer_restore_real(struct thread *t, uint64_t due_ns, uint64_t period_ns)
{
	struct timer old;

	if (due_ns == 0)
		return;
	itimer_prepare(t->process, LINUX_ITIMER_REAL);
	(void)timer_set(t, LINUX_ITIMER_REAL, due_ns, period_ns, true, &old);
}

int64_t linux_setitimer(struct thread *t, const uint64_t *a)
{
	struct linux_itimerval new = { 0 }, old;
	uint64_t value, interval;
	struct timer before;
	int64_t err;

	if ((uint32_t)a[0] >= TIMER_ITIMERS)
		return ERR_INVAL;
	if (a[1] && user_read(&new, a[1], sizeof(new)))
		return ERR_FAULT;
	if ((err = timeval_to_ns(&new.value, &value)) || (err = timeval_to_ns(&new.interval, &interval)))
		return err;
	itimer_prepare(t->process, (uint32_t)a[0]);
	if ((err = timer_set(t, (uint32_t)a[0], value, interval, false, &before)))
		return err;
	old = (struct linux_itimerval){ timeval_from_ns(before.period_ns), timeval_from_ns(before.due_ns) };
	return user_write_if(a[2], &old, sizeof(old));
}

static void timer_look(struct process *p, unsigned i, struct timer *out)
{
	lock_take(&p->lock);
	*out = p->timer.timer[i];
	lock_release(&p->lock);
	if (out->due_ns)
		out->due_ns = timer_left(out, native_clock(out->clock));
}

int64_t linux_getitimer(struct thread *t, const uint64_t *a)
{
	struct timer now;

	if ((uint32_t)a[0] >= TIMER_ITIMERS)
		return ERR_INVAL;
	timer_look(t->process, (uint32_t)a[0], &now);
	struct linux_itimerval value = { timeval_from_ns(now.period_ns), timeval_from_ns(now.due_ns) };
	return user_write(a[1], &value, sizeof(value));
}

int64_t linux_alarm(struct thread *t, const uint64_t *a)
{
	struct timer before;

	itimer_prepare(t->process, LINUX_ITIMER_REAL);
	int64_t err = timer_set(t, LINUX_ITIMER_REAL, (uint32_t)a[0] * 1000000000ull, 0, false, &before);
	/* Rounded, but never to nothing. */
	return err ? err : (int64_t)((before.due_ns + 999999999) / 1000000000);
}

/* ---- POSIX timers: ids are places in the table ---- */

static bool timer_is_id(struct process *p, uint64_t id)
{
	return (uint32_t)id >= TIMER_ITIMERS && (uint32_t)id < TIMER_COUNT && p->timer.timer[(uint32_t)id].is_used;
}

static int64_t timer_check_event(struct thread *t, const struct linux_sigevent *e)
{
	if (e->notify == LINUX_SIGEV_NONE)
		return 0;
	if (!signal_is_valid((uint32_t)e->signal))
		return ERR_INVAL;
	if (e->notify == LINUX_SIGEV_SIGNAL || e->notify == LINUX_SIGEV_THREAD)
		return 0;               /* (the thread is the library's, when the signal has come) */
	if (e->notify != (LINUX_SIGEV_SIGNAL | LINUX_SIGEV_THREAD_ID))
		return ERR_INVAL;
	lock_take(&t->process->lock);
	bool is_ours = thread_find(t->process, (uint32_t)e->thread) != NULL;
	lock_release(&t->process->lock);
	return is_ours ? 0 : ERR_INVAL;
}

int64_t linux_timer_create(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	struct linux_sigevent event = { .signal = LINUX_SIGALRM, .notify = LINUX_SIGEV_SIGNAL };
	enum clock_id clock;
	uint32_t id;
	int64_t err;

	if (!clock_find((uint32_t)a[0], &clock))
		return ERR_INVAL;
	if (a[1] && user_read(&event, a[1], sizeof(event)))
		return ERR_FAULT;
	if ((err = timer_check_event(t, &event)))
		return err;
	lock_take(&p->lock);
	for (id = TIMER_ITIMERS; id < TIMER_COUNT && p->timer.timer[id].is_used; id++)
		;
	p->timer.is_used = true;
	if (id < TIMER_COUNT)
		p->timer.timer[id] = (struct timer){
			.is_used = true, .clock = clock, .linux_clock = (uint32_t)a[0], .code = LINUX_SI_TIMER, .value = a[1] ? event.value : id,
			.signal = event.notify == LINUX_SIGEV_NONE ? 0 : (uint32_t)event.signal,
			.tid = event.notify & LINUX_SIGEV_THREAD_ID ? (uint32_t)event.thread : 0,
		};
	lock_release(&p->lock);
	if (id == TIMER_COUNT)
		return ERR_AGAIN;
	if (user_write(a[2], &id, sizeof(id))) {
		p->timer.timer[id].is_used = false;
		return ERR_FAULT;
	}
	return 0;
}

int64_t linux_timer_settime(struct thread *t, const uint64_t *a)
{
	struct linux_itimerspec new, old;
	uint64_t value, interval;
	struct timer before;
	int64_t err;

	if (!timer_is_id(t->process, a[0]))
		return ERR_INVAL;
	if (!a[2])
		return ERR_INVAL;
	if (user_read(&new, a[2], sizeof(new)))
		return ERR_FAULT;
	if ((err = timespec_to_ns(&new.value, &value)) || (err = timespec_to_ns(&new.interval, &interval)))
		return err;
	if ((err = timer_set(t, (uint32_t)a[0], value, interval, a[1] & LINUX_TIMER_ABSTIME, &before)))
		return err;
	old = (struct linux_itimerspec){ timespec_from_ns(before.period_ns), timespec_from_ns(before.due_ns) };
	return user_write_if(a[3], &old, sizeof(old));
}

int64_t linux_timer_gettime(struct thread *t, const uint64_t *a)
{
	struct timer now;

	if (!timer_is_id(t->process, a[0]))
		return ERR_INVAL;
	timer_look(t->process, (uint32_t)a[0], &now);
	struct linux_itimerspec value = { timespec_from_ns(now.period_ns), timespec_from_ns(now.due_ns) };
	return user_write(a[1], &value, sizeof(value));
}

int64_t linux_timer_getoverrun(struct thread *t, const uint64_t *a)
{
	if (!timer_is_id(t->process, a[0]))
		return ERR_INVAL;
	return (int32_t)t->process->timer.timer[(uint32_t)a[0]].overrun_taken;
}

int64_t linux_timer_delete(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;

	lock_take(&p->lock);
	bool is_id = timer_is_id(p, a[0]);
	if (is_id)
		p->timer.timer[(uint32_t)a[0]] = (struct timer){ 0 };
	lock_release(&p->lock);
	return is_id ? 0 : ERR_INVAL;
}

uint32_t timer_taken(struct process *p, int32_t id)
{
	lock_take(&p->lock);
	struct timer *timer = &p->timer.timer[id >= TIMER_ITIMERS && id < TIMER_COUNT ? id : TIMER_COUNT - 1];
	uint32_t overrun = timer->overrun;
	timer->is_sent = false;
	timer->overrun_taken = overrun;
	timer->overrun = 0;
	lock_release(&p->lock);
	return overrun;
}
