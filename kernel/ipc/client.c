/* kernel/ipc/client.c - the client's side of user schemes: what is done with an open resource becomes a request. */
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj.h"
#include "kernel/scheme/mem.h"
#include "lib/base/try.h"

/* ---- open resources of user schemes ---- */

static void remote_destroy(struct resource *r);

/* Asks and drops a handle that comes back. */
static int64_t ask(struct scheme *s, struct call *c, uint32_t request_flags)
{
	int64_t result = call_perform(s, c, request_flags);
	resource_put(c->reply.resource);
	return result;
}

static int64_t remote_transfer(struct resource *r, struct transfer *t)
{
	struct remote *m = remote_of(r);
	struct call c;

	call_begin(&c, t->is_write ? OP_WRITE : OP_READ, m->number, m->id, t->open_flags);
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
	int64_t result = ask(m->scheme, &c, t->request_flags);
	return result > (int64_t)bytes ? ERR_PROTO : result;
}

/* The id behind a passed resource of m's very endpoint; 0: it is another's. */
static uint64_t own_id(const struct remote *m, struct resource *r)
{
	return r->ops->destroy == remote_destroy && remote_of(r)->endpoint == m->endpoint ? remote_of(r)->id : 0;
}

static uint32_t rights_for(uint32_t open_flags)
{
	uint32_t rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND;
	if (open_flags & OPEN_PATH)
		return rights;
	if (open_flags & (OPEN_READ | OPEN_EXEC))
		rights |= RIGHT_READ | RIGHT_MAP | RIGHT_EXEC;
	if (open_flags & OPEN_WRITE)
		rights |= RIGHT_WRITE | RIGHT_MAP;
	return rights;
}

int64_t remote_call(struct resource *r, struct call_args *a)
{
	struct remote *m = remote_of(r);
	struct call c;

	if (a->request_flags & REQUEST_KERNEL)
		return ERR_NOTTY;
	if (a->in_bytes > INT32_MAX || a->out_bytes > INT32_MAX)
		return ERR_INVAL;
	/* Over a ring no handle's rights are checked: the one that opens it has all that the resource was opened with. */
	if (a->code == RING_OPEN && rights_for(atomic_load(&r->open_flags)) & ~a->rights & (RIGHT_READ | RIGHT_WRITE))
		return ERR_ACCES;
	call_begin_call(&c, m, a->code, a->in, a->in_bytes, a->out, a->out_bytes, a->word);
	/* Of a handle of its own the id says all. The caller's reference keeps it open meanwhile. */
	if (a->passed.resource && !(c.message.offset = own_id(m, a->passed.resource)))
		c.passed = a->passed;
	int64_t result = call_perform(m->scheme, &c, a->request_flags);
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
	return atomic_load_explicit((_Atomic uint32_t *)&m->ready, memory_order_acquire) | (m->notifies ? 0 : READY_READ | READY_WRITE);
}

static int64_t remote_length(struct resource *r)
{
	struct remote *m = remote_of(r);
	struct call c;

	call_begin_on(&c, m, OP_SEEK);
	c.message.request.arg[1] = SEEK_FROM_END;
	return ask(m->scheme, &c, 0);
}

static err_t remote_map(struct resource *r, struct memobj **out, uint32_t *max_prot)
{
	struct remote *m = remote_of(r);
	struct call c;

	call_begin_on(&c, m, OP_MAP);
	int64_t result = call_perform(m->scheme, &c, 0);
	struct memobj *object = memobj_of(c.reply.resource);
	if (result >= 0 && object) {
		*out = memobj_get(object);
		*max_prot = MAP_READ | MAP_EXEC | (c.reply.rights & RIGHT_WRITE ? MAP_WRITE : 0);
	}
	resource_put(c.reply.resource);
	return result < 0 ? (err_t)result : object ? OK : ERR_NODEV;
}

static struct memobj *remote_content(struct resource *r) { return remote_of(r)->content; }

static void remote_destroy(struct resource *r)
{
	struct remote *m = remote_of(r), kept = *m;
	struct scheme *s = m->scheme;

	spin_lock(&s->lock);
	if (m->id) {
		list_remove(&m->hash_link);
		s->remote_count--;
	}
	if (m->id && (!m->closes_lazily || s->lazy_close)) {
		list_push_back(&s->closes, &m->hash_link);
		scheme_rouse(s);
	} else {
		/* Without an id its OPEN failed: the server never heard of it. */
		s->lazy_close = m->id ? m->id : s->lazy_close;
		heap_delete(m);
	}
	spin_unlock(&s->lock);
	memobj_put(kept.content);
	resource_put(kept.endpoint);
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
	.open = remote_open, .map = content_map, .length = content_length, .content = remote_content, .destroy = remote_destroy,
};

/* What the server answered to OPEN becomes a resource. The id is known already: answering entered it. */
static err_t finish_open(struct remote *m, struct resource *r, struct call *c)
{
	struct memobj *content = c->reply_flags & REPLY_CONTENT ? memobj_of(c->reply.resource) : NULL;

	if (c->result <= 0 || (c->reply_flags & REPLY_CONTENT && !content))
		return ERR_PROTO;
	m->content = memobj_get(content);
	r->ops = content ? &content_ops : c->reply_flags & REPLY_SEEKABLE ? &seekable_ops : &stream_ops;
	return OK;
}

err_t client_open(struct resource *endpoint, uint64_t parent_id, const struct open_args *a, struct passed *out)
{
	struct scheme *s = scheme_of(endpoint);
	struct remote *m = heap_new(struct remote);
	struct resource *r;
	struct call c;

	if (!m)
		return ERR_NOMEM;
	m->scheme = s;
	m->number = (uint32_t)endpoint->id;
	m->endpoint = resource_get(endpoint);
	TRY(resource_create(&stream_ops, m, a->flags & ~(uint32_t)(OPEN_CLOEXEC | OPEN_PRIVATE), &r));
	m->resource = r;

	call_begin(&c, OP_OPEN, m->number, parent_id, a->flags);
	c.opening = m;
	c.message.request.arg[4] = a->flags;
	c.message.request.arg[5] = a->mode;
	c.in = a->ref;
	c.message.in_bytes = (uint32_t)a->ref_bytes;
	int64_t result = call_perform(s, &c, a->request_flags);
	bool is_forward = result >= 0 && c.reply_flags & REPLY_FORWARD;
	struct passed own = { .resource = r, .rights = rights_for(a->flags) }, opened = is_forward ? c.reply : own;
	err_t err = result < 0 ? (err_t)result : !is_forward ? finish_open(m, r, &c) : opened.resource ? OK : ERR_PROTO;
	resource_put(is_forward ? r : c.reply.resource);
	if (err)
		resource_put(opened.resource);
	else
		*out = opened;
	return err;
}

err_t scheme_ask_page(struct resource *endpoint, uint64_t id, uint64_t offset, void *page)
{
	struct call c;

	call_begin(&c, OP_READ, (uint32_t)endpoint->id, id, 0);
	c.message.offset = offset;
	c.message.out_bytes = PAGE_BYTES;
	c.message.request.arg[1] = PAGE_BYTES;
	c.kernel_out = page;
	int64_t result = ask(scheme_of(endpoint), &c, 0);
	return result >= 0 ? OK : result == ERR_INTR ? ERR_INTR : ERR_IO;
}
