/* kernel/sched/thread.c - a thread's life, and park and wake. */
#include "kernel/sched/thread.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/account.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/switch.h"
#include "kernel/sched/timer.h"
#include "lib/base/try.h"

/* At the far end of every kernel stack; if it is gone the stack was too small. */
#define STACK_CANARY 0xca70de57ac4ca4a7ull

struct park_timer {
	struct timer timer;
	struct thread *thread;
};

static void user_thread_entry(void *argument)
{
	struct thread *t = argument;

	sched_finish_switch(true);
	kernel_exit_to_user(t->user_regs);
	arch_enter_user(t->user_regs);
}

static err_t thread_allocate(struct account *a, struct thread **out)
{
	struct thread *t = heap_new(struct thread);
	paddr_t stack;
	err_t err;

	if (!t)
		return ERR_NOMEM;
	if ((err = frame_alloc(KERNEL_STACK_ORDER, 0, a, &stack)))
		goto free_thread;
	object_init(&t->object);
	spin_init(&t->lock, RANK_THREAD);
	list_init(&t->process_link);
	list_init(&t->turn.ready_link);
	list_init(&t->turn.level_link);
	t->shares = account_get(a);
	t->turn.account = account_fair(a);
	turn_set(&t->turn, &(struct task_schedule){ .priority = PRIORITY_NORMAL });
	t->state = THREAD_NEW;
	t->start_ns = clock_now_ns();
	t->kernel_stack = paddr_to_kernel(stack);
	t->kernel_stack_top = (uint64_t)t->kernel_stack + KERNEL_STACK_BYTES;
	*(uint64_t *)t->kernel_stack = STACK_CANARY;
	*out = t;
	return OK;

free_thread:
	heap_delete(t);
	return err;
}

err_t thread_create(struct process *p, const struct thread_start *start, struct thread **out)
{
	struct thread *t;
	err_t err;

	struct account *account = process_account(p);
	if ((err = account_charge(account, ACCOUNT_THREADS, 1)))
		goto put_account;
	if ((err = thread_allocate(account, &t)))
		goto uncharge;
	if ((err = arch_thread_init(t, thread_current()->process ? thread_current() : NULL)))
		goto free;
	t->account = account;
	t->user_regs = arch_thread_regs(t);
	arch_regs_start(t->user_regs, start);
	arch_thread_set_bases(t, start);
	t->notice_mask = start->notice_mask;
	struct task_schedule schedule = process_inherit(p);
	turn_set(&t->turn, &schedule);
	t->claimed_on = schedule.affinity;
	t->process = process_get(p);
	arch_context_init(&t->context, t->user_regs, user_thread_entry, t);
	*out = t;
	return OK;

free:
	thread_put(t);
uncharge:
	account_uncharge(account, ACCOUNT_THREADS, 1);
put_account:
	account_put(account);
	return err;
}

err_t thread_create_kernel(void (*entry)(void *), void *argument, struct thread **out)
{
	struct thread *t;

	TRY(thread_allocate(NULL, &t));
	if (entry)
		arch_context_init(&t->context, (void *)t->kernel_stack_top, entry, argument);
	*out = t;
	return OK;
}

void thread_put(struct thread *t)
{
	if (!object_put(&t->object))
		return;
	ASSERT(*(uint64_t *)t->kernel_stack == STACK_CANARY);
	struct process *p = t->process;
	if (p) {
		arch_thread_fini(t);
		account_uncharge(t->account, ACCOUNT_THREADS, 1);
	}
	frame_put(kernel_to_paddr(t->kernel_stack));
	account_put(t->account);
	account_put(t->shares);
	heap_delete(t);
	if (p)
		process_put(p);
}

void thread_start(struct thread *t)
{
	spin_lock(&t->lock);
	ASSERT(t->state == THREAD_NEW);
	sched_make_ready(t);
	spin_unlock(&t->lock);
}

