/* kernel/mem/space_switch.h - space_switch, inline for the switch between threads (kernel/sched/switch.h). */
#pragma once
#include "kernel/cpu.h"
#include "kernel/mem/space_inner.h"

/* is_user: neither is NULL. */
static ALWAYS_INLINE void space_switch_inline(struct cpu *c, struct space *from, struct space *to, bool is_user)
{
	if (from == to)
		return;
	/* Before the load, so that who changes an entry after we may have read it tells us. */
	if (is_user || to) {
		atomic_fetch_or(&to->cpu_mask, c->bit);
		arch_load_tables(to->tables.root.raw);
	} else {
		paging_load(NULL);
	}
	c->space = to;
	if (is_user || from)
		atomic_fetch_and(&from->cpu_mask, ~c->bit);
}
