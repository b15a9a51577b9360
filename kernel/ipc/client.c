/* kernel/ipc/client.c - the client's side of user schemes: requests are made, waited for, cancelled.
 *
 * Common: the server waits in RECEIVE, gets the request and the CPU in one step, and its answer
 * brings both back. Rare: everything after "else" here.
 */
#include "kernel/debug/trace.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/mem.h"
#include "kernel/sched/wait.h"
#include "lib/base/try.h"

static void begin(struct call *c, struct remote *m, uint32_t op)
{
	struct thread *t = thread_current();

	*c = (struct call){ .client = t, .space = t->process->space };
	list_init(&c->link);
	list_init(&c->cancel_link);
	c->message.request.op = op;
	c->message.request.handle = HANDLE_NONE;
	c->message.handle = HANDLE_NONE;
	c->message.sender = process_sender(t);
	if (m) {
		c->message.id = m->id;
		c->message.open_flags = atomic_load(&m->resource->open_flags);
	}
}

/* Hands the call to a waiting server thread (returned, to be woken) or queues it. */
static err_t submit(struct scheme *s, struct call *c, struct thread **server) REQUIRES(&s->lock)
{
	*server = NULL;
	if (!s->server && s->served_once && s->flags & SCHEME_FAIL_WITHOUT_SERVER)
		return ERR_CONNRESET;
	TRY(scheme_slot_take(s, c));
	c->cancel_asked = false;
	/* Not past a close or cancel that a receiver was woken for and has not taken yet: it comes after them. */
	if (list_is_empty(&s->receivers) || !list_is_empty(&s->closes) || !list_is_empty(&s->cancels)) {
		c->state = CALL_QUEUED;
		list_push_back(&s->queue, &c->link);
		return OK;
	}
	struct receiver *r = list_first(&s->receivers, struct receiver, link);
	list_remove(&r->link);
	r->call = c;
	c->state = CALL_TAKEN;
	c->busy = true;         /* until it has been delivered */
	thread_get(r->thread);
	*server = r->thread;
	return OK;
}

/* Waits, lock dropped, until the server's side is not copying to or from c. Short: it never blocks. */
static void wait_not_busy(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	while (c->busy) {
		spin_unlock(&s->lock);
		if (thread_park(clock_now_ns() + 1000000, PARK_UNKILLABLE) == ERR_TIMEDOUT)
			preempt_point();
		spin_lock(&s->lock);
	}
}

static void take_away(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	wait_not_busy(s, c);
	if (c->state == CALL_DONE || c->state == CALL_WITHDRAWN)
		return;
	scheme_fail_call(s, c, ERR_INTR);
}

/* A notice came: a queued request just goes; a taken one goes when the server says so, or is out of patience. */
static void ask_cancel(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	if (c->state == CALL_QUEUED) {
		scheme_fail_call(s, c, ERR_INTR);
		return;
	}
	if (c->state != CALL_TAKEN || c->cancel_asked)
		return;
	c->cancel_asked = true;
	list_push_back(&s->cancels, &c->cancel_link);
	if (!list_is_empty(&s->receivers))
		thread_wake(list_first(&s->receivers, struct receiver, link)->thread);
}

static void await(struct scheme *s, struct call *c, struct thread *server, uint32_t request_flags)
{
	uint32_t park_flags = park_flags_of(request_flags);
	uint64_t deadline = DEADLINE_NONE;

	for (;;) {
		err_t err = server ? thread_park_handoff(server, deadline, park_flags) : thread_park(deadline, park_flags);
		if (server)
			thread_put(server);
		server = NULL;
		spin_lock(&s->lock);
		if (c->state == CALL_DONE || c->state == CALL_WITHDRAWN)
			break;
		if (err == ERR_TIMEDOUT || (err && atomic_load(&c->client->attention) & ATTENTION_KILL)) {
			take_away(s, c);
			break;
		}
		if (err) {
			ask_cancel(s, c);
			if (c->state == CALL_DONE)
				break;
			park_flags = 0;
			deadline = clock_now_ns() + CANCEL_PATIENCE_MS * 1000000ull;
			spin_unlock(&s->lock);
			resource_notify(s->endpoint, READY_READ);
			continue;
		}
		spin_unlock(&s->lock);
	}
	spin_unlock(&s->lock);
}

