/* kernel/scheme/event.c - event: queues on which any handle can be waited for, and which are handles themselves.
 *
 * event:counter is a counter: WRITE adds a uint64_t, READ waits until it is not 0 and takes it all; of event:counter1
 * (a semaphore) it takes 1.
 *
 * An interest is made for a resource, not for a number: when the resource goes, so does the interest.
 * Level: what is still ready after a wait stays queued. Edge: only a new notification queues it again.
 *
 * Queues may watch queues, EVENT_DEPTH deep, and never in a circle: a queue that is itself watched by a queue
 * cannot begin to watch another.
 */
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/try.h"

enum { EVENT_BUCKETS = 64, EVENT_DEPTH = 4, EVENT_BATCH = 16 };

/* Members: [l] queue lock, [I] immutable. */
struct interest {
	struct watcher watcher;
	struct list_node hash_link;     /* [l] */
	struct list_node ready_link;    /* [l] on queue.ready, or on itself */
	struct event_queue *queue;      /* [I] */
	struct resource *resource;      /* [l] weak: NULL once it has gone */
	handle_t handle;                /* [I] the number it was added by, for change and remove */
	uint32_t wanted, mode;          /* [l] */
	bool armed;                     /* [l] false: a one-shot that went off */
	uint64_t cookie;                /* [l] */
};

struct event_queue {
	struct spinlock lock;           /* RANK_WATCH, nested */
	struct resource *self;          /* [I] borrowed */
	struct list_node buckets[EVENT_BUCKETS];        /* [l] interests by resource */
	struct list_node ready;         /* [l] */
	struct list_node waiters;       /* [l] */
	uint32_t depth;                 /* [l] 1 + that of the deepest queue it watches */
	uint32_t watched_by;            /* [l] queues that watch it */
	bool changing;                  /* [l] one ADD, CHANGE or REMOVE at a time */
};

static const struct resource_ops queue_ops;

static struct event_queue *queue_of(struct resource *r) { return resource_data(r, &queue_ops); }

static struct list_node *bucket_of(struct event_queue *q, const struct resource *r)
{
	return &q->buckets[((uint64_t)r >> 6) * 0x9e3779b97f4a7c15ull >> 58];
}

static struct interest *find(struct event_queue *q, const struct resource *r, handle_t handle) REQUIRES(&q->lock)
{
	struct interest *i;
	list_each(i, bucket_of(q, r), hash_link)
		if (i->resource == r && i->handle == handle)
			return i;
	return NULL;
}

static void enqueue(struct event_queue *q, struct interest *i) REQUIRES(&q->lock)
{

	if (!list_is_empty(&i->ready_link))
		return;
	list_push_back(&q->ready, &i->ready_link);
	wait_wake_all(&q->waiters);
	resource_notify(q->self, READY_READ);
}

static void interest_notify(struct watcher *w, uint32_t ready)
{
	struct interest *i = container_of(w, struct interest, watcher);
	struct event_queue *q = i->queue;

	spin_lock_nested(&q->lock);
	if (i->armed && ready & (i->wanted | READY_ERROR | READY_HANGUP))
		enqueue(q, i);
	spin_unlock(&q->lock);
}

/* The resource went: nothing can find the interest any more but the queue. */
static void interest_gone(struct watcher *w)
{
	struct interest *i = container_of(w, struct interest, watcher);
	struct event_queue *q = i->queue;

	spin_lock_nested(&q->lock);
	list_remove(&i->hash_link);
	list_remove(&i->ready_link);
	i->resource = NULL;
	spin_unlock(&q->lock);
	heap_delete(i);
}

/* Queues watch other queues only in one direction. */
static err_t check_nesting(struct event_queue *q, struct resource *target)
{
	struct event_queue *inner = queue_of(target);
	err_t err = OK;

	if (!inner)
		return OK;
	if (inner == q)
		return ERR_INVAL;
	spin_lock(&inner->lock);
	uint32_t depth = inner->depth + 1;
	if (depth > EVENT_DEPTH)
		err = ERR_LOOP;
	else
		inner->watched_by++;    /* for good: it was watched, so it watches no more queues */
	spin_unlock(&inner->lock);
	if (err)
		return err;
	spin_lock(&q->lock);
	if (q->watched_by)
		err = ERR_LOOP;
	else if (q->depth < depth)
		q->depth = depth;
	spin_unlock(&q->lock);
	return err;
}

