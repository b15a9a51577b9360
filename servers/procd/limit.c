/* servers/procd/limit.c - resource limits and usage. */
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
