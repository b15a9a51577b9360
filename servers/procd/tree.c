/* servers/procd/tree.c - processes come, are related, and go. */
#include "servers/procd/tree.h"
#include "abi/types.h"
#include "lib/base/bits.h"
#include "servers/procd/cred.h"
#include "servers/procd/elevate.h"
#include "servers/procd/fault.h"
#include "servers/procd/image.h"
#include "servers/procd/limit.h"
#include "servers/procd/posix.h"
#include "servers/procd/record.h"
#include "servers/procd/session.h"
#include "servers/procd/signal.h"
#include "servers/procd/wait.h"

enum {
	GENERATION_MASK = (1 << 24) - 1,        /* procfs puts it into a node's number */
	PAGE_BYTES_LOG2 = 12,
	BYTES_PER_PROCESS_LOG2 = 18,            /* a process takes about a quarter of a MiB */
	USER_THREADS_MIN = 512, USER_THREADS_MAX = 8192,
	DISCOVER_MAX = 4096,
};

/* ---- Finding ---- */

static struct list_node *pid_bucket(struct tree *t, uint32_t pid) { return &t->processes[pid % PROCESS_BUCKETS]; }
static struct list_node *group_bucket(struct tree *t, uint32_t id) { return &t->groups[id % GROUP_BUCKETS]; }

struct process *tree_find(struct tree *t, uint32_t pid)
{
	struct process *p;

	list_each(p, pid_bucket(t, pid), by_pid)
		if (p->pid == pid)
			return p;
	return NULL;
}

struct group *tree_find_group(struct tree *t, uint32_t id)
{
	struct group *g;

	list_each(g, group_bucket(t, id), by_id)
		if (g->id == id)
			return g;
	return NULL;
}

void tree_each(struct tree *t, void (*what)(struct tree *, struct process *, void *), void *argument)
{
	struct process *p, *next;

	for (size_t i = 0; i < PROCESS_BUCKETS; i++)
		list_each_safe(p, next, &t->processes[i], by_pid)
			what(t, p, argument);
}

/* ---- Groups and sessions ---- */

static void pin_put(struct tree *t, task_t *pin)
{
	if (*pin != HANDLE_NONE)
		t->outside->task_put(*pin);
	*pin = HANDLE_NONE;
}

/* Without a leader yet. */
static struct session *session_new(struct tree *t, uint32_t id)
{
	struct session *s = t->outside->allocate(sizeof *s);

	if (!s)
		return NULL;
	*s = (struct session){ .id = id, .pin = HANDLE_NONE };
	list_init(&s->watches);
	return s;
}

static void session_put(struct tree *t, struct session *s)
{
	if (--s->groups)
		return;
	/* Watches outlive it: each belongs to an open resource. */
	if (s->leader)
		session_leader_ended(t, s);
	pin_put(t, &s->pin);
	t->outside->release(s, sizeof *s);
}

static struct group *group_new(struct tree *t, uint32_t id, struct session *s)
{
	struct group *g = t->outside->allocate(sizeof *g);

	if (!g)
		return NULL;
	*g = (struct group){ .id = id, .session = s, .pin = HANDLE_NONE };
	list_init(&g->members);
	list_push_back(group_bucket(t, id), &g->by_id);
	s->groups++;
	return g;
}

static void group_leave(struct tree *t, struct process *p)
{
	struct group *g = p->group;
	struct session *s = g->session;

	list_remove(&p->in_group);
	if (p->state == PROCESS_STOPPED)
		g->stopped--;
	p->group = NULL;
	if (!list_is_empty(&g->members))
		return;
	if (g->pin != HANDLE_NONE && s->id == g->id && s->groups > 1) {
		s->pin = g->pin;
		g->pin = HANDLE_NONE;
	}
	pin_put(t, &g->pin);
	list_remove(&g->by_id);
	t->outside->release(g, sizeof *g);
	session_put(t, s);
}

static void group_enter(struct process *p, struct group *g)
{
	list_push_back(&g->members, &p->in_group);
	p->group = g;
	if (p->state == PROCESS_STOPPED)
		g->stopped++;
}

