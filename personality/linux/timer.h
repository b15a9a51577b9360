/* personality/linux/timer.h - alarm, setitimer and POSIX timers.
 *
 * A helper thread, started with the first timer that is armed, sleeps until the next one is due and posts its signal.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct process;
struct thread;

enum { TIMER_ITIMERS = 3, TIMER_COUNT = 32 };

/* One timer; the first three are setitimer's. Times are of the timer's own clock. */
struct timer {
	bool is_used, is_sent;          /* is_sent: its signal was posted and not taken yet */
	uint32_t clock;                 /* enum clock_id that it counts */
	uint32_t signal;                /* 0: none (SIGEV_NONE) */
	uint32_t tid;                   /* who gets it; 0 the process */
	int32_t code;                   /* si_code */
	uint32_t overrun, overrun_taken; /* since the last signal, and what that one said */
	uint64_t due_ns, period_ns;     /* due 0: disarmed */
	uint64_t value;
	uint32_t linux_clock;
};

struct timer_state {
	struct timer *timer;            /* TIMER_COUNT of them, elsewhere */
	bool is_used;                   /* some timer was set up */
	struct thread *helper;          /* NULL: none yet */
	_Atomic uint32_t changed;       /* futex that the helper sleeps on */
};

/* What a timer has left and what it lost, at now. Pure. */
uint64_t timer_left(const struct timer *t, uint64_t now_ns) NONNULL;
/* Moves a due timer on: how many periods passed (0: not due). Pure. */
uint64_t timer_advance(struct timer *t, uint64_t now_ns) NONNULL;
/* The child of a fork has no timers; what exec keeps is ITIMER_REAL's rest. */
void timer_clear(struct timer_state *s) NONNULL;
/* The signal of POSIX timer id was taken: its overruns so far. */
uint32_t timer_taken(struct process *p, int32_t id) NONNULL;
/* Arms ITIMER_REAL with what exec kept. */
void timer_restore_real(struct thread *t, uint64_t due_ns, uint64_t period_ns) NONNULL;
