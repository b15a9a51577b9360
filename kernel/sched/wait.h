/* kernel/sched/wait.h - threads waiting for an object to change, under the object's lock. */
#pragma once
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"

struct waiter {
	struct list_node link;
	struct thread *thread;
};

static inline uint32_t park_flags_of(uint32_t request_flags)
{
	return request_flags & REQUEST_INTERRUPTIBLE ? PARK_INTERRUPTIBLE : 0;
}

/* Sleeps, lock dropped, until somebody wakes the list: look again then. AGAIN: open_flags say not to wait. INTR. */
err_t wait_on(struct list_node *list, struct spinlock *lock, uint32_t open_flags, uint32_t request_flags) REQUIRES(lock) MUST_CHECK;
/* The same until a deadline: TIMEDOUT. */
err_t wait_until(struct list_node *list, struct spinlock *lock, uint64_t deadline_ns, uint32_t request_flags) REQUIRES(lock) MUST_CHECK;
void wait_wake_all(struct list_node *list);