/* The group with this id, made if need be; session NULL: in a new session that p leads. */
static struct group *group_get(struct tree *t, struct process *p, uint32_t id, struct session *session)
{
	struct session *fresh = NULL;
	struct group *g = tree_find_group(t, id);

	if (g && session)
		return g;
	ASSERT(!g);
	if (!session && !(session = fresh = session_new(t, p->pid)))
		return NULL;
	g = group_new(t, id, session);
	if (g && fresh)
		fresh->leader = p;
	if (!g && fresh)
		t->outside->release(fresh, sizeof *fresh);
	return g;
}

err_t process_join_group(struct tree *t, struct process *p, uint32_t id, struct session *session)
{
	struct group *g = group_get(t, p, id, session);

	if (!g)
		return ERR_NOMEM;
	if (g == p->group)
		return OK;
	if (p->group)
		group_leave(t, p);
	group_enter(p, g);
	/* Fails only for one that has ended meanwhile, which will not ask any more. */
	(void)t->outside->task_label(p->task, g->id, g->session->id);
	record_write(t, p);
	return OK;
}

bool group_is_orphaned(const struct group *g)
{
	const struct process *p;

	list_each(p, &g->members, in_group)
		if (process_is_alive(p) && p->parent && p->parent->group != g && p->parent->group->session == g->session)
			return false;
	return true;
}

/* ---- Coming ---- */

/* Not yet in a group, nor anybody's child. Takes the references to cred, limits and user, but only on success. */
static struct process *process_new(struct tree *t, uint32_t pid, task_t task, struct cred *cred, struct limits *limits, struct user *user)
{
	struct process *p = t->outside->allocate(sizeof *p);

	if (!p)
		return NULL;
	*p = (struct process){ .pid = pid, .task = task, .cred = cred, .limits = limits, .user = user, .working = HANDLE_NONE, .root = HANDLE_NONE };
	p->generation = ++t->generation & GENERATION_MASK;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->in_group);
	list_init(&p->signals);
	list_init(&p->pending);
	return p;
}

static void process_free(struct tree *t, struct process *p)
{
	elevate_drop(t, p);
	cred_put(t, p->cred);
	limits_put(t, p->limits);
	user_put(t, p->user);
	if (p->image)
		image_put(t, p->image);
	t->outside->release(p, sizeof *p);
}

static void tree_enter(struct tree *t, struct process *p, struct process *parent)
{
	p->parent = parent;
	if (parent)
		list_push_back(&parent->children, &p->sibling);
	list_push_back(pid_bucket(t, p->pid), &p->by_pid);
	t->count++;
	t->last_pid = p->pid;
	record_write(t, p);
}

/* An admin handle for what was passed, if it is a process that was made and not yet started or announced. */
static err_t take_fresh(struct tree *t, handle_t passed, bool may_run, uint32_t *pid, task_t *task, struct task_info *info)
{
	const struct outside *o = t->outside;
	struct process *p;
	err_t err;

	if (passed == HANDLE_NONE)
		return ERR_BADF;
	if ((err = o->task_take(passed, pid, task, info)))
		return err;
	err = ERR_INVAL;
	if (info->end != TASK_ALIVE || (info->threads > 0 && !may_run))
		goto put;
	err = ERR_EXIST;
	if ((p = tree_find(t, *pid)) && p->task != HANDLE_NONE)
		goto put;
	/* Recovered as a zombie, and not waited for in all this time. */
	if (p)
		tree_reap(t, p);
	return OK;

put:
	o->task_put(*task);
	return err;
}

/* The kernel's process has what its maker had at TASK_FORK; another thread may have changed that since. */
static err_t align_with_parent(struct tree *t, struct process *p, struct process *parent, const struct task_info *info)
{
	const struct cred *c = parent->cred;
	struct task_cred cred = { .uid = c->euid, .gid = c->egid, .groups_count = c->groups_count };
	const struct group *g = parent->group;
	err_t err;

	if (info->uid != c->euid || info->gid != c->egid) {
		for (uint32_t i = 0; i < c->groups_count; i++)
			cred.groups[i] = c->groups[i];
		if ((err = t->outside->task_cred(p->task, &cred)))
			return err;
	}
	if (info->group != g->id || info->session != g->session->id)
		return t->outside->task_label(p->task, g->id, g->session->id);
	return OK;
}

