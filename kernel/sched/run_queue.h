/* kernel/sched/run_queue.h - what sched.c and thread.c share (the queue itself: lib/sched/policy.h). */
#pragma once
#include "kernel/cpu.h"
#include "kernel/sched/thread.h"

static inline uint8_t thread_priority(const struct thread *t) { return t->turn.priority; }

/* Is there anything to look at before the current thread goes back to user space? */
static inline bool sched_must_look(void)
{
	return atomic_load_explicit(&cpu_this()->need_resched, memory_order_relaxed) ||
	       atomic_load_explicit(&thread_current()->attention, memory_order_relaxed);
}

static inline uint64_t bit_of(const struct cpu *c) { return c->bit; }

/* May t run on c, now that c is there? */
static inline bool sched_may_run_on(const struct thread *t, const struct cpu *c)
{
	return c->online && (t->home ? t->home == c : (t->turn.schedule.affinity & bit_of(c)) != 0);
}

/* Makes a parked or new thread ready and finds it a CPU. Thread lock held. */
void sched_make_ready(struct thread *t) REQUIRES(&t->lock);
/* Switches from the current thread, whose lock is held and whose state says what it does next (READY: it goes on waiting), to the best other (to
 * NULL) or to `to` (state RUNNING, on no queue, unlocked). Returns, unlocked, when it runs again. */
void sched_switch(struct thread *to);
/* A deadline thread gives back what it was admitted with. */
void sched_leave_home(struct thread *t) REQUIRES(&t->lock);
