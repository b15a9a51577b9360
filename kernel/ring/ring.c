/* kernel/ring/ring.c - ring: rings between a process and the kernel (abi/ring.h, doc/decisions/0002-rings.md).
 *
 * Who does RING_WAIT runs the entries as if it had called each of them, with the executor that BULK uses. A READ or WRITE with REQUEST_ASIDE
 * that would wait is left aside, watching its resource, and run again by who enters once the resource is ready. The ring's memory is
 * sealed and its pages stay, so no access to it can fault.
 */
#include "abi/proto/ring.h"
#include "kernel/call/batch.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/mem.h"
#include "kernel/scheme/table.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/ring/ring.h"

enum { KERNEL_ENTRIES_MAX = 256, PAGES_MAX = 6, PREEMPT_ENTRIES = 8 };

/* An entry left aside. */
struct parked {
	struct watcher watcher;
	struct list_node link;          /* [l] of the ring */
	struct ring *ring;              /* [I] */
	struct resource *resource;      /* [I] a reference */
	struct request request;         /* [I] */
	bool is_ready;                  /* [l] worth another try */
};

/* Members: [l] lock, [r] the runner's. */
struct ring {
	struct spinlock lock;           /* RANK_WATCH, nested: taken when a watched resource tells */
	struct resource *self;          /* [I] borrowed */
	struct thread *runner;          /* [l] who runs entries, one at a time */
	struct list_node waiters;       /* [l] for their turn, or for something to be ready or replied */
	struct list_node parked;        /* [l] */
	uint32_t parked_count;          /* [r] */
	_Atomic uint32_t replied;       /* [r] */
	uint32_t taken;                 /* [r] */
	uint32_t entries;               /* [r] and [l] to change; 0: not opened */
	struct memobj *memory;          /* [r] sealed; a reference, or NULL */
	char *pages[PAGES_MAX];         /* [r] and [l] to change */
	struct batch batch;             /* [r] */
};

static void *ring_at(const struct ring *k, size_t offset)
{
	return k->pages[offset >> PAGE_SHIFT] + (offset & PAGE_MASK);
}

static struct ring_header *header_of(const struct ring *k) { return ring_at(k, 0); }

/* ---- Turns ---- */

static err_t turn_begin(struct ring *k, uint32_t request_flags)
{
	err_t err = OK;

	spin_lock(&k->lock);
	while (k->runner && !err)
		err = wait_on(&k->waiters, &k->lock, 0, request_flags);
	if (!err)
		k->runner = thread_current();
	spin_unlock(&k->lock);
	return err;
}

static void turn_end(struct ring *k)
{
	spin_lock(&k->lock);
	k->runner = NULL;
	wait_wake_all(&k->waiters);
	spin_unlock(&k->lock);
}

static struct parked *first_ready(struct ring *k) REQUIRES(&k->lock)
{
	struct parked *p;

	list_each(p, &k->parked, link)
		if (p->is_ready)
			return p;
	return NULL;
}

/* ---- Entries ---- */

static void reply(struct ring *k, const struct request *q, int64_t result, handle_t handle)
{
	size_t slot = k->replied & (k->entries - 1);

	*(struct reply *)ring_at(k, ring_replies_offset(k->entries) + slot * sizeof(struct reply)) =
		(struct reply){ .tag = q->tag, .handle = handle, .result = result };
	ring_publish(&header_of(k)->replies_put, ++k->replied);
}

static uint32_t wanted(const struct parked *p)
{
	return (p->request.op == OP_READ ? READY_READ : READY_WRITE) | READY_ERROR | READY_HANGUP;
}

static void parked_notify(struct watcher *w, uint32_t ready)
{
	struct parked *p = container_of(w, struct parked, watcher);
	struct ring *k = p->ring;

	if (!(ready & wanted(p)))
		return;
	spin_lock_nested(&k->lock);
	p->is_ready = true;
	wait_wake_all(&k->waiters);
	spin_unlock(&k->lock);
	resource_notify(k->self, READY_READ | READY_PRIORITY);
}

