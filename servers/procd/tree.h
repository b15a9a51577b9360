/* servers/procd/tree.h - the POSIX tree: processes, their groups and sessions, and how they come and go.
 *
 * A process enters by fork (or is adopted by init), turns into a zombie when the kernel says that its
 * task has ended, and leaves when its parent has waited for it. The engine has one thread and no locks.
 * A pid stays taken while its task handle is held: by the process, then by the group or
 * session of that number, so that a number never comes to mean two things.
 */
#pragma once
#include "abi/proto/posix.h"
#include "lib/base/list.h"
#include "servers/procd/linux.h"
#include "servers/procd/load.h"
#include "servers/procd/outside.h"

enum { PROCESS_BUCKETS = 256, GROUP_BUCKETS = 64, PENDING_BUCKETS = 64, USER_BUCKETS = 16 };
enum { RECORD_PAGES = POSIX_RECORDS * sizeof(struct posix_record) / 4096 };

struct cred;
struct image;
struct limits;
struct successor;
struct user;

struct session {
	uint32_t id;
	uint32_t groups;                /* how many are in it; it goes with the last */
	struct process *leader;         /* NULL once it has ended */
	uint32_t tty;                   /* device number of the controlling terminal, 0 none */
	task_t pin;                     /* keeps the number taken after the leader is gone; or HANDLE_NONE */
	struct list_node watches;       /* struct leader_watch */
};

struct group {
	struct list_node by_id;
	uint32_t id;
	struct session *session;
	struct list_node members;       /* struct process, zombies too */
	uint32_t stopped;               /* how many members are stopped */
	task_t pin;                     /* as session.pin */
	uint32_t epoch;                 /* of the tree, when was_orphaned was found */
	bool was_orphaned;
};

enum process_state { PROCESS_RUNNING, PROCESS_STOPPED, PROCESS_ZOMBIE };

struct process {
	struct list_node by_pid;
	uint32_t pid;
	uint32_t generation;            /* tells apart processes that had the same pid */
	task_t task;
	enum process_state state;
	struct process *parent;         /* NULL for init */
	struct list_node children;      /* zombies first */
	struct list_node sibling;
	struct group *group;
	struct list_node in_group;
	struct user *user;              /* of the real user id */
	struct cred *cred;
	struct limits *limits;
	struct image *image;            /* what it runs, for lists; NULL: not known */
	uint8_t exit_signal;            /* to the parent when this one ends; 0 none */
	uint8_t death_signal;           /* to this one when its parent ends; 0 none */
	uint8_t child_flags;            /* enum posix_child_flags */
	handle_t working, root;         /* its own numbers of its directories' handles; HANDLE_NONE: not told */
	bool executed;                  /* since it was forked */
	bool subreaper;
	bool no_new_privileges;         /* exec gives it no other ids */
	bool guarded;                   /* set-uid or set-gid, and not executed anything else since: only root looks into it */
	struct successor *successor;    /* what takes its place once it has ended (elevate.h); or NULL */
	bool started;                   /* known to have had a thread */
	uint16_t status;                /* as wait4 tells: of the end, or of the stop */
	bool stop_news, continue_news;  /* not yet waited for */
	uint32_t stops_taken;           /* stop signals (bit n) whose info it took, as before POSIX_STOPPED */
	uint32_t stops_cancelled;       /* those of them that SIGCONT then discarded */
	struct list_node signals;       /* struct queued, oldest first */
	uint32_t signal_count;
	struct list_node pending;       /* struct pending: its requests that wait for an answer */
	struct posix_usage usage;       /* set when it ends */
	struct posix_usage children_usage;
	uint64_t started_ns;
};

struct tree {
	const struct outside *outside;
	struct process *init;
	uint32_t count;                 /* processes, zombies too */
	uint32_t generation;
	uint32_t epoch;                 /* see group.was_orphaned */
	uint64_t forks;
	uint64_t last_watch;            /* id of the youngest leader_watch */
	uint32_t last_pid;
	struct load load;
	struct account_limits user_limits;      /* of each user but root */
	struct list_node processes[PROCESS_BUCKETS];
	struct list_node groups[GROUP_BUCKETS];
	struct list_node pending[PENDING_BUCKETS];
	struct list_node users[USER_BUCKETS];
	struct list_node watches;       /* struct leader_watch */
	struct posix_record *records;   /* by pid (record.h); NULL: none are kept */
	uint16_t records_used[RECORD_PAGES];    /* per page of them */
};

/* An empty tree with init, which must run already. records: POSIX_RECORDS of them, zero but for what an instance before this one left;
 * or NULL. On an error nothing remains. */
err_t tree_init(struct tree *t, const struct outside *outside, uint32_t init_pid, struct posix_record *records) MUST_CHECK;
/* After tree_init: takes in what runs already, because a procd before this one has ended. The records
 * tell the tree (without them, who made whom and the labels); limits and what zombies had used are lost. */
void tree_recover(struct tree *t);
/* Forgets everything (tests). */
void tree_fini(struct tree *t);

/* Borrowed; NULL: none. Zombies are found. */
struct process *tree_find(struct tree *t, uint32_t pid);
/* As tree_find, but a running process that slipped by (it never was announced) is adopted on sight. */
struct process *tree_discover(struct tree *t, uint32_t pid);
/* Adopts on sight every running process that slipped by; users_only: but root's, which are servers. */
void tree_discover_all(struct tree *t, bool users_only);
struct group *tree_find_group(struct tree *t, uint32_t id);
/* Calls `what` for every process; it may end or remove the one it is given, no other. */
void tree_each(struct tree *t, void (*what)(struct tree *, struct process *, void *argument), void *argument);

/* POSIX_FORK: the passed task is a new child of parent. AGAIN: too many. The handle stays the caller's. */
err_t tree_fork(struct tree *t, struct process *parent, handle_t passed, const struct posix_fork *fork) MUST_CHECK;
/* POSIX_ADOPT: the passed task becomes a child of init and leads its own session. */
err_t tree_adopt(struct tree *t, handle_t passed, const struct posix_fork *fork) MUST_CHECK;
/* The kernel says that the task of pid has ended. Unknown pids are nothing. */
void tree_task_ended(struct tree *t, uint32_t pid);
/* SIGCHLD for a child of parent that has ended and was not waited for, if there is one. */
void tree_signal_ended_child(struct tree *t, struct process *parent);
/* A zombie is waited for: its parent inherits its usage, and it is gone. */
void tree_reap(struct tree *t, struct process *p);

static inline bool process_is_alive(const struct process *p) { return p->state != PROCESS_ZOMBIE; }

/* Puts p into a group (made if need be, in session; session NULL: a new session too). Tells the kernel. NOMEM. */
err_t process_join_group(struct tree *t, struct process *p, uint32_t group, struct session *session) MUST_CHECK;
/* No member has a parent in another group of the session (POSIX 3.262). */
bool group_is_orphaned(const struct group *g);
/* Stops and continues, and tells the parent. */
void process_stop(struct tree *t, struct process *p, uint32_t signal);
void process_continue(struct tree *t, struct process *p);
