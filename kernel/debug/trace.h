/* kernel/debug/trace.h - per-CPU rings of small records, decoded on the host (tools/trace.py).
 *
 * Off: one predicted branch. On: one record of 32 bytes, no lock.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum trace_kind {
#define TRACE(n, NAME, a, b, c) TRACE_##NAME = n,
#include "abi/trace.def"
#undef TRACE
};

struct trace_record {
	uint64_t ticks;
	uint32_t tid;
	uint8_t cpu, kind;
	uint16_t a;
	uint64_t b, c;
};

extern bool trace_is_on;
void trace_write(enum trace_kind kind, uint16_t a, uint64_t b, uint64_t c);

static inline void trace(enum trace_kind kind, uint16_t a, uint64_t b, uint64_t c)
{
	if (UNLIKELY(trace_is_on))
		trace_write(kind, a, b, c);
}

/* Starts anew with empty rings (when they are full, the oldest records are overwritten). NOMEM. */
err_t trace_start(void) MUST_CHECK;
void trace_stop(void);
/* While stopped: all CPUs' records one after the other, oldest first, from the first-th on. How many were copied. */
size_t trace_read(uint64_t first, struct trace_record *to, size_t count) NONNULL;