/* Leaves q aside. AGAIN: its resource is one that does not want to wait. */
static err_t park(struct ring *k, struct request *q)
{
	struct parked *p = NULL;
	struct resource *r;

	TRY(handle_find(&process_current()->handles, q->handle, q->op == OP_READ ? RIGHT_READ : RIGHT_WRITE, &r, NULL));
	err_t err = atomic_load(&r->open_flags) & OPEN_NONBLOCK ? ERR_AGAIN : (p = heap_new(struct parked)) ? OK : ERR_NOMEM;
	if (err) {
		resource_put(r);
		return err;
	}
	*p = (struct parked){ .watcher.notify = parked_notify, .ring = k, .resource = r, .request = *q };
	spin_lock(&k->lock);
	list_push_back(&k->parked, &p->link);
	spin_unlock(&k->lock);
	k->parked_count++;
	watch_add(&r->watch, &p->watcher);
	parked_notify(&p->watcher, resource_ready(r));
	return OK;
}

static void parked_free(struct parked *p)
{
	struct ring *k = p->ring;

	watch_remove(&p->resource->watch, &p->watcher);
	spin_lock(&k->lock);
	list_remove(&p->link);
	spin_unlock(&k->lock);
	k->parked_count--;
	resource_put(p->resource);
	heap_delete(p);
}

static void parked_finish(struct parked *p, int64_t result)
{
	reply(p->ring, &p->request, result, HANDLE_NONE);
	parked_free(p);
}

static int64_t parked_run(struct parked *p, uint32_t more_flags)
{
	return resource_transfer(p->resource, p->request.op == OP_WRITE, &p->request, more_flags);
}

static void run_ready(struct ring *k)
{
	for (;;) {
		spin_lock(&k->lock);
		struct parked *p = first_ready(k);
		if (p)
			p->is_ready = false;
		spin_unlock(&k->lock);
		if (!p)
			return;
		int64_t result = parked_run(p, REQUEST_NONBLOCK);
		/* What says that it is ready and yet would wait, cannot be waited for in this way. */
		if (result == ERR_AGAIN && resource_ready(p->resource) & wanted(p))
			result = parked_run(p, 0);
		if (result != ERR_AGAIN)
			parked_finish(p, result);
	}
}

static void run_entry(struct ring *k, uint32_t n, struct request *q)
{
	bool may_park = UNLIKELY(q->flags & REQUEST_ASIDE) && (q->op == OP_READ || q->op == OP_WRITE);
	uint32_t flags = q->flags;

	if (may_park)
		q->flags |= REQUEST_NONBLOCK;
	int64_t result = batch_run(&k->batch, n, q);
	q->flags = flags;
	if (LIKELY(result != ERR_AGAIN) || !may_park || (result = park(k, q)))
		reply(k, q, result, k->batch.handles[n % BATCH_HISTORY]);
}

/* All that was put by now: an error among them cancels the rest of them. */
static err_t run_put(struct ring *k)
{
	uint32_t count;

	if (!k->entries)
		return ERR_INVAL;
	TRY(ring_count(&header_of(k)->requests_put, k->taken, k->entries, &count));
	k->batch.plain_ops = batch_plain_ops;
	for (; count && k->parked_count < k->entries; count--) {
		struct request q;
		ring_request_copy(&q, ring_at(k, sizeof(struct ring_header) + (k->taken & (k->entries - 1)) * sizeof(q)));
		run_entry(k, k->taken++, &q);
		if (atomic_load(&thread_current()->attention) & ATTENTION_KILL)
			return ERR_INTR;
		if (count % PREEMPT_ENTRIES == 0)
			preempt_point();
	}
	return OK;
}

/* ---- The protocol ---- */

static int64_t ring_wait(struct ring *k, uint64_t word, uint32_t request_flags)
{
	err_t err = OK;

	while (!err) {
		TRY(turn_begin(k, request_flags));
		err = run_put(k);
		run_ready(k);
		bool is_over = word & RING_NO_WAIT || k->replied != (uint32_t)word || !k->parked_count;
		turn_end(k);
		resource_notify(k->self, READY_READ | READY_PRIORITY);
		if (err || is_over)
			break;
		spin_lock(&k->lock);
		while (!first_ready(k) && k->replied == (uint32_t)word && !err)
			err = wait_on(&k->waiters, &k->lock, 0, request_flags);
		spin_unlock(&k->lock);
	}
	return err;
}

