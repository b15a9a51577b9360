/* kernel/scheme/event.c - event: queues on which any handle can be waited for, and which are handles themselves; event:counter.
 *
 * An interest is made for a resource, not for a number: when the resource goes, so does the interest.
 * Level: what is still ready after a wait stays queued. Edge: only a new notification queues it again.
 *
 * Two locks: `control` for whoever adds, changes, removes and looks through interests, so that one once found stays as long as
 * its resource does; `lock` for the lists, which notifications reach too.
 *
 * Queues may watch queues, EVENT_DEPTH deep, and never in a circle: a queue that is itself watched by a queue
 * cannot begin to watch another.
 */
#include "kernel/scheme/event.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/counter.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

enum { EVENT_DEPTH = 5 };

/* Members: [c] changed under control and lock, read under either; [l] queue lock, [I] immutable. */
struct interest {
	struct watcher watcher;
	struct list_node link;          /* [l] queue.interests */
	struct list_node ready_link;    /* [l] on queue.ready, or on itself */
	struct event_queue *queue;      /* [I] */
	struct resource *resource;      /* [I] borrowed: when it goes, it takes the interest along */
	handle_t handle;                /* [I] the number it was added by, for change and remove */
	uint32_t wanted, mode;          /* [c] */
	bool armed;                     /* [c] false: a one-shot that went off */
	uint64_t cookie;                /* [c] */
};

struct event_queue {
	struct list_node ready;         /* [l] first: event_is_ready */
	struct spinlock control;        /* RANK_RESOURCE */
	struct spinlock lock;           /* RANK_WATCH, nested */
	struct resource *self;          /* [I] borrowed */
	struct list_node interests;     /* [l] */
	struct list_node waiters;       /* [l] */
	struct waiter server;           /* [I] one of them, with a reference of its thread; or its thread NULL */
	uint32_t depth;                 /* [nesting_lock] 1 + that of the deepest queue it watches */
	bool is_watched;                /* [nesting_lock] or once was: it watches no more queues */
};

static struct spinlock nesting_lock = SPINLOCK_INIT(RANK_WATCH);
static const struct resource_ops queue_ops;

static void interest_notify(struct watcher *w, uint32_t ready)
{
	struct interest *i = container_of(w, struct interest, watcher);
	struct event_queue *q = i->queue;

	spin_lock_nested(&q->lock);
	if (i->armed && ready & (i->wanted | READY_ERROR | READY_HANGUP) && list_is_empty(&i->ready_link)) {
		list_push_back(&q->ready, &i->ready_link);
		wait_wake_all(&q->waiters);
		resource_notify(q->self, READY_READ);
	}
	spin_unlock(&q->lock);
}

/* Nothing notifies it any more. */
static void interest_gone(struct watcher *w)
{
	struct interest *i = container_of(w, struct interest, watcher);

	spin_lock_nested(&i->queue->lock);
	list_remove(&i->link);
	list_remove(&i->ready_link);
	spin_unlock(&i->queue->lock);
	heap_delete(i);
}

/* The caller has a reference of its resource. */
static void interest_end(struct interest *i)
{
	watch_remove(&i->resource->watch, &i->watcher);
	interest_gone(&i->watcher);
}

/* By the resource's watchers, of which there are few. */
static struct interest *find(struct event_queue *q, struct resource *r, handle_t handle) REQUIRES(&q->control)
{
	struct interest *found = NULL;
	struct watcher *w;

	spin_lock(&r->watch.lock);
	list_each(w, &r->watch.watchers, link) {
		struct interest *i = container_of(w, struct interest, watcher);
		if (w->notify == interest_notify && i->queue == q && i->handle == handle)
			found = i;
	}
	spin_unlock(&r->watch.lock);
	return found;
}

/* Queues watch other queues only in one direction. */
static err_t check_nesting(struct event_queue *q, struct resource *target)
{
	struct event_queue *inner = resource_data(target, &queue_ops);
	err_t err = OK;

	if (!inner)
		return OK;
	if (inner == q)
		return ERR_INVAL;
	spin_lock(&nesting_lock);
	if (q->is_watched || inner->depth == EVENT_DEPTH) {
		err = ERR_LOOP;
	} else {
		inner->is_watched = true;
		q->depth = MAX_OF(q->depth, inner->depth + 1);
	}
	spin_unlock(&nesting_lock);
	return err;
}

static err_t interest_create(struct event_queue *q, struct resource *r, handle_t handle, struct interest **out) REQUIRES(&q->control)
{
	if (!r->ops->ready)
		return ERR_PERM;        /* a file, say: there is nothing to wait for */
	TRY(check_nesting(q, r));
	struct interest *i = heap_new(struct interest);
	if (!i)
		return ERR_NOMEM;
	i->watcher = (struct watcher){ .notify = interest_notify, .gone = interest_gone };
	i->queue = q;
	i->resource = r;
	i->handle = handle;
	list_init(&i->watcher.link);
	list_init(&i->ready_link);
	spin_lock(&q->lock);
	list_push_back(&q->interests, &i->link);
	spin_unlock(&q->lock);
	watch_add(&r->watch, &i->watcher);
	*out = i;
	return OK;
}

static void interest_set(struct interest *i, const struct event_interest *e) REQUIRES(&i->queue->control)
{
	spin_lock(&i->queue->lock);
	i->wanted = e->wanted;
	i->mode = e->mode;
	i->cookie = e->cookie;
	i->armed = true;
	spin_unlock(&i->queue->lock);
	interest_notify(&i->watcher, resource_ready(i->resource));
}

