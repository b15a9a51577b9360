/* personality/linux/futex.c - Linux futexes on native ones, and what a dying thread owes (robust lists). */
#include "personality/linux/call.h"
#include "personality/linux/futex.h"

enum { ROBUST_MAX = 2048 };

static int64_t futex_wake(uint64_t address, uint64_t count, uint64_t bits)
{
	return native(OP_FUTEX_WAKE, 0, HANDLE_NONE, address, count, bits, 0, 0, 0);
}

/* The absolute monotonic deadline of a wait's timespec: relative for FUTEX_WAIT, absolute on one of two clocks for the other. */
static int64_t wait_deadline(struct thread *t, uint32_t operation, uint64_t pointer, uint64_t *deadline)
{
	uint64_t ns;

	if ((operation & 127) == LINUX_FUTEX_WAIT)
		return call_deadline_of(t, pointer, deadline);
	int64_t err = call_timeout(pointer, &ns);
	if (err)
		return err;
	if (ns != DEADLINE_NONE && (operation & LINUX_FUTEX_CLOCK_REALTIME)) {
		uint64_t offset = native_clock(CLOCK_REALTIME_NS) - native_clock(CLOCK_MONOTONIC_NS);
		ns = ns > offset ? ns - offset : DEADLINE_NOW;
	}
	*deadline = ns;
	return 0;
}

static int64_t futex_wait(struct thread *t, uint64_t address, uint32_t operation, uint32_t expected, uint64_t timespec, uint32_t bits)
{
	uint64_t deadline;
	int64_t err;

	if (bits == 0)
		return ERR_INVAL;
	if ((err = wait_deadline(t, operation, timespec, &deadline)))
		return err;
	return call_interrupted(native(OP_FUTEX_WAIT, REQUEST_INTERRUPTIBLE, HANDLE_NONE, address, expected | (uint64_t)bits << 32, deadline, 0, 0, 0));
}

static int64_t futex_wake_op(uint64_t address, uint64_t wake, uint64_t wake2, uint64_t address2, uint32_t code)
{
	uint32_t operation = code >> 28 & 7, comparison = code >> 24 & 15, old, found;
	int32_t argument = (int32_t)(code << 8) >> 20, compared = (int32_t)(code << 20) >> 20;

	if (operation > WAKE_OP_XOR || comparison > 5)
		return ERR_NOSYS;
	if (code >> 28 & WAKE_OP_SHIFT)
		argument = (int32_t)(1u << (argument & 31));
	if (user_load_u32(address2, &old))
		return ERR_FAULT;
	for (;; old = found) {
		if (user_swap_u32(address2, old, futex_operate(operation, old, argument), &found))
			return ERR_FAULT;
		if (found == old)
			break;
	}
	int64_t woken = futex_wake(address, wake, 0);
	if (woken >= 0 && futex_compare(comparison, old, compared)) {
		int64_t more = futex_wake(address2, wake2, 0);
		woken = more < 0 ? more : woken + more;
	}
	return woken;
}

int64_t linux_futex(struct thread *t, const uint64_t *a)
{
	uint32_t operation = (uint32_t)a[1], value = (uint32_t)a[2];

	if ((operation & LINUX_FUTEX_CLOCK_REALTIME) && (operation & 127) != LINUX_FUTEX_WAIT_BITSET)
		return ERR_NOSYS;
	if (a[0] & 3)
		return ERR_INVAL;
	switch (operation & 127) {
	case LINUX_FUTEX_WAIT:
		return futex_wait(t, a[0], operation, value, a[3], UINT32_MAX);
	case LINUX_FUTEX_WAIT_BITSET:
		return futex_wait(t, a[0], operation, value, a[3], (uint32_t)a[5]);
	case LINUX_FUTEX_WAKE:
		return futex_wake(a[0], value, 0);
	case LINUX_FUTEX_WAKE_BITSET:
		return (uint32_t)a[5] == 0 ? ERR_INVAL : futex_wake(a[0], value, (uint32_t)a[5]);
	case LINUX_FUTEX_REQUEUE:
	case LINUX_FUTEX_CMP_REQUEUE:
		if ((int32_t)value < 0 || (int32_t)a[3] < 0)
			return ERR_INVAL;
		return native(OP_FUTEX_REQUEUE, 0, HANDLE_NONE, a[0], value, (uint32_t)a[3], a[4],
		              (operation & 127) == LINUX_FUTEX_REQUEUE ? ~0ull : (uint32_t)a[5], 0);
	case LINUX_FUTEX_WAKE_OP:
		return futex_wake_op(a[0], value, (uint32_t)a[3], a[4], (uint32_t)a[5]);
	default:
		return ERR_NOSYS;
	}
}

int64_t linux_set_robust_list(struct thread *t, const uint64_t *a)
{
	if (a[1] != sizeof(struct linux_robust_head))
		return ERR_INVAL;
	t->robust_head = a[0];
	return 0;
}

int64_t linux_get_robust_list(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	uint64_t head, bytes = sizeof(struct linux_robust_head);

	lock_take(&p->lock);
	struct thread *other = a[0] ? thread_find(p, (uint32_t)a[0]) : t;
	head = other ? other->robust_head : 0;
	lock_release(&p->lock);
	if (!other)
		return ERR_SRCH;
	return user_write(a[1], &head, sizeof(head)) || user_write(a[2], &bytes, sizeof(bytes)) ? ERR_FAULT : 0;
}

/* The holder of this lock is gone: says so in it and wakes one who waits. */
static int64_t robust_release(uint32_t tid, uint64_t address)
{
	uint32_t word, found;

	if ((address & 3) || user_load_u32(address, &word))
		return ERR_FAULT;
	for (;; word = found) {
		if ((word & LINUX_FUTEX_TID_MASK) != tid)
			return 0;
		if (user_swap_u32(address, word, (word & LINUX_FUTEX_WAITERS) | LINUX_FUTEX_OWNER_DIED, &found))
			return ERR_FAULT;
		if (found == word)
			break;
	}
	if (word & LINUX_FUTEX_WAITERS)
		(void)futex_wake(address, 1, 0);
	return 0;
}

void futex_robust_release(struct thread *t)
{
	struct linux_robust_head head;
	uint64_t next;

	if (t->robust_head == 0 || user_read(&head, t->robust_head, sizeof(head)))
		return;
	uint64_t at = head.list & ~1ull;
	for (unsigned n = 0; at != t->robust_head && n < ROBUST_MAX; n++, at = next & ~1ull) {
		/* The next one first: a released lock is no longer ours to read. */
		if (user_read(&next, at, sizeof(next)))
			return;
		if (at != (head.pending & ~1ull) && robust_release(t->tid, at + (uint64_t)head.futex_offset))
			return;
	}
	if (head.pending & ~1ull)
		(void)robust_release(t->tid, (head.pending & ~1ull) + (uint64_t)head.futex_offset);
}
