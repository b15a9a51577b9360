/* kernel/scheme/counter.h - a number that grows and that READ waits for: event:counter, and what timers and interrupts count into. */
#pragma once
#include "kernel/obj/resource.h"
#include "lib/base/list.h"

/* The first member of the data of a resource whose functions are counter_read and counter_ready. Members: [l] lock, [I] immutable. */
struct counter {
	struct spinlock lock;           /* RANK_PIPE */
	struct resource *self;          /* [I] borrowed */
	uint64_t value;                 /* [l] */
	bool one_by_one;                /* [I] a semaphore: READ takes 1, not all */
	_Atomic bool is_broken;         /* an interrupt that stormed: READ says IO, ready ERROR */
	struct list_node waiters;       /* [l] */
};

/* For a resource just made, whose data begins with a counter. */
struct counter *counter_init(struct resource *r) NONNULL;
/* Wakes readers and tells watchers. */
void counter_add(struct counter *c, uint64_t amount) NONNULL REQUIRES(&c->lock);
/* READ of a uint64_t waits until it is not 0 and takes it. */
int64_t counter_read(struct resource *r, struct transfer *t) NONNULL;
uint32_t counter_ready(struct resource *r) NONNULL;
/* OPEN of event:counter (one_by_one: of event:counter1). */
err_t counter_open(uint32_t one_by_one, const char *rest, const struct open_args *a, struct passed *out) NONNULL MUST_CHECK;