static bool too_many(const struct process *parent)
{
	return parent->cred->uid != 0 && parent->cred->euid != 0 &&
	       parent->user->processes >= limit_of(parent, LINUX_RLIMIT_NPROC);
}

static struct process *process_copy(struct tree *t, struct process *of, uint32_t pid, task_t task)
{
	struct process *p = process_new(t, pid, task, of->cred, of->limits, of->user);

	if (!p)
		return NULL;
	cred_get(p->cred);
	limits_get(p->limits);
	p->user->processes++;
	p->image = of->image ? image_get(of->image) : NULL;
	p->child_flags = of->child_flags;
	p->working = of->working;
	p->root = of->root;
	p->no_new_privileges = of->no_new_privileges;
	p->guarded = of->guarded;
	return p;
}

err_t tree_fork(struct tree *t, struct process *parent, handle_t passed, const struct posix_fork *fork)
{
	struct task_info info;
	struct process *p;
	uint32_t pid;
	task_t task;
	err_t err;

	if (fork->exit_signal > LINUX_SIGNAL_LAST || fork->flags & ~(uint32_t)(POSIX_FORK_SAME_PARENT | POSIX_FORK_VFORK))
		return ERR_INVAL;
	if (fork->flags & POSIX_FORK_SAME_PARENT && parent == t->init)
		return ERR_INVAL;
	if (too_many(parent))
		return ERR_AGAIN;
	if ((err = take_fresh(t, passed, false, &pid, &task, &info)))
		return err;
	err = ERR_NOMEM;
	if (!(p = process_copy(t, parent, pid, task)))
		goto put_task;
	if ((err = align_with_parent(t, p, parent, &info)))
		goto free_process;
	if ((err = t->outside->task_watch(task, pid)))
		goto free_process;
	p->started_ns = info.started_ns;
	p->exit_signal = (uint8_t)fork->exit_signal;
	group_enter(p, parent->group);
	if (fork->flags & POSIX_FORK_SAME_PARENT) {
		p->exit_signal = parent->exit_signal;
		tree_enter(t, p, parent->parent);
	} else {
		tree_enter(t, p, parent);
	}
	t->forks++;
	return OK;

free_process:
	process_free(t, p);
put_task:
	t->outside->task_put(task);
	return err;
}

/* What the kernel does not know of a process: an instance before this one wrote it down. */
static void restore(struct process *p, const struct posix_record *r)
{
	struct cred *c = p->cred;

	if (c->euid == r->euid && c->egid == r->egid) {
		c->uid = r->uid;
		c->suid = r->suid;
		c->gid = r->gid;
		c->sgid = r->sgid;
	}
	p->exit_signal = r->exit_signal;
	p->death_signal = r->death_signal;
	p->child_flags = r->child_flags;
	p->executed = r->flags & POSIX_HAS_EXECUTED;
	p->subreaper = r->flags & POSIX_IS_SUBREAPER;
	p->no_new_privileges = r->flags & POSIX_HAS_NO_NEW_PRIVILEGES;
	p->guarded = r->flags & POSIX_IS_GUARDED;
	p->working = r->working;
	p->root = r->root;
}

/* A process nobody forked, by what the kernel knows of it, and what is written about it (NULL: nothing). */
static struct process *process_from_task(struct tree *t, uint32_t pid, task_t task, const struct task_info *info, const struct posix_record *r)
{
	struct limits *limits;
	struct process *p;
	struct cred *cred;
	struct user *user;

	if (!(cred = cred_create(t, info->uid, info->gid)))
		return NULL;
	if (!(user = user_get(t, r ? r->uid : info->uid)))
		goto put_cred;
	limits = t->init ? limits_get(t->init->limits) : limits_create(t, t->user_limits.threads);
	if (!limits)
		goto put_user;
	if (!(p = process_new(t, pid, task, cred, limits, user)))
		goto put_limits;
	p->started_ns = info->started_ns;
	p->started = info->threads > 0;
	p->exit_signal = LINUX_SIGCHLD;
	if (r)
		restore(p, r);
	return p;

put_limits:
	limits_put(t, limits);
put_user:
	user_put(t, user);
put_cred:
	cred_put(t, cred);
	return NULL;
}

