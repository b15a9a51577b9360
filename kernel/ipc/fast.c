/* kernel/ipc/fast.c - a request goes to its server, the answer comes back: the way that must be fast.
 *
 * Common: a server thread waits; nothing comes before the request; what is sent fits into struct call; the server's thread may run here and
 * nobody more urgent wants to. Then the client gives it the request and the CPU in one step (call_send), and REPLY_RECEIVE gives answer
 * and CPU back (reply_receive). No run queue, no allocation. Whoever waits came straight from user space and has nothing left to do but to go
 * back there with a result; so the other side does that for him, in his address space (deliver_for_server, finish_for_client), and
 * enters user space with his registers: his kernel stack is not gone on with, and is free. doc/decisions/0006 says where the instructions go.
 * Whatever is not so costs just what it needs more: a place in a queue, a wake, a copy between the spaces; the waiting thread then goes on
 * where it waits, as in any other wait.
 *
 * While a call is CALL_BUSY its client stays where it is, so the copies between the two spaces need no
 * lock; they never wait (a page that only a pager has ends them), so that is always short.
 */
#include "kernel/call/ops.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/switch.h"
#include "kernel/sched/wait.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* ---- Tags ---- */

static ALWAYS_INLINE err_t slot_take(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	if (UNLIKELY(s->first_free == NO_SLOT))
		TRY(scheme_slots_grow(s));
	uint32_t i = s->first_free;
	struct call_slot *slot = &s->slots[i];
	c->message.request.tag = slot->tag;
	s->first_free = slot->next;
	slot->call = c;
	return OK;
}

err_t call_slot_take(struct scheme *s, struct call *c) { return slot_take(s, c); }

static ALWAYS_INLINE void slot_drop(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	struct call_slot *slot = &s->slots[c->message.request.tag & 0xffff];

	slot->call = NULL;
	if (LIKELY(!slot->is_cancelled))
		scheme_slot_free(s, slot);
}

/* A tag of 0 is nobody's. */
static ALWAYS_INLINE struct call *call_find_now(struct scheme *s, uint32_t tag) REQUIRES(&s->lock)
{
	uint32_t i = tag & 0xffff;

	if (UNLIKELY(i >= s->slot_count || s->slots[i].tag != tag))
		return NULL;
	struct call *c = s->slots[i].call;
	return LIKELY(c && (c->state == CALL_TAKEN || c->state == CALL_BUSY)) ? c : NULL;
}

struct call *call_find(struct scheme *s, uint32_t tag) { return s->server == process_current() ? call_find_now(s, tag) : NULL; }

void call_finish(struct scheme *s, struct call *c, enum call_state state)
{
	slot_drop(s, c);
	if (c->state == CALL_QUEUED) {
		list_remove(&c->link);
		s->waiting--;
	} else if (c->state == CALL_GIVEN) {
		c->receiver->call = NULL;
	}
	c->state = (uint8_t)state;
}

void call_finish_and_wake(struct scheme *s, struct call *c, enum call_state state)
{
	call_finish(s, c, state);
	thread_wake(c->client);
}

/* ---- The client: send ---- */

/* To the memory of the space that is loaded, if all of it is there just now. is_quads: whole quadwords, copied inline. */
static ALWAYS_INLINE bool put_now(uint64_t to, const void *from, size_t bytes, bool is_quads)
{
	cpu_this()->faults_are_final = true;
	bool is_there = user_range_is_valid(to, bytes) && (is_quads ? arch_copy_user_quads((void *)to, from, bytes / 8) : !arch_copy_to_user(to, from, bytes));
	cpu_this()->faults_are_final = false;
	return is_there;
}

/* What a server would do with its call if it went on where it waits: message and small data go to its memory, which is there just now, and its
 * reference to the endpoint goes, which the client's resource has too. */
static ALWAYS_INLINE bool deliver_for_server(void *call)
{
	struct call *c = call;
	struct receiver *r = c->receiver;
	const struct serve *in = r->serve;
	struct message *m = &c->message;
	struct scheme *s;

	if (UNLIKELY(!r->held || in->deadline_ns != DEADLINE_NONE || m->in_bytes > SMALL_BYTES || c->passed.resource))
		return false;
	s = r->held->data;
	m->request.arg[2] = m->request.handle ? 0 : s->lazy_close;
	m->copied_bytes = m->in_bytes ? (uint32_t)MIN_OF(m->in_bytes, in->buffer_bytes) : 0;
	if ((m->in_bytes && !put_now((uint64_t)in->buffer, c->small, m->copied_bytes, false)) ||
	    UNLIKELY(!put_now((uint64_t)in->message, m, sizeof(*m), true) || !object_put_some(&r->held->object)))
		return false;
	if (UNLIKELY(m->request.arg[2]))
		s->lazy_close = 0;
	c->state = CALL_TAKEN;
	regs_set_result(r->thread->user_regs, OK);
	return true;
}

