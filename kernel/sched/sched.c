/* kernel/sched/sched.c - finding threads a CPU, stealing them, and the switch itself.
 *
 * A thread's lock is held from the moment its state says that it leaves the CPU until the next
 * thread is on its own stack: whoever takes the lock afterwards finds it fully switched out. One that goes on
 * waiting is put into its own CPU's queue before; thieves pass it over until on_cpu says that it is off its stack.
 */
#include "kernel/sched/sched.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/switch.h"
#include "kernel/sched/timer.h"
#include "lib/base/bits.h"

/* So long a thread runs before an equal interrupts it: who wakes a server, and is about to wait for it, is let do so. */
#define RUN_MIN_NS      500000

/* CPUs that look for work or halt. Who gives one something takes its bit first, so that two do not choose the same. */
static _Atomic uint64_t idle_cpus;

/* ---- Placing ---- */

static struct cpu *take_idle(const struct thread *t)
{
	uint64_t allowed = t->home ? bit_of(t->home) : t->turn.schedule.affinity, last = t->cpu ? bit_of(t->cpu) : 0, idle;

	while ((idle = atomic_load(&idle_cpus) & allowed)) {
		uint64_t bit = idle & last ? last : idle & -idle;
		if (atomic_fetch_and(&idle_cpus, ~bit) & bit)
			return cpus[lowest_bit(bit)];
	}
	return NULL;
}

/* An idle CPU, best where it ran last; else the shortest queue, in doubt where it ran last. */
static struct cpu *place(const struct thread *t)
{
	struct cpu *best = take_idle(t);

	if (best)
		return best;
	if (t->cpu && sched_may_run_on(t, t->cpu))
		best = t->cpu;
	for (uint32_t i = 0; i < cpu_count && !(best && best->run_queue->count == 0); i++)
		if (sched_may_run_on(t, cpus[i]) && (!best || cpus[i]->run_queue->count < best->run_queue->count))
			best = cpus[i];
	return best ? best : cpu_this();
}

/* When this CPU's queue must be looked at again, as far as the current thread was charged. */
static uint64_t look_ns(const struct cpu *c) REQUIRES(&c->run_lock)
{
	const struct thread *t = c->current;

	return t == c->idle ? UINT64_MAX : run_queue_look_ns(c->run_queue, &t->turn, t->ran_since_ns);
}

/* Must c, whose queue t was put into, leave what it does? Who runs on another CPU may just end: only his priority is looked at; garbage means an
 * interrupt for nothing. */
static bool is_urgent(const struct cpu *c, const struct thread *t)
{
	const struct thread *current = c->current;

	if (current == c->idle)
		return true;
	if (c == cpu_this())
		return (thread_priority(t) > PRIORITY_NORMAL || clock_now_ns() - current->ran_since_ns >= RUN_MIN_NS) &&
		       turn_interrupts(&t->turn, &current->turn);
	return t->home || thread_priority(t) > MAX_OF(thread_priority(current), PRIORITY_NORMAL) ||
	       (thread_priority(current) <= PRIORITY_NORMAL && fair_is_behind(c->run_queue, &t->turn));
}

void sched_make_ready(struct thread *t)
{
	struct cpu *c = place(t);
	struct run_queue *q = c->run_queue;
	uint64_t now = t->home ? clock_now_ns() : 0;

	t->state = THREAD_READY;
	spin_lock(&c->run_lock);
	t->cpu = c;
	run_queue_add(q, &t->turn, true, now);
	bool urgent = is_urgent(c, t);
	bool is_first = q->count == 1;
	if (is_first && !urgent && c == cpu_this())
		timer_rearm(look_ns(c));
	spin_unlock(&c->run_lock);
	trace(TRACE_WAKE, 0, t->tid, c->index);
	if (urgent && atomic_exchange(&c->need_resched, true))
		return;                 /* it has been told */
	if (c != cpu_this() && (urgent || is_first))
		arch_kick(c->index);
}

/* ---- Picking ---- */

/* What the queue gave, which is locked: c's from now on. */
static struct thread *take(struct cpu *c, struct turn *turn)
{
	struct thread *t = container_of(turn, struct thread, turn);

	t->state = THREAD_RUNNING;
	t->cpu = c;
	atomic_store(&t->on_cpu, true);
	return t;
}

static struct thread *steal_from(struct cpu *victim, struct cpu *c)
{
	struct thread *t, *found = NULL;

	spin_lock(&victim->run_lock);
	list_each(t, &victim->run_queue->ready, turn.ready_link)
		if (!found && !atomic_load(&t->on_cpu) && sched_may_run_on(t, c))
			found = t;
	if (found) {
		run_queue_remove(victim->run_queue, &found->turn);
		take(c, &found->turn);
	}
	spin_unlock(&victim->run_lock);
	return found;
}

static struct thread *steal(struct cpu *c)
{
	struct thread *t = NULL;

	for (uint32_t i = 1; i < cpu_count && !t; i++) {
		struct cpu *victim = cpus[(c->index + i) % cpu_count];
		if (victim->online && victim->run_queue->count)
			t = steal_from(victim, c);
	}
	return t;
}

