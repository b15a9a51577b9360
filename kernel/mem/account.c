/* kernel/mem/account.c - counters with limits in a tree; a charge walks up to the root.
 *
 * Counters are atomic: a charge takes no lock. What is charged keeps its account alive: each counter that
 * is not zero holds one reference.
 */
#include "kernel/mem/account.h"
#include "kernel/cpu.h"
#include "kernel/mem/heap.h"
#include "lib/sched/policy.h"

enum { DEPTH_MAX = 16 };        /* a charge walks to the root, so the tree may not be deep */

/* Members: [I] immutable, [a] atomic. */
struct account {
	struct object object;
	uint32_t depth;                                 /* [I] */
	struct account *parent;                         /* [I] referenced, or null */
	_Atomic uint64_t used[ACCOUNT_KINDS];           /* [a] */
	_Atomic uint64_t limit[ACCOUNT_KINDS];          /* [a] */
	struct fair_account fair;                       /* the scheduler's */
};

static const err_t over_limit[ACCOUNT_KINDS] = {
	[ACCOUNT_PAGES] = ERR_NOMEM, [ACCOUNT_THREADS] = ERR_AGAIN, [ACCOUNT_HANDLES] = ERR_MFILE,
};

err_t account_create(struct account *parent, const struct account_limits *limits, struct account **out)
{
	if (parent && parent->depth + 1 == DEPTH_MAX)
		return ERR_NOMEM;
	struct account *a = heap_new(struct account);
	if (!a)
		return ERR_NOMEM;
	a->fair.groups = heap_alloc(cpu_count * sizeof(*a->fair.groups));
	if (!a->fair.groups) {
		heap_delete(a);
		return ERR_NOMEM;
	}
	object_init(&a->object);
	a->parent = account_get(parent);
	a->depth = parent ? parent->depth + 1 : 0;
	account_set(a, limits);
	*out = a;
	return OK;
}

struct account *account_get(struct account *a) { return object_get(a); }

void account_put(struct account *a)
{
	while (a && object_put(&a->object)) {
		struct account *parent = a->parent;
		heap_free(a->fair.groups, cpu_count * sizeof(*a->fair.groups));
		heap_delete(a);
		a = parent;
	}
}

static bool charge_one(struct account *a, enum account_kind kind, uint64_t count)
{
	uint64_t used = atomic_load_explicit(&a->used[kind], memory_order_relaxed);
	uint64_t limit = atomic_load_explicit(&a->limit[kind], memory_order_relaxed);
	do {
		if (UNLIKELY(used > limit || count > limit - used))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&a->used[kind], &used, used + count,
	                                                memory_order_relaxed, memory_order_relaxed));
	if (UNLIKELY(used == 0))
		account_get(a);
	return true;
}

static void uncharge_one(struct account *a, enum account_kind kind, uint64_t count)
{
	uint64_t old = atomic_fetch_sub_explicit(&a->used[kind], count, memory_order_acq_rel);
	ASSERT(old >= count);
	if (UNLIKELY(old == count))
		account_put(a);
}

/* For a and what is above it, below end. */
static void uncharge_until(struct account *a, const struct account *end, enum account_kind kind, uint64_t count)
{
	while (a != end) {
		/* a may go with its last use, and its parent with it: the parent's own use keeps the parent until we are there. */
		struct account *parent = a->parent;
		uncharge_one(a, kind, count);
		a = parent;
	}
}

err_t account_charge(struct account *a, enum account_kind kind, uint64_t count)
{
	for (struct account *at = a; at && count != 0; at = at->parent) {
		if (LIKELY(charge_one(at, kind, count)))
			continue;
		uncharge_until(a, at, kind, count);
		return over_limit[kind];
	}
	return OK;
}

void account_uncharge(struct account *a, enum account_kind kind, uint64_t count)
{
	if (count != 0)
		uncharge_until(a, NULL, kind, count);
}

void account_set(struct account *a, const struct account_limits *limits)
{
	atomic_store_explicit(&a->limit[ACCOUNT_PAGES], limits->pages, memory_order_relaxed);
	atomic_store_explicit(&a->limit[ACCOUNT_THREADS], limits->threads, memory_order_relaxed);
	atomic_store_explicit(&a->limit[ACCOUNT_HANDLES], limits->handles, memory_order_relaxed);
}

void account_info(struct account *a, struct account_info *out)
{
	*out = (struct account_info){
		.limit = { a->limit[ACCOUNT_PAGES], a->limit[ACCOUNT_THREADS], a->limit[ACCOUNT_HANDLES] },
		.used = { a->used[ACCOUNT_PAGES], a->used[ACCOUNT_THREADS], a->used[ACCOUNT_HANDLES] },
	};
}

struct fair_account *account_fair(struct account *a)
{
	static struct fair_group groups[CPU_MAX];
	static struct fair_account unowned = { .groups = groups };

	return a ? &a->fair : &unowned;
}
