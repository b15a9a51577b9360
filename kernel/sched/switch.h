/* kernel/sched/switch.h - past the run queues: a thread gives its CPU to one that it has work for. Inline: a request does it twice.
 *
 * Nothing is charged: the other goes on with what is left of the time slice and with the time that is not yet charged, and gives
 * both back in the same way.
 */
#pragma once
#include "kernel/debug/trace.h"
#include "kernel/mem/space_switch.h"
#include "kernel/obj/process.h"
#include "kernel/sched/run_queue.h"
#include "lib/base/bits.h"
#if defined(__x86_64__)
#include "kernel/arch/x86_64/switch.h"
#endif

/* t runs with that priority, which is above its own, until it takes it back. */
void sched_lend(struct thread *t, uint8_t priority) REQUIRES(&t->lock) NONNULL;

/* If `to` is parked, may run on this CPU, and nobody more urgent waits here, it is woken but not queued: the caller must switch to
 * it (thread_hand_over). lends: with the current thread's priority, if that is higher than its own. */
static ALWAYS_INLINE bool thread_claim(struct cpu *c, struct thread *to, bool lends)
{
	const struct thread *lender = c->current;

	if (UNLIKELY(!spin_try_lock(&to->lock)))
		return false;
	if (lends && UNLIKELY(thread_priority(lender) > thread_priority(to)))
		sched_lend(to, thread_priority(lender));
	bool fits = to->state == THREAD_PARKED && (to->claimed_on & bit_of(c)) &&
	            LIKELY(run_queue_lets(c->run_queue, thread_priority(to)));
	if (LIKELY(fits)) {
		to->park_result = OK;
		to->state = THREAD_RUNNING;
		to->cpu = c;
		atomic_store_explicit(&to->on_cpu, true, memory_order_relaxed);
	}
	spin_unlock(&to->lock);
	return fits;
}

/* prev, still locked, is dead, or ready: here or, where it may not stay, on another CPU. */
void sched_finish_rare(struct thread *prev, enum thread_state state) NONNULL;

/* After arch_switch, on the stack of the now current thread. */
static ALWAYS_INLINE void sched_finish_switch(void)
{
	struct cpu *c = cpu_this();
	struct thread *prev = c->previous;
	enum thread_state state = prev->state;

	if (LIKELY(state == THREAD_PARKED)) {
		atomic_store_explicit(&prev->on_cpu, false, memory_order_release);
		spin_unlock(&prev->lock);
	} else {
		sched_finish_rare(prev, state);
	}
}

/* From prev, whose lock is held. is_user: neither is an idle thread. to_registers: `to`, whose space is loaded, needs nothing of its kernel stack but the
 * registers of the system call in which it waits; and nothing is traced. */
static ALWAYS_INLINE void sched_switch_stacks(struct cpu *c, struct thread *prev, struct thread *to, bool is_user, bool to_registers)
{
	struct space *space = is_user || to->process ? to->process->space : NULL;

	c->switches++;
	prev->switches++;
	arch_thread_exchange(c, prev, to);
	c->current = to;
	if (to_registers) {
		if (DEBUG)
			spin_note_released(&prev->lock);
		arch_switch_to_user(prev, to->user_regs);
	} else {
		trace(TRACE_SWITCH, (uint16_t)prev->state, prev->tid, to->tid);
		c->previous = prev;
		space_switch_inline(c, c->space, space, is_user);
		arch_switch(&prev->context, &to->context);
	}
	sched_finish_switch();
}

/* Parks as thread_park does without a deadline, with the CPU and the rest of the time slice going to `to`, which was claimed. Drops lock on the way.
 * finish(work), in to's space, does all that `to` would do before it goes back to user space, or else nothing and says so: when it did,
 * `to` never comes back to where it parked. */
MUST_CHECK static ALWAYS_INLINE err_t thread_hand_over(struct cpu *c, struct thread *to, uint32_t park_flags, struct spinlock *lock,
                                                       bool (*finish)(void *work), void *work) REQUIRES(lock)
{
	struct thread *t = c->current;

	spin_lock(&t->lock);
	if (UNLIKELY(t->wake_token || atomic_load_explicit(&t->attention, memory_order_relaxed))) {
		spin_unlock(lock);
		t->wake_token = false;
		t->state = THREAD_READY;        /* `to` is ours to run now: we come back through the queue */
		sched_switch(to);
		return OK;
	}
	t->park_flags = (uint8_t)park_flags;
	t->park_result = OK;
	t->state = THREAD_PARKED;
	space_switch_inline(c, c->space, to->process->space, true);
	bool is_finished = !trace_is_on && !atomic_load_explicit(&c->need_resched, memory_order_relaxed) &&
	                   !atomic_load_explicit(&to->attention, memory_order_relaxed) && finish(work);
	spin_unlock(lock);
	to->turn.left_ns = t->turn.left_ns;
	to->ran_since_ns = t->ran_since_ns;
	LIKELY(is_finished) ? sched_switch_stacks(c, t, to, true, true) : sched_switch_stacks(c, t, to, true, false);
	return (err_t)t->park_result;
}
