/* servers/procd/session.h - process groups, sessions and their terminals, as processes ask for them. */
#pragma once
#include "servers/procd/tree.h"

/* setpgid. SRCH, PERM, ACCES, INVAL, NOMEM. */
err_t session_set_group(struct tree *t, struct process *sender, uint32_t pid, uint32_t group) MUST_CHECK;
/* setsid: the new session's id is the sender's pid. PERM, NOMEM. */
err_t session_create(struct tree *t, struct process *sender) MUST_CHECK;
/* POSIX_SET_TTY: device controls the session, 0: none does. SRCH: it has no leader. PERM: it has another. */
err_t session_set_tty(struct tree *t, uint32_t session, uint32_t device) MUST_CHECK;
/* POSIX_GROUP_STATE's bits. */
int64_t session_group_state(struct tree *t, uint32_t group);

/* An open posix:leader/N: somebody polls for the leader's end. */
struct leader_watch {
	struct list_node in_session;
	struct list_node by_id;
	uint64_t id;                    /* ours */
	uint64_t number;                /* the open resource's, for outside->notify */
};
/* SRCH: no such leader. */
err_t session_watch_leader(struct tree *t, uint32_t session, uint64_t *id) MUST_CHECK;
/* The resource opened for a watch has got its number. */
void session_number_watch(struct tree *t, uint64_t id, uint64_t number);
void session_unwatch_leader(struct tree *t, uint64_t id);
/* The leader has ended: its terminal's server is told and does the rest. */
void session_leader_ended(struct tree *t, struct session *s);
