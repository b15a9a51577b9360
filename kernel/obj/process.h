/* kernel/obj/process.h - processes: address space + handle table + namespace + credentials.
 *
 * The kernel knows nothing of parents, sessions or signals: labels and notices are numbers
 * that servers and personalities give a meaning.
 *
 * Lock: process.lock (RANK_PROCESS).
 */
#pragma once
#include "abi/proto/task.h"
#include "abi/types.h"
#include "kernel/obj/handle.h"
#include "kernel/obj/id.h"
#include "kernel/obj/object.h"
#include "kernel/sched/thread.h"

struct account;
struct namespace;
struct space;

/* Members: [l] lock, [I] immutable, [a] atomic. */
struct process {
	struct object object;           /* first, as in struct thread: process_find, thread_find */
	struct spinlock lock;
	uint32_t pid;                   /* [I] but for TASK_SUCCEED */
	struct list_node threads;       /* [l] */
	uint32_t thread_count;          /* [l] */
	struct space *space;            /* [l] changes only in exec, by the only thread left; NULL once ended */
	struct handle_table handles;
	struct namespace *namespace;    /* [l] NULL: the null namespace */
	struct account *account;        /* [l] who pays for what it makes from now on; a reference */
	struct account *account_before; /* [l] the one before; a reference */
	struct account *payer;          /* [I] who pays for the process itself, as long as its number is taken; a reference */
	struct sender sender;           /* [l] pid, ids and labels as stamped; tid unused */
	struct task_cred cred;          /* [l] */
	uint64_t notice_pending;        /* [l] sent to the process, taken by any thread */
	bool stopped;                   /* [l] */
	bool executed;                  /* [l] it has left the space that it began with */
	uint8_t end;                    /* [l] enum task_end */
	uint64_t status;                /* [l] */
	uint64_t fault_ip, fault_address;       /* [l] */
	struct thread *exec_thread;     /* [l] the one that may live on while the others end */
	struct list_node resources;     /* [l] process handles, told of exec and end */
	struct list_node served;        /* [l] schemes it serves (ipc/scheme.c) */
	struct task_schedule schedule;  /* [l] for new threads */
	uint64_t started_ns;            /* [I] as pid */
	uint32_t creator;               /* [I] as pid; pid of who made it; 0 for the first */
	_Atomic uint64_t user_ns, system_ns, switches;  /* of ended threads */
	_Atomic uint64_t minor_faults, major_faults, unknown_calls;
	char name[16];                  /* [l] */
};

/* A process without threads: space (its reference is eaten in any case), no handles, the null namespace. NOMEM, AGAIN. */
err_t process_create(struct space *s, struct process *like, struct process **out) MUST_CHECK;
/* TASK_FORK. */
err_t process_fork(struct process *p, uint32_t fork_flags, struct process **out) MUST_CHECK;
static inline struct process *process_get(struct process *p) { return object_get(p); }
void process_put(struct process *p);
static inline struct process *process_current(void) { return thread_current()->process; }
/* It has no threads any more, and what it held is closed or about to be. */
static inline bool process_has_ended(struct process *p) { return !__atomic_load_n(&p->space, __ATOMIC_ACQUIRE); }
/* Adds and starts a thread. SRCH: the process has ended. */
err_t process_start_thread(struct process *p, const struct thread_start *start, uint32_t *tid) MUST_CHECK;
/* Ends the process: every thread is told. The first call decides the status. */
void process_end(struct process *p, enum task_end end, uint64_t status) NONNULL;
/* The calling thread moves to a new space and start; every other thread has ended when it returns OK. INTR: it is itself to end. Does not come back to the old image. */
err_t process_exec(struct space *s, const struct thread_start *start) MUST_CHECK;
void process_set_stopped(struct process *p, bool stopped) NONNULL;
/* INVAL, SRCH. tid 0: any thread. */
err_t process_post(struct process *p, uint32_t tid, uint32_t notice) NONNULL MUST_CHECK;
/* Forgets pending notices (bit n-1 for notice n) of the process and its threads. */
void process_withdraw(struct process *p, uint64_t notices) NONNULL;
/* The calling thread takes a pending notice out of set; 0: there is none, and one that comes wakes it. */
uint32_t process_take_notice(uint64_t set);
/* Sets the calling thread's mask; the old one, and what is pending. */
uint64_t process_set_notice_mask(uint64_t mask, uint64_t *pending) NONNULL;
/* A thread leaves (in its own context, on its way to thread_finish). */
void process_leave(struct thread *t) NONNULL;
/* Recomputes ATTENTION_NOTICE of a thread; process lock held. */
void process_review_notices(struct thread *t) NONNULL;
/* With a reference; NULL: none. */
static inline struct process *process_find(uint32_t pid) { return (struct process *)id_find(ID_PROCESS, pid); }
static inline struct thread *thread_find(uint32_t tid) { return (struct thread *)id_find(ID_THREAD, tid); }
/* Who is charged for what the process makes now, with a reference; may be NULL. */
struct account *process_account(struct process *p) NONNULL;
/* What a thread that the current one starts in p, or a process like p, begins with. */
struct task_schedule process_inherit(const struct process *p) NONNULL;
/* From now on a pays (children too); what was charged stays where it is. */
void process_set_account(struct process *p, struct account *a) NONNULL;
/* With a reference; NULL: the null namespace. */
struct namespace *process_namespace(struct process *p) NONNULL;
/* Writes the process's name into the trace, which knows threads by numbers only. */
void process_trace_name(struct process *p) NONNULL;
void process_trace_names(void);
struct sender process_sender(struct thread *t) NONNULL;
