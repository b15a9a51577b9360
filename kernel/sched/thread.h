/* kernel/sched/thread.h - threads: what runs, and how one waits and is woken.
 *
 * Waiting is park and wake, with a token: a wake that comes before the park makes it
 * return at once. So a waiter publishes itself under its object's lock, drops it, parks, and looks again;
 * wakes may be spurious, none is lost.
 */
#pragma once
#include "abi/ops.h"
#include "abi/types.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/obj/object.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"
#include "lib/sched/policy.h"

struct account;
struct process;

enum { KERNEL_STACK_ORDER = 1, KERNEL_STACK_BYTES = PAGE_BYTES << KERNEL_STACK_ORDER };

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_PARKED, THREAD_DEAD };

/* Why a thread must look before it goes (back) to user space. */
enum attention {
	ATTENTION_KILL   = 1 << 0,      /* end this thread */
	ATTENTION_STOP   = 1 << 1,      /* wait until it is cleared */
	ATTENTION_NOTICE = 1 << 2,      /* an unmasked notice is pending */
};

enum park_flags {
	PARK_INTERRUPTIBLE = 1 << 0,    /* ATTENTION_NOTICE ends it with ERR_INTR */
	PARK_UNKILLABLE    = 1 << 1,    /* not even ATTENTION_KILL does (only where a wake is certain) */
};

/* Members: [l] under lock, [p] under process->lock, [c] by the thread itself, [I] immutable, [a] atomic. */
struct thread {
	struct object object;
	struct spinlock lock;
	uint32_t tid;                   /* [I] the process's pid for its first thread; EXEC passes it on [p] */
	struct process *process;        /* [I] a reference; NULL for idle threads */
	struct account *account;        /* [I] who is charged for it; a reference, or NULL */
	struct account *shares;         /* [p] of whose CPU time it gets its share; the same */
	struct list_node process_link;  /* [p] */

	enum thread_state state;        /* [l]; from READY to RUNNING only its queue's lock */
	bool wake_token;                /* [l] a wake came while not parked */
	uint8_t park_flags;             /* [l] of the current park */
	int8_t park_result;             /* [l] err_t of the current park */
	_Atomic bool on_cpu;            /* still on its stack somewhere */
	_Atomic uint32_t attention;     /* enum attention */
	struct turn turn;               /* run queue's lock; what is set in it: [l] too */
	struct cpu *cpu;                /* [l] where it runs or ran last; that queue's lock too while it waits there */
	uint64_t claimed_on;            /* [l] CPUs where it may be handed the CPU (switch.h): its affinity; none with a home */
	struct cpu *home;               /* [l] the one CPU that a deadline thread was admitted to; else NULL */
	uint64_t ran_since_ns;          /* [c] when it was switched to */
	uint64_t user_ns, system_ns;    /* [c] approximate: charged at entry and switch */
	uint64_t switches;              /* [c] */

	uint64_t notice_mask;           /* [p] bit n-1 for notice n */
	uint64_t notice_pending;        /* [p] sent to this thread */
	uint64_t notice_wanted;         /* [p] what NOTICE_TAKE is waiting for */
	struct upcall_setup upcall;     /* [c] all zero: none */

	uint64_t start_ns;              /* [I] */
	struct regs *user_regs;         /* [I] at the top of the kernel stack */
	struct arch_thread arch;
	struct context context;
	void *kernel_stack;             /* [I] */
	uint64_t kernel_stack_top;      /* [I] */
};

static inline struct thread *thread_current(void) { return arch_thread_current(); }

/* A thread of p that will start in user space as start says; counted against p's account. Not yet running, not yet listed. NOMEM, AGAIN. */
err_t thread_create(struct process *p, const struct thread_start *start, struct thread **out) MUST_CHECK;
/* A thread for what runs in the kernel alone (idle). Its context is that of whoever first switches away in its name. */
err_t thread_create_kernel(struct thread **out) MUST_CHECK;
void thread_put(struct thread *t) NONNULL;
/* Makes a new thread ready for the first time. */
void thread_start(struct thread *t) NONNULL;

/* Sleeps until woken or until the deadline. OK: woken (perhaps spuriously). TIMEDOUT. INTR: a kill or (when interruptible) a notice. No lock may be held. */
err_t thread_park(uint64_t deadline_ns, uint32_t park_flags) MUST_CHECK;
/* Past the run queues: kernel/sched/switch.h. */
void thread_wake(struct thread *t) NONNULL;
/* Sets attention bits and sees that the thread notices: ends its park if it may be ended, or kicks its CPU. */
void thread_attend(struct thread *t, uint32_t attention_bits) NONNULL;
/* Ends the calling thread, which has left its process's list. */
NORETURN void thread_finish(void);
/* Lends a priority for the request being served; 0 takes it back. */
void thread_inherit(struct thread *t, uint8_t priority) NONNULL;
