/* kernel/sched/wait.c - lists of waiting threads. */
#include "kernel/sched/wait.h"

err_t wait_until(struct list_node *list, struct spinlock *lock, uint64_t deadline_ns, uint32_t request_flags)
{
	struct waiter w = { .thread = thread_current() };

	list_push_back(list, &w.link);
	spin_unlock(lock);
	err_t err = thread_park(deadline_ns, park_flags_of(request_flags));
	spin_lock(lock);
	list_remove(&w.link);
	return err;
}

err_t wait_on(struct list_node *list, struct spinlock *lock, uint32_t open_flags, uint32_t request_flags)
{
	return open_flags & OPEN_NONBLOCK ? ERR_AGAIN : wait_until(list, lock, DEADLINE_NONE, request_flags);
}

void wait_wake_all(struct list_node *list)
{
	struct waiter *w;
	list_each(w, list, link)
		thread_wake(w->thread);
}
