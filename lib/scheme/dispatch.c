/* lib/scheme/dispatch.c - from a message to the server's function, and from its result to an answer. No system calls. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/scheme/ring.h"

static void dispatch_cancel(struct scheme *s, uint64_t tag, struct scheme_answer *a)
{
	struct scheme_deferred *d;

	if ((a->is_due = scheme_rings_cancel_wait(s, (uint32_t)tag))) {
		a->tag = tag;
		a->result = ERR_INTR;
		return;
	}

	/* One that was answered meanwhile is not on the list: nothing to do. */
	list_each(d, &s->deferred, link)
		if (d->tag == tag && !d->ring) {
			if (s->ops->cancel)
				s->ops->cancel(d);
			return;
		}
}

/* Requests kept on it are of clients that were killed: nobody waits for an answer any more. */
static void cancel_all(struct scheme *s, uint64_t id)
{
	struct scheme_deferred *d, *next;

	list_each_safe(d, next, &s->deferred, link)
		if (d->id == id && s->ops->cancel)
			s->ops->cancel(d);
}

static void dispatch_close(struct scheme *s, uint64_t id)
{
	cancel_all(s, id);
	scheme_ring_end(s, id);
	void *open = ids_remove(&s->ids, id);

	if (open && s->ops->close)
		s->ops->close(s, open);
	else if (!open && s->ops->forget)
		s->ops->forget(s, id);
}

void scheme_dispatch_lazy_close(struct scheme *s, const struct message *m)
{
	if (m->kind == MESSAGE_REQUEST && m->request.arg[2] != 0)
		dispatch_close(s, m->request.arg[2]);
}

static void request_init(struct scheme_request *r, struct scheme *s, const struct message *m, uint8_t *in, uint8_t *out)
{
	*r = (struct scheme_request){
		.scheme = s, .message = m, .open = ids_find(&s->ids, m->id), .id = m->id,
		.is_nonblock = (m->request.flags & REQUEST_NONBLOCK) || (m->open_flags & OPEN_NONBLOCK),
		.in = in, .in_here = MIN_OF(m->copied_bytes, (uint32_t)SCHEME_BUFFER_BYTES), .in_bytes = m->in_bytes,
		.out = out, .out_room = MIN_OF(m->out_bytes, (uint32_t)SCHEME_BUFFER_BYTES), .out_max = m->out_bytes,
		.passed = m->handle, .reply_handle = HANDLE_NONE,
	};
	in[r->in_here] = 0;
}

static int64_t dispatch_open(struct scheme_request *r)
{
	const struct message *m = r->message;

	if (!r->scheme->ops->open)
		return ERR_OPNOTSUPP;
	if (r->in_here < r->in_bytes)
		return ERR_NAMETOOLONG;
	return r->scheme->ops->open(r, (const char *)r->in, r->in_here, (uint32_t)m->request.arg[4], (uint32_t)m->request.arg[5]);
}

static int64_t dispatch_call(struct scheme_request *r)
{
	const struct message *m = r->message;

	if (!r->ring && scheme_ring_is_code((uint32_t)m->request.arg[0]))
		return !r->scheme->area || r->scheme->ops->needs_sender ? ERR_NOTTY : scheme_ring_call(r, (uint32_t)m->request.arg[0], m->request.arg[5]);
	if (!r->scheme->ops->call)
		return ERR_NOTTY;
	if (m->handle == HANDLE_NONE && m->offset != 0)
		r->passed_open = ids_find(&r->scheme->ids, m->offset);
	return r->scheme->ops->call(r, (uint32_t)m->request.arg[0], m->request.arg[5]);
}

/* A number of an instance before us, which took with it what it meant, unless the server can tell. */
static err_t revive(struct scheme_request *r)
{
	const struct scheme_ops *ops = r->scheme->ops;
	err_t err;

	if (!ops->revive)
		return ERR_CONNRESET;
	if ((err = ops->revive(r)))
		return err;
	ASSERT(r->opened);
	if ((err = ids_adopt(&r->scheme->ids, r->id, r->opened))) {
		if (ops->close)
			ops->close(r->scheme, r->opened);
		return err;
	}
	if (ops->opened)
		ops->opened(r->scheme, r->opened, r->id);
	r->open = r->opened;
	r->opened = NULL;
	r->reply_flags = 0;
	return OK;
}

