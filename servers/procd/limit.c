/* servers/procd/limit.c - resource limits, niceness and usage. */
#include "servers/procd/limit.h"
#include "servers/procd/cred.h"

enum { DEFAULT_FILES = 1024, DEFAULT_FILES_HARD = 1 << 16, DEFAULT_SIGNALS = 1024 };

struct limits *limits_create(struct tree *t, uint64_t processes)
{
	const uint64_t any = LINUX_RLIM_INFINITY;
	struct limits *l = t->outside->allocate(sizeof *l);

	if (!l)
		return NULL;
	*l = (struct limits){ .references = 1 };
	for (uint32_t i = 0; i < LINUX_RLIMIT_COUNT; i++)
		l->limit[i] = (struct posix_limit){ any, any };
	l->limit[LINUX_RLIMIT_STACK] = (struct posix_limit){ 8 << 20, any };
	l->limit[LINUX_RLIMIT_CORE] = (struct posix_limit){ 0, any };
	l->limit[LINUX_RLIMIT_NPROC] = (struct posix_limit){ processes, processes };
	l->limit[LINUX_RLIMIT_NOFILE] = (struct posix_limit){ DEFAULT_FILES, DEFAULT_FILES_HARD };
	l->limit[LINUX_RLIMIT_MEMLOCK] = (struct posix_limit){ 8 << 20, 8 << 20 };
	l->limit[LINUX_RLIMIT_SIGPENDING] = (struct posix_limit){ DEFAULT_SIGNALS, DEFAULT_SIGNALS };
	l->limit[LINUX_RLIMIT_MSGQUEUE] = (struct posix_limit){ 819200, 819200 };
	l->limit[LINUX_RLIMIT_NICE] = (struct posix_limit){ 0, 0 };
	l->limit[LINUX_RLIMIT_RTPRIO] = (struct posix_limit){ 0, 0 };
	return l;
}

void limits_put(struct tree *t, struct limits *l)
{
	ASSERT(l->references > 0);
	if (--l->references == 0)
		t->outside->release(l, sizeof *l);
}

/* prlimit(2): oneself, root, or all ids of the target equal to the sender's real ones. */
static bool may_limit(const struct process *sender, const struct process *p)
{
	const struct cred *me = sender->cred, *it = p->cred;

	return sender == p || me->euid == 0 ||
	       (me->uid == it->uid && me->uid == it->euid && me->uid == it->suid &&
	        me->gid == it->gid && me->gid == it->egid && me->gid == it->sgid);
}

err_t limit_find(struct process *sender, struct process *p, uint32_t resource, struct posix_limit *out)
{
	if (resource >= LINUX_RLIMIT_COUNT)
		return ERR_INVAL;
	if (!may_limit(sender, p))
		return ERR_PERM;
	*out = p->limits->limit[resource];
	return OK;
}

err_t limit_set(struct tree *t, struct process *sender, struct process *p, uint32_t resource, const struct posix_limit *to)
{
	struct limits *l;

	if (resource >= LINUX_RLIMIT_COUNT || to->soft > to->hard)
		return ERR_INVAL;
	if (!may_limit(sender, p))
		return ERR_PERM;
	if (to->hard > p->limits->limit[resource].hard && sender->cred->euid != 0)
		return ERR_PERM;
	l = t->outside->allocate(sizeof *l);
	if (!l)
		return ERR_NOMEM;
	if (resource == LINUX_RLIMIT_NOFILE)
		(void)!t->outside->task_handle_limit(p->task, to->soft);
	*l = *p->limits;
	l->references = 1;
	l->limit[resource] = *to;
	limits_put(t, p->limits);
	p->limits = l;
	return OK;
}

/* Who a setpriority means, one process after the other. */
struct priority_walk {
	struct process *sender;
	uint32_t which, who;
	int32_t nice;
	int32_t best;
	bool found;
	err_t err;
};

static bool is_meant(const struct priority_walk *w, const struct process *p)
{
	switch (w->which) {
	case LINUX_PRIO_PROCESS:
		return p->pid == w->who;
	case LINUX_PRIO_PGRP:
		return p->group->id == w->who;
	default:
		return p->cred->uid == w->who;
	}
}

static err_t walk_begin(struct priority_walk *w, struct process *sender, uint32_t which, uint32_t who)
{
	*w = (struct priority_walk){ .sender = sender, .which = which, .who = who, .best = LINUX_NICE_MAX + 1 };
	if (which > LINUX_PRIO_USER)
		return ERR_INVAL;
	if (who == 0)
		w->who = which == LINUX_PRIO_PROCESS ? sender->pid :
		         which == LINUX_PRIO_PGRP ? sender->group->id : sender->cred->uid;
	return OK;
}

static void look_at_nice(struct tree *t, struct process *p, void *argument)
{
	struct priority_walk *w = argument;

	(void)t;
	if (!process_is_alive(p) || !is_meant(w, p))
		return;
	w->found = true;
	if (p->nice < w->best)
		w->best = p->nice;
}

int64_t priority_get(struct tree *t, struct process *sender, uint32_t which, uint32_t who)
{
	struct priority_walk w;
	err_t err;

	if ((err = walk_begin(&w, sender, which, who)))
		return err;
	tree_each(t, look_at_nice, &w);
	return w.found ? w.best + 20 : ERR_SRCH;
}

static err_t nice_allowed(const struct process *sender, const struct process *p, int32_t nice)
{
	const struct cred *me = sender->cred, *it = p->cred;

	if (me->euid == 0)
		return OK;
	if (me->euid != it->uid && me->euid != it->euid)
		return ERR_PERM;
	/* RLIMIT_NICE n allows down to 20 - n. */
	if (nice < p->nice && (uint64_t)(20 - nice) > limit_of(p, LINUX_RLIMIT_NICE))
		return ERR_ACCES;
	return OK;
}

static void change_nice(struct tree *t, struct process *p, void *argument)
{
	struct priority_walk *w = argument;
	err_t err;

	if (!process_is_alive(p) || !is_meant(w, p))
		return;
	w->found = true;
	err = nice_allowed(w->sender, p, w->nice);
	if (!err)
		err = t->outside->task_nice(p->task, w->nice);
	if (err)
		w->err = err;
	else
		p->nice = (int8_t)w->nice;
}

err_t priority_set(struct tree *t, struct process *sender, uint32_t which, uint32_t who, int32_t nice)
{
	struct priority_walk w;
	err_t err;

	if ((err = walk_begin(&w, sender, which, who)))
		return err;
	w.nice = nice < LINUX_NICE_MIN ? LINUX_NICE_MIN : nice > LINUX_NICE_MAX ? LINUX_NICE_MAX : nice;
	tree_each(t, change_nice, &w);
	return w.found ? w.err : ERR_SRCH;
}

void usage_of_task(const struct task_info *info, struct posix_usage *out)
{
	*out = (struct posix_usage){
		.user_ns = info->user_ns,
		.system_ns = info->system_ns,
		.max_resident_bytes = info->resident_bytes,
		.minor_faults = info->minor_faults,
		.major_faults = info->major_faults,
		.voluntary_switches = info->switches,
	};
}

void usage_add(struct posix_usage *to, const struct posix_usage *more)
{
	to->user_ns += more->user_ns;
	to->system_ns += more->system_ns;
	if (more->max_resident_bytes > to->max_resident_bytes)
		to->max_resident_bytes = more->max_resident_bytes;
	to->minor_faults += more->minor_faults;
	to->major_faults += more->major_faults;
	to->voluntary_switches += more->voluntary_switches;
	to->involuntary_switches += more->involuntary_switches;
}
