/* personality/linux/lock.c - the waiting side of the futex mutex. */
#include "personality/linux/lock.h"
#include "personality/linux/native.h"

void lock_wait(struct lock *l)
{
	while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0)
		(void)native(OP_FUTEX_WAIT, 0, HANDLE_NONE, (uint64_t)&l->word, 2, DEADLINE_NONE, 0, 0, 0);
}

void lock_wake(struct lock *l)
{
	(void)native(OP_FUTEX_WAKE, 0, HANDLE_NONE, (uint64_t)&l->word, 1, 0, 0, 0, 0);
}
