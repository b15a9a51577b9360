/* lib/native/mutex.c - the three-state futex lock. */
#include "lib/native/mutex.h"
#include "lib/native/sys.h"

enum { FREE, HELD, WAITED };

bool mutex_try_lock(struct mutex *m)
{
	uint32_t expected = FREE;

	return __atomic_compare_exchange_n(&m->state, &expected, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void mutex_lock(struct mutex *m)
{
	if (mutex_try_lock(m))
		return;
	/* From here on we cannot know whether others wait, so we leave it WAITED: at worst one wake too many. */
	while (__atomic_exchange_n(&m->state, WAITED, __ATOMIC_ACQUIRE) != FREE)
		sys_futex_wait(0, HANDLE_NONE, &m->state, WAITED, DEADLINE_NONE);
}

void mutex_unlock(struct mutex *m)
{
	if (__atomic_exchange_n(&m->state, FREE, __ATOMIC_RELEASE) == WAITED)
		sys_futex_wake(0, HANDLE_NONE, &m->state, 1, 0);
}