int64_t scheme_dispatch_open_thing(struct scheme_request *r)
{
	const struct message *m = r->message;
	const struct scheme_ops *ops = r->scheme->ops;

	switch (m->request.op) {
	case OP_READ:
		return ops->read ? ops->read(r, m->out_bytes, m->offset) : ERR_INVAL;
	case OP_WRITE:
		return ops->write ? ops->write(r, m->in_bytes, m->offset) : ERR_INVAL;
	case OP_CALL:
		return dispatch_call(r);
	case OP_SEEK:
		return ops->length ? ops->length(r) : ERR_SPIPE;
	case OP_MAP:
		r->reply_flags = REPLY_HANDLE;
		return ops->map ? ops->map(r) : ERR_NODEV;
	default:
		return ERR_NOSYS;
	}
}

static int64_t dispatch_request(struct scheme_request *r)
{
	const struct message *m = r->message;
	err_t err;

	if (!r->open && m->id != 0 && (err = revive(r)))
		return err;
	if (m->request.op == OP_OPEN)
		return dispatch_open(r);
	return r->open ? scheme_dispatch_open_thing(r) : ERR_BADF;
}

/* The number for what OPEN opened. */
static int64_t opened_number(struct scheme_request *r, struct scheme_answer *a)
{
	err_t err;

	if (r->reply_flags & REPLY_FORWARD)
		return 0;
	ASSERT(r->opened);
	if ((err = ids_add(&r->scheme->ids, r->opened, &a->opened_id))) {
		if (r->scheme->ops->close)
			r->scheme->ops->close(r->scheme, r->opened);
		return err;
	}
	if (r->scheme->ops->named)
		r->scheme->ops->named(r->scheme, r->opened, a->opened_id);
	return (int64_t)a->opened_id;
}

static void answer_make(struct scheme_request *r, int64_t result, struct scheme_answer *a)
{
	uint32_t op = r->message->request.op;

	a->is_due = true;
	a->tag = r->message->request.tag;
	a->handle = r->reply_handle;
	if (op == OP_OPEN && result >= 0)
		result = opened_number(r, a);
	a->result = result;
	if (result < 0)
		return;
	a->reply_flags = r->reply_flags;
	a->data = r->out;
	if (op == OP_READ && !r->is_put)
		a->bytes = (size_t)result;
	else if (op == OP_CALL)
		a->bytes = r->out_bytes;
	ASSERT(a->bytes <= r->out_room);
}

void scheme_dispatch(struct scheme *s, const struct message *m, uint8_t *in, uint8_t *out, struct scheme_answer *a)
{
	struct scheme_request r;

	*a = (struct scheme_answer){ .handle = HANDLE_NONE, .unused = HANDLE_NONE };
	if (m->kind == MESSAGE_CANCEL) {
		dispatch_cancel(s, m->request.tag, a);
		return;
	}
	if (m->kind == MESSAGE_CLOSE) {
		dispatch_close(s, m->id);
		return;
	}
	if (m->request.op == OP_CALL && (uint32_t)m->request.arg[0] == RING_WAIT && scheme_ring_enter(s, m, a)) {
		a->unused = m->handle;
		return;
	}
	request_init(&r, s, m, in, out);
	int64_t result = dispatch_request(&r);
	a->unused = r.passed;
	if (result != SCHEME_LATER)
		answer_make(&r, result, a);
}

err_t scheme_in_struct(struct scheme_request *r, void *to, size_t bytes)
{
	if (bytes > r->in_here)
		return ERR_INVAL;
	memcpy(to, r->in, bytes);
	return OK;
}

err_t scheme_out(struct scheme_request *r, const void *from, size_t bytes)
{
	if (!range_fits(r->out_bytes, bytes, r->out_room))
		return ERR_INVAL;
	memcpy(r->out + r->out_bytes, from, bytes);
	r->out_bytes += bytes;
	return OK;
}

handle_t scheme_take_handle(struct scheme_request *r)
{
	handle_t h = r->passed;

	r->passed = HANDLE_NONE;
	return h;
}

int64_t scheme_defer(struct scheme_request *r, struct scheme_deferred *d)
{
	const struct message *m = r->message;

	ASSERT(r->scheme->ops->cancel);
	*d = (struct scheme_deferred){
		.scheme = r->scheme, .tag = m->request.tag, .id = m->id, .sender = m->sender, .op = m->request.op,
		.in_bytes = m->in_bytes, .out_max = m->out_bytes,
	};
	if (r->ring)
		scheme_ring_keep(r, d);
	list_push_back(&r->scheme->deferred, &d->link);
	return SCHEME_LATER;
}
