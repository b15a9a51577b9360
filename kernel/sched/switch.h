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
 * it (thread_hand_over). lender: whose priority it is to run with if that is higher than its own; or NULL. */
static ALWAYS_INLINE bool thread_claim(struct thread *to, const struct thread *lender)
{
	struct cpu *c = cpu_this();

	if (UNLIKELY(!spin_try_lock(&to->lock)))
		return false;
	if (lender && UNLIKELY(thread_priority(lender) > thread_priority(to)))
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
static ALWAYS_INLINE void sched_finish_switch(bool is_user)
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
	struct thread *t = c->current;
	if (is_user || t->process)
		arch_thread_loaded(c, t);
}

/* From prev, whose lock is held. is_user: neither is an idle thread. */
static ALWAYS_INLINE void sched_switch_stacks(struct cpu *c, struct thread *prev, struct thread *to, bool is_user)
{
	struct space *space = is_user || to->process ? to->process->space : NULL;

	trace(TRACE_SWITCH, (uint16_t)prev->state, prev->tid, to->tid);
	c->switches++;
	prev->switches++;
	if (is_user || prev->process)
		arch_thread_unload(prev);
	c->current = to;
	c->previous = prev;
	space_switch_inline(c, c->space, space);
	arch_switch(&prev->context, &to->context);
	sched_finish_switch(is_user);
}

/* The current thread's lock is held and its state says what it does next; `to` was claimed. */
static ALWAYS_INLINE void sched_hand_over(struct thread *to)
{
	struct cpu *c = cpu_this();
	struct thread *prev = c->current;

	to->turn.left_ns = prev->turn.left_ns;
	to->ran_since_ns = prev->ran_since_ns;
	sched_switch_stacks(c, prev, to, true);
}

/* thread_hand_over when there is a deadline, or something that keeps us from parking. */
err_t thread_hand_over_until(struct thread *to, uint64_t deadline_ns, uint32_t park_flags) NONNULL MUST_CHECK;

/* Parks as thread_park does, with the CPU and the rest of the time slice going to `to`, which was claimed. */
MUST_CHECK static ALWAYS_INLINE err_t thread_hand_over(struct thread *to, uint64_t deadline_ns, uint32_t park_flags)
{
	struct thread *t = thread_current();

	if (UNLIKELY(deadline_ns != DEADLINE_NONE))
		return thread_hand_over_until(to, deadline_ns, park_flags);
	spin_lock(&t->lock);
	if (UNLIKELY(t->wake_token || atomic_load_explicit(&t->attention, memory_order_relaxed))) {
		spin_unlock(&t->lock);
		return thread_hand_over_until(to, deadline_ns, park_flags);
	}
	t->park_flags = (uint8_t)park_flags;
	t->park_result = OK;
	t->state = THREAD_PARKED;
	sched_hand_over(to);
	return (err_t)t->park_result;
}
