/* kernel/sched/sched.h - per-CPU run queues: who runs next.
 *
 * Fixed priorities, round robin within one with time slices scaled by nice; a woken
 * thread goes before those that used up their slice. Idle CPUs steal.
 */
#pragma once
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct cpu;
struct thread;

/* The boot CPU's queue and idle thread; then again on each other CPU. */
err_t sched_init_cpu(struct cpu *c) NONNULL MUST_CHECK;
/* The idle loop of this CPU; the context that called it becomes the idle thread's. */
NORETURN void sched_run_idle(void);
/* Gives up the CPU, staying ready. */
void sched_give_way(void);
/* Counts what the current thread has run since its last switch. */
void sched_charge(void);
/* What a thread that runs right now has not been charged for yet; a guess, for lists. */
uint64_t sched_uncharged_ns(const struct thread *t, uint64_t now_ns) NONNULL;
/* If this CPU was asked to reschedule: does so. */
void sched_preempt(void);
/* A point in a long kernel path where interrupts may come in and others may run. No locks held. */
void preempt_point(void);
/* Puts a ready thread on a queue. thread lock held by the caller. */
void sched_enqueue(struct thread *t) NONNULL;
/* The slice timer or a kick came: look at the queue. */
void sched_tick(void);
void sched_set_priority(struct thread *t, uint8_t priority, int8_t nice) NONNULL;
void sched_set_affinity(struct thread *t, uint64_t mask) NONNULL;
uint32_t sched_count_running(void);
