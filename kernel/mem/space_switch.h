/* kernel/mem/space_switch.h - space_switch, inline for the switch between threads (kernel/sched/switch.h). */
#pragma once
#include "kernel/cpu.h"
#include "kernel/mem/space_inner.h"

static ALWAYS_INLINE void space_switch_inline(struct cpu *c, struct space *from, struct space *to)
{
	uint64_t bit = 1ull << c->index;

	if (from == to)
		return;
	/* Before the load, so that who changes an entry after we may have read it tells us. */
	if (LIKELY(to != NULL)) {
		atomic_fetch_or(&to->cpu_mask, bit);
		arch_load_tables(to->tables.root.raw);
	} else {
		paging_load(NULL);
	}
	c->space = to;
	if (LIKELY(from != NULL))
		atomic_fetch_and(&from->cpu_mask, ~bit);
}
