/* kernel/sched/sched.c - picking, placing and stealing threads; the switch itself.
 *
 * A thread's lock is held from the moment its state says that it leaves the CPU until the next
 * thread is on its own stack: whoever takes the lock afterwards finds it fully switched out.
 */
#include "kernel/sched/sched.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/switch.h"
#include "kernel/sched/timer.h"

/* A full turn of a thread with nice 0. Short enough that a shell beside hogs feels alive. */
enum { SLICE_NS = 4000000 };

static int64_t slice_of(const struct thread *t)
{
	/* Each nice level is worth about 10 %, as in POSIX tradition: 2^(-nice/8) in eighths. */
	static const uint8_t fraction[8] = { 128, 117, 108, 99, 91, 83, 76, 70 };
	int level = t->nice + 24;               /* 4 .. 43 */
	int64_t slice = (int64_t)SLICE_NS * 8 * fraction[level % 8] / 128;
	return slice >> (level / 8);            /* nice 0: level 24, shift 3 */
}

static void queue_insert(struct run_queue *q, struct thread *t, bool front) REQUIRES(&q->lock)
{
	uint8_t p = thread_priority(t);
	if (front)
		list_push_front(&q->level[p], &t->run_link);
	else
		list_push_back(&q->level[p], &t->run_link);
	q->levels |= 1u << p;
	q->count++;
}

static void queue_remove(struct run_queue *q, struct thread *t) REQUIRES(&q->lock)
{
	list_remove(&t->run_link);
	for (uint32_t p = 0; p < PRIORITY_COUNT; p++)
		if (list_is_empty(&q->level[p]))
			q->levels &= ~(1u << p);
	q->count--;
}

static bool is_idle(const struct cpu *c) { return c->current == c->idle; }

static bool may_run_on(const struct thread *t, const struct cpu *c)
{
	return t->affinity >> c->index & 1 && c->online;
}

/* Where it ran last if that is free, else any free CPU, else where it ran last. */
static struct cpu *place(struct thread *t)
{
	struct cpu *allowed = NULL;

	if (t->cpu && may_run_on(t, t->cpu)) {
		if (is_idle(t->cpu) && t->cpu->run_queue->count == 0)
			return t->cpu;
		allowed = t->cpu;
	}
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (!may_run_on(t, cpus[i]))
			continue;
		if (is_idle(cpus[i]) && cpus[i]->run_queue->count == 0)
			return cpus[i];
		if (!allowed)
			allowed = cpus[i];
	}
	return allowed ? allowed : cpu_this();
}

static uint64_t slice_end_of(const struct cpu *c, const struct thread *t)
{
	if (t == c->idle || c->run_queue->count == 0)
		return UINT64_MAX;
	return t->ran_since_ns + (uint64_t)(t->slice_left_ns > 0 ? t->slice_left_ns : 0);
}

static uint64_t slice_end(const struct cpu *c) { return slice_end_of(c, c->current); }

/* Tells c that its queue got t. */
static void announce(struct cpu *c, struct thread *t)
{
	bool urgent = is_idle(c) || thread_priority(t) > thread_priority(c->current);

	if (urgent)
		atomic_store(&c->need_resched, true);
	if (c == cpu_this()) {
		if (!urgent)
			timer_rearm(slice_end(c));
	} else if (urgent || c->run_queue->count == 1) {
		arch_kick(c->index);
	}
}

void sched_enqueue(struct thread *t)
{
	struct cpu *c = place(t);
	struct run_queue *q = c->run_queue;
	bool front = t->slice_left_ns > 0;

	if (!front)
		t->slice_left_ns = slice_of(t);
	t->cpu = c;
	spin_lock(&q->lock);
	queue_insert(q, t, front);
	spin_unlock(&q->lock);
}

void sched_make_ready(struct thread *t)
{
	t->state = THREAD_READY;
	sched_enqueue(t);
	struct cpu *c = t->cpu;
	trace(TRACE_WAKE, 0, t->tid, c->index);
	announce(c, t);
}

