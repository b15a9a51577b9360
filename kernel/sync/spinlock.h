/* kernel/sync/spinlock.h - the kernel's only lock, and the written order of all locks.
 *
 * The kernel runs with interrupts disabled (they come in at idle, in user space and
 * at preempt_point), so a lock needs no interrupt state. A CPU that spins goes on answering
 * TLB shootdowns and stop requests, so that waiting for another CPU's answer while holding
 * a lock cannot deadlock with one that waits for that lock.
 *
 * Order: a lock may be taken only while all locks held by this CPU have a lower rank, or
 * (spin_lock_nested) an equal one in an order that the caller states. Debug builds check it.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "kernel/arch/arch.h"
#include "lib/base/assert.h"
#include "lib/base/attr.h"

/* The order, outermost first. */
enum lock_rank {
	RANK_NONE = 0,
	RANK_PROCESS_LIST,      /* all processes and threads by number */
	RANK_PROCESS,           /* a process's threads, state, notices, handles of it */
	RANK_NAMESPACE,
	RANK_HANDLES,           /* a handle table */
	RANK_SPACE,             /* an address space: regions and page tables */
	RANK_RESOURCE,          /* an open resource's offset and flags */
	RANK_SCHEME,            /* an endpoint's queues and open requests */
	RANK_INTERRUPT_LINES,   /* arch: who handles which device line; handlers run under it */
	RANK_PIPE,              /* pipes, timers and interrupts that are resources */
	RANK_WATCH,             /* watchers of a resource, and event queues: nest along "watched by" (obj/watch.h) */
	RANK_PAGED_LIST,        /* all paged memory objects */
	RANK_MEMOBJ,            /* a memory object's pages */
	RANK_FUTEX,
	RANK_THREAD,            /* a thread's state; park and wake */
	RANK_RUN_QUEUE,         /* a CPU's run queue */
	RANK_TIMER,             /* a CPU's timer heap: a switch sets the slice's end */
	RANK_TRACE,             /* the trace rings, while they are made and read */
	RANK_HEAP,
	RANK_FRAME,             /* the frame allocator */
	RANK_LOG,
};

struct ALIGNED(4) spinlock {
	_Atomic bool held;              /* arch_flag_take's: nothing but flags in the same 4 bytes */
	uint8_t rank;                   /* [I] enum lock_rank */
	uint8_t cpu_plus_1;             /* debug: the CPU that holds it */
};

#define SPINLOCK_INIT(r) { .rank = (r) }

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock){ .rank = (uint8_t)rank };
}

/* The rare and the debug parts. */
void spin_wait(struct spinlock *l) NONNULL;
void spin_note_order(struct spinlock *l, bool nested) NONNULL;
void spin_note_taken(struct spinlock *l) NONNULL;
void spin_note_released(struct spinlock *l) NONNULL;

static inline bool spin_try_lock(struct spinlock *l)
{
	if (arch_flag_take(&l->held))
		return false;
	if (DEBUG)
		spin_note_taken(l);     /* any order is fine for who does not wait */
	return true;
}

/* As spin_lock, but with nested a lock of equal rank may be held: the caller orders the two by address. */
static inline void spin_take(struct spinlock *l, bool nested)
{
	if (DEBUG)
		spin_note_order(l, nested);
	while (UNLIKELY(!spin_try_lock(l)))
		spin_wait(l);
}

static inline void spin_lock(struct spinlock *l) { spin_take(l, false); }
static inline void spin_lock_nested(struct spinlock *l) { spin_take(l, true); }

static inline void spin_unlock(struct spinlock *l)
{
	if (DEBUG)
		spin_note_released(l);
	atomic_store_explicit(&l->held, false, memory_order_release);
}