static err_t add(struct event_queue *q, struct resource *r, const struct event_interest *e)
{
	struct interest *i = heap_new(struct interest);
	err_t err;

	if (!i)
		return ERR_NOMEM;
	if ((err = check_nesting(q, r)))
		goto free;
	*i = (struct interest){
		.watcher = { .notify = interest_notify, .gone = interest_gone }, .queue = q, .resource = r,
		.handle = e->handle, .wanted = e->wanted, .mode = e->mode, .armed = true, .cookie = e->cookie,
	};
	list_init(&i->watcher.link);
	list_init(&i->ready_link);
	list_init(&i->hash_link);
	spin_lock(&q->lock);
	if (find(q, r, e->handle))
		err = ERR_EXIST;
	else
		list_push_back(bucket_of(q, r), &i->hash_link);
	spin_unlock(&q->lock);
	if (err)
		goto free;
	watch_add(&r->watch, &i->watcher);
	uint32_t ready = resource_ready(r);
	if (ready)
		interest_notify(&i->watcher, ready);
	return OK;

free:
	heap_delete(i);
	return err;
}

static err_t change(struct event_queue *q, struct resource *r, const struct event_interest *e)
{
	uint32_t ready = resource_ready(r);

	spin_lock(&q->lock);
	struct interest *i = find(q, r, e->handle);
	if (i) {
		i->wanted = e->wanted;
		i->mode = e->mode;
		i->cookie = e->cookie;
		i->armed = true;
		if (ready & (i->wanted | READY_ERROR | READY_HANGUP))
			enqueue(q, i);
	}
	spin_unlock(&q->lock);
	return i ? OK : ERR_NOENT;
}

static err_t remove(struct event_queue *q, struct resource *r, handle_t handle)
{
	spin_lock(&q->lock);
	struct interest *i = find(q, r, handle);
	if (i) {
		list_remove(&i->hash_link);
		list_remove(&i->ready_link);
		i->armed = false;
	}
	spin_unlock(&q->lock);
	if (!i)
		return ERR_NOENT;
	watch_remove(&r->watch, &i->watcher);
	heap_delete(i);
	return OK;
}

/* One at a time, so that a found interest stays: only we free it while its resource is alive. */
static void change_lock(struct event_queue *q)
{
	spin_lock(&q->lock);
	while (q->changing) {
		spin_unlock(&q->lock);
		sched_give_way();
		spin_lock(&q->lock);
	}
	q->changing = true;
	spin_unlock(&q->lock);
}

static void change_unlock(struct event_queue *q)
{
	spin_lock(&q->lock);
	q->changing = false;
	spin_unlock(&q->lock);
}

static int64_t control(struct event_queue *q, struct call_args *a)
{
	struct event_interest e;
	struct resource *r;
	err_t err;

	TRY(call_in(a, &e, sizeof(e)));
	if (e.mode & ~(uint32_t)(EVENT_EDGE | EVENT_ONE_SHOT))
		return ERR_INVAL;
	TRY(handle_find(&process_current()->handles, e.handle, 0, &r, NULL));
	change_lock(q);
	if (a->code == EVENT_ADD)
		err = add(q, r, &e);
	else if (a->code == EVENT_CHANGE)
		err = change(q, r, &e);
	else
		err = remove(q, r, e.handle);
	change_unlock(q);
	resource_put(r);
	return err;
}

/* Takes the first ready interest and its resource (a reference). False: none. */
static bool take(struct event_queue *q, struct interest **i, struct resource **r) REQUIRES(&q->lock)
{
	while (!list_is_empty(&q->ready)) {
		*i = list_first(&q->ready, struct interest, ready_link);
		list_remove(&(*i)->ready_link);
		*r = (*i)->resource;
		if (*r && object_try_get(&(*r)->object))
			return true;
	}
	return false;
}

