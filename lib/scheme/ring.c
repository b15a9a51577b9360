/* lib/scheme/ring.c - requests that come over a ring, given to the same functions as those that are called. No system calls.
 *
 * Common: a client calls RING_WAIT, which serves what it has put and is answered when there are replies. While client and server
 * run at the same time the ring stays awake instead, and nobody calls.
 */
#include "lib/scheme/ring.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"

/* Turns of the server's loop without work before a ring falls asleep; and after how many calls it tries to stay awake again (twice as
 * many after each try in vain: with one CPU, all are). */
/* Replies are shown for so many requests at once: the client sleeps, or it looks at a line that we write to. */
enum { ROW_MAX = 32 };
enum { PATIENCE_FIRST = 4, PATIENCE_MAX = 64, CALLS_PER_TRY = 64, VAIN_TRIES_MAX = 4 };

static struct scheme_ring *ring_find(struct scheme *s, uint64_t id)
{
	struct scheme_ring *g;

	if (s->ring_count)
		list_each(g, &s->rings, link)
			if (g->message.id == id)
				return g;
	return NULL;
}

/* In place of a CALL function that is not there. */
static int64_t no_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	(void)r, (void)code, (void)word;
	return ERR_NOTTY;
}

/* ---- Requests ------------------------------------------------------------------------------------------------------ */

static ALWAYS_INLINE void reply_put(struct scheme_ring *g, uint32_t tag, int64_t result)
{
	uint32_t at = g->replied;
	struct reply *r = &g->replies[at & g->mask];

	r->tag = tag;           /* and no handle: see ring_new */
	r->result = result;
	g->replied = at + 1;
}

/* Tells who waits for replies: a RING_WAIT is answered, the handle made ready. */
static NOINLINE void client_wake(struct scheme_ring *g)
{
	const struct scheme_area *area = g->scheme->area;
	bool is_over = g->is_broken || g->is_ended;

	if (g->wait_tag && (g->replied != g->wait_seen || is_over)) {
		uint32_t tag = g->wait_tag;
		g->wait_tag = 0;
		area->answer(g->scheme, tag, g->is_ended ? ERR_CONNRESET : g->is_broken ? ERR_PROTO : OK);
	}
	if (g->tells && (g->replied != g->tell_seen || is_over)) {
		g->tells = false;
		g->has_told = true;
		area->notify(g->scheme, g->message.id, READY_PRIORITY, READY_PRIORITY);
	}
}

static void replies_show(struct scheme_ring *g)
{
	ring_publish(&g->header->replies_put, g->replied);
	if (UNLIKELY(g->wait_tag || g->tells))
		client_wake(g);
}

/* What the client sends comes to where it cannot be changed any more. */
static err_t input_set(struct scheme_ring *g, uint64_t at, uint64_t bytes)
{
	if (!range_fits(at, bytes, g->data_bytes))
		return ERR_FAULT;
	g->in_at = at;
	g->message.in_bytes = (uint32_t)bytes;
	g->request.in_bytes = bytes;
	g->request.in_here = MIN_OF(bytes, (uint64_t)SCHEME_BUFFER_BYTES);
	memcpy(g->in, g->data + at, g->request.in_here);
	return OK;
}

static err_t output_set(struct scheme_ring *g, uint64_t at, uint64_t bytes)
{
	if (!range_fits(at, bytes, g->data_bytes))
		return ERR_FAULT;
	g->out_at = at;
	g->message.out_bytes = (uint32_t)bytes;
	g->request.out_max = bytes;
	g->request.out_room = MIN_OF(bytes, (uint64_t)SCHEME_BUFFER_BYTES);
	return OK;
}

/* Where to read or write; -1, wherever it is, is the beginning. */
static uint64_t offset_of(uint64_t offset) { return (int64_t)offset == -1 ? 0 : offset; }

/* Notes where the data of a request is that has some. */
static ALWAYS_INLINE err_t data_set(struct scheme_ring *g, const struct request *q)
{
	uint32_t open_flags = g->message.open_flags;

	switch (q->op) {
	case OP_READ:
		g->message.offset = offset_of(q->arg[2]);
		return open_flags & (OPEN_READ | OPEN_EXEC) ? output_set(g, q->arg[0], q->arg[1]) : ERR_BADF;
	case OP_WRITE:
		g->message.offset = offset_of(q->arg[2]);
		return open_flags & OPEN_WRITE ? input_set(g, q->arg[0], q->arg[1]) : ERR_BADF;
	case OP_SEEK:
		return q->arg[1] == SEEK_FROM_END ? OK : ERR_INVAL;
	default:
		return ERR_OPNOTSUPP;
	}
}

static ALWAYS_INLINE err_t call_data_set(struct scheme_ring *g, const struct request *q)
{
	err_t err = q->arg[2] ? input_set(g, q->arg[1], q->arg[2]) : OK;

	return !err && q->arg[4] ? output_set(g, q->arg[3], q->arg[4]) : err;
}

