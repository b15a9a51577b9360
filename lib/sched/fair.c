/* lib/sched/fair.c - equal shares for accounts, and within an account shares by nice.
 *
 * Weighted fair queueing, twice: groups share the CPU, threads share their group's part. Whoever should be through with his next turn first, in virtual
 * time, goes first. A tree's virtual time is what a member should have had: it goes on with all that runs, divided by all weights, whoever it
 * was. So those that come and go (a fork bomb) gain nothing by being new, and a sleeper is at most two slices behind when it wakes: it gets the CPU
 * soon, but cannot save up.
 */
#include "lib/sched/policy.h"
#include "lib/base/bits.h"

/* How far a thread must be behind the running one to interrupt it. */
#define INTERRUPT_NS    1000000
/* How far a sleeper may stay behind: enough to be before whoever just begins its turn. */
#define SLEEPER_NS      (2 * SLICE_NS)
/* A group's threads run so long before it is charged. */
#define SHARE_OUT_NS    500000
/* Virtual times may be a little below 0 when a tree is new; keys are not. */
#define KEY_ZERO        (1ull << 62)
enum { WEIGHT = 1024 };

static int64_t weighed(uint64_t ns, uint64_t weight) { return (int64_t)(LIKELY(weight == WEIGHT) ? ns : ns * WEIGHT / weight); }

static uint64_t key_of(const struct share *s)
{
	return (uint64_t)(s->virtual_ns + weighed(SLICE_NS, s->weight)) + KEY_ZERO;
}

static void insert(struct share_tree *tree, struct share *s)
{
	s->node.key = key_of(s);
	tree->root = pairing_heap_insert(tree->root, &s->node);
	tree->weight += s->weight;
}

static void remove(struct share_tree *tree, struct share *s)
{
	tree->root = pairing_heap_remove(tree->root, &s->node);
	tree->weight -= s->weight;
}

static void wake(const struct share_tree *tree, struct share *s)
{
	s->virtual_ns = MAX_OF(s->virtual_ns, tree->virtual_ns - SLEEPER_NS);
}

/* A member with this weight, which is not in the tree's heap, ran. Sleepers that come from behind make the tree's time run ahead of what those that
 * wait can have had: it stays with the first of them. */
static void advance(struct share_tree *tree, uint64_t weight, uint64_t ran_ns)
{
	tree->virtual_ns += weighed(ran_ns, tree->root ? tree->weight + weight : weight);
	if (tree->root)
		tree->virtual_ns = MIN_OF(tree->virtual_ns, (int64_t)(tree->root->key - KEY_ZERO));
}

/* An account's weight is spread over the CPUs as its threads are; not below a part that it could not make up for soon. */
static uint64_t group_weight(const struct fair_group *g, const struct turn *current)
{
	uint64_t here = g->turns.weight + current->share.weight;
	uint64_t all = atomic_load_explicit(&current->account->weight, memory_order_relaxed) + current->share.weight;

	return MAX_OF(WEIGHT * here / MAX_OF(all, here), WEIGHT / 16);
}

/* A thread that is new here (from another CPU's queue, or handed the CPU there) keeps its distance to what it should have had where it was. */
static struct fair_group *join(const struct run_queue *q, struct turn *t)
{
	struct fair_group *g = &t->account->groups[q->cpu], *before = t->group;

	if (g == before)
		return g;
	if (!g->share.weight)
		g->share = (struct share){ .weight = WEIGHT, .virtual_ns = q->groups.virtual_ns };
	int64_t behind = before ? t->share.virtual_ns - __atomic_load_n(&before->turns.virtual_ns, __ATOMIC_RELAXED) : 0;
	t->share.virtual_ns = g->turns.virtual_ns + behind;
	t->group = g;
	return g;
}

static void enter(struct run_queue *q, struct turn *t)
{
	struct fair_group *g = t->group;

	if (!g->turns.root) {
		wake(&q->groups, &g->share);
		insert(&q->groups, &g->share);
	}
	insert(&g->turns, &t->share);
	atomic_fetch_add_explicit(&t->account->weight, t->share.weight, memory_order_relaxed);
}

/* The only one that waits goes into the trees, like others. */
static void enter_alone(struct run_queue *q)
{
	struct turn *t = q->alone;

	q->alone = NULL;
	if (t)
		enter(q, t);
}

