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

/* Turns of the server's loop without work before a ring falls asleep; and after how many calls it tries to stay awake again. */
enum { PATIENCE_FIRST = 4, PATIENCE_MAX = 64, CALLS_PER_TRY = 64 };

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

	*(uint64_t *)r = (uint64_t)(uint32_t)HANDLE_NONE << 32 | tag;
	r->result = result;
	g->replied = at + 1;
	ring_publish(&g->header->replies_put, at + 1);
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

/* A request whose data is elsewhere than in the request. */
static err_t data_set(struct scheme_ring *g, const struct request *q)
{
	uint32_t open_flags = g->message.open_flags;
	err_t err;

	switch (q->op) {
	case OP_READ:
		g->message.offset = (int64_t)q->arg[2] == -1 ? 0 : q->arg[2];
		return open_flags & (OPEN_READ | OPEN_EXEC) ? output_set(g, q->arg[0], q->arg[1]) : ERR_BADF;
	case OP_WRITE:
		g->message.offset = (int64_t)q->arg[2] == -1 ? 0 : q->arg[2];
		return open_flags & OPEN_WRITE ? input_set(g, q->arg[0], q->arg[1]) : ERR_BADF;
	case OP_CALL:
		if (q->arg[2] && (err = input_set(g, q->arg[1], q->arg[2])))
			return err;
		return q->arg[4] ? output_set(g, q->arg[3], q->arg[4]) : OK;
	case OP_SEEK:
		return q->arg[1] == SEEK_FROM_END ? OK : ERR_INVAL;
	default:
		return ERR_OPNOTSUPP;
	}
}

/* Sends the data of an answer; what to reply. Requests with a handle in the answer had to be called. */
static int64_t result_of(struct scheme_ring *g, int64_t result)
{
	struct scheme_request *r = &g->request;
	uint32_t op = g->message.request.op;

	if (r->reply_handle != HANDLE_NONE) {
		if (!(r->reply_flags & REPLY_COPY_HANDLE))
			g->scheme->area->close(r->reply_handle);
		return ERR_OPNOTSUPP;
	}
	size_t bytes = result < 0 ? 0 : op == OP_CALL ? r->out_bytes : op == OP_READ && !r->is_put ? (size_t)result : 0;
	ASSERT(bytes <= r->out_room);
	if (bytes)
		memcpy(g->data + g->out_at, r->out, bytes);
	return result;
}

/* Back to what a CALL without data finds, and does not set each time. */
static void request_reset(struct scheme_ring *g)
{
	struct scheme_request *r = &g->request;

	g->message.request = (struct request){ .op = OP_CALL, .handle = HANDLE_NONE };
	g->message.in_bytes = g->message.out_bytes = 0;
	g->message.offset = 0;
	r->in_here = r->in_bytes = r->out_room = r->out_max = r->out_bytes = 0;
	r->reply_handle = HANDLE_NONE;
	r->reply_flags = 0;
	r->is_put = false;
	r->is_nonblock = g->message.open_flags & OPEN_NONBLOCK;
	g->in[0] = 0;
}

static int64_t request_with_data(struct scheme_ring *g, const struct request *slot)
{
	struct request *q = &g->message.request;
	struct scheme_request *r = &g->request;
	int64_t result;

	ring_request_copy(q, slot);
	g->tag = q->tag;
	q->handle = HANDLE_NONE;
	q->tag = 0;                     /* no request of the kernel's has it */
	result = q->flags & (REQUEST_LINK_HANDLE | REQUEST_LINK_ARG) ? ERR_INVAL : data_set(g, q);
	if (result == OK) {
		r->is_nonblock |= (q->flags & REQUEST_NONBLOCK) != 0;
		g->in[r->in_here] = 0;
		result = scheme_dispatch_open_thing(r);
	}
	if (result != SCHEME_LATER)
		result = result_of(g, result);
	request_reset(g);
	return result;
}

