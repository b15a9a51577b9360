/* kernel/obj/resource.c - what is the same for the resources of every scheme: offsets, flags, missing functions. */
#include "kernel/obj/resource.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

err_t resource_create(const struct resource_ops *ops, void *data, uint32_t open_flags, struct resource **out)
{
	struct resource *r = heap_alloc(sizeof(*r) + ops->data_bytes);
	if (!r) {
		struct resource gone = { .ops = ops, .data = data, .link = LIST_INIT(gone.link) };
		if (data && ops->destroy)
			ops->destroy(&gone);
		return ERR_NOMEM;
	}
	object_init(&r->object);
	r->ops = ops;
	r->data = ops->data_bytes ? r + 1 : data;
	spin_init(&r->lock, RANK_RESOURCE);
	atomic_store(&r->open_flags, open_flags);
	spin_init(&r->watch.lock, RANK_WATCH);
	list_init(&r->watch.watchers);
	list_init(&r->link);
	*out = r;
	return OK;
}

void resource_destroy(struct resource *r)
{
	watch_end(&r->watch);
	if (r->ops->destroy)
		r->ops->destroy(r);
	heap_free(r, sizeof(*r) + r->ops->data_bytes);
}

void *resource_data(struct resource *r, const struct resource_ops *ops) { return r && r->ops == ops ? r->data : NULL; }

uint32_t resource_ready(struct resource *r) { return r->ops->ready ? r->ops->ready(r) : READY_READ | READY_WRITE; }

/* Many may do so at once, and none gets another's bytes: a write takes its place beforehand, and a read that was overtaken is done again. */
static int64_t transfer_at_own_offset(struct resource *r, struct transfer *t, int64_t (*fn)(struct resource *, struct transfer *))
{
	bool appends = t->is_write && t->open_flags & OPEN_APPEND, is_ours;
	uint64_t taken = t->is_write && !appends ? t->bytes : 0, start;
	int64_t done;

	spin_lock(&r->lock);
	do {
		start = r->offset;
		t->offset = start;
		r->offset = start + taken;
		spin_unlock(&r->lock);
		done = fn(r, t);
		spin_lock(&r->lock);
		is_ours = r->offset == start + taken;
	} while (UNLIKELY(!is_ours && !t->is_write && done > 0));
	if (is_ours || appends)
		r->offset = done > 0 ? t->offset + (uint64_t)done : start;
	spin_unlock(&r->lock);
	return done;
}

int64_t resource_transfer(struct resource *r, bool is_write, const struct request *q, uint32_t more_flags)
{
	int64_t (*fn)(struct resource *, struct transfer *) = is_write ? r->ops->write : r->ops->read;
	int64_t offset = (int64_t)q->arg[2];
	struct transfer t = {
		.buffer = uaddr(q->arg[0]), .bytes = q->arg[1], .request_flags = q->flags | more_flags, .is_write = is_write,
		.open_flags = atomic_load(&r->open_flags), .at_own_offset = offset == -1,
	};

	if (!fn || offset < -1)
		return ERR_INVAL;
	if (!user_range_is_valid(t.buffer.raw, t.bytes))
		return ERR_FAULT;
	if (t.request_flags & REQUEST_NONBLOCK)
		t.open_flags |= OPEN_NONBLOCK;
	if (!r->ops->length && !t.at_own_offset)
		return ERR_SPIPE;
	t.offset = t.at_own_offset ? 0 : (uint64_t)offset;
	if (!r->ops->length || !t.at_own_offset)
		return fn(r, &t);
	return transfer_at_own_offset(r, &t, fn);
}

int64_t resource_seek(struct resource *r, int64_t offset, uint32_t whence)
{
	int64_t end = 0;

	if (atomic_load(&r->open_flags) & OPEN_PATH)
		return ERR_BADF;
	if (!r->ops->length)
		return ERR_SPIPE;
	if (whence == SEEK_FROM_END && (end = r->ops->length(r)) < 0)
		return end;
	if (whence > SEEK_FROM_END)
		return ERR_INVAL;
	spin_lock(&r->lock);
	int64_t base = whence == SEEK_FROM_HERE ? (int64_t)r->offset : end;
	int64_t result;
	if (__builtin_add_overflow(base, offset, &result))
		result = ERR_OVERFLOW;
	else if (result < 0)
		result = ERR_INVAL;
	else
		r->offset = (uint64_t)result;
	spin_unlock(&r->lock);
	return result;
}

int64_t transfer_bytes(const struct transfer *t, const void *from, size_t bytes)
{
	size_t left = t->offset < bytes ? bytes - t->offset : 0;

	left = MIN_OF(left, t->bytes);
	TRY(copy_to_user(t->buffer, (const char *)from + t->offset, left));
	return (int64_t)left;
}

err_t call_in(const struct call_args *a, void *to, size_t bytes)
{
	if (a->in_bytes < bytes)
		return ERR_INVAL;
	return copy_from_user(to, a->in, bytes);
}

err_t call_out(const struct call_args *a, const void *from, size_t bytes)
{
	if (a->out_bytes < bytes)
		return ERR_INVAL;
	return copy_to_user(a->out, from, bytes);
}
