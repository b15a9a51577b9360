/* servers/procd/schedule.c - Linux's rules for sched_setscheduler, setpriority and their kin; the kernel does what comes out. */
#include "servers/procd/schedule.h"
#include "lib/base/bits.h"
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
	return t->outside->task_schedule(p->task, s);
}

/* ---- getpriority, setpriority ---- */

/* Whom one means, and what came of it. */
struct priority_walk {
	struct process *sender;
	uint32_t which, who;
	bool sets;
	int32_t nice;                   /* what is set, or the best found */
	bool found;
	err_t err;
};

static err_t walk_begin(struct priority_walk *w, struct process *sender, uint32_t which, uint32_t who)
{
	*w = (struct priority_walk){ .sender = sender, .which = which, .who = who, .nice = LINUX_NICE_MAX };
	if (which > LINUX_PRIO_USER)
		return ERR_INVAL;
	if (who == 0)
		w->who = which == LINUX_PRIO_PROCESS ? sender->pid :
		         which == LINUX_PRIO_PGRP ? sender->group->id : sender->cred->uid;
	return OK;
}

static err_t nice_allowed(const struct process *sender, const struct process *p, int32_t old, int32_t nice)
{
	if (!is_owner(sender, p))
		return ERR_PERM;
	/* RLIMIT_NICE n allows down to 20 - n. */
	if (sender->cred->euid != 0 && nice < old && (uint64_t)(20 - nice) > limit_of(p, LINUX_RLIMIT_NICE))
		return ERR_ACCES;
	return OK;
}

/* A thread that ends meanwhile is not found. Its policy and where it runs stay. */
static void walk_thread(struct tree *t, struct priority_walk *w, struct process *p, uint32_t tid)
{
	struct task_schedule s;
	err_t err;

	if (t->outside->task_schedule_info(p->task, tid, &s))
		return;
	w->found = true;
	if (!w->sets) {
		w->nice = MIN_OF(w->nice, s.nice);
		return;
	}
	err = nice_allowed(w->sender, p, s.nice, w->nice);
	s.nice = (int8_t)w->nice;
	s.tid = tid;
	s.affinity = 0;
	if (!err)
		err = t->outside->task_schedule(p->task, &s);
	if (err && err != ERR_SRCH)
		w->err = err;
}

static void walk_process(struct tree *t, struct process *p, void *argument)
{
	struct priority_walk *w = argument;
	struct thread_info thread = { .tid = 0 };

	if (!process_is_alive(p) || (w->which == LINUX_PRIO_PGRP ? p->group->id : p->cred->uid) != w->who)
		return;
	while (!t->outside->task_next_thread(p->task, thread.tid, &thread))
		walk_thread(t, w, p, thread.tid);
}

static err_t walk(struct tree *t, struct priority_walk *w)
{
	struct process *p;

	if (w->which != LINUX_PRIO_PROCESS)
		tree_each(t, walk_process, w);
	else if (!find(t, w->who, &p))
		walk_thread(t, w, p, w->who);
	return w->found ? w->err : ERR_SRCH;
}

int64_t priority_get(struct tree *t, struct process *sender, uint32_t which, uint32_t who)
{
	struct priority_walk w;
	err_t err;

	if ((err = walk_begin(&w, sender, which, who)) || (err = walk(t, &w)))
		return err;
	return w.nice + 20;
}

err_t priority_set(struct tree *t, struct process *sender, uint32_t which, uint32_t who, int32_t nice)
{
	struct priority_walk w;
	err_t err;

	if ((err = walk_begin(&w, sender, which, who)))
		return err;
	w.sets = true;
	w.nice = nice < LINUX_NICE_MIN ? LINUX_NICE_MIN : nice > LINUX_NICE_MAX ? LINUX_NICE_MAX : nice;
	return walk(t, &w);
}
