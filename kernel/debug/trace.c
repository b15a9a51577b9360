/* kernel/debug/trace.c - the trace rings: one per CPU, written by that CPU alone with interrupts off. */
#include "kernel/debug/trace.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

/* In each ring, which stays once made: 512 KiB. */
enum { RECORDS = 16384 };
STATIC_ASSERT(sizeof(struct trace_record) == 32, "tools/trace.py reads records of 32 bytes");

/* Members: [c] by its CPU while tracing, by anyone while not. */
static struct ring {
	struct trace_record *records;   /* [c] NULL: none */
	uint64_t written;               /* [c] */
} rings[CPU_MAX];

static struct spinlock trace_lock = SPINLOCK_INIT(RANK_TRACE);  /* who starts, stops or reads */
bool trace_is_on;

void trace_write(enum trace_kind kind, uint16_t a, uint64_t b, uint64_t c)
{
	struct cpu *cpu = cpu_this();
	struct ring *r = &rings[cpu->index];

	if (!r->records)
		return;
	r->records[r->written++ % RECORDS] = (struct trace_record){
		.ticks = arch_ticks(), .tid = cpu->current ? cpu->current->tid : 0, .cpu = (uint8_t)cpu->index, .kind = (uint8_t)kind,
		.a = a, .b = b, .c = c,
	};
}

/* A CPU that answers a shootdown has left trace_write: its ring is at rest. */
static void rest(void) REQUIRES(&trace_lock)
{
	trace_is_on = false;
	arch_shootdown(UINT64_MAX, 0, 0);
}

err_t trace_start(void)
{
	err_t err = OK;

	spin_lock(&trace_lock);
	rest();
	for (uint32_t i = 0; i < cpu_count && !err; i++) {
		struct ring *r = &rings[i];

		r->written = 0;
		if (!r->records && !(r->records = heap_alloc(RECORDS * sizeof(*r->records))))
			err = ERR_NOMEM;
	}
	trace_is_on = !err;
	spin_unlock(&trace_lock);
	return err;
}

void trace_stop(void)
{
	spin_lock(&trace_lock);
	rest();
	spin_unlock(&trace_lock);
}

size_t trace_read(uint64_t first, struct trace_record *to, size_t count)
{
	size_t done = 0;

	spin_lock(&trace_lock);
	for (uint32_t i = 0; i < cpu_count && !trace_is_on; i++) {
		const struct ring *r = &rings[i];
		uint64_t have = MIN_OF(r->written, (uint64_t)RECORDS);

		for (; first < have && done < count; first++)
			to[done++] = r->records[(r->written - have + first) % RECORDS];
		first -= MIN_OF(first, have);
	}
	spin_unlock(&trace_lock);
	return done;
}