static void charge(struct cpu *c, struct thread *t, uint64_t now) REQUIRES(&c->run_lock)
{
	uint64_t ran = now - t->ran_since_ns;

	t->ran_since_ns = now;
	c->charged_ns = now;
	if (t == c->idle) {
		c->idle_ns += ran;
		return;
	}
	c->busy_ns += ran;
	t->user_ns += ran;      /* entry code moves the kernel's share to system_ns when asked to trace it */
	run_queue_charge(c->run_queue, &t->turn, ran, now);
}

void sched_charge(void)
{
	struct cpu *c = cpu_this();

	spin_lock(&c->run_lock);
	charge(c, c->current, clock_now_ns());
	spin_unlock(&c->run_lock);
}

uint64_t sched_uncharged_ns(const struct thread *t, uint64_t now_ns)
{
	uint64_t since = t->ran_since_ns;

	return atomic_load(&t->on_cpu) && now_ns > since ? now_ns - since : 0;
}

/* Is there a CPU where t, which goes on waiting here, would have fewer beside it, also when it is there? */
static bool is_better_off(const struct thread *t, const struct cpu *c) REQUIRES(&c->run_lock)
{
	for (uint32_t i = 0; i < cpu_count && c->run_queue->count > 1; i++) {
		const struct cpu *other = cpus[i];
		if (sched_may_run_on(t, other) && other->run_queue->count + (other->current != other->idle) < c->run_queue->count)
			return t->turn.policy == &policy_fair;
	}
	return false;
}

/* ---- Switching ---- */

/* Who goes on after the current thread, which is charged and, if it goes on waiting, queued. */
static struct thread *next_thread(struct cpu *c, struct thread *to)
{
	struct run_queue *q = c->run_queue;
	struct thread *prev = c->current;
	uint64_t now = clock_now_ns();
	bool stays = prev->state == THREAD_READY && sched_may_run_on(prev, c);
	struct turn *turn;

	spin_lock(&c->run_lock);
	charge(c, prev, now);
	stays = stays && !is_better_off(prev, c);
	if (to && stays)
		run_queue_add(q, &prev->turn, false, now);
	else if (!to && (turn = run_queue_next(q, stays ? &prev->turn : NULL, now)))
		to = take(c, turn);
	run_queue_runs(q, to ? &to->turn : NULL);
	if (to)
		timer_rearm(run_queue_look_ns(q, &to->turn, now));
	spin_unlock(&c->run_lock);
	if (!to && !(to = steal(c)))
		to = c->idle;
	to->ran_since_ns = now;
	return to;
}

void sched_switch(struct thread *to)
{
	struct cpu *c = cpu_this();
	struct thread *prev = c->current;

	atomic_store(&c->need_resched, false);
	to = next_thread(c, to);
	if (to == prev) {
		spin_unlock(&prev->lock);
		return;
	}
	sched_switch_stacks(c, prev, to, false, false);
}

void sched_finish_rare(struct thread *prev, enum thread_state state)
{
	bool may_not_stay = state == THREAD_READY && !prev->turn.queue;
	struct cpu *idle;

	atomic_store(&prev->on_cpu, false);
	if (may_not_stay)
		sched_make_ready(prev);
	else if (state == THREAD_READY && (idle = take_idle(prev)))
		arch_kick(idle->index);         /* it may have passed prev over while prev was on our stack */
	spin_unlock(&prev->lock);
	if (state == THREAD_DEAD)
		thread_put(prev);
}

static void wait_for_turn(struct thread *t)
{
	spin_lock(&t->lock);
	t->state = THREAD_READY;
	sched_switch(NULL);
}

void sched_give_way(void)
{
	thread_current()->turn.left_ns = 0;     /* to the back of its level; a deadline thread's period is over */
	thread_current()->turn.gives_way = true;
	wait_for_turn(thread_current());
}

static void preempt(void)
{
	if (atomic_load(&cpu_this()->need_resched) && cpu_this()->current != cpu_this()->idle)
		wait_for_turn(thread_current());
}

void sched_preempt(void)
{
	struct cpu *c = cpu_this();

	if (LIKELY(!atomic_load(&c->need_resched)))
		return;
	uint64_t wait_ns = deadline_wait_ns(&c->current->turn);
	if (wait_ns && thread_park(wait_ns, 0) == ERR_INTR)
		return;
	preempt();
}

void preempt_point(void)
{
	arch_interrupts_window();
	preempt();
}

err_t preempt_copy(void)
{
	preempt_point();
	return atomic_load(&thread_current()->attention) & ATTENTION_KILL ? ERR_INTR : OK;
}

void sched_tick(void)
{
	struct cpu *c = cpu_this();
	uint64_t now = clock_now_ns(), look;

	spin_lock(&c->run_lock);
	charge(c, c->current, now);
	look = look_ns(c);
	spin_unlock(&c->run_lock);
	if (look <= now)
		atomic_store(&c->need_resched, true);
	else
		timer_rearm(look);
}

