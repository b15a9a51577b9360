/* personality/linux/lock.h - a futex mutex between the threads of one process, inside the image.
 *
 * 0 free, 1 held, 2 held and somebody waits. Notices do not end the wait: who holds one never blocks for long.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct lock { _Atomic uint32_t word; };

void lock_wait(struct lock *l) NONNULL;
void lock_wake(struct lock *l) NONNULL;

static inline void lock_take(struct lock *l)
{
	uint32_t expected = 0;
	if (UNLIKELY(!atomic_compare_exchange_strong_explicit(&l->word, &expected, 1, memory_order_acquire, memory_order_relaxed)))
		lock_wait(l);
}

static inline void lock_release(struct lock *l)
{
	if (UNLIKELY(atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2))
		lock_wake(l);
}
