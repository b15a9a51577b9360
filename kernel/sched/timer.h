/* kernel/sched/timer.h - one-shot timers, a heap per CPU; the hardware is armed for the earliest.
 *
 * The callback runs on the CPU the timer was set on, in interrupt context, without locks; it may
 * set the timer again. timer_cancel returns only when the callback is not (or no longer) running,
 * so it must not be called from it or under a lock that it takes.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"
#include "lib/base/pairing_heap.h"

struct cpu;
struct timer {
	struct heap_node node;          /* key: the deadline */
	void (*callback)(struct timer *);
	struct cpu *cpu;                /* whose heap it is or was in; NULL: never set */
	bool queued;
};

err_t timer_init_cpu(struct cpu *c) NONNULL MUST_CHECK;
void timer_init(struct timer *t, void (*callback)(struct timer *)) NONNULL;
void timer_set(struct timer *t, uint64_t deadline_ns) NONNULL;
void timer_cancel(struct timer *t) NONNULL;
/* Runs what is due on this CPU; sched_tick must follow. */
void timer_run_due(void);
/* sched_tick is to be called on this CPU when the running thread's slice ends, or before (UINT64_MAX: not for that). */
void timer_rearm(uint64_t slice_end_ns);