/* The first of q's threads that may run on c; one still on another CPU's stack is passed over. */
static struct thread *take(struct run_queue *q, struct cpu *c, bool stealing)
{
	struct thread *found = NULL;

	spin_lock(&q->lock);
	for (uint32_t levels = q->levels; levels && !found;) {
		uint32_t p = 31 - (uint32_t)__builtin_clz(levels);
		levels &= ~(1u << p);
		struct thread *t;
		list_each(t, &q->level[p], run_link) {
			if (t != c->current && atomic_load(&t->on_cpu))
				continue;
			if (stealing && !may_run_on(t, c))
				continue;
			found = t;
			break;
		}
	}
	if (found)
		queue_remove(q, found);
	spin_unlock(&q->lock);
	return found;
}

static struct thread *steal(struct cpu *c)
{
	for (uint32_t i = 1; i < cpu_count; i++) {
		struct cpu *victim = cpus[(c->index + i) % cpu_count];
		if (victim->online && victim->run_queue->count) {
			struct thread *t = take(victim->run_queue, c, true);
			if (t)
				return t;
		}
	}
	return NULL;
}

static struct thread *pick(struct cpu *c)
{
	struct thread *t = c->run_queue->count ? take(c->run_queue, c, false) : NULL;
	if (!t)
		t = steal(c);
	return t ? t : c->idle;
}

static void charge(struct cpu *c, struct thread *t, uint64_t now)
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
	t->slice_left_ns -= (int64_t)ran;
	if (t->account)
		account_use_cpu(t->account, ran, now);
}

void sched_charge(void)
{
	struct cpu *c = cpu_this();

	charge(c, c->current, clock_now_ns());
}

uint64_t sched_uncharged_ns(const struct thread *t, uint64_t now_ns)
{
	uint64_t since = t->ran_since_ns;

	return atomic_load(&t->on_cpu) && now_ns > since ? now_ns - since : 0;
}

void sched_switch(struct thread *to)
{
	struct cpu *c = cpu_this();
	struct thread *prev = c->current;
	uint64_t now = clock_now_ns();

	charge(c, prev, now);
	atomic_store(&c->need_resched, false);
	if (!to) {
		to = pick(c);
		if (to != prev) {
			spin_lock_nested(&to->lock);
			to->state = THREAD_RUNNING;
			to->cpu = c;
			atomic_store(&to->on_cpu, true);
			spin_unlock(&to->lock);
		}
	}
	if (to == prev) {
		prev->state = THREAD_RUNNING;
		prev->cpu = c;
		timer_rearm(slice_end(c));
		spin_unlock(&prev->lock);
		return;
	}
	to->ran_since_ns = now;
	timer_rearm(slice_end_of(c, to));
	sched_switch_stacks(c, prev, to, false);
}

void sched_finish_rare(struct thread *prev, enum thread_state state, struct cpu *elsewhere)
{
	if (state == THREAD_DEAD)
		thread_put(prev);
	else if (state == THREAD_READY && elsewhere != cpu_this())
		arch_kick(elsewhere->index);    /* it may have passed prev over while prev was on our stack */
}

void sched_give_way(void)
{
	struct thread *t = thread_current();

	spin_lock(&t->lock);
	charge(cpu_this(), t, clock_now_ns());
	t->slice_left_ns = 0;           /* to the back of its level */
	t->state = THREAD_READY;
	sched_enqueue(t);
	sched_switch(NULL);
}

void sched_preempt(void)
{
	struct cpu *c = cpu_this();
	struct thread *t = c->current;

	if (!atomic_load(&c->need_resched) || t == c->idle)
		return;
	spin_lock(&t->lock);
	charge(c, t, clock_now_ns());
	t->state = THREAD_READY;
	sched_enqueue(t);
	sched_switch(NULL);
}

