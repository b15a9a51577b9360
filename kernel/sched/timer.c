/* kernel/sched/timer.c - a pairing heap of timers per CPU. */
#include "kernel/sched/timer.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/clock.h"
#include "kernel/sync/spinlock.h"

struct timer_heap {
	struct spinlock lock;                   /* RANK_TIMER */
	struct timer *root;                     /* [l] */
	uint64_t slice_end_ns;                  /* this CPU's alone */
	struct timer *_Atomic running;          /* whose callback is running */
};

static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->deadline_ns < a->deadline_ns) {
		struct timer *t = a;
		a = b;
		b = t;
	}
	b->previous = a;
	b->sibling = a->child;
	if (a->child)
		a->child->previous = b;
	a->child = b;
	return a;
}

/* Melds a list of siblings pairwise, left to right, then all together, right to left. */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL;

	while (first) {
		struct timer *a = first, *b = a->sibling;
		first = b ? b->sibling : NULL;
		a->sibling = a->previous = NULL;
		if (b)
			b->sibling = b->previous = NULL;
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	struct timer *root = NULL;
	while (pairs) {
		struct timer *next = pairs->sibling;
		pairs->sibling = NULL;
		root = meld(root, pairs);
		pairs = next;
	}
	return root;
}

static void heap_remove(struct timer_heap *h, struct timer *t) REQUIRES(&h->lock)
{
	struct timer *rest = meld_siblings(t->child);

	if (t == h->root) {
		h->root = rest;
	} else {
		if (t->previous->child == t)
			t->previous->child = t->sibling;
		else
			t->previous->sibling = t->sibling;
		if (t->sibling)
			t->sibling->previous = t->previous;
		h->root = meld(h->root, rest);
	}
	t->child = t->sibling = t->previous = NULL;
	t->queued = false;
}

static void arm(struct cpu *c)
{
	struct timer_heap *h = c->timers;
	uint64_t deadline = h->slice_end_ns;

	if (h->root && h->root->deadline_ns < deadline)
		deadline = h->root->deadline_ns;
	if (deadline != c->armed_ns) {
		c->armed_ns = deadline;
		arch_timer_arm(deadline);
	}
}

err_t timer_init_cpu(struct cpu *c)
{
	struct timer_heap *h = heap_new(struct timer_heap);
	if (!h)
		return ERR_NOMEM;
	spin_init(&h->lock, RANK_TIMER);
	h->slice_end_ns = UINT64_MAX;
	c->armed_ns = UINT64_MAX;
	c->timers = h;
	return OK;
}

void timer_init(struct timer *t, void (*callback)(struct timer *))
{
	*t = (struct timer){ .callback = callback };
}

static void dequeue(struct timer *t)
{
	if (!t->cpu)
		return;
	struct timer_heap *h = t->cpu->timers;
	spin_lock(&h->lock);
	if (t->queued)
		heap_remove(h, t);
	spin_unlock(&h->lock);
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	struct cpu *c = cpu_this();
	struct timer_heap *h = c->timers;

	dequeue(t);
	spin_lock(&h->lock);
	t->deadline_ns = deadline_ns;
	t->cpu = c;
	t->queued = true;
	h->root = meld(h->root, t);
	arm(c);
	spin_unlock(&h->lock);
}

void timer_cancel(struct timer *t)
{
	dequeue(t);
	if (!t->cpu)
		return;
	struct timer_heap *h = t->cpu->timers;
	while (atomic_load(&h->running) == t) {
		arch_pause();
		arch_poll_requests();
	}
}

void timer_run_due(void)
{
	struct cpu *c = cpu_this();
	struct timer_heap *h = c->timers;

	spin_lock(&h->lock);
	while (h->root && h->root->deadline_ns <= clock_now_ns()) {
		struct timer *t = h->root;
		heap_remove(h, t);
		atomic_store(&h->running, t);
		spin_unlock(&h->lock);
		t->callback(t);
		atomic_store(&h->running, NULL);
		spin_lock(&h->lock);
	}
	c->armed_ns = UINT64_MAX;
	arm(c);
	spin_unlock(&h->lock);
}

void timer_rearm(uint64_t slice_end_ns)
{
	struct cpu *c = cpu_this();
	struct timer_heap *h = c->timers;

	spin_lock(&h->lock);
	h->slice_end_ns = slice_end_ns;
	arm(c);
	spin_unlock(&h->lock);
}
