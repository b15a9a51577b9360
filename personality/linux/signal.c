/* personality/linux/signal.c - tables of what signals do, and a small pool for what they carry. */
#include "personality/linux/signal.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum {
	KNOWN_FLAGS = LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_SIGINFO | LINUX_SA_RESTORER | LINUX_SA_ONSTACK |
	              LINUX_SA_RESTART | LINUX_SA_NODEFER,
};

void signal_init(struct signal_state *s)
{
	memset(s, 0, sizeof(*s));
}

enum signal_effect signal_default(uint32_t signal)
{
	switch (signal) {
	case LINUX_SIGCHLD: case LINUX_SIGURG: case LINUX_SIGWINCH:
		return SIGNAL_IGNORE;
	case LINUX_SIGCONT:
		return SIGNAL_CONTINUE;
	case LINUX_SIGSTOP: case LINUX_SIGTSTP: case LINUX_SIGTTIN: case LINUX_SIGTTOU:
		return SIGNAL_STOP;
	case LINUX_SIGQUIT: case LINUX_SIGILL: case LINUX_SIGTRAP: case LINUX_SIGABRT: case LINUX_SIGBUS: case LINUX_SIGFPE:
	case LINUX_SIGSEGV: case LINUX_SIGXCPU: case LINUX_SIGXFSZ: case LINUX_SIGSYS:
		return SIGNAL_CORE;
	default:
		return SIGNAL_TERMINATE;
	}
}

enum signal_effect signal_effect(const struct signal_state *s, uint32_t signal)
{
	uint64_t handler = s->action[signal].handler;
	if (handler == LINUX_SIG_IGN)
		return SIGNAL_IGNORE;
	return handler == LINUX_SIG_DFL ? signal_default(signal) : SIGNAL_HANDLE;
}

err_t signal_set_action(struct signal_state *s, uint64_t signal, const struct linux_sigaction *new_or_null,
                        struct linux_sigaction *old)
{
	if (!signal_is_valid(signal))
		return ERR_INVAL;
	if (new_or_null && (SIGNAL_UNBLOCKABLE & LINUX_SIGNAL_BIT(signal)))
		return ERR_INVAL;
	*old = s->action[signal];
	if (!new_or_null)
		return OK;
	s->action[signal] = *new_or_null;
	s->action[signal].flags &= KNOWN_FLAGS | LINUX_SA_RESETHAND;
	s->action[signal].mask &= ~SIGNAL_UNBLOCKABLE;
	s->ignored &= ~LINUX_SIGNAL_BIT(signal);
	s->ignored |= new_or_null->handler == LINUX_SIG_IGN ? LINUX_SIGNAL_BIT(signal) : 0;
	return OK;
}

uint64_t signal_handler_mask(struct signal_state *s, uint32_t signal, uint64_t mask)
{
	struct linux_sigaction *action = &s->action[signal];

	mask |= action->mask;
	if (!(action->flags & LINUX_SA_NODEFER))
		mask |= LINUX_SIGNAL_BIT(signal);
	if (action->flags & LINUX_SA_RESETHAND)
		action->handler = LINUX_SIG_DFL;
	return mask & ~SIGNAL_UNBLOCKABLE;
}

void signal_reset_for_exec(struct signal_state *s)
{
	memset(s->action, 0, sizeof(s->action));
	signal_ignore(s, s->ignored);
}

void signal_ignore(struct signal_state *s, uint64_t set)
{
	s->ignored |= set;
	for (; set; set &= set - 1)
		s->action[lowest_bit(set) + 1].handler = LINUX_SIG_IGN;
}

static bool queue_has(const struct signal_queue *q, uint32_t tid, int32_t signal)
{
	for (unsigned i = 0; i < SIGNAL_QUEUE_MAX; i++)
		if (q->slot[i].sequence && q->slot[i].tid == tid && q->slot[i].info.signal == signal)
			return true;
	return false;
}

err_t signal_queue(struct signal_queue *q, uint32_t tid, const struct linux_siginfo *info)
{
	if (q->count && !signal_is_realtime((uint32_t)info->signal) && queue_has(q, tid, info->signal))
		return OK;
	for (unsigned i = 0; i < SIGNAL_QUEUE_MAX; i++) {
		if (q->slot[i].sequence)
			continue;
		/* Order is relative, so a wrap may misorder at most what is queued then. */
		if (++q->next_sequence == 0)
			q->next_sequence = 1;
		q->slot[i] = (struct signal_queued){ .tid = tid, .sequence = q->next_sequence, .info = *info };
		q->count++;
		return OK;
	}
	return ERR_AGAIN;
}

/* The oldest for exactly this tid, or NULL. */
static struct signal_queued *queue_oldest(struct signal_queue *q, uint32_t tid, uint32_t signal)
{
	struct signal_queued *oldest = NULL;
	for (unsigned i = 0; q->count && i < SIGNAL_QUEUE_MAX; i++) {
		struct signal_queued *s = &q->slot[i];
		if (s->sequence && s->tid == tid && (uint32_t)s->info.signal == signal &&
		    (!oldest || (int32_t)(s->sequence - oldest->sequence) < 0))
			oldest = s;
	}
	return oldest;
}

static void queue_drop(struct signal_queue *q, struct signal_queued *s)
{
	s->sequence = 0;
	q->count--;
}

bool signal_unqueue(struct signal_queue *q, uint32_t tid, uint32_t signal, struct linux_siginfo *out, bool *more, uint32_t *more_tid)
{
	struct signal_queued *s = queue_oldest(q, tid, signal);

	if (!s)
		s = queue_oldest(q, 0, signal);
	if (!s)
		return false;
	*out = s->info;
	queue_drop(q, s);
	*more_tid = queue_oldest(q, tid, signal) ? tid : 0;
	*more = *more_tid || queue_oldest(q, 0, signal);
	return true;
}

void signal_queue_clear(struct signal_queue *q)
{
	for (unsigned i = 0; q->count && i < SIGNAL_QUEUE_MAX; i++)
		if (q->slot[i].sequence)
			queue_drop(q, &q->slot[i]);
}

void signal_queue_clear_thread(struct signal_queue *q, uint32_t tid)
{
	for (unsigned i = 0; q->count && i < SIGNAL_QUEUE_MAX; i++)
		if (q->slot[i].sequence && q->slot[i].tid == tid)
			queue_drop(q, &q->slot[i]);
}