static int64_t ring_cancel(struct ring *k, uint32_t tag, uint32_t request_flags)
{
	struct parked *p, *found = NULL;

	TRY(turn_begin(k, request_flags));
	spin_lock(&k->lock);
	list_each(p, &k->parked, link)
		found = p->request.tag == tag ? p : found;
	spin_unlock(&k->lock);
	if (found)
		parked_finish(found, ERR_CANCELED);
	turn_end(k);
	return found ? OK : ERR_SRCH;
}

/* Takes the ring's memory (and what is aside) away and gives it another: a reference, or NULL. */
static void ring_exchange(struct ring *k, struct memobj *m, char *const *pages, uint32_t entries)
{
	struct memobj *old = k->memory;

	while (k->parked_count)
		parked_free(list_first(&k->parked, struct parked, link));
	spin_lock(&k->lock);
	memmove(k->pages, pages, sizeof(k->pages));
	k->memory = m;
	k->entries = entries;
	k->taken = 0;
	k->replied = 0;
	spin_unlock(&k->lock);
	memobj_put(old);
}

static int64_t ring_open(struct ring *k, struct call_args *a)
{
	struct memobj *m = a->word ? memobj_of(a->passed.resource) : NULL;
	uint32_t entries = (uint32_t)a->word;
	char *pages[PAGES_MAX] = {0};
	paddr_t page;
	err_t err;

	if (a->word && (!m || ~a->passed.rights & (RIGHT_READ | RIGHT_WRITE)))
		return ERR_BADF;
	if (m && (a->word > KERNEL_ENTRIES_MAX || !ring_entries_fit(a->word, memobj_bytes(m))))
		return ERR_INVAL;
	if (m && (err = memobj_seal(m, memobj_bytes(m))))
		return err;
	for (uint32_t i = 0; m && i * PAGE_BYTES < ring_data_offset(entries); i++) {
		TRY(memobj_page(m, i * PAGE_BYTES, true, &page));
		frame_put(page);        /* it stays as long as the sealed object does */
		pages[i] = paddr_to_kernel(page);
	}
	TRY(turn_begin(k, a->request_flags));
	err = k->parked_count && m ? ERR_BUSY : OK;
	if (!err && m)
		memobj_get(m);
	if (!err)
		ring_exchange(k, m, pages, entries);
	turn_end(k);
	return err;
}

static int64_t ring_call(struct resource *r, struct call_args *a)
{
	return a->code == RING_WAIT   ? ring_wait(r->data, a->word, a->request_flags)
	     : a->code == RING_CANCEL ? ring_cancel(r->data, (uint32_t)a->word, a->request_flags)
	     : a->code == RING_OPEN   ? ring_open(r->data, a) : ERR_NOTTY;
}

/* Replies to be taken, or something to do for who enters. */
static uint32_t ring_ready(struct resource *r)
{
	struct ring *k = r->data;

	spin_lock(&k->lock);
	bool is_ready = k->entries && (first_ready(k) || atomic_load(&header_of(k)->replies_taken) != k->replied);
	spin_unlock(&k->lock);
	return is_ready ? READY_READ | READY_PRIORITY : 0;
}

static void ring_destroy(struct resource *r) { ring_exchange(r->data, NULL, (char *[PAGES_MAX]){0}, 0); }

static const struct resource_ops ring_ops = {
	.name = "ring", .data_bytes = sizeof(struct ring), .call = ring_call, .ready = ring_ready, .destroy = ring_destroy,
};

static err_t open_ring(uint32_t kind UNUSED, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	TRY(open_give(&ring_ops, NULL, a, 0, out));
	struct ring *k = out->resource->data;
	spin_init(&k->lock, RANK_WATCH);
	list_init(&k->waiters);
	list_init(&k->parked);
	k->self = out->resource;
	return OK;
}

const struct scheme_entry ring_scheme[] = { { .ref = "", .open = open_ring }, {0} };
