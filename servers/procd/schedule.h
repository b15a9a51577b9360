/* servers/procd/schedule.h - who may say how a thread gets the CPU. */
#pragma once
#include "servers/procd/tree.h"

/* Anybody may ask. SRCH. */
err_t schedule_get(struct tree *t, uint32_t tid, struct task_schedule *out) MUST_CHECK;
/* s->tid says whose. Its owner may say where, and how as far as its process's RLIMIT_RTPRIO and RLIMIT_NICE go; root may all. SRCH, PERM, INVAL, BUSY. */
err_t schedule_set(struct tree *t, struct process *sender, const struct task_schedule *s) MUST_CHECK;
/* getpriority: nice + 20 of the most favoured thread; setpriority. which and who as Linux's: of PRIO_PROCESS the one thread with that number (0: the
 * sender's first), else all threads of the group's or user's processes. INVAL, SRCH, PERM, ACCES. */
int64_t priority_get(struct tree *t, struct process *sender, uint32_t which, uint32_t who);
err_t priority_set(struct tree *t, struct process *sender, uint32_t which, uint32_t who, int32_t nice) MUST_CHECK;
