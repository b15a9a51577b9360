/* kernel/sched/run_queue.h - a CPU's ready threads; sched.c and thread.c share it. */
#pragma once
#include "abi/proto/task.h"
#include "kernel/cpu.h"
#include "kernel/mem/account.h"
#include "kernel/sched/thread.h"

struct run_queue {
	struct spinlock lock;                           /* RANK_RUN_QUEUE */
	struct list_node level[PRIORITY_COUNT];         /* [l] ready threads, next first */
	uint32_t levels;                                /* [l] bit p: level p is not empty */
	_Atomic uint32_t count;                         /* [l] written; read by thieves */
	struct thread *previous;                        /* [c] who ran before the switch just made */
};

/* Threads of an account that has used much CPU lately give way to others of the same priority: one user's many cannot
 * starve another's few. */
static inline uint8_t thread_priority(const struct thread *t)
{
	uint8_t own = t->priority;
	if (own == PRIORITY_NORMAL && t->account && account_is_cpu_heavy(t->account, cpu_count))
		own = PRIORITY_LOW;
	return t->inherited > own ? t->inherited : own;
}

/* Is there anything to look at before the current thread goes back to user space? */
static inline bool sched_must_look(void)
{
	return atomic_load_explicit(&cpu_this()->need_resched, memory_order_relaxed) ||
	       atomic_load_explicit(&thread_current()->attention, memory_order_relaxed);
}

/* Makes a parked or new thread ready and finds it a CPU. Thread lock held. */
void sched_make_ready(struct thread *t) REQUIRES(&t->lock);
/* Switches from the current thread, whose lock is held and whose state says what it does next, to the best other (to NULL) or to `to`
 * (state RUNNING, on no queue, unlocked). Returns, unlocked, when it runs again. */
void sched_switch(struct thread *to);
