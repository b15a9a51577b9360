/* kernel/sync/spinlock.c - locks, and in debug builds the check of the order they are taken in.
 *
 * Whoever comes first when a lock is free gets it. Tickets would be fair, but under a hypervisor with more CPUs than the
 * host has, the one whose turn it is may not be running, and then nobody goes on: 500 spawns at 4 CPUs on 2 busy cores took
 * 9 to 12 s with tickets and take 1 to 3 s.
 */
#include "kernel/sync/spinlock.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/sync/lock_order.h"

void spin_note_order(struct spinlock *l, bool nested)
{
	struct cpu *c = cpu_this();
	ASSERT(lock_order_allows(c->held, c->held_count, l, nested));
}

void spin_note_taken(struct spinlock *l)
{
	struct cpu *c = cpu_this();
	ASSERT(c->held_count < CPU_HELD_MAX);
	c->held[c->held_count++] = l;
	l->cpu_plus_1 = (uint8_t)(c->index + 1);
}

void spin_note_released(struct spinlock *l)
{
	struct cpu *c = cpu_this();
	ASSERT(l->cpu_plus_1 == c->index + 1);
	l->cpu_plus_1 = 0;
	ASSERT(lock_order_remove(c->held, &c->held_count, l));
}

/* Whoever waits answers meanwhile what others ask of this CPU: see the header. */
void spin_wait(struct spinlock *l)
{
	while (atomic_load_explicit(&l->held, memory_order_relaxed)) {
		arch_pause();
		arch_poll_requests();
	}
}

