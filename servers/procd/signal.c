/* servers/procd/signal.c - permission, queueing and the three signals that act from here. */
#include "servers/procd/signal.h"
#include "servers/procd/cred.h"
#include "servers/procd/elevate.h"
#include "servers/procd/limit.h"

struct queued {
	struct list_node in_process;
	uint32_t tid;                   /* for this thread only; 0: any */
	struct posix_signal info;
};

#define BIT(signal) (1u << (signal))
#define NOTICE(signal) (1ull << ((signal) - 1))

enum { STOP_SIGNALS = BIT(LINUX_SIGSTOP) | BIT(LINUX_SIGTSTP) | BIT(LINUX_SIGTTIN) | BIT(LINUX_SIGTTOU) };
static const uint64_t STOP_NOTICES = NOTICE(LINUX_SIGTSTP) | NOTICE(LINUX_SIGTTIN) | NOTICE(LINUX_SIGTTOU);

static bool is_stop(uint32_t signal) { return signal < 32 && STOP_SIGNALS & BIT(signal); }
static bool is_realtime(uint32_t signal) { return signal >= LINUX_SIGRTMIN; }

static void drop(struct tree *t, struct process *p, struct queued *q)
{
	ASSERT(p->signal_count > 0 && p->user->queued_signals > 0);
	p->signal_count--;
	p->user->queued_signals--;
	list_remove(&q->in_process);
	t->outside->release(q, sizeof *q);
}

void signal_flush(struct tree *t, struct process *p)
{
	struct queued *q, *next;

	list_each_safe(q, next, &p->signals, in_process)
		drop(t, p, q);
}

static void drop_all_of(struct tree *t, struct process *p, uint32_t signals)
{
	struct queued *q, *next;

	list_each_safe(q, next, &p->signals, in_process)
		if (q->info.signal < 32 && signals & BIT(q->info.signal))
			drop(t, p, q);
}

static struct queued *find_queued(struct process *p, uint32_t signal, uint32_t tid)
{
	struct queued *q;

	list_each(q, &p->signals, in_process)
		if (q->info.signal == signal && q->tid == tid)
			return q;
	return NULL;
}

static bool queue_is_full(const struct process *p)
{
	return p->signal_count >= SIGNAL_QUEUE_MAX || p->user->queued_signals >= limit_of(p, LINUX_RLIMIT_SIGPENDING);
}

/* A standard signal is there once or not at all: what its info says may be one that was taken without
 * a look at it, so the newest wins. It is delivered even when there is no room for its info. */
static err_t enqueue(struct tree *t, struct process *p, const struct posix_signal *info, uint32_t tid)
{
	struct queued *q = is_realtime(info->signal) ? NULL : find_queued(p, info->signal, tid);

	if (q) {
		q->info = *info;
		return OK;
	}
	q = queue_is_full(p) ? NULL : t->outside->allocate(sizeof *q);
	if (!q)
		return is_realtime(info->signal) && info->code != LINUX_SI_USER ? ERR_AGAIN : OK;
	*q = (struct queued){ .tid = tid, .info = *info };
	list_push_back(&p->signals, &q->in_process);
	p->signal_count++;
	p->user->queued_signals++;
	return OK;
}

static err_t post(struct tree *t, struct process *p, const struct posix_signal *info, uint32_t tid)
{
	err_t err;

	if ((err = enqueue(t, p, info, tid)))
		return err;
	err = t->outside->task_post(p->task, info->signal, tid);
	/* It is ending: to the sender that is a process that got the signal just before. */
	return err == ERR_SRCH && tid == 0 ? OK : err;
}

static void withdraw_stops(struct tree *t, struct process *p)
{
	p->stops_cancelled |= p->stops_taken;
	p->stops_taken = 0;
	t->outside->task_withdraw(p->task, STOP_NOTICES);
	drop_all_of(t, p, STOP_SIGNALS);
}

err_t signal_send(struct tree *t, struct process *p, const struct posix_signal *info, uint32_t tid)
{
	uint32_t signal = info->signal;

	if (signal == 0 || !process_is_alive(p))
		return OK;
	if (is_stop(signal)) {
		if (p == t->init)
			return OK;
		t->outside->task_withdraw(p->task, NOTICE(LINUX_SIGCONT));
		drop_all_of(t, p, BIT(LINUX_SIGCONT));
		if (signal == LINUX_SIGSTOP) {
			process_stop(t, p, signal);
			return OK;
		}
	}
	if (signal == LINUX_SIGKILL)
		elevate_drop(t, p);
	if (signal == LINUX_SIGKILL)
		return p == t->init ? OK : t->outside->task_kill(p->task, signal);
	if (signal == LINUX_SIGCONT) {
		withdraw_stops(t, p);
		process_continue(t, p);
	}
	return post(t, p, info, tid);
}

void signal_send_quietly(struct tree *t, struct process *p, const struct posix_signal *info)
{
	err_t err = signal_send(t, p, info, 0);

	/* It has ended, or its queue is full: nobody waits to be told. */
	(void)err;
}

void signal_raise(struct tree *t, struct process *p, uint32_t signal)
{
	struct posix_signal info = { .signal = signal, .code = LINUX_SI_KERNEL };

	signal_send_quietly(t, p, &info);
}

void signal_raise_group(struct tree *t, struct group *g, uint32_t signal)
{
	struct process *p;

	list_each(p, &g->members, in_group)
		signal_raise(t, p, signal);
}