/* Where a process that nobody forked belongs. */
enum home {
	HOME_OWN,                       /* a session of its own */
	HOME_LABELLED,                  /* in the group that its labels name, if there is one, else in a session of its own */
	HOME_RECOVERED,                 /* in the group that its labels name, which are a procd's before us */
};

static struct session *find_session(struct tree *t, uint32_t id)
{
	struct group *g;

	for (size_t i = 0; i < GROUP_BUCKETS; i++)
		list_each(g, &t->groups[i], by_id)
			if (g->session->id == id)
				return g->session;
	return NULL;
}

/* The group that labels name, made if need be. NULL: they make no sense, or no memory. */
static struct group *group_recover(struct tree *t, uint32_t id, uint32_t session)
{
	struct group *g = tree_find_group(t, id);
	struct session *s, *fresh = NULL;

	if (g || id == 0 || session == 0)
		return g && g->session->id == session ? g : NULL;
	if (!(s = find_session(t, session)) && !(s = fresh = session_new(t, session)))
		return NULL;
	g = group_new(t, id, s);
	if (!g && fresh)
		t->outside->release(fresh, sizeof *fresh);
	return g;
}

static struct group *group_at_home(struct tree *t, const struct task_info *info, enum home home)
{
	struct group *g;

	if (home == HOME_RECOVERED)
		return group_recover(t, info->group, info->session);
	g = home == HOME_LABELLED ? tree_find_group(t, info->group) : NULL;
	return g && g->session->id == info->session ? g : NULL;
}

/* Programs of ours are children of init, whoever started them; they do not wait for any. */
static struct process *parent_at_home(struct tree *t, const struct task_info *info, const struct posix_record *r, enum home home)
{
	struct process *p = home == HOME_RECOVERED ? tree_find(t, r ? r->parent : info->creator) : NULL;

	if (!p || p->started_ns > info->started_ns || p->group->session == t->init->group->session)
		return t->init;
	return p;
}

static err_t enter_foreign(struct tree *t, uint32_t pid, task_t task, const struct task_info *info, enum home home)
{
	const struct posix_record *r = home == HOME_RECOVERED ? record_find(t, pid, info->started_ns) : NULL;
	struct process *p = process_from_task(t, pid, task, info, r);
	struct group *g;
	err_t err;

	if (!p)
		return ERR_NOMEM;
	if ((err = t->outside->task_watch(task, pid)))
		goto free_process;
	g = group_at_home(t, info, home);
	if (home == HOME_RECOVERED && info->state == TASK_STOPPED) {
		p->state = PROCESS_STOPPED;
		p->status = wait_status_stopped(LINUX_SIGSTOP);
	}
	if (g) {
		group_enter(p, g);
		if (g->session->id == pid && !g->session->leader)
			g->session->leader = p;
	} else {
		/* A new group needs a number that no group has. */
		err = tree_find_group(t, pid) ? ERR_EXIST : process_join_group(t, p, pid, NULL);
		if (err)
			goto free_process;
	}
	tree_enter(t, p, parent_at_home(t, info, r, home));
	if (!t->init)
		t->init = p;
	return OK;

free_process:
	process_free(t, p);
	return err;
}

static err_t lead_session(struct tree *t, struct process *p)
{
	if (p->group->session->leader == p || tree_find_group(t, p->pid))
		return OK;
	return process_join_group(t, p, p->pid, NULL);
}

err_t tree_adopt(struct tree *t, handle_t passed, const struct posix_fork *fork)
{
	struct task_info info;
	struct process *p;
	uint32_t pid;
	task_t task;
	err_t err;

	if (fork->exit_signal > LINUX_SIGNAL_LAST || fork->flags)
		return ERR_INVAL;
	if ((err = take_fresh(t, passed, true, &pid, &task, &info))) {
		/* Seen running (in a list, say) before it was announced. */
		p = err == ERR_EXIST ? tree_find(t, pid) : NULL;
		return p && p->parent == t->init && process_is_alive(p) ? lead_session(t, p) : err;
	}
	if ((err = enter_foreign(t, pid, task, &info, HOME_OWN))) {
		t->outside->task_put(task);
		return err;
	}
	p = tree_find(t, pid);
	(void)!t->outside->task_handle_limit(task, limit_of(p, LINUX_RLIMIT_NOFILE));
	if (p->user->account != HANDLE_NONE)
		(void)t->outside->task_account(task, p->user->account);
	return OK;
}