static void park_timed_out(struct timer *timer)
{
	struct thread *t = container_of(timer, struct park_timer, timer)->thread;

	spin_lock(&t->lock);
	if (t->state == THREAD_PARKED) {
		t->park_result = ERR_TIMEDOUT;
		sched_make_ready(t);
	}
	spin_unlock(&t->lock);
}

static bool is_interrupted(const struct thread *t, uint32_t park_flags)
{
	uint32_t bits = park_flags & PARK_UNKILLABLE ? 0 : ATTENTION_KILL;
	if (park_flags & PARK_INTERRUPTIBLE)
		bits |= ATTENTION_NOTICE;
	return atomic_load(&t->attention) & bits;
}

/* Decides, under t's lock, whether it parks at all. */
static bool begin_park(struct thread *t, uint64_t deadline_ns, uint32_t park_flags, err_t *result)
{
	if (t->wake_token) {
		t->wake_token = false;
		*result = OK;
		return false;
	}
	if (is_interrupted(t, park_flags)) {
		*result = ERR_INTR;
		return false;
	}
	if (deadline_ns != DEADLINE_NONE && deadline_ns <= clock_now_ns()) {
		*result = ERR_TIMEDOUT;
		return false;
	}
	t->park_flags = (uint8_t)park_flags;
	t->park_result = OK;
	t->state = THREAD_PARKED;
	return true;
}

/* Parks; the CPU is for `to`, which was claimed (NULL: for whom the scheduler likes). */
static ALWAYS_INLINE err_t park(struct thread *to, uint64_t deadline_ns, uint32_t park_flags)
{
	struct thread *t = thread_current();
	err_t result;

	spin_lock(&t->lock);
	if (LIKELY(begin_park(t, deadline_ns, park_flags, &result))) {
		to ? sched_hand_over(to) : sched_switch(NULL);
		return (err_t)t->park_result;
	}
	if (!to) {
		spin_unlock(&t->lock);
		return result;
	}
	/* `to` is ours to run now: we come back through the queue. */
	t->state = THREAD_READY;
	sched_switch(to);
	return result;
}

NOINLINE static err_t park_until(struct thread *to, uint64_t deadline_ns, uint32_t park_flags)
{
	struct park_timer pt = { .thread = thread_current() };

	timer_init(&pt.timer, park_timed_out);
	timer_set(&pt.timer, deadline_ns);
	err_t result = park(to, deadline_ns, park_flags);
	timer_cancel(&pt.timer);
	return result;
}

err_t thread_park(uint64_t deadline_ns, uint32_t park_flags)
{
	bool is_timed = deadline_ns != DEADLINE_NONE && deadline_ns != DEADLINE_NOW;
	return is_timed ? park_until(NULL, deadline_ns, park_flags) : park(NULL, deadline_ns, park_flags);
}

err_t thread_hand_over_until(struct thread *to, uint64_t deadline_ns, uint32_t park_flags)
{
	bool is_timed = deadline_ns != DEADLINE_NONE && deadline_ns != DEADLINE_NOW;
	return is_timed ? park_until(to, deadline_ns, park_flags) : park(to, deadline_ns, park_flags);
}

void thread_wake(struct thread *t)
{
	spin_lock(&t->lock);
	if (t->state == THREAD_PARKED) {
		t->park_result = OK;
		sched_make_ready(t);
	} else {
		t->wake_token = true;
	}
	spin_unlock(&t->lock);
}

void thread_attend(struct thread *t, uint32_t attention_bits)
{
	atomic_fetch_or(&t->attention, attention_bits);
	spin_lock(&t->lock);
	if (t->state == THREAD_PARKED && is_interrupted(t, t->park_flags)) {
		t->park_result = ERR_INTR;
		sched_make_ready(t);
	} else if (t->state == THREAD_RUNNING && t->cpu != cpu_this()) {
		arch_kick(t->cpu->index);
	}
	spin_unlock(&t->lock);
}

void thread_finish(void)
{
	struct thread *t = thread_current();

	process_leave(t);
	spin_lock(&t->lock);
	sched_leave_home(t);
	t->state = THREAD_DEAD;
	sched_switch(NULL);
	__builtin_unreachable();
}