/* Gives the call to a waiting server, with the CPU if that can be, or queues it; and waits. *waited: how that ended. */
static ALWAYS_INLINE err_t call_send(struct scheme *s, struct call *c, uint32_t park_flags, err_t *waited)
{
	err_t err;

	spin_lock(&s->lock);
	if (UNLIKELY(!s->server && s->served_once && s->flags & SCHEME_FAIL_WITHOUT_SERVER))
		err = scheme_absence(s);
	else
		err = slot_take(s, c);
	if (UNLIKELY(err)) {
		spin_unlock(&s->lock);
		return err;
	}
	c->cancel_asked = c->has_kept = false;
	struct receiver *r = s->receivers;
	/* Not past what a receiver was woken for and has not taken yet. */
	if (UNLIKELY(!r || s->waiting)) {
		c->state = CALL_QUEUED;
		list_push_back(&s->queue, &c->link);
		scheme_rouse(s);
	} else {
		struct thread *server = r->thread;
		s->receivers = r->next;
		r->call = c;
		c->receiver = r;
		c->state = CALL_GIVEN;
		struct cpu *cpu = cpu_this();
		if (LIKELY(thread_claim(cpu, server, true))) {
			*waited = thread_hand_over(cpu, server, park_flags, &s->lock, deliver_for_server, c);
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
	while (c->state == CALL_BUSY) {
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
	if (c->state == CALL_TAKEN && !c->cancel_asked)
		scheme_cancel(s, c);
	c->result = ERR_INTR;
	call_finish(s, c, CALL_DONE);
}

/* A notice came: a request that no server has seen just goes; another goes when the server says so, or is out of patience. */
static void ask_cancel(struct scheme *s, struct call *c) REQUIRES(&s->lock)
{
	if (c->state == CALL_QUEUED || c->state == CALL_GIVEN) {
		c->result = ERR_INTR;
		call_finish(s, c, CALL_DONE);
	} else if (!c->cancel_asked) {
		c->cancel_asked = true;
		scheme_cancel(s, c);
	}
}

/* Waits on until c has ended. waited: how the wait has ended so far. */
NOINLINE static void call_await(struct scheme *s, struct call *c, err_t waited, uint32_t park_flags) REQUIRES(&s->lock)
{
	uint64_t deadline = DEADLINE_NONE;

	c->held = NULL;         /* from now on our stack has more to it */
	while (c->state != CALL_DONE && c->state != CALL_WITHDRAWN) {
		if ((waited == ERR_TIMEDOUT && !c->has_kept) || (waited && atomic_load(&c->client->attention) & ATTENTION_KILL)) {
			take_away(s, c);
			return;
		}
		if (waited) {
			ask_cancel(s, c);
			park_flags = 0;
			deadline = c->has_kept ? DEADLINE_NONE : clock_now_ns() + CANCEL_PATIENCE_MS * 1000000ull;
			if (c->state == CALL_DONE)
				return;
		}
		spin_unlock(&s->lock);
		waited = thread_park(deadline, park_flags);
		spin_lock(&s->lock);
	}
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

static ALWAYS_INLINE int64_t perform(struct scheme *s, struct call *c, uint32_t request_flags)
{
	uint32_t park_flags = park_flags_of(request_flags);
	err_t waited;

	c->message.request.flags = request_flags;
	if (c->message.in_bytes && c->message.in_bytes <= SMALL_BYTES)
		TRY(copy_from_user(c->small, c->in, c->message.in_bytes));
	for (;;) {
		TRY(call_send(s, c, park_flags, &waited));
		spin_lock(&s->lock);
		if (UNLIKELY(c->state != CALL_DONE))
			call_await(s, c, waited, park_flags);
		spin_unlock(&s->lock);
		if (LIKELY(c->state == CALL_DONE))
			break;
		TRY(make_present(c));
	}
	if (c->bounce)
		TRY(copy_bounce(c));
	return UNLIKELY(c->result < RESULT_ERROR_MIN) ? ERR_PROTO : c->result;
}

int64_t call_perform(struct scheme *s, struct call *c, uint32_t request_flags) { return perform(s, c, request_flags); }

/* CALL of a user scheme's resource, without a handle to pass; not of its ring, which is a matter of rights (client.c). */
static ALWAYS_INLINE bool is_common(const struct request *q, const struct resource *r)
{
	uint64_t bytes = q->arg[2] | q->arg[4];

	return r->ops->call == remote_call && !(q->flags & REQUEST_KERNEL) && (handle_t)(q->arg[0] >> 32) == HANDLE_NONE && (uint32_t)q->arg[0] != RING_OPEN &&
	       (LIKELY(!bytes) || (bytes <= INT32_MAX && q->arg[1] < USER_MAX - INT32_MAX && q->arg[3] < USER_MAX - INT32_MAX));
}

static ALWAYS_INLINE int64_t call_remote(struct request *q, struct resource *r, handle_t *received)
{
	struct remote *m = remote_of(r);
	struct call c;

	call_begin_call(&c, m, (uint32_t)q->arg[0], uaddr(q->arg[1]), q->arg[2], uaddr(q->arg[3]), q->arg[4], q->arg[5]);
	c.held = r;
	int64_t result = perform(m->scheme, &c, q->flags);
	if (UNLIKELY(c.reply.resource != NULL))
		result = call_give_handle(&c.reply, result, received);
	resource_put(r);
	return result;
}

int64_t op_call(struct request *q)
{
	handle_t received = HANDLE_NONE;
	struct resource *r;
	uint32_t rights;

	int64_t result = handle_find(&process_current()->handles, q->handle, RIGHT_CALL, &r, &rights);
	if (!result)
		result = call_general(q, r, rights, &received);
	q->handle = received;
	return result;
}

bool call_enter(struct regs *r)
{
	struct request *q = regs_request(r);
	struct process *p = process_current();
	const struct space *space = p->space;
	handle_t received = HANDLE_NONE;
	struct resource *target;
	uint32_t rights;

	cpu_this()->requests++;
	trace(TRACE_CALL_BEGIN, OP_CALL, (uint64_t)q->handle, q->arg[0]);
	int64_t result = handle_find(&p->handles, q->handle, RIGHT_CALL, &target, &rights);
	if (LIKELY(!result && is_common(q, target)))
		result = call_remote(q, target, &received);
	else if (!result)
		result = call_general(q, target, rights, &received);
	trace(TRACE_CALL_END, OP_CALL, (uint64_t)result, 0);
	/* EXEC has put new registers in place; what it answers is not for them. */
	if (UNLIKELY(p->space != space))
		return call_leave(r);
	regs_set_received(r, received);
	return call_result(r, result);
}

/* ---- The server: receive ---- */

/* What of the call does not fit into it: data from the client's memory, a handle. m says how far that went. An error ends the call. */
static err_t deliver_more(struct scheme *s, struct call *c, const struct serve *in, struct message *m) REQUIRES(&s->lock)
{
	struct process *p = process_current();
	struct passed passed = c->passed;
	err_t err = OK;
	size_t done;

	c->state = CALL_BUSY;
	spin_unlock(&s->lock);
	if (m->in_bytes > SMALL_BYTES && space_copy(p->space, (uint64_t)in->buffer, c->space, c->in.raw, m->copied_bytes, false, &done))
		m->copied_bytes = (uint32_t)done;       /* the rest by COPY, which says what is wrong */
	if (passed.resource) {
		resource_get(passed.resource);
		passed.flags |= OPEN_PRIVATE;
		m->handle = handle_open(&p->handles, &passed, HANDLE_PRIVATE);
		err = m->handle < 0 ? (err_t)m->handle : OK;
	}
	spin_lock(&s->lock);
	c->state = CALL_TAKEN;
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
	if (c && c->state == CALL_TAKEN) {
		c->result = ERR_IO;
		call_finish_and_wake(s, c, CALL_DONE);
	}
	spin_unlock(&s->lock);
}

/* Gives the call to this thread: its message, its handle, the first of its data. By way of our stack, since user memory may fault and
 * the call go away meanwhile. Drops the lock. */
static ALWAYS_INLINE err_t deliver(struct scheme *s, struct call *c, const struct serve *in) REQUIRES(&s->lock)
{
	uint8_t small[SMALL_BYTES];
	struct message m;
	err_t err = OK;

	c->state = CALL_TAKEN;
	arch_bytes_copy(&m, &c->message, sizeof(m));
	m.request.arg[2] = m.request.handle ? 0 : s->lazy_close;
	if (UNLIKELY(m.request.arg[2]))
		s->lazy_close = 0;
	m.copied_bytes = (uint32_t)MIN_OF(m.in_bytes, in->buffer_bytes);
	if (m.in_bytes <= SMALL_BYTES)
		arch_bytes_copy(small, c->small, m.copied_bytes);
	trace(TRACE_MESSAGE, (uint16_t)m.request.op, m.request.tag, (uint64_t)s);
	if (UNLIKELY(m.in_bytes > SMALL_BYTES || c->passed.resource))
		err = deliver_more(s, c, in, &m);
	spin_unlock(&s->lock);
	if (UNLIKELY(err))
		return err;
	if (m.in_bytes && m.in_bytes <= SMALL_BYTES && copy_to_user(uaddr((uint64_t)in->buffer), small, m.copied_bytes))
		m.copied_bytes = 0;
	if (UNLIKELY((err = copy_to_user(uaddr((uint64_t)in->message), &m, sizeof(m)))))
		deliver_failed(s, m.request.tag);
	return err;
}

/* One receiver is woken for all that waits: the next is that one's to wake. */
static void wake_another(struct scheme *s) REQUIRES(&s->lock)
{
	if (s->waiting && s->receivers)
		thread_wake(s->receivers->thread);
}

NOINLINE static err_t deliver_note(struct scheme *s, const struct serve *in) REQUIRES(&s->lock)
{
	struct message m;

	if (!scheme_next_note(s, &m))
		return ERR_NOENT;
	wake_another(s);
	spin_unlock(&s->lock);
	return copy_to_user(uaddr((uint64_t)in->message), &m, sizeof(m));
}

/* What the server's event queue has, as a message. Drops the lock, but has it again at NOENT: there was nothing after all. */
NOINLINE static err_t deliver_events(struct scheme *s, const struct serve *in) REQUIRES(&s->lock)
{
	struct message m = { .request.handle = HANDLE_NONE, .kind = MESSAGE_EVENT, .handle = HANDLE_NONE };
	struct resource *queue = resource_get(s->events);
	struct event events[EVENT_BATCH];

	s->had_events = true;
	spin_unlock(&s->lock);
	size_t bytes = event_collect(queue, events, MIN_OF(in->buffer_bytes / sizeof(events[0]), (size_t)EVENT_BATCH)) * sizeof(events[0]);
	resource_put(queue);
	if (!bytes) {
		spin_lock(&s->lock);
		return ERR_NOENT;
	}
	m.copied_bytes = (uint32_t)bytes;
	TRY(copy_to_user(uaddr((uint64_t)in->buffer), events, bytes));
	return copy_to_user(uaddr((uint64_t)in->message), &m, sizeof(m));
}

static struct call *take_queued(struct scheme *s) REQUIRES(&s->lock)
{
	if (list_is_empty(&s->queue))
		return NULL;
	struct call *c = list_first(&s->queue, struct call, link);
	list_remove(&c->link);
	s->waiting--;
	wake_another(s);
	if (thread_priority(c->client) > thread_priority(thread_current()))
		thread_inherit(thread_current(), thread_priority(c->client));
	return c;
}

/* What waits: events first, then cancels and closes, which it delivers; or a call: *out. NOENT: nothing. The lock is dropped if neither. */
NOINLINE static err_t take(struct scheme *s, const struct serve *in, struct call **out) REQUIRES(&s->lock)
{
	err_t err = ERR_NOENT;

	while (err == ERR_NOENT && scheme_has_events(s) && in->buffer_bytes >= sizeof(struct event))
		err = deliver_events(s, in);
	if (err != ERR_NOENT)
		return err;
	s->had_events = false;
	if (s->waiting && (err = deliver_note(s, in)) == ERR_NOENT && (*out = take_queued(s)))
		err = OK;
	return err;
}

/* A wait ended without a call. (Who was given one that was taken away again is not on the list any more.) */
static void remove_receiver(struct scheme *s, struct receiver *r) REQUIRES(&s->lock)
{
	struct receiver **at = &s->receivers;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
}

/* ---- The server: answer ---- */

enum { REPLY_HANDLES = REPLY_CONTENT | REPLY_FORWARD | REPLY_HANDLE };   /* flags of answers with a handle */

/* The handle that goes along, out of the server's table (or a copy of it). */
static err_t take_reply_handle(const struct serve *a, struct passed *out)
{
	struct process *p = process_current();
	uint32_t flags = (uint32_t)(a->handle_and_flags >> 32);
	handle_t h = (handle_t)a->handle_and_flags;

	if (!(flags & REPLY_HANDLES))
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
		return space_copy(NULL, (uint64_t)c->kernel_out, p->space, (uint64_t)a->data, bytes, false, &done);
	err_t err = space_copy(c->space, c->out.raw, p->space, (uint64_t)a->data, bytes, false, &done);
	if (err != ERR_AGAIN)
		return err;
	c->bounce = heap_alloc(bytes);
	if (!c->bounce)
		return ERR_NOMEM;
	c->bounce_bytes = bytes;
	return space_copy(NULL, (uint64_t)c->bounce, p->space, (uint64_t)a->data, bytes, false, &done);
}

/* An answer that is more than a result: data, a handle, a new id. What is small was copied already, or could not be. */
NOINLINE static err_t answer_more(struct scheme *s, struct call *c, const struct serve *a, const uint8_t *small, err_t small_err)
	REQUIRES(&s->lock)
{
	uint32_t flags = (uint32_t)(a->handle_and_flags >> 32);
	size_t bytes = MIN_OF(a->bytes, c->message.out_bytes);
	struct passed reply = {0};
	err_t err = OK;

	c->reply_flags = flags;
	if (a->bytes <= SMALL_BYTES && !(flags & REPLY_HANDLES) && !c->opening && !(bytes && c->kernel_out)) {
		arch_bytes_copy(c->small, small, bytes);
		c->bounce = bytes && !small_err ? c->small : NULL;
		c->bounce_bytes = bytes;
		c->result = small_err ? small_err : a->result;
		return OK;
	}
	c->state = CALL_BUSY;
	spin_unlock(&s->lock);
	err = take_reply_handle(a, &reply);
	err_t copy_err = err || !bytes ? err : copy_answer(c, a, bytes);
	spin_lock(&s->lock);
	c->result = copy_err ? copy_err : a->result;
	c->reply = reply;
	if (reply.resource || c->bounce)
		c->held = NULL;         /* for the client itself */
	if (c->opening) {
		err_t open_err = scheme_add_opened(s, c);
		err = open_err ? open_err : err;
	}
	return err;
}

/* Answers what a->tag stands for. The lock is held afterwards in any case; the client of *answered is to be woken, or given the CPU, before it
 * is dropped: a thread whose call is done may be gone then. SRCH, BUSY: nothing was answered. */
static ALWAYS_INLINE err_t answer(struct scheme *s, const struct serve *a, struct call **answered) REQUIRES(&s->lock)
{
	uint8_t small[SMALL_BYTES];
	err_t err = OK;

	if (a->bytes && a->bytes <= SMALL_BYTES)
		err = copy_from_user(small, uaddr((uint64_t)a->data), a->bytes);
	spin_lock(&s->lock);
	struct call *c = call_find_now(s, (uint32_t)a->tag);
	if (UNLIKELY(!c || c->state != CALL_TAKEN))
		return c ? ERR_BUSY : ERR_SRCH;
	c->result = a->result;
	if (UNLIKELY(a->bytes || c->opening || a->handle_and_flags >> 32))
		err = answer_more(s, c, a, small, err);
	trace(TRACE_REPLY, 0, a->tag, (uint64_t)a->result);
	slot_drop(s, c);
	c->state = CALL_DONE;
	*answered = c;
	if (UNLIKELY(thread_current()->turn.lent))
		thread_inherit(thread_current(), 0);
	return err;
}

int64_t scheme_reply(struct resource *endpoint, const struct serve *a)
{
	struct scheme *s = scheme_of(endpoint);
	struct call *c = NULL;

	if (s->server != process_current())
		return ERR_SRCH;
	err_t err = answer(s, a, &c);
	if (c)
		thread_wake(c->client);
	spin_unlock(&s->lock);
	return err;
}

/* ---- The server: both ---- */

/* What a client that called from user space would do with the answer if it went on where it waits: small data to its memory, which is there just
 * now; its reference to the resource, which is not the last, goes. */
static ALWAYS_INLINE bool finish_for_client(void *work) /* REQUIRES(&scheme->lock) */
{
	struct call *c = work;
	struct regs *r = c->client->user_regs;

	if (UNLIKELY(!c->held || c->result < RESULT_ERROR_MIN) || (c->bounce && !put_now(c->out.raw, c->small, c->bounce_bytes, false)) ||
	    UNLIKELY(!object_put_some(&c->held->object)))
		return false;
	regs_set_result(r, c->result);
	regs_set_received(r, HANDLE_NONE);
	return true;
}

/* Takes what waits, or waits for something. Drops the lock. err: why not to wait, if so. */
NOINLINE static int64_t receive(struct scheme *s, const struct serve *in, uint32_t request_flags, struct resource *held, err_t err) REQUIRES(&s->lock)
{
	struct receiver r = { .thread = thread_current(), .serve = in, .held = held };

	if (request_flags & REQUEST_NONBLOCK)
		err = ERR_AGAIN;
	while (!r.call) {
		err_t took = take(s, in, &r.call);
		if (r.call || took != ERR_NOENT)
			return r.call ? deliver(s, r.call, in) : took;
		if (err) {
			spin_unlock(&s->lock);
			return err;
		}
		r.next = s->receivers;
		s->receivers = &r;
		spin_unlock(&s->lock);
		err = thread_park(in->deadline_ns, park_flags_of(request_flags));
		spin_lock(&s->lock);
		if (!r.call)
			remove_receiver(s, &r);
	}
	return deliver(s, r.call, in);
}

static ALWAYS_INLINE int64_t reply_receive(struct scheme *s, const struct serve *serve, uint32_t request_flags, struct resource *held)
{
	struct cpu *cpu = cpu_this();
	struct call *c = NULL;
	err_t err = OK;

	if (UNLIKELY(s->server != process_current()))
		TRY(scheme_become_server(s));
	/* A refused answer (the client is gone) is no reason not to receive, but for a server that wants to know. */
	if (UNLIKELY(answer(s, serve, &c) && serve->tag)) {
		trace(TRACE_REPLY, 1, serve->tag, 0);
		if (serve->handle_and_flags >> 32 & REPLY_SURE) {
			if (c)
				thread_wake(c->client);
			spin_unlock(&s->lock);
			return ERR_SRCH;
		}
	}
	if (LIKELY(c && !s->waiting && !scheme_has_events(s) && serve->deadline_ns == DEADLINE_NONE && !(request_flags & REQUEST_NONBLOCK) &&
	           thread_claim(cpu, c->client, false))) {
		struct receiver r = { s->receivers, thread_current(), NULL, serve, held };
		s->receivers = &r;
		err = thread_hand_over(cpu, c->client, park_flags_of(request_flags), &s->lock, finish_for_client, c);
		spin_lock(&s->lock);
		if (LIKELY(r.call != NULL))
			return deliver(s, r.call, serve);
		remove_receiver(s, &r);
	} else if (c) {
		thread_wake(c->client);
	}
	return receive(s, serve, request_flags, held, err);
}

int64_t scheme_receive(struct resource *endpoint, const struct serve *serve, uint32_t request_flags)
{
	return reply_receive(scheme_of(endpoint), serve, request_flags, NULL);
}

static ALWAYS_INLINE int64_t serve_request(struct request *q, bool is_direct)
{
	struct resource *r;
	struct serve serve;
	int64_t result;

	TRY(handle_find(&process_current()->handles, q->handle, RIGHT_SERVE, &r, NULL));
	if (UNLIKELY(r->ops != &endpoint_ops))
		result = ERR_NOTTY;
	else if (UNLIKELY(!user_range_is_valid(q->arg[0], sizeof(serve)) || !arch_copy_user_quads(&serve, (const void *)q->arg[0], sizeof(serve) / 8)))
		result = ERR_FAULT;
	else
		result = reply_receive(r->data, &serve, q->flags, is_direct ? r : NULL);
	resource_put(r);
	return result;
}

int64_t op_reply_receive(struct request *q) { return serve_request(q, false); }

bool reply_receive_enter(struct regs *r)
{
	if (UNLIKELY(trace_is_on))
		return kernel_syscall(r);
	cpu_this()->requests++;
	return call_result(r, serve_request(regs_request(r), true));
}
