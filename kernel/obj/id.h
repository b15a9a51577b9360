/* kernel/obj/id.h - the numbers of processes and threads: one space, as POSIX systems have it.
 *
 * A process's pid stays taken as long as the process object lives; its first thread has the same number.
 */
#pragma once
#include "abi/error.h"
#include "lib/base/attr.h"

struct process;
struct thread;

enum { ID_MAX = 32768 };

/* Gives p a number. AGAIN: all are taken. */
err_t id_add_process(struct process *p) NONNULL MUST_CHECK;
void id_remove_process(struct process *p) NONNULL;
/* Gives t a number: its process's pid if no thread has it. AGAIN. */
err_t id_add_thread(struct thread *t) NONNULL MUST_CHECK;
void id_remove_thread(struct thread *t) NONNULL;
/* The only thread left takes its process's pid as its number (exec). */
void id_take_pid(struct thread *t) NONNULL;
