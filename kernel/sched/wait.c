/* kernel/sched/wait.c - lists of waiting threads. */
#include "kernel/sched/wait.h"

err_t wait_on(struct list_node *list, struct spinlock *lock, uint32_t open_flags, uint32_t request_flags)
{
	struct waiter w = { .thread = thread_current() };

	if (open_flags & OPEN_NONBLOCK)
		return ERR_AGAIN;
	list_push_back(list, &w.link);
	spin_unlock(lock);
	err_t err = thread_park(DEADLINE_NONE, park_flags_of(request_flags));
	spin_lock(lock);
	list_remove(&w.link);
	return err;
}

void wait_wake_all(struct list_node *list)
{
	struct waiter *w;
	list_each(w, list, link)
		thread_wake(w->thread);
}