/* The server's side met a page of ours that only a pager has: touch all of them, on our own time. */
static err_t make_present(struct call *c)
{
	struct { uint64_t start, bytes; uint32_t flags; } range[2] = {
		{ c->in.raw, c->message.in_bytes, 0 },
		{ c->out.raw, c->kernel_out ? 0 : c->message.out_bytes, FAULT_WRITE },
	};

	for (int i = 0; i < 2; i++)
		for (uint64_t a = page_round_down(range[i].start); range[i].bytes && a < range[i].start + range[i].bytes;
		     a += PAGE_BYTES) {
			err_t err = space_fault(c->space, a, range[i].flags | FAULT_USER, true);
			if (err)
				return err == ERR_NOMEM || err == ERR_INTR ? err : ERR_FAULT;
		}
	return OK;
}

static err_t copy_bounce(struct call *c)
{
	err_t err = c->bounce ? copy_to_user(c->out, c->bounce, c->bounce_bytes) : OK;
	heap_free(c->bounce, c->bounce_bytes);
	c->bounce = NULL;
	return err;
}

int64_t client_perform(struct scheme *s, struct call *c, uint32_t request_flags)
{
	struct thread *server;
	err_t err;

	c->message.request.flags = request_flags;
	do {
		spin_lock(&s->lock);
		err = submit(s, c, &server);
		bool queued = !err && !server;
		spin_unlock(&s->lock);
		if (err)
			return err;
		if (queued)
			resource_notify(s->endpoint, READY_READ);
		await(s, c, server, request_flags);
		if (c->state == CALL_WITHDRAWN && (err = make_present(c)))
			return err;
	} while (c->state == CALL_WITHDRAWN);
	TRY(copy_bounce(c));
	return c->result < RESULT_ERROR_MIN ? ERR_PROTO : c->result;
}

/* ---- open resources of user schemes ---- */

static void remote_destroy(struct resource *r);

static struct remote *remote_of(struct resource *r) { return r->data; }

static int64_t remote_transfer(struct resource *r, struct transfer *t)
{
	struct remote *m = remote_of(r);
	struct call c;

	begin(&c, m, t->is_write ? OP_WRITE : OP_READ);
	c.message.open_flags = t->open_flags;
	c.message.offset = t->offset;
	c.message.request.arg[1] = t->bytes;
	uint32_t bytes = t->bytes > INT32_MAX ? INT32_MAX : (uint32_t)t->bytes;
	if (t->is_write) {
		c.in = t->buffer;
		c.message.in_bytes = bytes;
	} else {
		c.out = t->buffer;
		c.message.out_bytes = bytes;
	}
	int64_t result = client_perform(m->scheme, &c, t->request_flags);
	return result > (int64_t)bytes ? ERR_PROTO : result;
}

uint64_t client_own_id(struct scheme *s, struct resource *r)
{
	if (!r || r->ops->destroy != remote_destroy || remote_of(r)->scheme != s)
		return 0;
	return remote_of(r)->id;
}