/* Up to count events; those of level interests that stay ready are queued again behind. */
static size_t collect(struct event_queue *q, struct event *events, size_t count)
{
	struct { struct resource *resource; handle_t handle; bool level; } again[EVENT_BATCH];
	size_t found = 0, again_count = 0;
	struct interest *i;
	struct resource *r;

	spin_lock(&q->lock);
	while (found < count && again_count < EVENT_BATCH && take(q, &i, &r)) {
		handle_t handle = i->handle;
		spin_unlock(&q->lock);
		uint32_t ready = resource_ready(r);
		spin_lock(&q->lock);
		/* The lock was dropped: the interest is there still only if it is found again. */
		if (find(q, r, handle) != i)
			ready = 0;
		else
			ready &= i->wanted | READY_ERROR | READY_HANGUP;
		if (ready && i->armed) {
			events[found++] = (struct event){ .cookie = i->cookie, .found = ready };
			if (i->mode & EVENT_ONE_SHOT)
				i->armed = false;
		}
		bool level = ready && i->armed && !(i->mode & EVENT_EDGE);
		again[again_count].resource = r;
		again[again_count].handle = handle;
		again[again_count++].level = level;
	}
	for (size_t n = 0; n < again_count; n++) {
		/* It may have been removed meanwhile; its resource has not gone, so it is looked up by that. */
		i = again[n].level ? find(q, again[n].resource, again[n].handle) : NULL;
		if (i && list_is_empty(&i->ready_link))
			list_push_back(&q->ready, &i->ready_link);
	}
	spin_unlock(&q->lock);
	for (size_t n = 0; n < again_count; n++)
		resource_put(again[n].resource);
	return found;
}

static int64_t wait_events(struct event_queue *q, struct call_args *a)
{
	uint32_t park_flags = park_flags_of(a->request_flags);
	struct waiter w = { .thread = thread_current() };
	size_t capacity = a->out_bytes / sizeof(struct event), found;
	struct event events[EVENT_BATCH];
	err_t err = OK;

	if (!capacity)
		return ERR_INVAL;
	if (capacity > EVENT_BATCH)
		capacity = EVENT_BATCH;
	spin_lock(&q->lock);
	list_push_back(&q->waiters, &w.link);
	spin_unlock(&q->lock);
	while (!(found = collect(q, events, capacity)) && !err)
		err = thread_park(a->word, park_flags);
	spin_lock(&q->lock);
	list_remove(&w.link);
	spin_unlock(&q->lock);
	if (found && (err = copy_to_user(a->out, events, found * sizeof(*events))))
		return err;
	return found ? (int64_t)found : err == ERR_TIMEDOUT ? 0 : err;
}

static int64_t queue_call(struct resource *r, struct call_args *a)
{
	switch (a->code) {
	case EVENT_ADD:
	case EVENT_CHANGE:
	case EVENT_REMOVE:
		return control(r->data, a);
	case EVENT_WAIT:
		return wait_events(r->data, a);
	default:
		return ERR_NOTTY;
	}
}

static uint32_t queue_ready(struct resource *r)
{
	struct event_queue *q = r->data;
	spin_lock(&q->lock);
	bool ready = !list_is_empty(&q->ready);
	spin_unlock(&q->lock);
	return ready ? READY_READ : 0;
}

static struct interest *any_interest(struct event_queue *q) REQUIRES(&q->lock)
{
	for (int b = 0; b < EVENT_BUCKETS; b++)
		if (!list_is_empty(&q->buckets[b]))
			return list_first(&q->buckets[b], struct interest, hash_link);
	return NULL;
}

