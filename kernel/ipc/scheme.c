/* kernel/ipc/scheme.c - the server's side of user schemes: take, copy, answer.
 *
 * While a call is busy its client stays where it is, so the copies between the two spaces need no
 * lock; they never wait (a page that only a pager has ends them), so busy is always short.
 */
#include "kernel/debug/trace.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/wait.h"
#include "lib/base/try.h"

enum { NO_SLOT = UINT16_MAX };

/* ---- slots: tags of requests under way ---- */

static err_t slots_grow(struct scheme *s) REQUIRES(&s->lock)
{
	uint32_t count = s->slot_count ? s->slot_count * 2 : CALL_SLOTS_FIRST;

	if (count > CALL_SLOTS_MAX)
		return ERR_AGAIN;
	struct call_slot *slots = heap_grow(s->slots, s->slot_count * sizeof(*slots), count * sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	for (uint32_t i = s->slot_count; i < count; i++)
		slots[i] = (struct call_slot){ .generation = 1, .next_free = (uint16_t)(i + 1 < count ? i + 1 : NO_SLOT) };
	s->first_free = s->slot_count;
	s->slots = slots;
	s->slot_count = count;
	return OK;
}

err_t scheme_slot_take(struct scheme *s, struct call *c)
{
	err_t err;

	if (s->first_free == NO_SLOT && (err = slots_grow(s)))
		return err;
	struct call_slot *slot = &s->slots[s->first_free];
	c->tag = (uint32_t)slot->generation << 16 | s->first_free;
	s->first_free = slot->next_free;
	slot->call = c;
	return OK;
}

void scheme_slot_drop(struct scheme *s, struct call *c)
{
	if (!c->tag)
		return;
	struct call_slot *slot = &s->slots[c->tag & 0xffff];
	slot->call = NULL;
	if (++slot->generation == 0)
		slot->generation = 1;   /* a tag is never 0 */
	slot->next_free = (uint16_t)s->first_free;
	s->first_free = c->tag & 0xffff;
	c->tag = 0;
}

struct call *scheme_find_call(struct scheme *s, uint32_t tag)
{
	uint32_t i = tag & 0xffff;

	if (s->server != process_current() || i >= s->slot_count || s->slots[i].generation != tag >> 16)
		return NULL;
	struct call *c = s->slots[i].call;
	return c && c->state == CALL_TAKEN ? c : NULL;
}

/* ---- open ids ---- */

static struct list_node *bucket_of(struct scheme *s, uint64_t id)
{
	return &s->buckets[(id * 0x9e3779b97f4a7c15ull) >> 32 & (s->bucket_count - 1)];
}

struct remote *scheme_find_remote(struct scheme *s, uint64_t id)
{
	struct remote *m;

	if (s->bucket_count)
		list_each(m, bucket_of(s, id), hash_link)
			if (m->id == id)
				return m;
	return NULL;
}

static err_t buckets_grow(struct scheme *s) REQUIRES(&s->lock)
{
	uint32_t count = s->bucket_count ? s->bucket_count * 2 : REMOTE_BUCKETS_FIRST;
	struct list_node *old = s->buckets, *fresh = heap_alloc(count * sizeof(*fresh));
	uint32_t old_count = s->bucket_count;
	struct remote *m, *next;

	if (!fresh)
		return old ? OK : ERR_NOMEM;    /* longer chains will do */
	for (uint32_t i = 0; i < count; i++)
		list_init(&fresh[i]);
	s->buckets = fresh;
	s->bucket_count = count;
	for (uint32_t i = 0; i < old_count; i++)
		list_each_safe(m, next, &old[i], hash_link) {
			list_remove(&m->hash_link);
			list_push_back(bucket_of(s, m->id), &m->hash_link);
		}
	heap_free(old, old_count * sizeof(*old));
	return OK;
}

err_t scheme_add_remote(struct scheme *s, struct remote *m)
{
	err_t err;

	if (s->remote_count >= s->bucket_count && (err = buckets_grow(s)))
		return err;
	if (scheme_find_remote(s, m->id))
		return ERR_PROTO;
	list_push_back(bucket_of(s, m->id), &m->hash_link);
	s->remote_count++;
	return OK;
}

/* ---- the endpoint ---- */

static err_t endpoint_open(struct resource *r, const struct open_args *a, struct passed *out)
{
	return client_open(r, 0, a, out);
}

static uint32_t endpoint_ready(struct resource *r)
{
	struct scheme *s = r->data;
	spin_lock(&s->lock);
	bool work = !list_is_empty(&s->queue) || !list_is_empty(&s->cancels) || !list_is_empty(&s->closes);
	spin_unlock(&s->lock);
	return work ? READY_READ : 0;
}

static void endpoint_destroy(struct resource *r)
{
	struct scheme *s = r->data;

	/* Every open resource and every request holds a reference, so only closes can be left. */
	while (!list_is_empty(&s->closes)) {
		struct remote *m = list_first(&s->closes, struct remote, hash_link);
		list_remove(&m->hash_link);
		m->endpoint = NULL;
		client_free_remote(m);
	}
	if (s->server) {
		struct process *p = s->server;
		spin_lock(&p->lock);
		list_remove(&s->served_link);
		spin_unlock(&p->lock);
	}
	heap_free(s->slots, s->slot_count * sizeof(*s->slots));
	heap_free(s->buckets, s->bucket_count * sizeof(*s->buckets));
	heap_delete(s);
}

static const struct resource_ops endpoint_ops = {
	.name = "endpoint", .open = endpoint_open, .ready = endpoint_ready, .destroy = endpoint_destroy,
};

struct scheme *scheme_of(struct resource *endpoint) { return resource_data(endpoint, &endpoint_ops); }

bool scheme_is_endpoint(struct resource *r) { return r->ops == &endpoint_ops; }

err_t scheme_create(uint32_t scheme_flags, struct resource **out)
{
	err_t err;

	if (scheme_flags & ~(uint32_t)(SCHEME_FAIL_WITHOUT_SERVER | SCHEME_REDELIVER))
		return ERR_INVAL;
	struct scheme *s = heap_new(struct scheme);
	if (!s)
		return ERR_NOMEM;
	spin_init(&s->lock, RANK_SCHEME);
	list_init(&s->served_link);
	list_init(&s->queue);
	list_init(&s->cancels);
	list_init(&s->closes);
	list_init(&s->receivers);
	s->flags = scheme_flags;
	s->first_free = NO_SLOT;
	if ((err = resource_create(&endpoint_ops, s, 0, out))) {
		heap_delete(s);
		return err;
	}
	s->endpoint = *out;
	return OK;
}

/* ---- ends of calls ---- */

static void finish(struct scheme *s, struct call *c, enum call_state state) REQUIRES(&s->lock)
{
	scheme_slot_drop(s, c);
	list_remove(&c->link);
	list_remove(&c->cancel_link);
	c->busy = false;
	c->state = (uint8_t)state;
}

void scheme_fail_call(struct scheme *s, struct call *c, err_t result)
{
	c->result = result;
	finish(s, c, CALL_DONE);
}

/* The lock must be held over the wake: once DONE is seen the client's thread may be gone. */
static void finish_and_wake(struct scheme *s, struct call *c, enum call_state state) REQUIRES(&s->lock)
{
	struct thread *client = c->client;
	finish(s, c, state);
	thread_wake(client);
}

static void lend_priority(struct call *c)
{
	struct thread *server = thread_current();
	if (thread_priority(c->client) > thread_priority(server))
		thread_inherit(server, thread_priority(c->client));
}

void scheme_server_gone(struct process *p)
{
	for (;;) {
		spin_lock(&p->lock);
		if (list_is_empty(&p->served)) {
			spin_unlock(&p->lock);
			return;
		}
		struct scheme *s = list_first(&p->served, struct scheme, served_link);
		struct resource *endpoint = s->endpoint;
		bool alive = object_try_get(&endpoint->object);
		list_remove(&s->served_link);
		if (alive) {
			spin_lock(&s->lock);
			s->server = NULL;
			for (uint32_t i = 0; i < s->slot_count; i++) {
				struct call *c = s->slots[i].call;
				if (c && c->state == CALL_TAKEN && s->flags & SCHEME_REDELIVER) {
					scheme_slot_drop(s, c);
					c->busy = false;
					c->cancel_asked = false;
					list_remove(&c->cancel_link);
					c->state = CALL_QUEUED;
					if (scheme_slot_take(s, c) == OK)
						list_push_front(&s->queue, &c->link);
				} else if (c && (c->state == CALL_TAKEN || s->flags & SCHEME_FAIL_WITHOUT_SERVER)) {
					c->result = ERR_CONNRESET;
					finish_and_wake(s, c, CALL_DONE);
				}
			}
			spin_unlock(&s->lock);
		}
		spin_unlock(&p->lock);
		if (alive)
			resource_put(endpoint);
	}
}

/* ---- receive ---- */

static err_t become_server(struct scheme *s)
{
	struct process *p = process_current();
	err_t err = OK;

	if (s->server == p)
		return OK;
	spin_lock(&p->lock);
	spin_lock(&s->lock);
	if (s->server) {
		err = ERR_BUSY;
	} else {
		s->server = p;
		s->served_once = true;
		list_push_back(&p->served, &s->served_link);
	}
	spin_unlock(&s->lock);
	spin_unlock(&p->lock);
	return err;
}

/* What waits that is no call: cancels and closes. False: nothing. */
static bool next_note(struct scheme *s, struct message *m, struct remote **closed) REQUIRES(&s->lock)
{
	*closed = NULL;
	if (!list_is_empty(&s->cancels)) {
		struct call *c = list_first(&s->cancels, struct call, cancel_link);
		list_remove(&c->cancel_link);
		*m = (struct message){ .kind = MESSAGE_CANCEL, .id = c->message.id, .handle = HANDLE_NONE };
		m->request.tag = c->tag;
		m->sender = c->message.sender;
		return true;
	}
	if (!list_is_empty(&s->closes)) {
		*closed = list_first(&s->closes, struct remote, hash_link);
		list_remove(&(*closed)->hash_link);
		*m = (struct message){ .kind = MESSAGE_CLOSE, .id = (*closed)->id, .handle = HANDLE_NONE };
		return true;
	}
	return false;
}

/* Gives the call to this thread: its message, its handle, the first of its data. The call is busy, lock not held. */
static err_t deliver(struct scheme *s, struct call *c, uaddr_t message, uaddr_t buffer, size_t bytes)
{
	struct process *p = process_current();
	struct message m = c->message;
	struct passed passed = c->passed;
	size_t inline_bytes = m.in_bytes < bytes ? m.in_bytes : bytes, done = 0;
	uint32_t tag = c->tag;
	err_t err = OK;

	m.request.tag = tag;
	if (inline_bytes && space_copy(p->space, buffer.raw, c->space, c->in.raw, inline_bytes, false, &done))
		inline_bytes = done;    /* the rest by COPY, which says what is wrong */
	m.copied_bytes = (uint32_t)inline_bytes;
	if (passed.resource) {
		resource_get(passed.resource);
		passed.flags |= OPEN_PRIVATE;
		if ((err = handle_open(&p->handles, &passed, HANDLE_PRIVATE, &m.handle)))
			resource_put(passed.resource);
	}
	lend_priority(c);
	trace(TRACE_MESSAGE, (uint16_t)m.request.op, tag, (uint64_t)s);
	spin_lock(&s->lock);
	c->busy = false;
	if (err) {
		c->result = err;
		finish_and_wake(s, c, CALL_DONE);
	} else if (atomic_load(&c->client->attention) & ATTENTION_KILL) {
		thread_wake(c->client);         /* it may have been waiting for us to be done */
	}
	spin_unlock(&s->lock);
	if (err)
		return err;
	if (!(err = copy_to_user(message, &m, sizeof(m))))
		return OK;
	spin_lock(&s->lock);
	if ((c = scheme_find_call(s, tag))) {
		c->result = ERR_IO;
		finish_and_wake(s, c, CALL_DONE);
	}
	spin_unlock(&s->lock);
	return err;
}

static err_t deliver_note(struct message *m, struct remote *closed, uaddr_t message)
{
	err_t err = copy_to_user(message, m, sizeof(*m));
	if (closed)
		client_free_remote(closed);
	return err;
}

static struct call *take_queued(struct scheme *s) REQUIRES(&s->lock)
{
	if (list_is_empty(&s->queue))
		return NULL;
	struct call *c = list_first(&s->queue, struct call, link);
	list_remove(&c->link);
	c->state = CALL_TAKEN;
	c->busy = true;
	return c;
}

/* Waits for something to do; a client that was just answered gets the CPU meanwhile. */
static int64_t receive(struct scheme *s, struct thread *client, const struct scheme_reception *in)
{
	uint32_t park_flags = park_flags_of(in->request_flags);
	struct receiver r = { .thread = thread_current() };
	struct remote *closed;
	struct message note;
	struct call *c;
	bool has_note;
	err_t err = in->request_flags & REQUEST_NONBLOCK ? ERR_AGAIN : OK;

	list_init(&r.link);
	for (;;) {
		spin_lock(&s->lock);
		list_remove(&r.link);
		c = r.call;
		has_note = !c && next_note(s, &note, &closed);
		if (!c && !has_note)
			c = take_queued(s);
		if (c || has_note || err)
			break;
		list_push_front(&s->receivers, &r.link);
		spin_unlock(&s->lock);
		err = client ? thread_park_handoff(client, in->deadline_ns, park_flags) : thread_park(in->deadline_ns, park_flags);
		client = NULL;
	}
	spin_unlock(&s->lock);
	if (client)
		thread_wake(client);
	if (c)
		return deliver(s, c, in->message, in->buffer, in->bytes);
	return has_note ? deliver_note(&note, closed, in->message) : err;
}

/* ---- reply ---- */

/* The handle that goes along, out of the server's table (or a copy of it). */
static err_t take_reply_handle(const struct scheme_answer *a, struct passed *out)
{
	struct process *p = process_current();
	uint32_t flags = (uint32_t)(a->handle_and_flags >> 32);
	handle_t h = (handle_t)a->handle_and_flags;

	*out = (struct passed){0};
	if (!(flags & (REPLY_CONTENT | REPLY_FORWARD | REPLY_HANDLE)))
		return OK;
	TRY(handle_find_passed(&p->handles, h, RIGHT_SEND, out));
	out->flags = flags & REPLY_CLOEXEC ? OPEN_CLOEXEC : 0;
	if (!(flags & REPLY_COPY_HANDLE) && handle_close(&p->handles, h))
		return OK;      /* another thread closed it meanwhile; the reference is ours all the same */
	return OK;
}

/* Copies the answer's data to the client, without waiting for anybody. */
static err_t copy_answer(struct call *c, const struct scheme_answer *a)
{
	struct process *p = process_current();
	size_t done, bytes = a->bytes < c->message.out_bytes ? a->bytes : c->message.out_bytes;
	err_t err;

	if (!bytes)
		return OK;
	if (c->kernel_out)
		return space_read(p->space, a->data.raw, c->kernel_out, bytes, false);
	err = space_copy(c->space, c->out.raw, p->space, a->data.raw, bytes, false, &done);
	if (err != ERR_AGAIN)
		return err;
	c->bounce = heap_alloc(bytes);
	if (!c->bounce)
		return ERR_NOMEM;
	c->bounce_bytes = bytes;
	return space_read(p->space, a->data.raw, c->bounce, bytes, false);
}

/* The id that answers an OPEN holds from now on, not from when the client runs: the server may notify its readiness at
 * once, and hears of its close even when the client was killed meanwhile. */
static err_t add_opened(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	struct remote *m = c->opening;
	err_t err;

	if (!m || c->result <= 0 || (c->reply_flags & REPLY_FORWARD))
		return OK;
	m->id = (uint64_t)c->result;
	m->notifies = c->reply_flags & REPLY_NOTIFIES;
	if ((err = scheme_add_remote(s, m))) {
		m->id = 0;
		c->result = err;
	}
	return err;
}

/* Answers; the client (a reference) is left parked when client_out is given, for a direct switch. */
static err_t answer(struct scheme *s, const struct scheme_answer *a, struct thread **client_out)
{
	struct passed reply;
	err_t err;

	spin_lock(&s->lock);
	struct call *c = scheme_find_call(s, a->tag);
	err = !c ? ERR_SRCH : c->busy ? ERR_BUSY : OK;
	if (!err)
		c->busy = true;
	spin_unlock(&s->lock);
	if (err)
		return err;

	err_t handle_err = take_reply_handle(a, &reply);
	err_t copy_err = handle_err ? handle_err : copy_answer(c, a);

	trace(TRACE_REPLY, 0, a->tag, (uint64_t)a->result);
	spin_lock(&s->lock);
	c->result = copy_err ? copy_err : a->result;
	c->reply_flags = (uint32_t)(a->handle_and_flags >> 32);
	c->reply = reply;
	err_t open_err = add_opened(s, c);
	struct thread *client = c->client;
	if (client_out) {
		thread_get(client);
		*client_out = client;
		finish(s, c, CALL_DONE);
	} else {
		finish_and_wake(s, c, CALL_DONE);
	}
	spin_unlock(&s->lock);
	if (thread_current()->inherited)
		thread_inherit(thread_current(), 0);
	return open_err ? open_err : handle_err;
}

int64_t scheme_reply(struct resource *endpoint, const struct scheme_answer *a)
{
	return user_range_is_valid(a->data.raw, a->bytes) ? answer(scheme_of(endpoint), a, NULL) : ERR_FAULT;
}

int64_t scheme_receive(struct resource *endpoint, const struct scheme_answer *a, const struct scheme_reception *in)
{
	struct scheme *s = scheme_of(endpoint);
	struct thread *client = NULL;

	if ((a && !user_range_is_valid(a->data.raw, a->bytes)) || !user_range_is_valid(in->buffer.raw, in->bytes) ||
	    !user_range_is_valid(in->message.raw, sizeof(struct message)))
		return ERR_FAULT;
	TRY(become_server(s));
	/* A refused answer (the client is gone) is no reason not to receive. */
	if (a && a->tag && answer(s, a, &client))
		trace(TRACE_REPLY, 1, a->tag, 0);
	int64_t result = receive(s, client, in);
	if (client)
		thread_put(client);
	return result;
}

/* COPY_GROUPS: they do not fit into every message, and few servers ask. */
static int64_t copy_groups(struct scheme *s, uint32_t tag, uaddr_t buffer, size_t bytes)
{
	struct process *sender = NULL;
	struct task_cred cred;

	spin_lock(&s->lock);
	struct call *c = scheme_find_call(s, tag);
	if (c) {
		sender = c->client->process;
		process_get(sender);
	}
	spin_unlock(&s->lock);
	if (!sender)
		return ERR_SRCH;
	spin_lock(&sender->lock);
	cred = sender->cred;
	spin_unlock(&sender->lock);
	process_put(sender);
	if (bytes > cred.groups_count * sizeof(cred.groups[0]))
		bytes = cred.groups_count * sizeof(cred.groups[0]);
	err_t err = copy_to_user(buffer, cred.groups, bytes);
	return err ? err : (int64_t)bytes;
}

int64_t scheme_copy(struct resource *endpoint, uint32_t tag, uint32_t copy_flags, uint64_t offset, uaddr_t buffer, size_t bytes)
{
	struct scheme *s = scheme_of(endpoint);
	struct process *p = process_current();
	bool to_client = copy_flags & COPY_TO_CLIENT;
	size_t done = 0;
	err_t err;

	if (!s)
		return ERR_NOTTY;
	if (!user_range_is_valid(buffer.raw, bytes))
		return ERR_FAULT;
	if (copy_flags & COPY_GROUPS)
		return copy_groups(s, tag, buffer, bytes);
	spin_lock(&s->lock);
	struct call *c = scheme_find_call(s, tag);
	err = !c ? ERR_SRCH : c->busy ? ERR_BUSY : c->kernel_out ? ERR_INVAL : OK;
	if (!err)
		c->busy = true;
	spin_unlock(&s->lock);
	if (err)
		return err;

	uint64_t limit = to_client ? c->message.out_bytes : c->message.in_bytes;
	if (offset > limit)
		offset = limit;
	if (bytes > limit - offset)
		bytes = limit - offset;
	uint64_t remote = (to_client ? c->out.raw : c->in.raw) + offset;
	if (bytes)
		err = to_client ? space_copy(c->space, remote, p->space, buffer.raw, bytes, false, &done)
		                : space_copy(p->space, buffer.raw, c->space, remote, bytes, false, &done);
	spin_lock(&s->lock);
	c->busy = false;
	if (err == ERR_AGAIN) {
		finish_and_wake(s, c, CALL_WITHDRAWN);
		err = ERR_CANCELED;
	} else if (atomic_load(&c->client->attention) & ATTENTION_KILL) {
		thread_wake(c->client);
	}
	spin_unlock(&s->lock);
	return err ? err : (int64_t)done;
}

int64_t scheme_notify(struct resource *endpoint, uint64_t id, uint32_t ready, uint32_t mask)
{
	struct scheme *s = scheme_of(endpoint);
	struct resource *r = NULL;

	if (s->server != process_current())
		return ERR_ACCES;
	spin_lock(&s->lock);
	struct remote *m = scheme_find_remote(s, id);
	if (m) {
		uint32_t now = (m->ready & ~mask) | (ready & mask);
		atomic_store_explicit((_Atomic uint32_t *)&m->ready, now, memory_order_release);
		r = m->resource;
		if (!object_try_get(&r->object))
			r = NULL;
	}
	spin_unlock(&s->lock);
	if (!m)
		return ERR_SRCH;
	if (r) {
		resource_notify(r, ready & mask);
		resource_put(r);
	}
	return 0;
}