static int64_t remote_call(struct resource *r, struct call_args *a)
{
	struct remote *m = remote_of(r);
	struct call c;

	if (a->in_bytes > INT32_MAX || a->out_bytes > INT32_MAX)
		return ERR_INVAL;
	begin(&c, m, OP_CALL);
	c.message.request.arg[0] = a->code;
	c.message.request.arg[5] = a->word;
	c.in = a->in;
	c.out = a->out;
	c.message.in_bytes = (uint32_t)a->in_bytes;
	c.message.out_bytes = (uint32_t)a->out_bytes;
	c.passed = a->passed;
	c.message.offset = client_own_id(m->scheme, a->passed.resource);
	a->passed.resource = NULL;
	if (c.message.offset) {
		/* A handle of its own: the id says all. The reference keeps it open meanwhile. */
		struct resource *own = c.passed.resource;
		c.passed.resource = NULL;
		int64_t result = client_perform(m->scheme, &c, a->request_flags);
		resource_put(own);
		a->reply = c.reply;
		return result;
	}
	int64_t result = client_perform(m->scheme, &c, a->request_flags);
	resource_put(c.passed.resource);
	a->reply = c.reply;
	return result;
}

static err_t remote_open(struct resource *r, const struct open_args *a, struct passed *out)
{
	struct remote *m = remote_of(r);
	return client_open(m->endpoint, m->id, a, out);
}

static uint32_t remote_ready(struct resource *r)
{
	struct remote *m = remote_of(r);
	return m->notifies ? atomic_load_explicit((_Atomic uint32_t *)&m->ready, memory_order_acquire)
	                   : READY_READ | READY_WRITE;
}

static err_t remote_length(struct resource *r, uint64_t *out)
{
	struct remote *m = remote_of(r);
	struct call c;

	begin(&c, m, OP_SEEK);
	c.message.request.arg[1] = SEEK_FROM_END;
	int64_t result = client_perform(m->scheme, &c, 0);
	if (result < 0)
		return (err_t)result;
	*out = (uint64_t)result;
	return OK;
}

static err_t remote_map(struct resource *r, struct memobj **out, uint32_t *max_prot)
{
	struct remote *m = remote_of(r);
	struct call c;

	begin(&c, m, OP_MAP);
	int64_t result = client_perform(m->scheme, &c, 0);
	struct memobj *object = memobj_of(c.reply.resource);
	if (result >= 0 && object) {
		memobj_get(object);
		*out = object;
		*max_prot = MAP_READ | MAP_EXEC | (c.reply.rights & RIGHT_WRITE ? MAP_WRITE : 0);
	}
	resource_put(c.reply.resource);
	if (result < 0)
		return (err_t)result;
	return object ? OK : ERR_NODEV;
}

static int64_t content_transfer(struct resource *r, struct transfer *t)
{
	return memobj_transfer(remote_of(r)->content, t);
}

static err_t content_length(struct resource *r, uint64_t *out)
{
	*out = memobj_bytes(remote_of(r)->content);
	return OK;
}

static err_t content_map(struct resource *r, struct memobj **out, uint32_t *max_prot)
{
	return memobj_give_map(remote_of(r)->content, out, max_prot);
}

void client_free_remote(struct remote *m)
{
	if (m->content)
		memobj_put(m->content);
	resource_put(m->endpoint);
	heap_delete(m);
}

static void remote_destroy(struct resource *r)
{
	struct remote *m = remote_of(r);
	struct scheme *s = m->scheme;

	if (!m->id) {           /* its OPEN failed: the server never heard of it */
		client_free_remote(m);
		return;
	}
	spin_lock(&s->lock);
	list_remove(&m->hash_link);
	s->remote_count--;
	m->resource = NULL;
	list_push_back(&s->closes, &m->hash_link);
	if (!list_is_empty(&s->receivers))
		thread_wake(list_first(&s->receivers, struct receiver, link)->thread);
	resource_get(s->endpoint);      /* delivering the close may drop the last one */
	spin_unlock(&s->lock);
	resource_notify(s->endpoint, READY_READ);
	resource_put(s->endpoint);
}

static const struct resource_ops stream_ops = {
	.name = "remote stream", .read = remote_transfer, .write = remote_transfer, .call = remote_call,
	.open = remote_open, .map = remote_map, .ready = remote_ready, .destroy = remote_destroy,
};

