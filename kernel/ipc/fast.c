/* kernel/ipc/fast.c - a request goes to its server, the answer comes back: the way that must be fast.
 *
 * Common: a server thread waits; nothing comes before the request; what is sent fits into struct call; the server's thread may run here and
 * nobody more urgent wants to. Then the client gives it the request and the CPU in one step (call_send), the server copies the message
 * into its own memory (deliver), and REPLY_RECEIVE gives answer and CPU back (scheme_receive). No run queue, no allocation, one
 * lock: the endpoint's. Whatever is not so costs just what it needs more: a place in a queue, a wake, a copy between the spaces.
 *
 * While a call is busy its client stays where it is, so the copies between the two spaces need no
 * lock; they never wait (a page that only a pager has ends them), so busy is always short.
 */
#include "kernel/debug/trace.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/wait.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* ---- Tags ---- */

err_t call_slot_take(struct scheme *s, struct call *c)
{
	if (UNLIKELY(s->first_free == NO_SLOT))
		TRY(scheme_slots_grow(s));
	struct call_slot *slot = &s->slots[s->first_free];
	c->tag = (uint32_t)slot->generation << 16 | s->first_free;
	s->first_free = slot->next_free;
	slot->call = c;
	return OK;
}

struct call *call_find(struct scheme *s, uint32_t tag)
{
	uint32_t i = tag & 0xffff;

	if (s->server != process_current() || i >= s->slot_count || s->slots[i].generation != tag >> 16)
		return NULL;
	struct call *c = s->slots[i].call;
	return c && c->state == CALL_TAKEN ? c : NULL;
}

void call_finish(struct scheme *s, struct call *c, enum call_state state)
{
	struct call_slot *slot = &s->slots[c->tag & 0xffff];

	slot->call = NULL;
	if (LIKELY(!slot->is_cancelled))
		scheme_slot_free(s, slot);
	if (c->state == CALL_QUEUED)
		list_remove(&c->link);
	if (UNLIKELY(c->receiver != NULL))
		c->receiver->call = NULL;
	c->busy = false;
	c->state = (uint8_t)state;
}

void call_finish_and_wake(struct scheme *s, struct call *c, enum call_state state)
{
	call_finish(s, c, state);
	thread_wake(c->client);
}

/* ---- The client: send ---- */

/* Gives the call to a waiting server, with the CPU if that can be, or queues it; and waits. *waited: how that ended. */
static err_t call_send(struct scheme *s, struct call *c, uint32_t park_flags, err_t *waited)
{
	err_t err;

	spin_lock(&s->lock);
	if (UNLIKELY(!s->server && s->served_once && s->flags & SCHEME_FAIL_WITHOUT_SERVER))
		err = ERR_CONNRESET;
	else
		err = call_slot_take(s, c);
	if (UNLIKELY(err)) {
		spin_unlock(&s->lock);
		return err;
	}
	c->busy = false;
	c->cancel_asked = false;
	c->receiver = NULL;
	/* Not past a close or cancel that a receiver was woken for and has not taken yet: it comes after them. */
	if (UNLIKELY(list_is_empty(&s->receivers) || scheme_has_notes(s))) {
		c->state = CALL_QUEUED;
		list_push_back(&s->queue, &c->link);
		scheme_rouse(s);
	} else {
		struct receiver *r = list_first(&s->receivers, struct receiver, link);
		list_remove(&r->link);
		r->call = c;
		c->receiver = r;
		c->state = CALL_TAKEN;
		struct thread *server = r->thread;
		if (LIKELY(thread_claim(server, thread_priority(c->client)))) {
			spin_unlock(&s->lock);
			*waited = thread_hand_over(server, DEADLINE_NONE, park_flags);
			return OK;
		}
		thread_wake(server);
	}
	spin_unlock(&s->lock);
	*waited = thread_park(DEADLINE_NONE, park_flags);
	return OK;
}

/* ---- The client: wait ---- */

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

/* The client is to end, or the server is out of patience: c goes now. A server that works on it is told. */
static void take_away(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	wait_not_busy(s, c);
	if (c->state == CALL_DONE || c->state == CALL_WITHDRAWN)
		return;
	if (c->state == CALL_TAKEN && !c->receiver && !c->cancel_asked)
		scheme_cancel(s, c);
	c->result = ERR_INTR;
	call_finish(s, c, CALL_DONE);
}

