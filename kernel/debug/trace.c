/* kernel/debug/trace.c - the trace rings: one per CPU, written by that CPU alone with interrupts off. */
#include "kernel/debug/trace.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/thread.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

STATIC_ASSERT(sizeof(struct trace_record) == 32, "tools/trace.py reads records of 32 bytes");

/* Members: [c] by its CPU while tracing, by anyone while not. */
static struct ring {
	struct trace_record *records;   /* [c] NULL: none */
	uint64_t written;               /* [c] */
} rings[CPU_MAX];

static uint32_t capacity;               /* records in each ring; 0: no rings */
bool trace_is_on;

void trace_write(enum trace_kind kind, uint16_t a, uint64_t b, uint64_t c)
{
	struct cpu *cpu = cpu_this();
	struct ring *r = &rings[cpu->index];

	if (!r->records)
		return;
	r->records[r->written++ % capacity] = (struct trace_record){
		.ticks = arch_ticks(), .tid = cpu->current ? cpu->current->tid : 0, .cpu = (uint8_t)cpu->index, .kind = (uint8_t)kind,
		.a = a, .b = b, .c = c,
	};
}

static void rings_free(void)
{
	for (uint32_t i = 0; i < CPU_MAX; i++) {
		heap_free(rings[i].records, capacity * sizeof(struct trace_record));
		rings[i] = (struct ring){0};
	}
	capacity = 0;
}

err_t trace_start(uint32_t records_per_cpu)
{
	if (records_per_cpu == 0 || records_per_cpu > TRACE_RECORDS_MAX)
		return ERR_INVAL;
	trace_stop();
	rings_free();
	capacity = records_per_cpu;
	for (uint32_t i = 0; i < cpu_count; i++) {
		rings[i].records = heap_alloc(capacity * sizeof(struct trace_record));
		if (!rings[i].records)
			goto free_rings;
	}
	trace_is_on = true;
	return OK;

free_rings:
	rings_free();
	return ERR_NOMEM;
}

/* A CPU that answers a shootdown has left trace_write: its ring is at rest. */
void trace_stop(void)
{
	trace_is_on = false;
	arch_shootdown(UINT64_MAX, 0, 0);
}

static uint64_t ring_bytes(const struct ring *r)
{
	return MIN_OF(r->written, capacity) * sizeof(struct trace_record);
}

static const struct trace_record *ring_record(const struct ring *r, uint64_t index)
{
	uint64_t first = r->written > capacity ? r->written - capacity : 0;

	return &r->records[(first + index) % capacity];
}

static size_t ring_read(const struct ring *r, uint64_t offset, uint8_t *to, size_t bytes)
{
	uint64_t end = MIN_OF(ring_bytes(r), offset + bytes);
	size_t done = 0;

	while (offset < end) {
		size_t within = offset % sizeof(struct trace_record);
		size_t piece = MIN_OF(sizeof(struct trace_record) - within, end - offset);

		memcpy(to + done, (const uint8_t *)ring_record(r, offset / sizeof(struct trace_record)) + within, piece);
		done += piece;
		offset += piece;
	}
	return done;
}

size_t trace_read(uint64_t offset, void *to, size_t bytes)
{
	size_t done = 0;

	for (uint32_t i = 0; i < cpu_count && done < bytes && !trace_is_on; i++) {
		uint64_t here = ring_bytes(&rings[i]);

		if (offset < here) {
			done += ring_read(&rings[i], offset, (uint8_t *)to + done, bytes - done);
			offset = 0;
		} else {
			offset -= here;
		}
	}
	return done;
}
