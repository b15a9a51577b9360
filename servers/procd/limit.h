/* servers/procd/limit.h - resource limits and usage of processes. */
#pragma once
#include "servers/procd/tree.h"

/* Shared by processes and never changed; a change makes a new one. */
struct limits {
	uint32_t references;
	struct posix_limit limit[LINUX_RLIMIT_COUNT];
};

/* The limits that init starts with. NULL: no memory. */
struct limits *limits_create(struct tree *t, uint64_t processes);
static inline struct limits *limits_get(struct limits *l) { l->references++; return l; }
void limits_put(struct tree *t, struct limits *l);
static inline uint64_t limit_of(const struct process *p, uint32_t resource) { return p->limits->limit[resource].soft; }

/* prlimit on p as sender; SRCH is the caller's to say. INVAL, PERM, NOMEM. */
err_t limit_find(struct process *sender, struct process *p, uint32_t resource, struct posix_limit *out) MUST_CHECK;
err_t limit_set(struct tree *t, struct process *sender, struct process *p, uint32_t resource, const struct posix_limit *to) MUST_CHECK;

void usage_of_task(const struct task_info *info, struct posix_usage *out);
void usage_add(struct posix_usage *to, const struct posix_usage *more);