static void discover(struct tree *t, uint32_t pid, bool users_only)
{
	struct task_info info;
	task_t task;

	if (pid == 0 || t->outside->task_find(pid, &task))
		return;
	/* One without threads is on its way from a TASK_FORK to its POSIX_FORK. */
	if (t->outside->task_info(task, &info) || info.end != TASK_ALIVE || info.threads == 0 ||
	    (users_only && info.uid == 0) || enter_foreign(t, pid, task, &info, HOME_LABELLED))
		t->outside->task_put(task);
}

struct process *tree_discover(struct tree *t, uint32_t pid)
{
	struct process *p = tree_find(t, pid);

	if (p)
		return p;
	discover(t, pid, false);
	return tree_find(t, pid);
}

void tree_discover_all(struct tree *t, bool users_only)
{
	uint32_t *pids = t->outside->allocate(DISCOVER_MAX * sizeof *pids);
	int64_t count;

	if (!pids)
		return;
	count = t->outside->task_list(pids, DISCOVER_MAX);
	for (int64_t i = 0; i < MIN_OF(count, (int64_t)DISCOVER_MAX); i++)
		if (!tree_find(t, pids[i]))
			discover(t, pids[i], users_only);
	t->outside->release(pids, DISCOVER_MAX * sizeof *pids);
}

/* ---- Stopping and continuing ---- */

/* SIGCHLD (or what the child was cloned with) with its siginfo. */
static void signal_parent(struct tree *t, struct process *parent, struct posix_signal info)
{
	if (info.signal == LINUX_SIGCHLD && parent->child_flags & POSIX_CHILD_UNSEEN)
		return;
	if (info.signal && process_is_alive(parent) && parent != t->init)
		signal_send_quietly(t, parent, &info);
}

static struct posix_signal child_info(const struct process *child, uint32_t signal, int32_t code, uint32_t status)
{
	return (struct posix_signal){ .signal = signal, .code = code, .pid = child->pid, .uid = child->cred->uid, .value = status };
}

static void tell_parent(struct tree *t, struct process *p, int32_t code, uint32_t status)
{
	struct process *parent = p->parent;

	if (!parent || parent == t->init)
		return;
	if (!(parent->child_flags & POSIX_CHILD_NO_STOPS))
		signal_parent(t, parent, child_info(p, LINUX_SIGCHLD, code, status));
	(void)wait_child_changed(t, parent, p);
}

void process_stop(struct tree *t, struct process *p, uint32_t signal)
{
	if (p->state != PROCESS_RUNNING || t->outside->task_stop(p->task))
		return;
	p->state = PROCESS_STOPPED;
	p->group->stopped++;
	p->status = wait_status_stopped(signal);
	p->stop_news = true;
	p->continue_news = false;
	tell_parent(t, p, LINUX_CLD_STOPPED, signal);
}

void process_continue(struct tree *t, struct process *p)
{
	if (p->state != PROCESS_STOPPED)
		return;
	p->state = PROCESS_RUNNING;
	p->group->stopped--;
	p->stop_news = false;
	p->continue_news = true;
	(void)t->outside->task_continue(p->task);
	wait_continued(t, p);
	tell_parent(t, p, LINUX_CLD_CONTINUED, LINUX_SIGCONT);
}

/* ---- Going ---- */

/* Out of the tree, with nothing left to tell. */
static void process_remove(struct tree *t, struct process *p)
{
	uint32_t pid = p->pid;
	task_t task = p->task;
	struct group *g;
	struct session *s;

	ASSERT(list_is_empty(&p->children) && p != t->init);
	signal_flush(t, p);
	wait_abandon(t, p);
	s = p->group->session;
	bool session_stays = s->id == pid && (s->groups > 1 || p->group->members.next != p->group->members.prev);
	if (s->leader == p)
		session_leader_ended(t, s);
	group_leave(t, p);
	list_remove(&p->sibling);
	list_remove(&p->by_pid);
	record_clear(t, pid);
	t->count--;
	process_free(t, p);
	/* The number stays taken as long as a group or session goes by it. */
	if ((g = tree_find_group(t, pid)))
		g->pin = task;
	else if (session_stays)
		s->pin = task;
	else
		pin_put(t, &task);
}

