/* lib/sched/policy.h - in which order the ready threads of a CPU get it: three policies, each one struct of functions.
 *
 * deadline goes before fixed, fixed before fair. Nothing here knows locks, clocks or threads: the kernel calls it under a lock per queue
 * (cpu.run_lock), time is given, and simulated threads test it on the host.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include "abi/error.h"
#include "abi/proto/task.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"
#include "lib/base/pairing_heap.h"

/* A turn beside others with the same right. Short enough that a shell beside hogs feels alive. */
#define SLICE_NS                4000000
/* Real-time and deadline threads together leave a CPU's others 5 % of each window: root's endless loop does not lock the machine up. */
#define REALTIME_WINDOW_NS      100000000ull
#define REALTIME_PART_NS        95000000ull
/* Deadline threads of one CPU: the sum of runtime / deadline, with 20 fractional bits, is at most 0.9. */
enum { DENSITY_BITS = 20, DENSITY_MAX = (1 << DENSITY_BITS) * 9 / 10, LEVELS = PRIORITY_DEADLINE - PRIORITY_SERVER + 1 };

#define DEADLINE_RUNS           (1ull << 32)

/* One of those that share a CPU by weight: a thread in its group, a group on its CPU. */
struct share {
	struct heap_node node;          /* by the virtual time at which its next turn should have ended */
	int64_t virtual_ns;             /* what it has had, divided by its weight */
	uint64_t weight;
};
struct share_tree {
	struct heap_node *root;         /* those that wait */
	int64_t virtual_ns;             /* what each should have had */
	uint64_t weight;                /* of all that wait */
};
/* The threads of one account on one CPU. */
struct fair_group {
	struct share share;
	struct share_tree turns;
	uint64_t unshared_ns;           /* what its threads ran that neither it nor the trees' times were told yet (fair.c) */
};
struct fair_account {
	_Atomic uint64_t weight;        /* of all its threads that wait, on any CPU */
	struct fair_group *groups;      /* [I] one per CPU, zero at first, each under its CPU's queue's lock */
};

/* A thread as its policy sees it. Members: under the lock of the queue that it waits in or whose CPU it runs on. */
struct turn {
	const struct policy *policy;    /* since it became ready */
	struct run_queue *queue;        /* that it waits in; NULL: none */
	struct list_node ready_link;    /* there */
	struct list_node level_link;    /* fixed */
	uint32_t level;                 /* there */
	struct share share;             /* fair; deadline orders by its node too */
	struct fair_account *account;   /* [I] */
	struct fair_group *group;       /* fair: where share.virtual_ns counts; NULL: nowhere yet */
	struct task_schedule schedule;  /* its own */
	uint8_t lent;                   /* the priority of the client that it serves */
	uint8_t priority;               /* the higher of that and its own */
	bool gives_way;                 /* fair: once, to another of its group, whoever of them has had less */
	int64_t left_ns;                /* of its slice, or of this period's runtime */
	uint64_t period_start_ns;       /* deadline */
};

struct run_queue {
	uint32_t cpu;                   /* [I] index */
	_Atomic uint32_t count;         /* [l] written; read by thieves */
	struct list_node ready;         /* all, in the order they came */
	uint64_t unfair;                /* how many of them are not fair ones; DEADLINE_RUNS more while a deadline thread has the CPU */
	struct heap_node *deadlines;
	uint64_t density;               /* of the deadline threads at home here */
	struct list_node level[LEVELS]; /* fixed, from SERVER up */
	uint64_t levels[(LEVELS + 63) / 64];    /* bit n: level n is not empty */
	struct share_tree groups;       /* fair */
	struct turn *alone;             /* fair: the only one that waits, in no tree */
	uint64_t window_end_ns, realtime_ns;    /* what real-time and deadline threads have had in this window */
};

