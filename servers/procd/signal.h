/* servers/procd/signal.h - who may signal whom, and what of a signal is procd's business.
 *
 * A signal becomes a notice of the kernel, and what it does there is decided by the process's
 * own personality: mask, handler, default. Only SIGKILL, SIGSTOP and SIGCONT act from here. What comes
 * with a signal (siginfo) queues here until the personality asks for it.
 */
#pragma once
#include "servers/procd/tree.h"

enum { SIGNAL_QUEUE_MAX = 1024 };       /* infos per process, whatever its limits say */

/* Posts info->signal to p (tid 0: to any of its threads). AGAIN: the queue of a real-time signal is full. */
err_t signal_send(struct tree *t, struct process *p, const struct posix_signal *info, uint32_t tid) MUST_CHECK;
/* The same, for senders that cannot do anything about an error. */
void signal_send_quietly(struct tree *t, struct process *p, const struct posix_signal *info);
/* As from the kernel: no sender. */
void signal_raise(struct tree *t, struct process *p, uint32_t signal);
void signal_raise_group(struct tree *t, struct group *g, uint32_t signal);

/* POSIX_KILL, POSIX_SIGNAL_THREAD: as sender asks. SRCH, PERM, INVAL, AGAIN. */
err_t signal_kill(struct tree *t, struct process *sender, struct posix_signal info) MUST_CHECK;
err_t signal_kill_thread(struct tree *t, struct process *sender, struct posix_signal info) MUST_CHECK;

/* Takes the oldest info queued for a notice that thread tid has taken. NODATA. *more: it was posted again. */
err_t signal_take_info(struct tree *t, struct process *p, uint32_t signal, uint32_t tid, struct posix_signal *out, bool *more) MUST_CHECK;
/* Between taking a stop signal's info and POSIX_STOPPED nothing else is asked: p does, so it does not stop. */
void signal_forget_stops(struct process *p);
/* p has a new task: what is queued is posted to that, all of it to any thread. */
void signal_post_all(struct tree *t, struct process *p);
/* p has taken a stop signal: is it to stop? No when SIGCONT came since, or nobody could continue it. */
bool signal_stops(struct process *p, uint32_t signal);
/* Drops every queued info. */
void signal_flush(struct tree *t, struct process *p);
