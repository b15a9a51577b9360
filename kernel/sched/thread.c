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

	sched_finish_switch();
	kernel_exit_to_user(t->user_regs);
	arch_enter_user(t->user_regs);
}

/* copy_from: whose FPU state it begins with; NULL: the initial one. */
static err_t thread_allocate(struct account *a, const struct thread *copy_from, struct thread **out)
{
	struct thread *t = heap_new(struct thread);
	paddr_t stack;
	err_t err;

	if (!t)
		return ERR_NOMEM;
	if ((err = arch_thread_init(t, copy_from)))
		goto free_thread;
	if ((err = frame_alloc(KERNEL_STACK_ORDER, 0, a, &stack)))
		goto fini_arch;
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

fini_arch:
	arch_thread_fini(t);
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
	if ((err = thread_allocate(account, thread_current()->process ? thread_current() : NULL, &t)))
		goto uncharge;
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

uncharge:
	account_uncharge(account, ACCOUNT_THREADS, 1);
put_account:
	account_put(account);
	return err;
}

err_t thread_create_kernel(struct thread **out) { return thread_allocate(NULL, NULL, out); }

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

static err_t park(uint64_t deadline_ns, uint32_t park_flags)
{
	struct thread *t = thread_current();
	err_t result = OK;

	spin_lock(&t->lock);
	if (t->wake_token) {
		t->wake_token = false;
	} else if (is_interrupted(t, park_flags)) {
		result = ERR_INTR;
	} else if (deadline_ns != DEADLINE_NONE && deadline_ns <= clock_now_ns()) {
		result = ERR_TIMEDOUT;
	} else {
		t->park_flags = (uint8_t)park_flags;
		t->park_result = OK;
		t->state = THREAD_PARKED;
		sched_switch(NULL);
		return (err_t)t->park_result;
	}
	spin_unlock(&t->lock);
	return result;
}

NOINLINE static err_t park_until(uint64_t deadline_ns, uint32_t park_flags)
{
	struct park_timer pt = { .thread = thread_current() };

	timer_init(&pt.timer, park_timed_out);
	timer_set(&pt.timer, deadline_ns);
	err_t result = park(deadline_ns, park_flags);
	timer_cancel(&pt.timer);
	return result;
}

err_t thread_park(uint64_t deadline_ns, uint32_t park_flags)
{
	bool is_timed = deadline_ns != DEADLINE_NONE && deadline_ns != DEADLINE_NOW;
	return is_timed ? park_until(deadline_ns, park_flags) : park(deadline_ns, park_flags);
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