/* Requests with a handle in the answer had to be called. What to reply. */
static NOINLINE int64_t handle_refused(struct scheme_ring *g)
{
	struct scheme_request *r = &g->request;

	if (!(r->reply_flags & REPLY_COPY_HANDLE))
		g->scheme->area->close(r->reply_handle);
	r->reply_handle = HANDLE_NONE;
	r->reply_flags = 0;
	return ERR_OPNOTSUPP;
}

/* Sends the data of an answer. */
static void data_send(struct scheme_ring *g, size_t bytes)
{
	ASSERT(bytes <= g->request.out_room);
	if (bytes)
		memcpy(g->data + g->out_at, g->request.out, bytes);
}

/* Back to what a CALL without data finds, and does not set each time. */
static void request_reset(struct scheme_ring *g)
{
	struct scheme_request *r = &g->request;

	g->message.request.op = OP_CALL;
	g->message.request.flags = 0;
	g->message.in_bytes = g->message.out_bytes = 0;
	g->message.offset = 0;
	r->in_here = r->in_bytes = r->out_room = r->out_max = r->out_bytes = 0;
	r->reply_flags = 0;
	r->is_put = false;
	r->is_nonblock = g->message.open_flags & OPEN_NONBLOCK;
	g->in[0] = 0;
}

static int64_t call_run(struct scheme_ring *g, const struct request *q)
{
	struct scheme_request *r = &g->request;
	err_t err = call_data_set(g, q);

	if (err)
		return err;
	g->in[r->in_here] = 0;
	int64_t result = g->call(r, (uint32_t)q->arg[0], q->arg[5]);
	if (result >= 0)
		data_send(g, r->out_bytes);
	return result;
}

static int64_t other_run(struct scheme_ring *g, const struct request *q)
{
	struct scheme_request *r = &g->request;
	err_t err = data_set(g, q);

	if (err)
		return err;
	g->in[r->in_here] = 0;
	int64_t result = scheme_dispatch_open_thing(r);
	if (result > 0 && q->op == OP_READ && !r->is_put)
		data_send(g, (size_t)result);
	return result;
}

static void reply_or_keep(struct scheme_ring *g, int64_t result)
{
	if (UNLIKELY(g->request.reply_handle != HANDLE_NONE))
		reply_put(g, g->tag, handle_refused(g));
	else if (result != SCHEME_LATER)
		reply_put(g, g->tag, result);
}

/* Any request. */
static NOINLINE void request_run(struct scheme_ring *g, const struct request *slot)
{
	struct request q;
	int64_t result;

	ring_request_copy(&q, slot);
	g->tag = q.tag;
	if (q.op == RING_BARE_CALL)
		q = (struct request){ .op = OP_CALL, .arg = { q.arg[0], [5] = q.arg[5] } };
	g->message.request.op = q.op;
	g->message.request.flags = q.flags;
	if (q.flags & REQUEST_NONBLOCK)
		g->request.is_nonblock = true;
	if (q.flags & (REQUEST_LINK_HANDLE | REQUEST_LINK_ARG))
		result = ERR_INVAL;
	else
		result = q.op == OP_CALL ? call_run(g, &q) : other_run(g, &q);
	reply_or_keep(g, result);
	request_reset(g);
}

static bool is_bare_call(const struct request *slot) { return *(const uint64_t *)&slot->op == RING_BARE_CALL; }

/* Requests in a row as long as they are bare CALLs, which need nothing but the server's function; how many it was. While no request is kept
 * nobody else puts replies, so these lie in a row, too. */
static NOINLINE uint32_t bare_calls_run(struct scheme_ring *g, const struct request *first, struct reply *reply, uint32_t most)
{
	const struct request *slot = first, *end = first + most;
	struct scheme_request *r = &g->request;

	for (; slot != end && is_bare_call(slot); slot++, reply++) {
		uint32_t tag = ring_half(slot, offsetof(struct request, tag));
		g->tag = tag;
		int64_t result = g->call(r, ring_half(slot, offsetof(struct request, arg[0])), ring_word(slot, offsetof(struct request, arg[5])));
		if (UNLIKELY(r->reply_handle != HANDLE_NONE) || UNLIKELY(result == SCHEME_LATER)) {
			reply_or_keep(g, result);
			slot++;
			break;
		}
		reply->tag = tag;       /* and no handle: see ring_new */
		reply->result = result;
		g->replied++;
	}
	return (uint32_t)(slot - first);
}

