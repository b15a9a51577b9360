/* personality/linux/signal.h - signal actions and queued information: pure logic, no kernel.
 *
 * The kernel holds pending notices and masks. What it does not hold is kept here: what a signal does, and the
 * siginfo of those that this process sent to itself (others' is asked of procd).
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

enum { SIGNAL_QUEUE_MAX = 128 };

struct signal_queued {
	uint32_t tid;                   /* 0: for the process */
	uint32_t sequence;              /* order; 0: slot is free */
	struct linux_siginfo info;
};

struct signal_state {
	uint64_t ignored;               /* the set of those whose handler is SIG_IGN */
	struct linux_sigaction action[LINUX_SIGNAL_MAX + 1];    /* [0] is unused */
};

struct signal_queue {
	uint32_t count, next_sequence;
	struct signal_queued *slot;     /* SIGNAL_QUEUE_MAX of them, elsewhere: mostly nothing is queued, and they are not touched */
};

enum signal_effect { SIGNAL_IGNORE, SIGNAL_TERMINATE, SIGNAL_CORE, SIGNAL_STOP, SIGNAL_CONTINUE, SIGNAL_HANDLE };

#define SIGNAL_UNBLOCKABLE (LINUX_SIGNAL_BIT(LINUX_SIGKILL) | LINUX_SIGNAL_BIT(LINUX_SIGSTOP))

static inline bool signal_is_valid(uint64_t signal) { return signal >= 1 && signal <= LINUX_SIGNAL_MAX; }
static inline bool signal_is_realtime(uint32_t signal) { return signal >= LINUX_SIGRTMIN; }

void signal_init(struct signal_state *s) NONNULL;
/* What the signal does now, given its action. */
enum signal_effect signal_effect(const struct signal_state *s, uint32_t signal) NONNULL;
/* What it does when its action is the default. */
enum signal_effect signal_default(uint32_t signal);
/* Sets an action; the old one comes back. INVAL: no such signal, or one that cannot be changed. Flags Linux does not know are dropped. */
err_t signal_set_action(struct signal_state *s, uint64_t signal, const struct linux_sigaction *new_or_null,
                        struct linux_sigaction *old) MUST_CHECK;
/* A handler is about to run: the mask for its time, and SA_RESETHAND. */
uint64_t signal_handler_mask(struct signal_state *s, uint32_t signal, uint64_t mask) NONNULL;
/* exec: handlers become default, ignored ones stay. */
void signal_reset_for_exec(struct signal_state *s) NONNULL;
/* The set of ignored signals, and putting it back (over exec). */
static inline uint64_t signal_ignored(const struct signal_state *s) { return s->ignored; }
void signal_ignore(struct signal_state *s, uint64_t set) NONNULL;

/* Queues information for a signal sent to tid (0: the process). A standard signal that is queued already keeps its first information.
 * AGAIN: no room. */
err_t signal_queue(struct signal_queue *q, uint32_t tid, const struct linux_siginfo *info) NONNULL MUST_CHECK;
/* Takes the oldest queued information for this signal, of the thread or else of the process. False: none. *more: another one is left, for *more_tid. */
bool signal_unqueue(struct signal_queue *q, uint32_t tid, uint32_t signal, struct linux_siginfo *out, bool *more, uint32_t *more_tid) NONNULL;
/* Forgets everything queued (a fork's child), or what was for a thread that ended. */
void signal_queue_clear(struct signal_queue *q) NONNULL;
void signal_queue_clear_thread(struct signal_queue *q, uint32_t tid) NONNULL;