static void fair_enqueue(struct run_queue *q, struct turn *t, bool woken, uint64_t now_ns UNUSED)
{
	bool is_new = !t->group;
	struct fair_group *g = join(q, t);

	t->gives_way = false;
	if (t->left_ns <= 0)
		t->left_ns = SLICE_NS;
	if (woken && !is_new)
		wake(&g->turns, &t->share);
	if (!q->alone && !q->groups.root) {
		q->alone = t;
		return;
	}
	enter_alone(q);
	enter(q, t);
}

static void fair_dequeue(struct run_queue *q, struct turn *t)
{
	if (q->alone == t) {
		q->alone = NULL;
		return;
	}
	remove(&t->group->turns, &t->share);
	if (!t->group->turns.root)
		remove(&q->groups, &t->group->share);
	atomic_fetch_sub_explicit(&t->account->weight, t->share.weight, memory_order_relaxed);
}

static struct turn *fair_first(struct run_queue *q, bool spent UNUSED)
{
	if (q->alone || !q->groups.root)
		return q->alone;
	struct fair_group *g = container_of(q->groups.root, struct fair_group, share.node);
	return container_of(g->turns.root, struct turn, share.node);
}

struct turn *fair_swap(struct run_queue *q, struct turn *current)
{
	struct turn *other = q->alone ? q->alone : fair_first(q, false);

	if (!q->alone) {                /* the last of several */
		fair_dequeue(q, other);
		q->alone = other;
	}
	bool goes_on = !current->gives_way && key_of(&current->share) < key_of(&other->share);

	if (goes_on || current->policy != &policy_fair || current->lent || current->group != other->group)
		return NULL;
	current->gives_way = false;
	if (current->left_ns <= 0)
		current->left_ns = SLICE_NS;
	list_remove(&other->ready_link);
	other->queue = NULL;
	list_push_back(&q->ready, &current->ready_link);
	current->queue = q;
	q->alone = current;
	return other;
}

/* The groups' part, and how far the trees' times are, for all that the group ran since it was last asked for. */
static void share_out(struct run_queue *q, struct fair_group *g, const struct turn *current)
{
	uint64_t ran_ns = g->unshared_ns;

	g->unshared_ns = 0;
	enter_alone(q);
	bool waits = g->turns.root;
	advance(&g->turns, current->share.weight, ran_ns);
	if (waits)
		remove(&q->groups, &g->share);
	if (q->groups.root)
		g->share.weight = group_weight(g, current);
	g->share.virtual_ns += weighed(ran_ns, g->share.weight);
	advance(&q->groups, g->share.weight, ran_ns);
	if (waits)
		insert(&q->groups, &g->share);
}

/* Most threads run for some microseconds and wait: each is charged at once, its group when that comes to something. */
static void fair_charge(struct run_queue *q, struct turn *t, uint64_t ran_ns)
{
	struct fair_group *g = join(q, t);

	t->share.virtual_ns += weighed(ran_ns, t->share.weight);
	g->unshared_ns += ran_ns;
	if (UNLIKELY(g->unshared_ns >= SHARE_OUT_NS))
		share_out(q, g, t);
}

static bool fair_interrupts(const struct turn *t, const struct turn *current)
{
	const struct share *own = &t->share, *its = &current->share;

	if (t->schedule.flags & SCHEDULE_BATCH || !current->group)
		return false;
	if (t->group != current->group) {
		own = &t->group->share;
		its = &current->group->share;
	}
	return its->weight && key_of(own) + INTERRUPT_NS < key_of(its);
}

bool fair_is_behind(const struct run_queue *q, const struct turn *t)
{
	if (t->policy != &policy_fair || t->schedule.flags & SCHEDULE_BATCH)
		return false;
	return t->share.virtual_ns + INTERRUPT_NS < t->group->turns.virtual_ns ||
	       t->group->share.virtual_ns + INTERRUPT_NS < q->groups.virtual_ns;
}

const struct policy policy_fair = {
	.enqueue = fair_enqueue, .dequeue = fair_dequeue, .first = fair_first, .charge = fair_charge, .interrupts = fair_interrupts,
};
