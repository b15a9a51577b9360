/* servers/procd/schedule.c - Linux's rules for sched_setscheduler and its kin; the kernel does what comes out. */
#include "servers/procd/schedule.h"
#include "servers/procd/cred.h"
#include "servers/procd/limit.h"

static err_t find(struct tree *t, uint32_t tid, struct process **out)
{
	uint32_t pid;

	if (t->outside->thread_find(tid, &pid) || !(*out = tree_discover(t, pid)) || !process_is_alive(*out))
		return ERR_SRCH;
	return OK;
}

static bool is_owner(const struct process *sender, const struct process *p)
{
	uint32_t me = sender->cred->euid;

	return me == 0 || me == p->cred->uid || me == p->cred->euid;
}

/* May its owner, who is not root, raise it so? */
static bool is_allowed(const struct process *p, const struct task_schedule *old, const struct task_schedule *s)
{
	uint64_t level = s->priority >= PRIORITY_REALTIME ? s->priority - PRIORITY_REALTIME + 1u : 0;
	uint64_t level_max = limit_of(p, LINUX_RLIMIT_RTPRIO);
	bool same = old->priority >= PRIORITY_REALTIME && old->priority < PRIORITY_DEADLINE && !((old->flags ^ s->flags) & SCHEDULE_FIFO);

	if (s->priority == PRIORITY_DEADLINE || (old->flags & ~s->flags & SCHEDULE_RESET_ON_FORK))
		return false;
	if (level && ((!same && level_max == 0) || (s->priority > old->priority && level > level_max)))
		return false;
	bool rises = s->nice < old->nice || (old->priority == PRIORITY_IDLE && s->priority != PRIORITY_IDLE);
	return !rises || (uint64_t)(20 - s->nice) <= limit_of(p, LINUX_RLIMIT_NICE);
}

err_t schedule_get(struct tree *t, uint32_t tid, struct task_schedule *out)
{
	struct process *p;
	err_t err = find(t, tid, &p);

	return err ? err : t->outside->task_schedule_info(p->task, tid, out);
}

err_t schedule_set(struct tree *t, struct process *sender, const struct task_schedule *s)
{
	struct task_schedule old;
	struct process *p;
	err_t err;

	if ((err = find(t, s->tid, &p)) || (err = t->outside->task_schedule_info(p->task, s->tid, &old)))
		return err;
	if (!is_owner(sender, p))
		return ERR_PERM;
	if (s->flags & SCHEDULE_ONLY_AFFINITY)
		return t->outside->task_schedule(p->task, s);
	if (sender->cred->euid != 0 && !is_allowed(p, &old, s))
		return ERR_PERM;
	/* What lies between is for services: init gives it. */
	if (s->priority >= PRIORITY_SERVER && s->priority < PRIORITY_REALTIME && s->priority != old.priority)
		return ERR_INVAL;
	if ((err = t->outside->task_schedule(p->task, s)))
		return err;
	if (s->tid == p->pid)
		p->nice = s->nice;
	return OK;
}
