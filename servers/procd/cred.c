/* servers/procd/cred.c - credentials and users. */
#include "servers/procd/cred.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "servers/procd/limit.h"
#include "servers/procd/record.h"

enum { ROOT = 0 };
static const uint32_t KEEP = ~0u;

struct cred *cred_create(struct tree *t, uint32_t uid, uint32_t gid)
{
	struct cred *c = t->outside->allocate(sizeof *c);

	if (c)
		*c = (struct cred){ .references = 1, .uid = uid, .euid = uid, .suid = uid,
		                    .gid = gid, .egid = gid, .sgid = gid };
	return c;
}

void cred_put(struct tree *t, struct cred *c)
{
	ASSERT(c->references > 0);
	if (--c->references == 0)
		t->outside->release(c, sizeof *c);
}

bool cred_has_group(const struct cred *c, uint32_t gid)
{
	if (c->egid == gid)
		return true;
	for (uint32_t i = 0; i < c->groups_count; i++)
		if (c->groups[i] == gid)
			return true;
	return false;
}

struct user *user_get(struct tree *t, uint32_t uid)
{
	struct list_node *bucket = &t->users[uid % USER_BUCKETS];
	struct user *u;

	list_each(u, bucket, by_uid)
		if (u->uid == uid) {
			u->processes++;
			return u;
		}
	u = t->outside->allocate(sizeof *u);
	if (!u)
		return NULL;
	*u = (struct user){ .uid = uid, .processes = 1, .account = HANDLE_NONE };
	if (uid != ROOT && t->outside->account_create(&t->user_limits, &u->account)) {
		t->outside->release(u, sizeof *u);
		return NULL;
	}
	list_push_back(bucket, &u->by_uid);
	return u;
}

void user_put(struct tree *t, struct user *u)
{
	ASSERT(u->processes > 0);
	if (--u->processes)
		return;
	ASSERT(u->queued_signals == 0);
	if (u->account != HANDLE_NONE)
		t->outside->account_put(u->account);
	list_remove(&u->by_uid);
	t->outside->release(u, sizeof *u);
}

static bool may_be(const struct cred *c, uint32_t uid)
{
	return uid == KEEP || c->euid == ROOT || uid == c->uid || uid == c->euid || uid == c->suid;
}

static bool may_be_group(const struct cred *c, uint32_t gid)
{
	return gid == KEEP || c->euid == ROOT || gid == c->gid || gid == c->egid || gid == c->sgid;
}

static bool ids_allowed(const struct cred *c, const struct posix_set_ids *ids)
{
	return may_be(c, ids->uid) && may_be(c, ids->euid) && may_be(c, ids->suid) &&
	       may_be_group(c, ids->gid) && may_be_group(c, ids->egid) && may_be_group(c, ids->sgid);
}

/* A copy with one reference, to be changed before anybody shares it. */
static struct cred *cred_copy(struct tree *t, const struct cred *old)
{
	struct cred *c = t->outside->allocate(sizeof *c);

	if (c) {
		*c = *old;
		c->references = 1;
	}
	return c;
}

static err_t tell_kernel(struct tree *t, struct process *p, const struct cred *c)
{
	struct task_cred task = { .uid = c->euid, .gid = c->egid, .groups_count = c->groups_count };

	STATIC_ASSERT(sizeof task.groups == sizeof c->groups, "the kernel keeps as many groups as we do");
	memcpy(task.groups, c->groups, c->groups_count * sizeof c->groups[0]);
	return t->outside->task_cred(p->task, &task);
}

static void move_user(struct tree *t, struct process *p, struct user *to)
{
	p->user->queued_signals -= p->signal_count;
	to->queued_signals += p->signal_count;
	user_put(t, p->user);
	p->user = to;
	/* What it took so far stays charged where it was; a refusal leaves all as it was. */
	(void)t->outside->task_account(p->task, to->account);
}

static err_t set_ids(struct tree *t, struct process *p, const struct posix_set_ids *ids)
{
	struct cred *old = p->cred, *c;
	struct user *user;
	err_t err;

	if (!(c = cred_copy(t, old)))
		return ERR_NOMEM;
	if (ids->uid != KEEP)
		c->uid = ids->uid;
	if (ids->euid != KEEP)
		c->euid = ids->euid;
	if (ids->suid != KEEP)
		c->suid = ids->suid;
	if (ids->gid != KEEP)
		c->gid = ids->gid;
	if (ids->egid != KEEP)
		c->egid = ids->egid;
	if (ids->sgid != KEEP)
		c->sgid = ids->sgid;
	err = ERR_NOMEM;
	if (!(user = user_get(t, c->uid)))
		goto put_cred;
	if ((err = tell_kernel(t, p, c)))
		goto put_user;
	if (user == p->user)
		user_put(t, user);
	else
		move_user(t, p, user);
	cred_put(t, old);
	p->cred = c;
	record_write(t, p);
	return OK;

put_user:
	user_put(t, user);
put_cred:
	cred_put(t, c);
	return err;
}

err_t cred_set_ids(struct tree *t, struct process *p, const struct posix_set_ids *ids)
{
	return ids_allowed(p->cred, ids) ? set_ids(t, p, ids) : ERR_PERM;
}

err_t cred_elevate(struct tree *t, struct process *p, uint32_t euid, uint32_t egid)
{
	return set_ids(t, p, &(struct posix_set_ids){ KEEP, euid, KEEP, KEEP, egid, KEEP });
}

err_t cred_save_ids(struct tree *t, struct process *p)
{
	const struct cred *c = p->cred;
	const struct posix_set_ids ids = { KEEP, KEEP, c->euid, KEEP, KEEP, c->egid };

	return c->suid == c->euid && c->sgid == c->egid ? OK : cred_set_ids(t, p, &ids);
}

err_t cred_set_groups(struct tree *t, struct process *p, const uint32_t *groups, size_t count)
{
	struct cred *c;
	err_t err;

	if (p->cred->euid != ROOT)
		return ERR_PERM;
	if (count > CRED_GROUPS_MAX)
		return ERR_INVAL;
	if (!(c = cred_copy(t, p->cred)))
		return ERR_NOMEM;
	c->groups_count = (uint32_t)count;
	if (count)
		memcpy(c->groups, groups, count * sizeof groups[0]);
	if ((err = tell_kernel(t, p, c))) {
		cred_put(t, c);
		return err;
	}
	cred_put(t, p->cred);
	p->cred = c;
	return OK;
}