static err_t change(struct event_queue *q, uint32_t code, struct resource *r, const struct event_interest *e) REQUIRES(&q->control)
{
	struct interest *i = find(q, r, e->handle);

	if ((code == EVENT_ADD) == (i != NULL))
		return i ? ERR_EXIST : ERR_NOENT;
	if (code == EVENT_ADD)
		TRY(interest_create(q, r, e->handle, &i));
	if (code == EVENT_REMOVE)
		interest_end(i);
	else
		interest_set(i, e);
	return OK;
}

static int64_t control(struct event_queue *q, struct call_args *a)
{
	struct event_interest e;
	struct resource *r;

	TRY(call_in(a, &e, sizeof(e)));
	if (e.mode & ~(uint32_t)(EVENT_EDGE | EVENT_ONE_SHOT))
		return ERR_INVAL;
	TRY(handle_find(&process_current()->handles, e.handle, 0, &r, NULL));
	spin_lock(&q->control);
	err_t err = change(q, a->code, r, &e);
	spin_unlock(&q->control);
	resource_put(r);
	return err;
}

/* Takes the first ready interest, with a reference of its resource; not `end`. NULL: none. */
static struct interest *take(struct event_queue *q, const struct interest *end) REQUIRES(&q->lock)
{
	while (!list_is_empty(&q->ready)) {
		struct interest *i = list_first(&q->ready, struct interest, ready_link);
		if (i == end)
			return NULL;
		list_remove(&i->ready_link);
		if (object_try_get(&i->resource->object))       /* else it is just going */
			return i;
	}
	return NULL;
}

size_t event_collect(struct resource *queue, struct event *events, size_t count)
{
	struct event_queue *q = queue->data;
	struct resource *taken[EVENT_BATCH];
	struct interest *i, *again = NULL;
	size_t taken_count = 0, found = 0;

	spin_lock(&q->control);
	spin_lock(&q->lock);
	while (taken_count < count && (i = take(q, again))) {
		spin_unlock(&q->lock);
		uint32_t ready = resource_ready(i->resource) & (i->wanted | READY_ERROR | READY_HANGUP);
		spin_lock(&q->lock);
		taken[taken_count++] = i->resource;
		if (!ready || !i->armed)
			continue;
		events[found++] = (struct event){ .cookie = i->cookie, .found = ready };
		if (i->mode & EVENT_ONE_SHOT)
			i->armed = false;
		else if (!(i->mode & EVENT_EDGE) && list_is_empty(&i->ready_link))
			list_push_back(&q->ready, &i->ready_link);      /* looked at again next time */
		if (!again && !list_is_empty(&i->ready_link))
			again = i;
	}
	spin_unlock(&q->lock);
	spin_unlock(&q->control);
	while (taken_count)
		resource_put(taken[--taken_count]);
	return found;
}

static int64_t wait_events(struct resource *queue, struct call_args *a)
{
	struct event_queue *q = queue->data;
	size_t capacity = MIN_OF(a->out_bytes / sizeof(struct event), (size_t)EVENT_BATCH), found;
	struct event events[EVENT_BATCH];
	err_t err = OK;

	if (!capacity)
		return ERR_INVAL;
	while (!(found = event_collect(queue, events, capacity)) && !err) {
		spin_lock(&q->lock);
		while (list_is_empty(&q->ready) && !err)
			err = wait_until(&q->waiters, &q->lock, a->word, a->request_flags);
		spin_unlock(&q->lock);
	}
	if (!found)
		return err == ERR_TIMEDOUT ? 0 : err;
	TRY(copy_to_user(a->out, events, found * sizeof(*events)));
	return (int64_t)found;
}

static int64_t queue_call(struct resource *r, struct call_args *a)
{
	if (a->code == EVENT_WAIT)
		return wait_events(r, a);
	return a->code == EVENT_ADD || a->code == EVENT_CHANGE || a->code == EVENT_REMOVE ? control(r->data, a) : ERR_NOTTY;
}

static uint32_t queue_ready(struct resource *r) { return event_is_ready(r) ? READY_READ : 0; }

/* Nobody else has the queue any more, but a resource may be taking its interest along just now. */
static void queue_destroy(struct resource *r)
{
	struct event_queue *q = r->data;

	spin_lock(&q->lock);
	while (!list_is_empty(&q->interests)) {
		struct interest *i = list_first(&q->interests, struct interest, link);
		struct resource *target = i->resource;
		bool is_here = object_try_get(&target->object);
		spin_unlock(&q->lock);
		if (is_here) {
			interest_end(i);
			resource_put(target);
		} else {
			sched_give_way();
		}
		spin_lock(&q->lock);
	}
	spin_unlock(&q->lock);
	if (q->server.thread)           /* only now does nothing wake it any more */
		thread_put(q->server.thread);
}

static const struct resource_ops queue_ops = {
	.name = "event queue", .data_bytes = sizeof(struct event_queue),
	.call = queue_call, .ready = queue_ready, .destroy = queue_destroy,
};

static err_t event_open(uint32_t kind UNUSED, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	TRY(open_give(&queue_ops, NULL, a, 0, out));
	struct event_queue *q = out->resource->data;
	spin_init(&q->control, RANK_RESOURCE);
	spin_init(&q->lock, RANK_WATCH);
	list_init(&q->ready);
	list_init(&q->waiters);
	list_init(&q->interests);
	q->depth = 1;
	q->self = out->resource;
	return OK;
}

err_t event_create_for_server(struct passed *out)
{
	TRY(event_open(0, "", &(struct open_args){0}, out));
	struct event_queue *q = out->resource->data;
	q->server.thread = object_get(thread_current());
	list_push_back(&q->waiters, &q->server.link);
	return OK;
}

const struct scheme_entry event_scheme[] = {
	{ .ref = "", .open = event_open },
	{ .ref = "counter", .open = counter_open },
	{ .ref = "counter1", .open = counter_open, .kind = true },
	{0},
};
