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
#include "lib/base/assert.h"

/* Debug: what this CPU holds. */
static void note_taken(struct spinlock *l, bool nested)
{
	struct cpu *c = cpu_this();

	if (!DEBUG)
		return;
	ASSERT(lock_order_allows(c->held, c->held_count, l, nested));
	ASSERT(c->held_count < CPU_HELD_MAX);
	c->held[c->held_count++] = l;
}

static void note_released(struct spinlock *l)
{
	struct cpu *c = cpu_this();

	if (!DEBUG)
		return;
	ASSERT(l->cpu_plus_1 == c->index + 1);
	l->cpu_plus_1 = 0;
	ASSERT(lock_order_remove(c->held, &c->held_count, l));
}

static void note_owner(struct spinlock *l)
{
	if (DEBUG)
		l->cpu_plus_1 = (uint8_t)(cpu_this()->index + 1);
}

static bool try_take(struct spinlock *l)
{
	return !atomic_exchange_explicit(&l->held, true, memory_order_acquire);
}

/* Whoever waits answers meanwhile what others ask of this CPU: see the header. */
NOINLINE static void wait_for_turn(struct spinlock *l)
{
	do {
		while (atomic_load_explicit(&l->held, memory_order_relaxed)) {
			arch_pause();
			arch_poll_requests();
		}
	} while (!try_take(l));
}

static void take(struct spinlock *l)
{
	if (UNLIKELY(!try_take(l)))
		wait_for_turn(l);
	note_owner(l);
}

void spin_lock(struct spinlock *l)
{
	note_taken(l, false);
	take(l);
}

void spin_lock_nested(struct spinlock *l)
{
	note_taken(l, true);
	take(l);
}

bool spin_try_lock(struct spinlock *l)
{
	if (!try_take(l))
		return false;
	/* Any order is fine for who does not wait. */
	if (DEBUG) {
		struct cpu *c = cpu_this();

		ASSERT(c->held_count < CPU_HELD_MAX);
		c->held[c->held_count++] = l;
	}
	note_owner(l);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	note_released(l);
	atomic_store_explicit(&l->held, false, memory_order_release);
}

bool spin_is_held(const struct spinlock *l) { return !DEBUG || l->cpu_plus_1 == cpu_this()->index + 1; }
