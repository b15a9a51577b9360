/* personality/linux/deliver.h - from a pending notice to what the signal does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct process;
struct thread;

/* Takes every deliverable notice and does what it says. True: a handler's frame was pushed. Default actions may not return. */
bool signal_deliver(struct thread *t) NONNULL;
/* The same for the signal that the thread has just sent itself (thread->own). */
bool signal_deliver_own(struct thread *t) NONNULL;
/* A signal that the thread caused itself and cannot escape (SIGSEGV ...): handler or death. */
void signal_force(struct thread *t, const struct linux_siginfo *info) NONNULL;
/* Sends a signal within the process: tid 0: to any thread. EAGAIN when the queue of a realtime signal is full. */
int64_t signal_send(struct process *p, uint32_t tid, const struct linux_siginfo *info) NONNULL;
/* The simple case: code SI_USER (or another), this process as the sender. Within a call of t's, which it may end with a handler. */
int64_t signal_send_self(struct thread *t, uint32_t tid, uint32_t signal, int32_t code) NONNULL;
/* Takes one pending signal of the set: its number and information; waits until the deadline. ERR_AGAIN, ERR_INTR. */
int64_t signal_take(struct thread *t, uint64_t set, uint64_t deadline_ns, struct linux_siginfo *info) NONNULL MUST_CHECK;
/* procd learns how this process treats SIGCHLD, unless it knows: it was told so, or last these flags (enum posix_child_flags). */
enum { SIGNAL_CHILD_FLAGS_KNOWN = UINT32_MAX };
void signal_tell_child_flags(struct thread *t, uint32_t known) NONNULL;
/* The same for the program that t executes. */
uint32_t signal_child_flags_at_exec(const struct thread *t) NONNULL;
/* Ends the process as the signal does. */
NORETURN void process_die(struct thread *t, uint32_t signal, bool core) NONNULL;