/* The request at slot; what to reply, under g->tag. Most are CALLs of the server's own without data and flags. */
static ALWAYS_INLINE int64_t request_run(struct scheme_ring *g, const struct request *slot)
{
	struct scheme_request *r = &g->request;
	uint64_t code = ring_word(slot, offsetof(struct request, arg[0]));
	uint64_t bytes = ring_word(slot, offsetof(struct request, arg[2])) | ring_word(slot, offsetof(struct request, arg[4]));

	/* (Little endian: op is the lower half, flags the upper.) */
	if (UNLIKELY(ring_word(slot, offsetof(struct request, op)) != OP_CALL || bytes || scheme_ring_is_code((uint32_t)code)))
		return request_with_data(g, slot);
	g->tag = (uint32_t)(ring_word(slot, offsetof(struct request, handle)) >> 32);
	int64_t result = g->call(r, (uint32_t)code, ring_word(slot, offsetof(struct request, arg[5])));
	if (UNLIKELY(r->reply_handle != HANDLE_NONE)) {
		result = result_of(g, result);
		request_reset(g);
	}
	return result;
}

uint32_t scheme_ring_run(struct scheme_ring *g)
{
	uint32_t count;

	if (g->is_broken || ring_count(&g->header->requests_put, g->taken, g->entries, &count)) {
		g->is_broken = true;
		return 0;
	}
	count = MIN_OF(count, g->entries - g->kept);
	for (uint32_t n = count; n > 0; n--) {
		int64_t result = request_run(g, &g->requests[g->taken++ & g->mask]);
		if (LIKELY(result != SCHEME_LATER))
			reply_put(g, g->tag, result);
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
	if (!g->patience && ++g->calls % CALLS_PER_TRY == 0)
		g->patience = PATIENCE_FIRST;
	if (g->patience) {
		ring_stay_awake(g->header);
		awake_set(g, true);
	}
}

void scheme_ring_turn(struct scheme_ring *g)
{
	if (scheme_ring_run(g)) {
		g->idle = 0;
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

uint32_t scheme_ring_due(struct scheme_ring *g, int64_t *result)
{
	uint32_t tag = g->wait_tag;

	if (!tag || (g->replied == g->wait_seen && !g->is_broken && !g->is_ended))
		return 0;
	g->wait_tag = 0;
	*result = g->is_ended ? ERR_CONNRESET : g->is_broken ? ERR_PROTO : OK;
	return tag;
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

static void ring_end(struct scheme_ring *g)
{
	awake_set(g, false);
	list_remove(&g->link);
	g->scheme->ring_count--;
	g->is_ended = true;
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
		.scheme = r->scheme, .header = base, .requests = (const void *)((char *)base + sizeof(struct ring_header)),
		.replies = (void *)((char *)base + ring_replies_offset(entries)), .data = (uint8_t *)base + ring_data_offset(entries),
		.bytes = bytes, .data_bytes = bytes - ring_data_offset(entries), .in = (uint8_t *)r->in, .out = r->out, .entries = entries, .mask = entries - 1, .call = r->scheme->ops->call ? r->scheme->ops->call : no_call,
		.patience = PATIENCE_FIRST,
		.message = { .id = r->id, .sender = r->message->sender, .open_flags = r->message->open_flags, .handle = HANDLE_NONE },
		.request = { .scheme = r->scheme, .open = r->open, .id = r->id, .in = r->in, .out = r->out, .passed = HANDLE_NONE },
	};
	g->request.message = &g->message;
	g->request.ring = g;
	request_reset(g);
	return g;
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
	if (entries && !old && r->scheme->ring_count == SCHEME_RINGS_MAX)
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

static int64_t ring_wait(struct scheme_request *r, struct scheme_ring *g, uint64_t word)
{
	scheme_ring_run(g);
	if (g->is_broken)
		return ERR_PROTO;
	if (g->replied != (uint32_t)word || word & RING_NO_WAIT) {
		linger(g);
		return OK;
	}
	if (g->wait_tag)
		return ERR_BUSY;
	g->wait_tag = r->message->request.tag;
	g->wait_seen = (uint32_t)word;
	return SCHEME_LATER;
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

	if (r->ring)
		return ERR_INVAL;       /* a ring is not entered from within */
	if (code == RING_OPEN)
		return ring_open(r, word);
	if (!g)
		return ERR_CONNRESET;
	return code == RING_WAIT ? ring_wait(r, g, word) : ring_cancel(r, g, word);
}
