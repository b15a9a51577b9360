/* personality/linux/call.c - the table of system calls, dispatch, and repeating what a signal interrupted. */
#include "personality/linux/call.h"
#include "lib/base/bits.h"
#include "personality/linux/deliver.h"
#include "personality/linux/strace.h"

const struct call_entry call_table[LINUX_CALL_COUNT] = {
#define CALL(number, name, kinds) [number] = { linux_##name, #name, kinds },
#define NONE(number, name, kinds) [number] = { NULL, #name, kinds },
#include "personality/linux/calls.def"
#undef CALL
#undef NONE
};

static int64_t call_missing(struct thread *t, uint64_t number)
{
	struct missing_counts *missing = process_missing(t->process);

	if (missing)
		atomic_fetch_add_explicit(&missing->calls[MIN_OF(number, ARRAY_COUNT(missing->calls) - 1)], 1, memory_order_relaxed);
	return ERR_NOSYS;
}

static int64_t call_run(struct thread *t, uint64_t number)
{
	const struct call_entry *entry = number < LINUX_CALL_COUNT ? &call_table[number] : NULL;

	if (UNLIKELY(!entry || !entry->handler))
		return call_missing(t, number);
	return entry->handler(t, t->frame.argument);
}

static int64_t call_traced(struct thread *t, uint64_t number)
{
	strace_before(t, number);
	int64_t result = call_run(t, number);
	/* sigreturn and the like have no result of their own. */
	strace_after(t, number, result, t->frame.number != FRAME_NO_CALL);
	return result;
}

static bool is_restart(int64_t result)
{
	return result == -LINUX_ERESTARTSYS || result == -LINUX_ERESTARTNOHAND;
}

bool call_dispatch(struct thread *t)
{
	uint64_t number = t->frame.number;

	t->restarting = false;
	t->is_deadline_kept = false;
	t->full_exit = false;
	for (;;) {
		int64_t result = LIKELY(t->process->kept.handles.strace == HANDLE_NONE) ? call_run(t, number) : call_traced(t, number);
		if (UNLIKELY(t->frame.number == FRAME_NO_CALL))
			return true;
		t->frame.rax = (uint64_t)result;
		if (UNLIKELY(t->has_own) && signal_deliver_own(t))
			return true;
		if (LIKELY(!is_restart(result)))
			break;
		if (signal_deliver(t))
			return true;
		/* No handler ran: the call goes on as if nothing had been. */
		t->restarting = true;
	}
	if (UNLIKELY(t->is_mask_saved)) {
		t->is_mask_saved = false;
		thread_set_mask(t, t->mask_saved);
	}
	return t->full_exit;
}

void call_leave(struct thread *t)
{
	(void)signal_deliver(t);
}

uint64_t call_deadline(struct thread *t, uint64_t timeout_ns)
{
	if (t->restarting && t->is_deadline_kept)
		return t->deadline_kept;
	uint64_t deadline;
	if (timeout_ns == DEADLINE_NONE || add_overflows(native_clock(CLOCK_MONOTONIC_NS), timeout_ns, &deadline))
		deadline = DEADLINE_NONE;
	t->deadline_kept = deadline;
	t->is_deadline_kept = true;
	return deadline;
}

int64_t call_timeout(uint64_t pointer, uint64_t *out_ns)
{
	struct linux_timespec ts;

	*out_ns = DEADLINE_NONE;
	if (pointer == 0)
		return 0;
	if (user_read(&ts, pointer, sizeof(ts)))
		return ERR_FAULT;
	return timespec_to_ns(&ts, out_ns);
}

int64_t call_deadline_of(struct thread *t, uint64_t timespec, uint64_t *out_deadline_ns)
{
	uint64_t timeout;
	int64_t err = call_timeout(timespec, &timeout);

	if (err)
		return err;
	*out_deadline_ns = timeout == 0 ? DEADLINE_NOW : call_deadline(t, timeout);
	return 0;
}

int64_t call_mask_swap(struct thread *t, uint64_t mask_pointer, uint64_t bytes)
{
	uint64_t mask;

	if (mask_pointer == 0)
		return 0;
	if (bytes != sizeof(mask))
		return ERR_INVAL;
	if (user_read(&mask, mask_pointer, sizeof(mask)))
		return ERR_FAULT;
	if (!t->is_mask_saved) {
		t->mask_saved = t->mask;
		t->is_mask_saved = true;
	}
	thread_set_mask(t, mask & ~SIGNAL_UNBLOCKABLE);
	return 0;
}