void sched_run_idle(void)
{
	struct cpu *c = cpu_this();

	for (;;) {
		/* Said before the last look: who queues something after that look sees it. */
		atomic_fetch_or(&idle_cpus, bit_of(c));
		struct thread *stolen = c->run_queue->count ? NULL : steal(c);
		if (!stolen && !c->run_queue->count && !atomic_load(&c->need_resched))
			arch_idle();
		atomic_fetch_and(&idle_cpus, ~bit_of(c));
		if (stolen || c->run_queue->count || atomic_load(&c->need_resched)) {
			spin_lock(&c->idle->lock);
			sched_switch(stolen);
		}
	}
}

err_t sched_init_cpu(struct cpu *c)
{
	struct run_queue *q = heap_new(struct run_queue);
	err_t err;

	if (!q)
		return ERR_NOMEM;
	run_queue_init(q, c->index);
	spin_init(&c->run_lock, RANK_RUN_QUEUE);
	if ((err = timer_init_cpu(c)))
		goto free_queue;
	if ((err = thread_create_kernel(&c->idle)))
		goto free_queue;
	c->idle->state = THREAD_RUNNING;
	c->idle->on_cpu = true;
	c->idle->cpu = c;
	c->idle->ran_since_ns = c->charged_ns = clock_now_ns();
	c->run_queue = q;
	c->current = c->idle;
	return OK;

free_queue:
	heap_delete(q);
	return err;
}

/* ---- Changes of what orders a thread ---- */

/* Takes t off its queue, if it is on one (a thief may be faster), and locks that of where it is. NULL: it never ran. */
static struct cpu *lock_turn(struct thread *t, bool *queued) REQUIRES(&t->lock)
{
	struct cpu *c;

	*queued = false;
	while ((c = t->cpu)) {
		spin_lock(&c->run_lock);
		if (c == t->cpu) {
			if ((*queued = t->turn.queue))
				run_queue_remove(c->run_queue, &t->turn);
			return c;
		}
		spin_unlock(&c->run_lock);
	}
	return NULL;
}

/* Unlocks t too. look: perhaps another goes before it now, or it must go elsewhere. */
static void unlock_turn(struct thread *t, struct cpu *c, bool queued, bool look) REQUIRES(&t->lock)
{
	if (c)
		spin_unlock(&c->run_lock);
	if (queued)
		sched_make_ready(t);
	else if (look && t->state == THREAD_RUNNING && !atomic_exchange(&c->need_resched, true) && c != cpu_this())
		arch_kick(c->index);
	spin_unlock(&t->lock);
}

void sched_leave_home(struct thread *t)
{
	if (!t->home)
		return;
	spin_lock(&t->home->run_lock);
	deadline_leave(t->home->run_queue, &t->turn.schedule);
	spin_unlock(&t->home->run_lock);
	t->home = NULL;
}

/* A CPU with room for a deadline thread, which has it from now on; best where it is already. */
static struct cpu *find_home(struct thread *t, const struct task_schedule *s) REQUIRES(&t->lock)
{
	uint32_t first = t->cpu ? t->cpu->index : 0;

	for (uint32_t i = 0; i < cpu_count; i++) {
		struct cpu *c = cpus[(first + i) % cpu_count];
		if (!c->online || !(s->affinity & bit_of(c)))
			continue;
		spin_lock(&c->run_lock);
		bool fits = deadline_admit(c->run_queue, c == t->home ? &t->turn.schedule : NULL, s);
		spin_unlock(&c->run_lock);
		if (fits)
			return c;
	}
	return NULL;
}

err_t sched_set(struct thread *t, const struct task_schedule *s)
{
	struct cpu *home = NULL;
	bool queued;

	spin_lock(&t->lock);
	if (s->priority == PRIORITY_DEADLINE && !(home = find_home(t, s))) {
		spin_unlock(&t->lock);
		return ERR_BUSY;
	}
	if (home != t->home)
		sched_leave_home(t);
	t->home = home;
	t->claimed_on = home ? 0 : s->affinity;
	struct cpu *c = lock_turn(t, &queued);
	turn_set(&t->turn, s);
	unlock_turn(t, c, queued, true);
	return OK;
}

void sched_lend(struct thread *t, uint8_t priority)
{
	t->turn.lent = priority;
	if (t->state == THREAD_PARKED)  /* else when it is queued next */
		turn_settle(&t->turn);
}

void thread_inherit(struct thread *t, uint8_t priority)
{
	bool queued;

	spin_lock(&t->lock);
	struct cpu *c = lock_turn(t, &queued);
	t->turn.lent = priority;
	turn_settle(&t->turn);
	unlock_turn(t, c, queued, c && run_queue_has_above(c->run_queue, thread_priority(t)));
}

void sched_set_account(struct thread *t, struct account *a)
{
	struct account *before = t->shares;
	bool queued;

	spin_lock(&t->lock);
	struct cpu *c = lock_turn(t, &queued);
	t->shares = account_get(a);
	t->turn.account = account_fair(a);
	t->turn.group = NULL;
	unlock_turn(t, c, queued, false);
	account_put(before);
}

uint32_t sched_count_running(void)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i]->online)
			count += cpus[i]->run_queue->count + (cpus[i]->current != cpus[i]->idle);
	return count;
}
