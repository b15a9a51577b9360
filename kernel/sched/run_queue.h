/* kernel/sched/run_queue.h - a CPU's ready threads; sched.c and thread.c share it. */
#pragma once
#include "abi/proto/task.h"
#include "kernel/cpu.h"
#include "kernel/sched/thread.h"

struct run_queue {
	struct spinlock lock;                           /* RANK_RUN_QUEUE */
	struct list_node level[PRIORITY_COUNT];         /* [l] ready threads, next first */
	uint32_t levels;                                /* [l] bit p: level p is not empty */
	_Atomic uint32_t count;                         /* [l] written; read by thieves */
	struct thread *previous;                        /* [c] who ran before the switch just made */
};

static inline uint8_t thread_priority(const struct thread *t)
{
	return t->inherited > t->priority ? t->inherited : t->priority;
}

/* Makes a parked or new thread ready and finds it a CPU. Thread lock held. */
void sched_make_ready(struct thread *t) REQUIRES(&t->lock);
/* Switches from the current thread, whose lock is held and whose state says what it does next, to the best other (to NULL) or to `to`
 * (state RUNNING, on no queue, unlocked). Returns, unlocked, when it runs again. */
void sched_switch(struct thread *to);
/* First thing on a new thread's stack. */
void sched_finish_switch(void);