void tree_reap(struct tree *t, struct process *p)
{
	ASSERT(p->state == PROCESS_ZOMBIE);
	if (p->parent) {
		usage_add(&p->parent->children_usage, &p->usage);
		usage_add(&p->parent->children_usage, &p->children_usage);
	}
	process_remove(t, p);
}

static struct posix_signal end_info(const struct process *p)
{
	uint32_t signal = p->status & 0x7f;

	if (signal == 0)
		return child_info(p, p->exit_signal, LINUX_CLD_EXITED, p->status >> 8);
	return child_info(p, p->exit_signal, p->status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED, signal);
}

/* Tells the parent that the zombie p has ended. p may be gone after. */
static void report_end(struct tree *t, struct process *p)
{
	struct process *parent = p->parent;
	struct posix_signal info = end_info(p);

	if (parent == t->init) {
		tree_reap(t, p);
		return;
	}
	list_remove(&p->sibling);
	list_push_front(&parent->children, &p->sibling);
	/* Before who waits is answered, and goes on with the signal come, as on Linux. It does not end that wait: the answer is on its way
	 * when the kernel asks for it to be cancelled. */
	signal_parent(t, parent, info);
	if (p->exit_signal == LINUX_SIGCHLD && parent->child_flags & POSIX_CHILD_NO_ZOMBIES) {
		tree_reap(t, p);
		wait_child_gone(t, parent);
	} else {
		(void)wait_child_changed(t, parent, p);
	}
}

void tree_signal_ended_child(struct tree *t, struct process *parent)
{
	struct process *child;

	list_each(child, &parent->children, sibling)
		if (!process_is_alive(child) && child->exit_signal == LINUX_SIGCHLD) {
			signal_parent(t, parent, end_info(child));
			return;
		}
}

static struct process *foster_parent(struct tree *t, struct process *p)
{
	for (p = p->parent; p && p != t->init; p = p->parent)
		if (p->subreaper && process_is_alive(p))
			return p;
	return t->init;
}

/* One that its parent never started would stay for ever. */
static void end_unstarted(struct tree *t, struct process *p)
{
	struct task_info info;

	if (p->started || !process_is_alive(p) || t->outside->task_info(p->task, &info))
		return;
	if (info.threads == 0 && info.end == TASK_ALIVE)
		(void)t->outside->task_kill(p->task, 0);
	else
		p->started = true;
}

static void give_away_children(struct tree *t, struct process *p, struct process *to)
{
	struct process *child, *next;

	list_each_safe(child, next, &p->children, sibling) {
		list_remove(&child->sibling);
		list_push_back(&to->children, &child->sibling);
		child->parent = to;
		record_write(t, child);
		if (child->death_signal && process_is_alive(child))
			signal_raise(t, child, child->death_signal);
		end_unstarted(t, child);
		if (child->state == PROCESS_ZOMBIE)
			report_end(t, child);
	}
}

static void note_orphaned(struct tree *t, struct group *g)
{
	if (g->epoch == t->epoch)
		return;
	g->epoch = t->epoch;
	/* Without stopped members it does not matter. */
	g->was_orphaned = g->stopped == 0 || group_is_orphaned(g);
}

/* Which of the groups concerned are not orphaned while p still lives. */
static void note_groups(struct tree *t, struct process *p)
{
	struct process *child;

	t->epoch++;
	note_orphaned(t, p->group);
	list_each(child, &p->children, sibling)
		note_orphaned(t, child->group);
}

static void hang_up(struct tree *t, struct group *g)
{
	if (g->epoch != t->epoch || g->was_orphaned)
		return;
	g->was_orphaned = true;
	if (g->stopped == 0 || !group_is_orphaned(g))
		return;
	signal_raise_group(t, g, LINUX_SIGHUP);
	signal_raise_group(t, g, LINUX_SIGCONT);
}

