/* kernel/sched/sched.h - who runs next on which CPU.
 *
 * Each CPU has a run queue, ordered by policies (lib/sched/policy.h). A woken thread goes to an idle CPU, best where it ran last; else to the shortest
 * queue. Idle CPUs steal. There is no periodic interrupt: a CPU where nobody waits has its timer off.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct account;
struct cpu;
struct task_schedule;
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
/* On the way out of the kernel: if this CPU was asked to reschedule, does so. A deadline thread that used its runtime up waits for its next period. */
void sched_preempt(void);
/* A point in a long kernel path where interrupts may come in and others may run. No locks held. */
void preempt_point(void);
/* The same for long copies, before each piece but the first: at every COPY_RUN_BYTES of the place in what is copied. INTR: the thread is
 * to end. */
enum { COPY_RUN_BYTES = 64 << 10 };
err_t preempt_copy(void) MUST_CHECK;
MUST_CHECK static inline err_t copy_pause(size_t done, uint64_t place) { return done && place % COPY_RUN_BYTES == 0 ? preempt_copy() : OK; }
/* The slice timer or a kick came: look at the queue. */
void sched_tick(void);
/* s is what schedule_change made. BUSY: no CPU of its has room for such a deadline thread; then nothing has changed. */
err_t sched_set(struct thread *t, const struct task_schedule *s) NONNULL MUST_CHECK;
/* From now on t shares the CPU as the threads of that account do. */
void sched_set_account(struct thread *t, struct account *a) NONNULL;
uint32_t sched_count_running(void);