/* Some requests; how many it was. */
static uint32_t some_run(struct scheme_ring *g, uint32_t most)
{
	uint32_t at = g->taken & g->mask, to = g->replied & g->mask, count = 0;

	if (!g->kept && is_bare_call(&g->requests[at]))
		count = bare_calls_run(g, &g->requests[at], &g->replies[to], MIN_OF(MIN_OF(most, (uint32_t)ROW_MAX), g->entries - MAX_OF(at, to)));
	/* (What was bare a moment ago may be so no more.) */
	if (count == 0) {
		request_run(g, &g->requests[at]);
		count = 1;
	}
	replies_show(g);
	return count;
}

uint32_t scheme_ring_run(struct scheme_ring *g)
{
	uint32_t count;

	if (g->is_broken || ring_count(&g->header->requests_put, g->taken, g->entries, &count)) {
		g->is_broken = true;
		client_wake(g);
		return 0;
	}
	count = MIN_OF(count, g->entries - g->kept);
	g->in[0] = 0;           /* it is the buffer of called requests, too */
	for (uint32_t left = count, n; left > 0; left -= n) {
		n = some_run(g, left);
		g->taken += n;
	}
	return count;
}

void scheme_ring_keep(struct scheme_request *r, struct scheme_deferred *d)
{
	struct scheme_ring *g = r->ring;

	d->ring = g;
	d->tag = g->tag;
	d->ring_in = g->in_at;
	d->ring_out = g->out_at;
	g->kept++;
}

void scheme_ring_answer(struct scheme_deferred *d, const struct scheme_answer *a)
{
	struct scheme_ring *g = d->ring;
	bool has_handle = a->handle != HANDLE_NONE;
	size_t bytes = a->result < 0 ? 0 : MIN_OF(a->bytes, d->out_max);

	if (has_handle && !(a->reply_flags & REPLY_COPY_HANDLE))
		g->scheme->area->close(a->handle);
	if (bytes)
		memcpy(g->data + d->ring_out, a->data, bytes);
	reply_put(g, (uint32_t)d->tag, has_handle ? ERR_OPNOTSUPP : a->result);
	replies_show(g);
}

/* ---- Sleep --------------------------------------------------------------------------------------------------------- */

static void awake_set(struct scheme_ring *g, bool is_awake)
{
	if (is_awake != g->is_awake)
		g->scheme->rings_awake += is_awake ? 1 : -1u;
	g->is_awake = is_awake;
	g->idle = 0;
}

/* Called, and done with what there was: the client may put more while we run. */
static void linger(struct scheme_ring *g)
{
	if (g->is_awake || g->is_broken)
		return;
	if (!g->patience && ++g->calls >= (uint32_t)CALLS_PER_TRY << g->vain_tries) {
		g->patience = PATIENCE_FIRST;
		g->vain_tries = MIN_OF(g->vain_tries + 1, (uint32_t)VAIN_TRIES_MAX);
		g->calls = 0;
	}
	if (g->patience) {
		ring_stay_awake(g->header);
		awake_set(g, true);
	}
}

void scheme_ring_turn(struct scheme_ring *g)
{
	if (scheme_ring_run(g)) {
		g->idle = 0;
		g->vain_tries = 0;
		g->patience = MIN_OF(g->patience * 2, (uint32_t)PATIENCE_MAX);
		return;
	}
	if (++g->idle <= g->patience && !g->is_broken)
		return;
	g->patience /= 2;
	ring_fall_asleep(g->header);
	if (scheme_ring_run(g)) {
		ring_stay_awake(g->header);
		g->idle = 0;
	} else {
		awake_set(g, false);
	}
}

bool scheme_rings_cancel_wait(struct scheme *s, uint32_t tag)
{
	struct scheme_ring *g;

	if (s->ring_count && tag)
		list_each(g, &s->rings, link)
			if (g->wait_tag == tag) {
				g->wait_tag = 0;
				return true;
			}
	return false;
}

/* ---- The protocol -------------------------------------------------------------------------------------------------- */

static void ring_free(struct scheme_ring *g)
{
	g->scheme->area->unmap(g->header, g->bytes);
	heap_delete(g);
}

void scheme_ring_let_go(struct scheme_ring *g)
{
	if (--g->kept == 0 && g->is_ended)
		ring_free(g);
}

static void tell_clear(struct scheme_ring *g)
{
	if (g->has_told)
		g->scheme->area->notify(g->scheme, g->message.id, 0, READY_PRIORITY);
	g->has_told = false;
}

static void ring_end(struct scheme_ring *g)
{
	awake_set(g, false);
	list_remove(&g->link);
	g->scheme->ring_count--;
	g->is_ended = true;
	client_wake(g);
	tell_clear(g);
	if (!g->kept)
		ring_free(g);
}

void scheme_ring_end(struct scheme *s, uint64_t id)
{
	struct scheme_ring *g = ring_find(s, id);

	if (g)
		ring_end(g);
}