/* Groups that p's end has orphaned while members were stopped (POSIX _exit): those with this epoch. */
static void hang_up_orphaned(struct tree *t)
{
	struct group *g;

	for (size_t i = 0; i < GROUP_BUCKETS; i++)
		list_each(g, &t->groups[i], by_id)
			hang_up(t, g);
}

static void process_end(struct tree *t, struct process *p)
{
	struct process *foster = foster_parent(t, p);
	bool has_stopped = p->state == PROCESS_STOPPED || p->group->stopped > 0 || !list_is_empty(&p->children);

	if (has_stopped)
		note_groups(t, p);
	if (p->state == PROCESS_STOPPED)
		p->group->stopped--;
	p->state = PROCESS_ZOMBIE;
	record_write(t, p);
	p->stop_news = p->continue_news = false;
	p->stops_taken = p->stops_cancelled = 0;
	if (p->group->session->leader == p)
		session_leader_ended(t, p->group->session);
	signal_flush(t, p);
	wait_abandon(t, p);
	give_away_children(t, p, foster);
	if (has_stopped)
		hang_up_orphaned(t);
	report_end(t, p);
}

static uint16_t status_of_end(const struct task_info *info)
{
	uint32_t signal = info->status & 0x7f;

	switch (info->end) {
	case TASK_EXITED:
		return wait_status_exited((uint32_t)info->status);
	case TASK_FAULTED:
		return (uint16_t)fault_signal(info->status);
	default:
		if (signal == 0 || signal > LINUX_SIGNAL_LAST)
			return LINUX_SIGKILL;
		return (uint16_t)(info->status & 0xff);
	}
}

void tree_task_ended(struct tree *t, uint32_t pid)
{
	struct process *p = tree_find(t, pid);
	struct task_info info;

	if (!p || p == t->init || !process_is_alive(p))
		return;
	/* That it has ended is certain; how, is better guessed than forgotten: this is not told twice. */
	if (t->outside->task_info(p->task, &info))
		info = (struct task_info){ .end = TASK_KILLED, .status = LINUX_SIGKILL };
	if (info.end == TASK_ALIVE || elevate_finish(t, p, &info))
		return;
	usage_of_task(&info, &p->usage);
	p->status = status_of_end(&info);
	/* A fork that its maker gave up before it ran: nobody is told. */
	if (!p->started && info.end == TASK_KILLED && info.status == 0) {
		struct process *parent = p->parent;
		process_remove(t, p);
		wait_child_gone(t, parent);
		return;
	}
	process_end(t, p);
}

/* ---- The tree itself ---- */

static void set_user_limits(struct tree *t, uint64_t memory_bytes)
{
	uint64_t threads = memory_bytes >> BYTES_PER_PROCESS_LOG2;

	threads = MAX_OF(threads, (uint64_t)USER_THREADS_MIN);
	t->user_limits = (struct account_limits){
		.pages = memory_bytes >> PAGE_BYTES_LOG2 >> 1,
		.threads = MIN_OF(threads, (uint64_t)USER_THREADS_MAX),
		.handles = LINUX_RLIM_INFINITY,
	};
}

err_t tree_init(struct tree *t, const struct outside *outside, uint32_t init_pid, struct posix_record *records)
{
	struct system_info system;
	struct task_info info;
	task_t task;
	err_t err;

	*t = (struct tree){ .outside = outside, .records = records };
	for (size_t i = 0; i < PROCESS_BUCKETS; i++)
		list_init(&t->processes[i]);
	for (size_t i = 0; i < GROUP_BUCKETS; i++)
		list_init(&t->groups[i]);
	for (size_t i = 0; i < PENDING_BUCKETS; i++)
		list_init(&t->pending[i]);
	for (size_t i = 0; i < USER_BUCKETS; i++)
		list_init(&t->users[i]);
	list_init(&t->watches);
	t->last_watch = POSIX_SELF;
	records_init(t);
	if ((err = outside->system_info(&system)))
		return err;
	set_user_limits(t, system.memory_bytes);
	if ((err = outside->task_find(init_pid, &task)))
		return err;
	if ((err = outside->task_info(task, &info)) || (err = enter_foreign(t, init_pid, task, &info, HOME_OWN)))
		outside->task_put(task);
	return err;
}

