/* kernel/sched/timer.c - a pairing heap of timers per CPU. */
#include "kernel/sched/timer.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/clock.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"

struct timer_heap {
	struct spinlock lock;                   /* RANK_TIMER */
	struct heap_node *root;                 /* [l] by deadline */
	struct timer *_Atomic running;          /* whose callback is running */
};

static void heap_remove(struct timer_heap *h, struct timer *t) REQUIRES(&h->lock)
{
	h->root = pairing_heap_remove(h->root, &t->node);
	t->queued = false;
}

/* A hardware timer that is armed for something earlier stays so: when it goes off, what is due then is looked at again. That is cheaper
 * than to stop and start it at every switch, and at most one interrupt is for nothing. */
static void arm(struct cpu *c, uint64_t deadline_ns)
{
	if (deadline_ns >= c->armed_ns)
		return;
	c->armed_ns = deadline_ns;
	arch_timer_arm(deadline_ns);
}

err_t timer_init_cpu(struct cpu *c)
{
	struct timer_heap *h = heap_new(struct timer_heap);
	if (!h)
		return ERR_NOMEM;
	spin_init(&h->lock, RANK_TIMER);
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
	t->node.key = deadline_ns;
	t->cpu = c;
	t->queued = true;
	h->root = pairing_heap_insert(h->root, &t->node);
	arm(c, deadline_ns);
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

	uint64_t now = clock_now_ns();  /* once: what is set meanwhile has its own interrupt */

	spin_lock(&h->lock);
	while (h->root && h->root->key <= now) {
		struct timer *t = container_of(h->root, struct timer, node);
		heap_remove(h, t);
		atomic_store(&h->running, t);
		spin_unlock(&h->lock);
		t->callback(t);
		atomic_store(&h->running, NULL);
		spin_lock(&h->lock);
	}
	c->armed_ns = UINT64_MAX;
	if (h->root)            /* the slice's end: sched_tick */
		arm(c, h->root->key);
	spin_unlock(&h->lock);
}

void timer_rearm(uint64_t slice_end_ns) { arm(cpu_this(), slice_end_ns); }