/* POSIX kill(): the real or effective id is the target's real or saved one; SIGCONT within a session. */
static bool may_signal(const struct process *sender, const struct process *p, uint32_t signal)
{
	const struct cred *me = sender->cred, *it = p->cred;

	return me->euid == 0 || me->euid == it->uid || me->euid == it->suid || me->uid == it->uid || me->uid == it->suid ||
	       (signal == LINUX_SIGCONT && sender->group->session == p->group->session);
}

/* Nobody may pass for the kernel, or for a kill() of somebody else's. */
static bool may_say(const struct process *sender, const struct process *p, const struct posix_signal *info)
{
	return sender == p || info->code == LINUX_SI_USER || (info->code < 0 && info->code != LINUX_SI_TKILL);
}

static err_t send_checked(struct tree *t, struct process *sender, struct process *p, const struct posix_signal *info)
{
	if (!may_signal(sender, p, info->signal) || !may_say(sender, p, info))
		return ERR_PERM;
	return signal_send(t, p, info, 0);
}

/* Many targets: OK when one got it, else what the last said; SRCH when there was none. */
struct kill_walk {
	struct process *sender;
	const struct posix_signal *info;
	bool sent;
	err_t err;
};

static void kill_one(struct tree *t, struct process *p, struct kill_walk *w)
{
	err_t err = send_checked(t, w->sender, p, w->info);

	if (err)
		w->err = err;
	else
		w->sent = true;
}

static err_t kill_group(struct tree *t, struct process *sender, uint32_t id, const struct posix_signal *info)
{
	struct kill_walk w = { sender, info, false, ERR_SRCH };
	struct group *g = tree_find_group(t, id);
	struct process *p;

	if (!g)
		return ERR_SRCH;
	list_each(p, &g->members, in_group)
		kill_one(t, p, &w);
	return w.sent ? OK : w.err;
}

static void kill_if_other(struct tree *t, struct process *p, void *argument)
{
	struct kill_walk *w = argument;

	if (p != t->init && p != w->sender && process_is_alive(p))
		kill_one(t, p, w);
}

static err_t kill_all(struct tree *t, struct process *sender, const struct posix_signal *info)
{
	struct kill_walk w = { sender, info, false, ERR_SRCH };

	tree_discover_all(t, true);
	tree_each(t, kill_if_other, &w);
	/* As on Linux: not to be allowed to signal any of them is no error. */
	return w.sent || w.err == ERR_PERM ? OK : w.err;
}

static void sign(const struct process *sender, struct posix_signal *info)
{
	info->pid = sender->pid;
	info->uid = sender->cred->uid;
	info->reserved = 0;
}

err_t signal_kill(struct tree *t, struct process *sender, struct posix_signal info)
{
	struct process *p;

	if (info.signal > LINUX_SIGNAL_LAST)
		return ERR_INVAL;
	sign(sender, &info);
	if (info.target == -1)
		return kill_all(t, sender, &info);
	if (info.target == 0)
		return kill_group(t, sender, sender->group->id, &info);
	if (info.target < 0)
		return info.target == INT32_MIN ? ERR_SRCH : kill_group(t, sender, (uint32_t)-info.target, &info);
	p = tree_discover(t, (uint32_t)info.target);
	return p ? send_checked(t, sender, p, &info) : ERR_SRCH;
}

err_t signal_kill_thread(struct tree *t, struct process *sender, struct posix_signal info)
{
	struct process *p;
	uint32_t pid;

	if (info.signal > LINUX_SIGNAL_LAST || info.target <= 0)
		return ERR_INVAL;
	if (t->outside->thread_find((uint32_t)info.target, &pid) || !(p = tree_discover(t, pid)) || !process_is_alive(p))
		return ERR_SRCH;
	if (!may_signal(sender, p, info.signal))
		return ERR_PERM;
	/* That it is for one thread is what this code says; only sigqueue's other codes may replace it. */
	if (info.code >= 0)
		info.code = LINUX_SI_TKILL;
	sign(sender, &info);
	return signal_send(t, p, &info, (uint32_t)info.target);
}

err_t signal_take_info(struct tree *t, struct process *p, uint32_t signal, uint32_t tid, struct posix_signal *out, bool *more)
{
	struct queued *q;
	uint32_t for_tid = tid;

	if (is_stop(signal))
		p->stops_taken |= BIT(signal);
	q = tid ? find_queued(p, signal, tid) : NULL;
	if (!q) {
		for_tid = 0;
		q = find_queued(p, signal, 0);
	}
	if (!q)
		return ERR_NODATA;
	*out = q->info;
	drop(t, p, q);
	q = for_tid ? find_queued(p, signal, for_tid) : NULL;
	if (!q) {
		for_tid = 0;
		q = find_queued(p, signal, 0);
	}
	*more = q && t->outside->task_post(p->task, signal, for_tid) == OK;
	return OK;
}

void signal_post_all(struct tree *t, struct process *p)
{
	struct queued *q;

	list_each(q, &p->signals, in_process) {
		q->tid = 0;
		(void)t->outside->task_post(p->task, q->info.signal, 0);
	}
}

void signal_forget_stops(struct process *p)
{
	p->stops_taken = p->stops_cancelled = 0;
}

bool signal_stops(struct process *p, uint32_t signal)
{
	bool cancelled = p->stops_cancelled & BIT(signal);

	signal_forget_stops(p);
	return !cancelled && (signal == LINUX_SIGSTOP || !group_is_orphaned(p->group));
}