static void queue_destroy(struct resource *r)
{
	struct event_queue *q = r->data;

	for (;;) {
		spin_lock(&q->lock);
		struct interest *i = any_interest(q);
		struct resource *target = i ? i->resource : NULL;
		bool alive = target && object_try_get(&target->object);
		if (alive) {
			list_remove(&i->hash_link);
			list_remove(&i->ready_link);
		}
		spin_unlock(&q->lock);
		if (!i)
			break;
		if (!alive) {
			sched_give_way();  /* its resource is just going, and takes it along */
			continue;
		}
		watch_remove(&target->watch, &i->watcher);
		heap_delete(i);
		resource_put(target);
	}
	heap_delete(q);
}

static const struct resource_ops queue_ops = {
	.name = "event queue", .call = queue_call, .ready = queue_ready, .destroy = queue_destroy,
};

static err_t event_open(const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	struct event_queue *q = heap_new(struct event_queue);
	err_t err;

	if (!q)
		return ERR_NOMEM;
	spin_init(&q->lock, RANK_WATCH);
	list_init(&q->ready);
	list_init(&q->waiters);
	for (int b = 0; b < EVENT_BUCKETS; b++)
		list_init(&q->buckets[b]);
	q->depth = 1;
	if ((err = open_give(&queue_ops, q, a, 0, out))) {
		heap_delete(q);
		return err;
	}
	q->self = out->resource;
	return OK;
}

/* ---- counters ---- */

/* Members: [l] lock, [I] immutable. */
struct counter {
	struct spinlock lock;           /* RANK_PIPE */
	struct resource *self;          /* [I] borrowed */
	uint64_t value;                 /* [l] */
	bool one_by_one;                /* [I] a semaphore */
	struct list_node waiters;       /* [l] */
};

static int64_t counter_transfer(struct resource *r, struct transfer *t, bool write)
{
	struct counter *c = r->data;
	uint64_t amount = 0;
	err_t err = OK;

	if (t->bytes < sizeof(amount))
		return ERR_INVAL;
	if (write)
		TRY(copy_from_user(&amount, t->buffer, sizeof(amount)));
	if (amount == UINT64_MAX)
		return ERR_INVAL;
	spin_lock(&c->lock);
	while (!err && (write ? c->value > UINT64_MAX - 1 - amount : c->value == 0))
		err = wait_on(&c->waiters, &c->lock, t->open_flags, t->request_flags);
	if (!err) {
		if (!write)
			amount = c->one_by_one ? 1 : c->value;
		c->value = write ? c->value + amount : c->value - amount;
		wait_wake_all(&c->waiters);
		resource_notify(c->self, write ? READY_READ : READY_WRITE);
	}
	spin_unlock(&c->lock);
	if (!err && !write)
		err = copy_to_user(t->buffer, &amount, sizeof(amount));
	return err ? err : (int64_t)sizeof(amount);
}

static int64_t counter_read(struct resource *r, struct transfer *t) { return counter_transfer(r, t, false); }

static int64_t counter_write(struct resource *r, struct transfer *t) { return counter_transfer(r, t, true); }

static uint32_t counter_ready(struct resource *r)
{
	struct counter *c = r->data;
	spin_lock(&c->lock);
	uint32_t ready = (c->value ? READY_READ : 0) | (c->value < UINT64_MAX - 1 ? READY_WRITE : 0);
	spin_unlock(&c->lock);
	return ready;
}

static void counter_destroy(struct resource *r) { heap_free(r->data, sizeof(struct counter)); }

static const struct resource_ops counter_ops = {
	.name = "counter", .read = counter_read, .write = counter_write, .ready = counter_ready, .destroy = counter_destroy,
};

static err_t counter_open(const char *kind, const struct open_args *a, struct passed *out)
{
	struct counter *c = heap_new(struct counter);
	err_t err;

	if (!c)
		return ERR_NOMEM;
	spin_init(&c->lock, RANK_PIPE);
	list_init(&c->waiters);
	c->one_by_one = *kind == '1';
	if ((err = open_give(&counter_ops, c, a, RIGHT_READ | RIGHT_WRITE, out))) {
		heap_delete(c);
		return err;
	}
	c->self = out->resource;
	return OK;
}

const struct scheme_entry event_scheme[] = {
	{ .ref = "", .open = event_open },
	{ .ref = "counter*", .open = counter_open },
	{0},
};