struct found { uint32_t pid; uint64_t started_ns; };

/* Pids come nearly in the order in which they started. */
static void sort_found(struct found *found, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct found f = found[i];
		size_t j = i;
		for (; j > 0 && found[j - 1].started_ns > f.started_ns; j--)
			found[j] = found[j - 1];
		found[j] = f;
	}
}

static void recover(struct tree *t, uint32_t pid)
{
	struct task_info info;
	task_t task;

	if (t->outside->task_find(pid, &task))
		return;
	if (t->outside->task_info(task, &info) || info.end != TASK_ALIVE || info.threads == 0 ||
	    enter_foreign(t, pid, task, &info, HOME_RECOVERED))
		t->outside->task_put(task);
}

static size_t find_labelled(struct tree *t, const uint32_t *pids, size_t count, struct found *found)
{
	struct task_info info;
	size_t n = 0;
	task_t task;

	for (size_t i = 0; i < count; i++) {
		if (tree_find(t, pids[i]) || t->outside->task_find(pids[i], &task))
			continue;
		/* Without labels it was nobody's business before either. */
		if (t->outside->task_info(task, &info) == OK && info.session != 0)
			found[n++] = (struct found){ pids[i], info.started_ns };
		t->outside->task_put(task);
	}
	return n;
}

/* One that nobody runs any more, though its parent has not waited for it: a zombie from before, or its end was missed meanwhile. Its
 * number is not held: one who gets it anew takes its place. */
static void recover_ended(struct tree *t, const struct posix_record *r)
{
	const struct task_info info = { .uid = r->euid, .gid = r->egid, .started_ns = r->started_ns };
	struct process *parent = tree_find(t, r->parent), *p;
	struct group *g;

	if (!parent || parent == t->init || !(p = process_from_task(t, r->pid, HANDLE_NONE, &info, r))) {
		record_clear(t, r->pid);
		return;
	}
	if (!(g = group_recover(t, r->group, r->session))) {
		process_free(t, p);
		record_clear(t, r->pid);
		return;
	}
	group_enter(p, g);
	p->state = PROCESS_ZOMBIE;
	p->status = r->flags & POSIX_IS_ZOMBIE ? r->status : LINUX_SIGKILL;
	bool is_news = !(r->flags & POSIX_IS_ZOMBIE);
	tree_enter(t, p, parent);
	if (is_news)
		report_end(t, p);
}

static void recover_all_ended(struct tree *t)
{
	struct posix_record *r = NULL;

	while ((r = record_next(t, r)))
		if (!tree_find(t, r->pid))
			recover_ended(t, r);
}

void tree_recover(struct tree *t)
{
	const struct outside *o = t->outside;
	uint32_t *pids = o->allocate(DISCOVER_MAX * sizeof *pids);
	struct found *found = o->allocate(DISCOVER_MAX * sizeof *found);
	int64_t listed = pids && found ? o->task_list(pids, DISCOVER_MAX) : 0;
	size_t count = 0;

	if (listed > 0)
		count = find_labelled(t, pids, MIN_OF((size_t)listed, (size_t)DISCOVER_MAX), found);
	sort_found(found, count);
	for (size_t i = 0; i < count; i++)
		recover(t, found[i].pid);
	recover_all_ended(t);
	if (found)
		o->release(found, DISCOVER_MAX * sizeof *found);
	if (pids)
		o->release(pids, DISCOVER_MAX * sizeof *pids);
}

static void forget(struct tree *t, struct process *p, void *argument)
{
	struct process *child, *next;

	(void)argument;
	list_each_safe(child, next, &p->children, sibling)
		list_remove(&child->sibling);
	if (p == t->init)
		t->init = NULL;
	process_remove(t, p);
}

void tree_fini(struct tree *t)
{
	struct leader_watch *w, *next;

	tree_each(t, forget, NULL);
	list_each_safe(w, next, &t->watches, by_id)
		session_unwatch_leader(t, w->id);
}