/* A notice came: a queued request just goes; a taken one goes when the server says so, or is out of patience. */
static void ask_cancel(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	if (c->state == CALL_QUEUED) {
		c->result = ERR_INTR;
		call_finish(s, c, CALL_DONE);
	} else if (!c->cancel_asked) {
		c->cancel_asked = true;
		scheme_cancel(s, c);
	}
}

/* Waits on until c has ended. waited: how the wait has ended so far. */
static void call_await(struct scheme *s, struct call *c, err_t waited, uint32_t park_flags)
{
	uint64_t deadline = DEADLINE_NONE;

	spin_lock(&s->lock);
	while (UNLIKELY(c->state != CALL_DONE && c->state != CALL_WITHDRAWN)) {
		if (waited == ERR_TIMEDOUT || (waited && atomic_load(&c->client->attention) & ATTENTION_KILL)) {
			take_away(s, c);
			break;
		}
		if (waited) {
			ask_cancel(s, c);
			park_flags = 0;
			deadline = clock_now_ns() + CANCEL_PATIENCE_MS * 1000000ull;
			if (c->state == CALL_DONE)
				break;
		}
		spin_unlock(&s->lock);
		waited = thread_park(deadline, park_flags);
		spin_lock(&s->lock);
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
	err_t err = copy_to_user(c->out, c->bounce, c->bounce_bytes);
	if (UNLIKELY(c->bounce != c->small))
		heap_free(c->bounce, c->bounce_bytes);
	return err;
}

int64_t call_perform(struct scheme *s, struct call *c, uint32_t request_flags)
{
	uint32_t park_flags = park_flags_of(request_flags);
	err_t waited;

	c->message.request.flags = request_flags;
	if (c->message.in_bytes && c->message.in_bytes <= SMALL_BYTES)
		TRY(copy_from_user(c->small, c->in, c->message.in_bytes));
	for (;;) {
		TRY(call_send(s, c, park_flags, &waited));
		call_await(s, c, waited, park_flags);
		if (LIKELY(c->state != CALL_WITHDRAWN))
			break;
		TRY(make_present(c));
	}
	if (c->bounce)
		TRY(copy_bounce(c));
	return UNLIKELY(c->result < RESULT_ERROR_MIN) ? ERR_PROTO : c->result;
}

/* ---- The server: receive ---- */

/* What of the call does not fit into it: data from the client's memory, a handle. m says how far that went. An error ends the call. */
static err_t deliver_more(struct scheme *s, struct call *c, const struct serve *in, struct message *m) REQUIRES(&s->lock)
{
	struct process *p = process_current();
	struct passed passed = c->passed;
	err_t err = OK;
	size_t done;

	c->busy = true;
	spin_unlock(&s->lock);
	if (m->in_bytes > SMALL_BYTES && space_copy(p->space, (uint64_t)in->buffer, c->space, c->in.raw, m->copied_bytes, false, &done))
		m->copied_bytes = (uint32_t)done;       /* the rest by COPY, which says what is wrong */
	if (passed.resource) {
		resource_get(passed.resource);
		passed.flags |= OPEN_PRIVATE;
		if ((err = handle_open(&p->handles, &passed, HANDLE_PRIVATE, &m->handle)))
			resource_put(passed.resource);
	}
	spin_lock(&s->lock);
	c->busy = false;
	if (err) {
		c->result = err;
		call_finish_and_wake(s, c, CALL_DONE);
	} else if (atomic_load(&c->client->attention) & ATTENTION_KILL) {
		thread_wake(c->client);         /* it may have been waiting for us to be done */
	}
	return err;
}

/* The server's memory failed: c, if it still is there, fails too. */
NOINLINE static void deliver_failed(struct scheme *s, uint32_t tag)
{
	spin_lock(&s->lock);
	struct call *c = call_find(s, tag);
	if (c && !c->busy) {
		c->result = ERR_IO;
		call_finish_and_wake(s, c, CALL_DONE);
	}
	spin_unlock(&s->lock);
}

/* Gives the call to this thread: its message, its handle, the first of its data. By way of our stack, since user memory may fault and
 * the call go away meanwhile. Drops the lock. */
static err_t deliver(struct scheme *s, struct call *c, const struct serve *in) REQUIRES(&s->lock)
{
	uint8_t small[SMALL_BYTES];
	struct message m;
	err_t err = OK;

	c->receiver = NULL;
	arch_bytes_copy(&m, &c->message, sizeof(m));
	m.request.tag = c->tag;
	m.copied_bytes = m.in_bytes < in->buffer_bytes ? m.in_bytes : (uint32_t)in->buffer_bytes;
	bool has_small = m.copied_bytes && m.in_bytes <= SMALL_BYTES;
	if (has_small)
		arch_bytes_copy(small, c->small, m.copied_bytes);
	trace(TRACE_MESSAGE, (uint16_t)m.request.op, m.request.tag, (uint64_t)s);
	if (UNLIKELY(m.in_bytes > SMALL_BYTES || c->passed.resource))
		err = deliver_more(s, c, in, &m);
	spin_unlock(&s->lock);
	if (UNLIKELY(err))
		return err;
	if (has_small && copy_to_user(uaddr((uint64_t)in->buffer), small, m.copied_bytes))
		m.copied_bytes = 0;
	if (UNLIKELY((err = copy_to_user(uaddr((uint64_t)in->message), &m, sizeof(m)))))
		deliver_failed(s, m.request.tag);
	return err;
}

static err_t deliver_note(struct scheme *s, const struct message *m, struct remote *closed, const struct serve *in) REQUIRES(&s->lock)
{
	spin_unlock(&s->lock);
	err_t err = copy_to_user(uaddr((uint64_t)in->message), m, sizeof(*m));
	if (closed)
		client_free_remote(closed);
	return err;
}

static struct call *take_queued(struct scheme *s) REQUIRES(&s->lock)
{
	if (LIKELY(list_is_empty(&s->queue)))
		return NULL;
	struct call *c = list_first(&s->queue, struct call, link);
	list_remove(&c->link);
	c->state = CALL_TAKEN;
	if (thread_priority(c->client) > thread_priority(thread_current()))
		thread_inherit(thread_current(), thread_priority(c->client));
	return c;
}

/* Waits for something to do. A client that was just answered (or NULL) gets the CPU meanwhile. Drops the lock. */
static int64_t receive(struct scheme *s, struct thread *client, const struct serve *in, uint32_t request_flags) REQUIRES(&s->lock)
{
	uint32_t park_flags = park_flags_of(request_flags);
	struct receiver r = { .thread = thread_current() };
	err_t err = request_flags & REQUEST_NONBLOCK ? ERR_AGAIN : OK;
	bool has_note = false;
	struct remote *closed;
	struct message note;
	struct call *c;

	for (;;) {
		c = r.call;
		if (!c)
			has_note = scheme_has_notes(s) && scheme_next_note(s, &note, &closed);
		if (!c && !has_note)
			c = take_queued(s);
		if (c || has_note || err)
			break;
		list_push_front(&s->receivers, &r.link);
		if (client && LIKELY(thread_claim(client, 0))) {
			spin_unlock(&s->lock);
			err = thread_hand_over(client, in->deadline_ns, park_flags);
		} else {
			if (client)
				thread_wake(client);
			spin_unlock(&s->lock);
			err = thread_park(in->deadline_ns, park_flags);
		}
		client = NULL;
		spin_lock(&s->lock);
		if (!r.call)
			list_remove(&r.link);
	}
	if (client)
		thread_wake(client);
	if (LIKELY(c))
		return deliver(s, c, in);
	if (has_note)
		return deliver_note(s, &note, closed, in);
	spin_unlock(&s->lock);
	return err;
}

/* ---- The server: answer ---- */

/* The handle that goes along, out of the server's table (or a copy of it). */
static err_t take_reply_handle(const struct serve *a, struct passed *out)
{
	struct process *p = process_current();
	uint32_t flags = (uint32_t)(a->handle_and_flags >> 32);
	handle_t h = (handle_t)a->handle_and_flags;

	if (!(flags & (REPLY_CONTENT | REPLY_FORWARD | REPLY_HANDLE)))
		return OK;
	TRY(handle_find_passed(&p->handles, h, RIGHT_SEND, out));
	out->flags = flags & REPLY_CLOEXEC ? OPEN_CLOEXEC : 0;
	if (!(flags & REPLY_COPY_HANDLE) && handle_close(&p->handles, h))
		return OK;      /* another thread closed it meanwhile; the reference is ours all the same */
	return OK;
}

/* Copies the answer's data to the client, without waiting for anybody. */
static err_t copy_answer(struct call *c, const struct serve *a, size_t bytes)
{
	struct process *p = process_current();
	size_t done;

	if (c->kernel_out)
		return space_read(p->space, (uint64_t)a->data, c->kernel_out, bytes, false);
	err_t err = space_copy(c->space, c->out.raw, p->space, (uint64_t)a->data, bytes, false, &done);
	if (err != ERR_AGAIN)
		return err;
	c->bounce = heap_alloc(bytes);
	if (!c->bounce)
		return ERR_NOMEM;
	c->bounce_bytes = bytes;
	return space_read(p->space, (uint64_t)a->data, c->bounce, bytes, false);
}

/* Answers what a->tag stands for. The lock is held afterwards in any case; *client is to be woken, or given the CPU, before it is
 * dropped: a thread whose call is done may be gone then. SRCH, BUSY: nothing was answered. */
static err_t answer(struct scheme *s, const struct serve *a, struct thread **client) REQUIRES(&s->lock)
{
	bool is_small = a->bytes <= SMALL_BYTES && !(a->handle_and_flags >> 32 & (REPLY_CONTENT | REPLY_FORWARD | REPLY_HANDLE));
	err_t copy_err = OK, handle_err = OK, open_err = OK;
	uint8_t small[SMALL_BYTES];
	struct passed reply = {0};

	if (is_small && a->bytes)
		copy_err = copy_from_user(small, uaddr((uint64_t)a->data), a->bytes);
	spin_lock(&s->lock);
	struct call *c = call_find(s, (uint32_t)a->tag);
	if (UNLIKELY(!c || c->busy))
		return c ? ERR_BUSY : ERR_SRCH;
	size_t bytes = MIN_OF(a->bytes, c->message.out_bytes);
	if (UNLIKELY(!is_small || (bytes && c->kernel_out))) {
		c->busy = true;
		spin_unlock(&s->lock);
		handle_err = take_reply_handle(a, &reply);
		copy_err = handle_err || !bytes ? handle_err : copy_answer(c, a, bytes);
		spin_lock(&s->lock);
	} else if (bytes) {
		arch_bytes_copy(c->small, small, bytes);
		c->bounce = c->small;
		c->bounce_bytes = bytes;
	}
	trace(TRACE_REPLY, 0, a->tag, (uint64_t)a->result);
	c->result = UNLIKELY(copy_err) ? copy_err : a->result;
	c->reply_flags = (uint32_t)(a->handle_and_flags >> 32);
	c->reply = reply;
	if (c->opening)
		open_err = scheme_add_opened(s, c);
	*client = c->client;
	call_finish(s, c, CALL_DONE);
	if (UNLIKELY(thread_current()->inherited))
		thread_inherit(thread_current(), 0);
	return open_err ? open_err : handle_err;
}

int64_t scheme_reply(struct resource *endpoint, const struct serve *a)
{
	struct scheme *s = scheme_of(endpoint);
	struct thread *client = NULL;

	if (!user_range_is_valid((uint64_t)a->data, a->bytes))
		return ERR_FAULT;
	err_t err = answer(s, a, &client);
	if (client)
		thread_wake(client);
	spin_unlock(&s->lock);
	return err;
}

int64_t scheme_receive(struct resource *endpoint, const struct serve *serve, uint32_t request_flags)
{
	struct scheme *s = scheme_of(endpoint);
	struct thread *client = NULL;

	if (!user_range_is_valid((uint64_t)serve->data, serve->bytes) ||
	    !user_range_is_valid((uint64_t)serve->buffer, serve->buffer_bytes) ||
	    !user_range_is_valid((uint64_t)serve->message, sizeof(struct message)))
		return ERR_FAULT;
	if (UNLIKELY(s->server != process_current()))
		TRY(scheme_become_server(s));
	if (LIKELY(serve->tag)) {
		/* A refused answer (the client is gone) is no reason not to receive. */
		if (answer(s, serve, &client))
			trace(TRACE_REPLY, 1, serve->tag, 0);
	} else {
		spin_lock(&s->lock);
	}
	return receive(s, client, serve, request_flags);
}
