/* servers/procd/cred.h - credentials: user and group ids, who may change them to what, and users' accounts.
 *
 * A cred is shared by processes and never changed; a change makes a new one. A user is all processes
 * with one real user id: it has a kernel account, so that what it takes is missed by nobody else.
 */
#pragma once
#include "servers/procd/tree.h"

enum { CRED_GROUPS_MAX = 32 };

struct cred {
	uint32_t references;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t groups_count;
	uint32_t groups[CRED_GROUPS_MAX];
};

struct user {
	struct list_node by_uid;
	uint32_t uid;
	uint32_t processes;             /* it goes with the last */
	uint32_t queued_signals;
	handle_t account;               /* HANDLE_NONE: none of its own (root) */
};

/* A cred with one reference, user and group ids all the same. NULL: no memory. */
struct cred *cred_create(struct tree *t, uint32_t uid, uint32_t gid);
static inline struct cred *cred_get(struct cred *c) { c->references++; return c; }
void cred_put(struct tree *t, struct cred *c);
bool cred_has_group(const struct cred *c, uint32_t gid);

/* Counts one more process of that user. NULL: no memory (or no account). */
struct user *user_get(struct tree *t, uint32_t uid);
void user_put(struct tree *t, struct user *u);

/* setresuid and setresgid in one; ~0 keeps. PERM, NOMEM. */
err_t cred_set_ids(struct tree *t, struct process *p, const struct posix_set_ids *ids) MUST_CHECK;
/* exec: the saved ids become the effective ones. NOMEM. */
err_t cred_save_ids(struct tree *t, struct process *p) MUST_CHECK;
/* A set-uid or set-gid exec: the effective ids are these from now on, whoever p was; ~0 keeps. NOMEM. */
err_t cred_elevate(struct tree *t, struct process *p, uint32_t euid, uint32_t egid) MUST_CHECK;
/* setgroups. PERM, INVAL, NOMEM. */
err_t cred_set_groups(struct tree *t, struct process *p, const uint32_t *groups, size_t count) MUST_CHECK;
