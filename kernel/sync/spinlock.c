/* kernel/sync/spinlock.c - ticket locks, and in debug builds the check of the order they are taken in. */
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

/* Whoever waits answers meanwhile what others ask of this CPU: see the header. */
NOINLINE static void wait_for_turn(struct spinlock *l, uint32_t ticket)
{
	while (atomic_load_explicit(&l->owner, memory_order_acquire) != ticket) {
		arch_pause();
		arch_poll_requests();
	}
}

static void take(struct spinlock *l)
{
	uint32_t ticket = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);

	if (UNLIKELY(atomic_load_explicit(&l->owner, memory_order_acquire) != ticket))
		wait_for_turn(l, ticket);
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
	uint32_t owner = atomic_load_explicit(&l->owner, memory_order_relaxed);
	uint32_t next = owner;

	if (!atomic_compare_exchange_strong_explicit(&l->next, &next, owner + 1, memory_order_acquire, memory_order_relaxed))
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
	atomic_store_explicit(&l->owner, atomic_load_explicit(&l->owner, memory_order_relaxed) + 1, memory_order_release);
}

bool spin_is_held(const struct spinlock *l) { return !DEBUG || l->cpu_plus_1 == cpu_this()->index + 1; }