static void cancel_kept(struct scheme_ring *g)
{
	struct scheme_deferred *d, *next;

	list_each_safe(d, next, &g->scheme->deferred, link)
		if (d->ring == g)
			g->scheme->ops->cancel(d);
}

static struct scheme_ring *ring_new(struct scheme_request *r, uint32_t entries, void *base, size_t bytes)
{
	struct scheme_ring *g = heap_new(struct scheme_ring);

	if (!g)
		return NULL;
	*g = (struct scheme_ring){
		.scheme = r->scheme, .user = r->message->sender.uid, .header = base, .requests = (const void *)((char *)base + sizeof(struct ring_header)),
		.replies = (void *)((char *)base + ring_replies_offset(entries)), .data = (uint8_t *)base + ring_data_offset(entries),
		.bytes = bytes, .data_bytes = bytes - ring_data_offset(entries), .in = (uint8_t *)r->in, .out = r->out,
		.entries = entries, .mask = entries - 1, .call = r->scheme->ops->call ? r->scheme->ops->call : no_call,
		.patience = PATIENCE_FIRST,
		.message = { .id = r->id, .sender = SENDER_NOBODY, .open_flags = r->message->open_flags, .handle = HANDLE_NONE,
		             .request.handle = HANDLE_NONE },
		.request = { .scheme = r->scheme, .open = r->open, .id = r->id, .in = r->in, .out = r->out, .passed = HANDLE_NONE, .reply_handle = HANDLE_NONE },
	};
	for (uint32_t i = 0; i < entries; i++)
		g->replies[i].handle = HANDLE_NONE;
	g->request.message = &g->message;
	g->request.ring = g;
	request_reset(g);
	return g;
}

static bool may_have_more(const struct scheme *s, uint32_t user)
{
	struct scheme_ring *g;
	uint32_t of_user = 0;

	list_each(g, &s->rings, link)
		of_user += g->user == user;
	return s->ring_count < SCHEME_RINGS_MAX && (user == 0 || of_user < SCHEME_RINGS_PER_USER);
}

static int64_t ring_open(struct scheme_request *r, uint64_t entries)
{
	struct scheme_ring *old = ring_find(r->scheme, r->id), *g;
	const struct scheme_area *area = r->scheme->area;
	size_t bytes;
	void *base;
	err_t err;

	if (entries && (!ring_entries_fit(entries, RING_BYTES_MAX) || r->passed == HANDLE_NONE))
		return ERR_INVAL;
	if (entries && old && old->kept)
		return ERR_BUSY;
	if (entries && !old && !may_have_more(r->scheme, r->message->sender.uid))
		return ERR_NFILE;
	if (entries) {
		if ((err = area->map(r->passed, (uint32_t)entries, &base, &bytes)))
			return err;
		if (!(g = ring_new(r, (uint32_t)entries, base, bytes))) {
			area->unmap(base, bytes);
			return ERR_NOMEM;
		}
		list_push_back(&r->scheme->rings, &g->link);
		r->scheme->ring_count++;
	}
	if (old) {
		cancel_kept(old);
		ring_end(old);
	}
	return OK;
}

static int64_t ring_wait(struct scheme_ring *g, uint32_t tag, uint64_t word)
{
	scheme_ring_run(g);
	if (UNLIKELY(g->is_broken))
		return ERR_PROTO;
	if (UNLIKELY((word & RING_TELL) == RING_TELL)) {
		if (g->replied == (uint32_t)word)
			tell_clear(g);
		g->tells = !g->has_told;
		g->tell_seen = (uint32_t)word;
		client_wake(g);
		return OK;
	}
	if (g->replied != (uint32_t)word || word & RING_NO_WAIT) {
		linger(g);
		return OK;
	}
	if (g->wait_tag)
		return ERR_BUSY;
	g->wait_tag = tag;
	g->wait_seen = (uint32_t)word;
	return SCHEME_LATER;
}

bool scheme_ring_enter(struct scheme *s, const struct message *m, struct scheme_answer *a)
{
	struct scheme_ring *g = ring_find(s, m->id);

	if (!g)
		return false;
	a->tag = m->request.tag;
	a->result = ring_wait(g, m->request.tag, m->request.arg[5]);
	a->is_due = a->result != SCHEME_LATER;
	return true;
}

static int64_t ring_cancel(struct scheme_request *r, struct scheme_ring *g, uint64_t tag)
{
	struct scheme_deferred *d;

	scheme_ring_run(g);
	list_each(d, &r->scheme->deferred, link)
		if (d->ring == g && d->tag == tag) {
			r->scheme->ops->cancel(d);
			return OK;
		}
	return ERR_SRCH;
}

int64_t scheme_ring_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct scheme_ring *g = ring_find(r->scheme, r->id);

	if (code == RING_OPEN)
		return ring_open(r, word);
	return g && code == RING_CANCEL ? ring_cancel(r, g, word) : ERR_CONNRESET;
}
