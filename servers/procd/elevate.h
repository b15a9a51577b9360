/* servers/procd/elevate.h - set-uid and set-gid exec: a process that the caller never touched takes its place.
 *
 * Nothing of the caller's is believed: not its memory, its namespace, its private handles nor its name for the file. What counts is the
 * file's handle, if our own file: knows it, and what the tree says of the process. doc/decisions/0003-set-uid.md has the whole.
 */
#pragma once
#include "servers/procd/posix.h"

/* POSIX_EXEC_ELEVATED: makes the successor and ends p, whose place it takes then. PERM: it would change nothing, or may not; anything else: the
 * exec has failed. */
err_t elevate_begin(struct tree *t, struct process *p, const struct posix_call *c) MUST_CHECK;
/* p's task has ended so. True: its successor runs in its place. */
bool elevate_finish(struct tree *t, struct process *p, const struct task_info *info);
/* There will be none. */
void elevate_drop(struct tree *t, struct process *p);