struct policy {
	/* woken: it slept or is new; else it ran and goes on waiting, or changes something. */
	void (*enqueue)(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns);
	void (*dequeue)(struct run_queue *q, struct turn *t);
	/* Who is next; it stays. NULL: nobody, or (spent) nobody but real-time threads, which have had their part. */
	struct turn *(*first)(struct run_queue *q, bool spent);
	/* The CPU's current t, which is in no queue, ran. */
	void (*charge)(struct run_queue *q, struct turn *t, uint64_t ran_ns);
	/* Must the running `current` of the same policy and priority make way for t, just woken? */
	bool (*interrupts)(const struct turn *t, const struct turn *current);
};
extern const struct policy policy_deadline, policy_fixed, policy_fair;

/* Its priority and policy, when what is lent to it changed while it was in no queue. */
static inline void turn_settle(struct turn *t)
{
	t->priority = t->lent > t->schedule.priority ? t->lent : t->schedule.priority;
	if (t->priority < PRIORITY_SERVER)
		t->policy = &policy_fair;
	else
		t->policy = t->schedule.priority == PRIORITY_DEADLINE ? &policy_deadline : &policy_fixed;
}

/* Makes of s, which was asked for in place of old, what it comes to. online: the CPUs there are. may_raise: whoever asks has the right to give more.
 * ACCES: he has not. INVAL: s is not such as task.h says. */
err_t schedule_change(const struct task_schedule *old, uint64_t online, bool may_raise, struct task_schedule *s) NONNULL MUST_CHECK;
/* What a thread that this one starts begins with. */
struct task_schedule schedule_inherit(const struct task_schedule *s) NONNULL;
/* t is in no queue. */
void turn_set(struct turn *t, const struct task_schedule *s) NONNULL;
void run_queue_init(struct run_queue *q, uint32_t cpu) NONNULL;
void run_queue_add(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns) NONNULL;
void run_queue_remove(struct run_queue *q, struct turn *t) NONNULL;
/* Takes out who goes next, after adding `current`, which ran and goes on waiting, if not NULL. NULL: nobody waits. */
struct turn *run_queue_next(struct run_queue *q, struct turn *current, uint64_t now_ns);
void run_queue_charge(struct run_queue *q, struct turn *t, uint64_t ran_ns, uint64_t now_ns) NONNULL;
/* When to look again, if nobody comes, whether the running t should go on. UINT64_MAX: never. */
uint64_t run_queue_look_ns(const struct run_queue *q, const struct turn *t, uint64_t now_ns) NONNULL;
bool turn_interrupts(const struct turn *t, const struct turn *current) NONNULL;
/* fair: current goes on waiting; the only one that waits, fair too, goes before it, and current waits in its place. NULL: not so. */
struct turn *fair_swap(struct run_queue *q, struct turn *current) NONNULL;
/* Has t, which waits in q, had so much less than it should have that it would interrupt most others there? */
bool fair_is_behind(const struct run_queue *q, const struct turn *t) NONNULL;
/* Does anybody with a higher priority wait? */
bool run_queue_has_above(const struct run_queue *q, uint8_t priority) NONNULL;
/* t, or nobody (NULL), has the CPU now. */
static inline void run_queue_runs(struct run_queue *q, const struct turn *t)
{
	q->unfair = (q->unfair & ~DEADLINE_RUNS) | (t && t->policy == &policy_deadline ? DEADLINE_RUNS : 0);
}
/* Are all that wait fair ones, and no deadline thread has the CPU? */
static inline bool run_queue_is_fair(const struct run_queue *q) { return LIKELY(!q->unfair); }
/* May the CPU's thread hand it to one with that priority, past all that wait? */
static inline bool run_queue_lets(const struct run_queue *q, uint8_t priority)
{
	return run_queue_is_fair(q) || (!(q->unfair & DEADLINE_RUNS) && !run_queue_has_above(q, priority));
}
/* Takes s's density into q's sum, in place of old's (NULL: none), if that stays within the bound. */
bool deadline_admit(struct run_queue *q, const struct task_schedule *old, const struct task_schedule *s);
void deadline_leave(struct run_queue *q, const struct task_schedule *s) NONNULL;
/* When t, whose runtime is used up, has some again. 0: it has some. */
uint64_t deadline_wait_ns(const struct turn *t) NONNULL;
