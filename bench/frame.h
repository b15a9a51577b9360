/* bench/frame.h - rows of the benchmark: how an operation is repeated, timed and printed, for Linux and native programs alike.
 *
 * Time is the time stamp counter's: under QEMU's `-icount shift=0` one tick is one guest instruction. A row is run once to
 * warm up, then in ROW_BATCHES batches; what is printed is the median batch, in thousandths of a tick per operation (and
 * the fastest one, for regimes in which the host disturbs). Nothing is subtracted.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { ROW_BATCHES = 9 };
enum row_flags {
	ROW_TIMES_ITSELF = 1,   /* run calls timer_start and timer_stop around what counts */
	ROW_LONG = 2,           /* one operation takes millions of ticks: three batches are enough */
};

struct row {
	const char *name;
	void (*run)(int count);         /* does the operation count times */
	int count;                      /* of one batch */
	int per;                        /* operations that one of these stands for (0: 1), e.g. pages of a mapping */
	bool (*set_up)(void);           /* false: the system lacks what it needs. May be NULL */
	void (*tear_down)(void);        /* may be NULL */
	unsigned flags;                 /* enum row_flags */
};

/* Time that counts begins and ends. `./cathode trace --explain` stops the machine at row_begins and row_ends. */
void timer_start(void);
void timer_stop(void);
uint64_t timer_ticks(void);
/* Runs the row and prints its line through line(name, median, fastest), or its absence through absent(name). */
void row_measure(const struct row *row, void (*line)(const char *name, uint64_t median, uint64_t fastest), void (*absent)(const char *name));
