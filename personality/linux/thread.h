/* personality/linux/thread.h - one thread's state: what user GS points to.
 *
 * A block is THREAD_BLOCK_BYTES of memory: the personality's stack below, struct thread at the top. (The first thread's is in struct process.) Members:
 * [t] the thread's own, [a] atomic, [p] under process->lock, [I] fixed once started.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include "abi/arch/regs.h"
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/assert.h"
#include "lib/base/list.h"
#include "personality/linux/abi.h"
#include "personality/linux/frame.h"
#include "personality/linux/offsets.h"

struct process;

enum { THREAD_BLOCK_BYTES = 64 << 10 };

enum thread_state { THREAD_FREE = 0, THREAD_LIVE = 1, THREAD_HELPER = 2 };

struct thread {
	struct thread *self;            /* [I] */
	uint64_t stack_top;             /* [I] of the personality's own stack */
	uint64_t notice_flag;           /* the kernel sets it to 1 while we are in the image */
	uint64_t by_call;               /* [t] this call came through the plain call entry */
	_Atomic uint64_t state;         /* [a] enum thread_state; FREE is written by the thread's last instruction but one */
	struct frame frame;             /* [t] the program's registers */
	struct upcall_frame event;      /* the kernel writes it before event_entry */

	struct process *process;        /* [I] */
	struct list_node node;          /* [p] process->threads, live or free */
	uint32_t tid;                   /* [I] */
	bool is_broken;                 /* [t] a fault of the image itself is being reported */
	bool full_exit;                 /* [t] leave by loading every register */
	bool restarting;                /* [t] this run of the call repeats it after an interruption */
	bool is_deadline_kept;          /* [t] */
	uint64_t deadline_kept;         /* [t] call_deadline's, for the repeat */

	uint64_t mask;                  /* [t] */
	uint64_t kernel_mask;           /* [t] as the kernel has it: mask, or less of it (thread_set_mask) */
	uint64_t mask_saved;            /* [t] to be put back after a handler, when is_mask_saved (sigsuspend, ppoll ...) */
	bool is_mask_saved;             /* [t] */
	bool has_own;                   /* [t] own is a signal that it has just sent itself, to be delivered on the way out */
	struct linux_siginfo own;       /* [t] */
	struct linux_stack alternate;   /* [t] sigaltstack */
	uint64_t clear_child_tid;       /* [t] */
	uint64_t robust_head;           /* [t] */
	uint64_t fs_base;               /* [I] what it started with */
	uint64_t start_child_tid;       /* [t] CLONE_CHILD_SETTID: where the new thread writes its number, or 0 */
	char name[16];                  /* [t] PR_SET_NAME */
};

STATIC_ASSERT(offsetof(struct thread, stack_top) == THREAD_STACK_TOP, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, notice_flag) == THREAD_NOTICE_FLAG, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, by_call) == THREAD_BY_CALL, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, state) == THREAD_STATE, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, frame.argument) == FRAME_RDI, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, frame.rax) == FRAME_RAX, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, frame.r11) == FRAME_R11, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, frame.number) == FRAME_NUMBER, "offsets.h");
STATIC_ASSERT(offsetof(struct thread, frame.ss) == FRAME_SS, "offsets.h");
STATIC_ASSERT(offsetof(struct upcall_frame, regs.rip) == EVENT_REGS_RIP, "offsets.h");

/* A block for a new thread of p: a free one or a new one; state LIVE (or what is asked), not yet running. NOMEM. */
err_t thread_create(struct process *p, enum thread_state state, struct thread **out) NONNULL MUST_CHECK;
/* Makes t a thread of p with a stack that ends at stack_top. It is on p's list already, or nobody's business. */
void thread_init(struct process *p, struct thread *t, enum thread_state state, uint64_t stack_top) NONNULL;
/* Gives back a block whose thread never ran. */
void thread_cancel(struct thread *t) NONNULL;
/* The live thread with this tid, or NULL. Under process->lock. */
struct thread *thread_find(struct process *p, uint32_t tid) NONNULL;
/* Tells the kernel where to enter this (the calling) thread. */
err_t thread_set_upcall(struct thread *t) NONNULL MUST_CHECK;
/* Sets the calling thread's mask; flags deliverable notices for the exit path. The kernel need not hear of it while the thread is the only
 * one and masks more than before: a notice that comes all the same is left where it is, and then the kernel is told. */
void thread_set_mask(struct thread *t, uint64_t mask) NONNULL;
/* Tells the kernel the mask, if it has another: before there are other threads to choose from, or a wait for what is masked. */
void thread_sync_mask(struct thread *t) NONNULL;