void preempt_point(void)
{
	arch_interrupts_window();
	sched_preempt();
}

void sched_tick(void)
{
	struct cpu *c = cpu_this();

	if (c->current != c->idle && c->run_queue->count) {
		uint64_t end = slice_end(c);
		if (clock_now_ns() >= end || c->run_queue->levels >> (thread_priority(c->current) + 1))
			atomic_store(&c->need_resched, true);
		else
			timer_rearm(end);
	} else if (c->run_queue->count) {
		atomic_store(&c->need_resched, true);
	}
	if (c->need_resched)
		timer_rearm(UINT64_MAX);
}

void sched_run_idle(void)
{
	struct cpu *c = cpu_this();

	for (;;) {
		struct thread *idle = c->idle;
		if (c->run_queue->count || atomic_load(&c->need_resched)) {
			spin_lock(&idle->lock);
			sched_switch(NULL);
			continue;
		}
		struct thread *stolen = steal(c);
		if (stolen) {
			spin_lock(&idle->lock);
			spin_lock_nested(&stolen->lock);
			stolen->state = THREAD_RUNNING;
			stolen->cpu = c;
			atomic_store(&stolen->on_cpu, true);
			spin_unlock(&stolen->lock);
			sched_switch(stolen);
			continue;
		}
		arch_idle();
	}
}

err_t sched_init_cpu(struct cpu *c)
{
	struct run_queue *q = heap_new(struct run_queue);
	err_t err;

	if (!q)
		return ERR_NOMEM;
	spin_init(&q->lock, RANK_RUN_QUEUE);
	for (uint32_t p = 0; p < PRIORITY_COUNT; p++)
		list_init(&q->level[p]);
	if ((err = timer_init_cpu(c)))
		goto free_queue;
	if ((err = thread_create_kernel(NULL, NULL, &c->idle)))
		goto free_queue;
	c->idle->state = THREAD_RUNNING;
	c->idle->on_cpu = true;
	c->idle->cpu = c;
	c->idle->priority = 0;
	c->idle->ran_since_ns = c->charged_ns = clock_now_ns();
	c->run_queue = q;
	c->current = c->idle;
	return OK;

free_queue:
	heap_delete(q);
	return err;
}

/* Takes t off its queue while something that orders it changes. True when it was on one. */
static bool unqueue(struct thread *t) REQUIRES(&t->lock)
{
	if (t->state != THREAD_READY)
		return false;
	struct run_queue *q = t->cpu->run_queue;
	spin_lock(&q->lock);
	bool queued = !list_is_empty(&t->run_link);
	if (queued)
		queue_remove(q, t);
	spin_unlock(&q->lock);
	return queued;
}

void sched_set_priority(struct thread *t, uint8_t priority, int8_t nice)
{
	spin_lock(&t->lock);
	bool queued = unqueue(t);
	t->priority = priority;
	t->nice = nice;
	if (queued)
		sched_make_ready(t);
	spin_unlock(&t->lock);
}

void thread_inherit(struct thread *t, uint8_t priority)
{
	spin_lock(&t->lock);
	if (t->inherited != priority) {
		bool queued = unqueue(t);
		t->inherited = priority;
		if (queued)
			sched_make_ready(t);
	}
	spin_unlock(&t->lock);
}

void sched_set_affinity(struct thread *t, uint64_t mask)
{
	spin_lock(&t->lock);
	bool queued = unqueue(t);
	t->affinity = mask;
	if (queued)
		sched_make_ready(t);
	else if (t->state == THREAD_RUNNING && t->cpu && !may_run_on(t, t->cpu)) {
		atomic_store(&t->cpu->need_resched, true);
		if (t->cpu != cpu_this())
			arch_kick(t->cpu->index);
	}
	spin_unlock(&t->lock);
}

uint32_t sched_count_running(void)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i]->online)
			count += cpus[i]->run_queue->count + !is_idle(cpus[i]);
	return count;
}
