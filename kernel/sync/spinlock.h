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
	RANK_MEMOBJ,            /* a memory object's pages; child before parent */
	RANK_FUTEX,
	RANK_ACCOUNT,
	RANK_THREAD,            /* a thread's state; park and wake */
	RANK_RUN_QUEUE,         /* a CPU's run queue */
	RANK_TIMER,             /* a CPU's timer heap: a switch sets the slice's end */
	RANK_TRACE,             /* the trace rings, while they are made and read */
	RANK_HEAP,
	RANK_FRAME,             /* the frame allocator */
	RANK_LOG,
};

struct spinlock {
	_Atomic bool held;
	uint8_t rank;                   /* [I] enum lock_rank */
	uint8_t cpu_plus_1;             /* debug: the CPU that holds it */
};

#define SPINLOCK_INIT(r) { .rank = (r) }

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock){ .rank = (uint8_t)rank };
}

void spin_lock(struct spinlock *l) NONNULL;
/* As spin_lock, but a lock of equal rank may be held: the caller orders the two by address. */
void spin_lock_nested(struct spinlock *l) NONNULL;
bool spin_try_lock(struct spinlock *l) NONNULL MUST_CHECK;
void spin_unlock(struct spinlock *l) NONNULL;
/* Debug: does this CPU hold it? (Always true in release builds: only for asserts.) */
bool spin_is_held(const struct spinlock *l) NONNULL;
