/* servers/procd/wait.h - waiting for children, and requests whose answer comes later. */
#pragma once
#include "servers/procd/tree.h"

enum pending_kind { PENDING_WAIT, PENDING_STOP };

/* A request that waits for its answer: POSIX_WAIT for a child, POSIX_STOPPED for SIGCONT. */
struct pending {
	struct list_node by_tag;
	struct list_node in_process;
	uint64_t tag;
	enum pending_kind kind;
	int32_t target;                 /* of POSIX_WAIT */
	uint32_t options;
};

/* POSIX_WAIT: answers tag now or later. */
void wait_begin(struct tree *t, struct process *parent, uint64_t tag, const struct posix_wait *wait);
/* POSIX_STOPPED was obeyed: tag is answered when p continues. NOMEM. */
err_t wait_for_continue(struct tree *t, struct process *p, uint64_t tag) MUST_CHECK;
/* The sender of tag wants it to end: INTR, if it still waits. */
void wait_cancel(struct tree *t, uint64_t tag);

/* Something about a child of parent has changed: answers those who wait for it. The child may be
 * reaped by that; true when it was. */
bool wait_child_changed(struct tree *t, struct process *parent, struct process *child);
/* A child of parent is gone without being waited for: who has none left is told. */
void wait_child_gone(struct tree *t, struct process *parent);
/* p was continued: its POSIX_STOPPED requests return. */
void wait_continued(struct tree *t, struct process *p);
/* p has ended: its requests are answered, for the kernel's book-keeping. */
void wait_abandon(struct tree *t, struct process *p);
