/* bench/frame.c - batches of a row and their median. Compiled into Linux and native programs. */
#include "bench/frame.h"

static uint64_t started, spent;

/* Empty, but not for the compiler: breakpoints of `./cathode trace --explain`. */
void row_begins(void);
void row_ends(void);
__attribute__((noinline)) void row_begins(void) { __asm__ volatile("" : : : "memory"); }
__attribute__((noinline)) void row_ends(void) { __asm__ volatile("" : : : "memory"); }

uint64_t timer_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void timer_start(void)
{
	row_begins();
	started = timer_ticks();
}

void timer_stop(void)
{
	spent += timer_ticks() - started;
	row_ends();
}

static uint64_t batch_ticks(const struct row *row)
{
	spent = 0;
	if (row->flags & ROW_TIMES_ITSELF) {
		row->run(row->count);
	} else {
		timer_start();
		row->run(row->count);
		timer_stop();
	}
	return spent;
}

static void sort(uint64_t *values, int count)
{
	for (int i = 1; i < count; i++)
		for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
			uint64_t other = values[j];
			values[j] = values[j - 1];
			values[j - 1] = other;
		}
}

void row_measure(const struct row *row, void (*line)(const char *name, uint64_t median, uint64_t fastest), void (*absent)(const char *name))
{
	int batches = row->flags & ROW_LONG ? 3 : ROW_BATCHES;
	uint64_t operations = (uint64_t)row->count * (row->per ? row->per : 1);
	uint64_t took[ROW_BATCHES];

	if (row->set_up && !row->set_up()) {
		absent(row->name);
		return;
	}
	batch_ticks(row);
	for (int i = 0; i < batches; i++)
		took[i] = batch_ticks(row);
	if (row->tear_down)
		row->tear_down();
	sort(took, batches);
	line(row->name, took[batches / 2] * 1000 / operations, took[0] * 1000 / operations);
}