static const struct resource_ops seekable_ops = {
	.name = "remote", .read = remote_transfer, .write = remote_transfer, .call = remote_call,
	.open = remote_open, .map = remote_map, .ready = remote_ready, .length = remote_length, .destroy = remote_destroy,
};

static const struct resource_ops content_ops = {
	.name = "remote content", .read = content_transfer, .write = content_transfer, .call = remote_call,
	.open = remote_open, .map = content_map, .length = content_length, .destroy = remote_destroy,
};

static uint32_t rights_for(uint32_t open_flags)
{
	uint32_t rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND;
	if (open_flags & OPEN_PATH)
		return rights;
	if (open_flags & OPEN_READ)
		rights |= RIGHT_READ | RIGHT_MAP | RIGHT_EXEC;
	if (open_flags & OPEN_EXEC)
		rights |= RIGHT_READ | RIGHT_MAP | RIGHT_EXEC;
	if (open_flags & OPEN_WRITE)
		rights |= RIGHT_WRITE | RIGHT_MAP;
	return rights;
}

/* What the server answered to OPEN becomes a resource. The id is known already: answering entered it. */
static err_t finish_open(struct remote *m, struct resource *r, struct call *c)
{
	struct memobj *content = NULL;

	if (c->result <= 0)
		return ERR_PROTO;
	if (c->reply_flags & REPLY_CONTENT) {
		content = memobj_of(c->reply.resource);
		if (!content)
			return ERR_PROTO;
		memobj_get(content);
		m->content = content;
	}
	r->ops = content ? &content_ops : c->reply_flags & REPLY_SEEKABLE ? &seekable_ops : &stream_ops;
	return OK;
}

err_t client_open(struct resource *endpoint, uint64_t parent_id, const struct open_args *a, struct passed *out)
{
	struct scheme *s = scheme_of(endpoint);
	struct remote *m = heap_new(struct remote);
	struct resource *r;
	struct call c;
	err_t err;

	if (!m)
		return ERR_NOMEM;
	if ((err = resource_create(&stream_ops, m, a->flags & ~(uint32_t)(OPEN_CLOEXEC | OPEN_PRIVATE), &r))) {
		heap_delete(m);
		return err;
	}
	m->resource = r;
	m->scheme = s;
	m->endpoint = endpoint;
	resource_get(endpoint);
	list_init(&m->hash_link);

	begin(&c, NULL, OP_OPEN);
	c.opening = m;
	c.message.id = parent_id;
	c.message.open_flags = a->flags;
	c.message.request.arg[4] = a->flags;
	c.message.request.arg[5] = a->mode;
	c.in = a->ref_user;
	c.message.in_bytes = (uint32_t)a->ref_bytes;
	int64_t result = client_perform(s, &c, a->request_flags);
	if (result < 0)
		err = (err_t)result;
	else if (c.reply_flags & REPLY_FORWARD)
		err = c.reply.resource ? OK : ERR_PROTO;
	else
		err = finish_open(m, r, &c);
	if (!err && c.reply_flags & REPLY_FORWARD) {
		*out = c.reply;
		resource_put(r);
		return OK;
	}
	resource_put(c.reply.resource);
	if (err) {
		resource_put(r);
		return err;
	}
	*out = (struct passed){ .resource = r, .rights = rights_for(a->flags) };
	return OK;
}

err_t scheme_ask_page(struct resource *endpoint, uint64_t id, uint64_t offset, void *page)
{
	struct scheme *s = scheme_of(endpoint);
	struct call c;

	begin(&c, NULL, OP_READ);
	c.message.id = id;
	c.message.offset = offset;
	c.message.out_bytes = PAGE_BYTES;
	c.message.request.arg[1] = PAGE_BYTES;
	c.kernel_out = page;
	int64_t result = client_perform(s, &c, 0);
	resource_put(c.reply.resource);
	if (result < 0)
		return result == ERR_INTR ? ERR_INTR : ERR_IO;
	return OK;
}
