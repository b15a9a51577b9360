/* servers/procd/session.c - setpgid, setsid and controlling terminals. */
#include "servers/procd/session.h"

err_t session_set_group(struct tree *t, struct process *sender, uint32_t pid, uint32_t group)
{
	struct process *p = pid == 0 ? sender : tree_find(t, pid);
	struct group *g;

	if (group > INT32_MAX)
		return ERR_INVAL;
	if (!p || (p != sender && p->parent != sender) || !process_is_alive(p))
		return ERR_SRCH;
	if (group == 0)
		group = p->pid;
	if (p->group->session->leader == p || p->group->session != sender->group->session)
		return ERR_PERM;
	if (p != sender && p->executed)
		return ERR_ACCES;
	g = tree_find_group(t, group);
	if (g ? g->session != sender->group->session : group != p->pid)
		return ERR_PERM;
	return process_join_group(t, p, group, sender->group->session);
}

err_t session_create(struct tree *t, struct process *sender)
{
	if (tree_find_group(t, sender->pid))
		return ERR_PERM;
	return process_join_group(t, sender, sender->pid, NULL);
}

static struct session *find_led(struct tree *t, uint32_t session)
{
	struct process *p = tree_find(t, session);

	return p && p->group->session->leader == p ? p->group->session : NULL;
}

err_t session_set_tty(struct tree *t, uint32_t session, uint32_t device)
{
	struct session *s = find_led(t, session);

	if (!s)
		return ERR_SRCH;
	if (device && s->tty && s->tty != device)
		return ERR_PERM;
	s->tty = device;
	return OK;
}

int64_t session_group_state(struct tree *t, uint32_t group)
{
	enum { ORPHANED = 1, EXISTS = 2 };
	struct group *g = tree_find_group(t, group);

	return g ? EXISTS | (group_is_orphaned(g) ? ORPHANED : 0) : 0;
}

err_t session_watch_leader(struct tree *t, uint32_t session, uint64_t *id)
{
	struct session *s = find_led(t, session);
	struct leader_watch *w;

	if (!s)
		return ERR_SRCH;
	w = t->outside->allocate(sizeof *w);
	if (!w)
		return ERR_NOMEM;
	*w = (struct leader_watch){ .id = ++t->last_watch };
	list_push_back(&s->watches, &w->in_session);
	list_push_back(&t->watches, &w->by_id);
	*id = w->id;
	return OK;
}

static struct leader_watch *watch_find(struct tree *t, uint64_t id)
{
	struct leader_watch *w;

	list_each(w, &t->watches, by_id)
		if (w->id == id)
			return w;
	return NULL;
}

void session_number_watch(struct tree *t, uint64_t id, uint64_t number)
{
	struct leader_watch *w = watch_find(t, id);

	if (w)
		w->number = number;
}

void session_unwatch_leader(struct tree *t, uint64_t id)
{
	struct leader_watch *w = watch_find(t, id);

	if (!w)
		return;
	list_remove(&w->in_session);
	list_remove(&w->by_id);
	t->outside->release(w, sizeof *w);
}

void session_leader_ended(struct tree *t, struct session *s)
{
	struct leader_watch *w, *next;

	s->leader = NULL;
	s->tty = 0;
	list_each_safe(w, next, &s->watches, in_session) {
		list_remove(&w->in_session);
		t->outside->notify(w->number, READY_HANGUP);
	}
}
