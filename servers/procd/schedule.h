/* servers/procd/schedule.h - who may say how a thread gets the CPU. */
#pragma once
#include "servers/procd/tree.h"

/* Anybody may ask. SRCH. */
err_t schedule_get(struct tree *t, uint32_t tid, struct task_schedule *out) MUST_CHECK;
/* s->tid says whose. Its owner may say where, and how as far as its process's RLIMIT_RTPRIO and RLIMIT_NICE go; root may all. SRCH, PERM, INVAL, BUSY. */
err_t schedule_set(struct tree *t, struct process *sender, const struct task_schedule *s) MUST_CHECK;
