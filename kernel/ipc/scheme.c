/* kernel/ipc/scheme.c - the endpoint: tags, open ids, who serves it; and what a server asks beside receive and reply. */
#include "abi/proto/dma.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/mem/heap.h"
#include "kernel/scheme/mem.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

/* ---- tags of requests under way, and their cancels ---- */

err_t scheme_slots_grow(struct scheme *s)
{
	uint32_t count = s->slot_count ? s->slot_count * 2 : CALL_SLOTS_FIRST;

	if (count > CALL_SLOTS_MAX)
		return ERR_AGAIN;
	struct call_slot *slots = heap_grow(s->slots, s->slot_count * sizeof(*slots), count * sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	for (uint32_t i = s->slot_count; i < count; i++)
		slots[i] = (struct call_slot){ .tag = SLOT_GENERATION | i, .next = (uint16_t)(i + 1 < count ? i + 1 : NO_SLOT) };
	s->first_free = s->slot_count ? (uint16_t)s->slot_count : 1;
	s->slots = slots;
	s->slot_count = count;
	return OK;
}

void scheme_rouse(struct scheme *s)
{
	struct resource *endpoint;

	s->waiting++;
	if (s->receivers)
		thread_wake(s->receivers->thread);
	list_each(endpoint, &s->endpoints, link)
		resource_notify(endpoint, READY_READ);
}

void scheme_cancel(struct scheme *s, struct call *c)
{
	struct call_slot *slot = &s->slots[c->message.request.tag & 0xffff];

	slot->is_cancelled = true;
	slot->next = s->first_cancel;
	s->first_cancel = c->message.request.tag & 0xffff;
	scheme_rouse(s);
}

/* Its tag; 0: there is none. The slot is free for others now, if the call has ended. */
static uint32_t take_cancel(struct scheme *s) REQUIRES(&s->lock)
{
	uint32_t i = s->first_cancel;

	if (i == NO_SLOT)
		return 0;
	struct call_slot *slot = &s->slots[i];
	uint32_t tag = slot->tag;
	s->first_cancel = slot->next;
	slot->is_cancelled = false;
	s->waiting--;
	if (!slot->call)
		scheme_slot_free(s, slot);
	return tag;
}

bool scheme_next_note(struct scheme *s, struct message *m)
{
	uint32_t tag = take_cancel(s);

	*m = (struct message){ .request = { .tag = tag, .handle = HANDLE_NONE }, .kind = MESSAGE_CANCEL, .handle = HANDLE_NONE };
	if (tag || list_is_empty(&s->closes))
		return tag != 0;
	struct remote *closed = list_first(&s->closes, struct remote, hash_link);
	list_remove(&closed->hash_link);
	s->waiting--;
	m->kind = MESSAGE_CLOSE;
	m->request.handle = (handle_t)closed->number;
	m->id = closed->id;
	heap_delete(closed);
	return true;
}

/* ---- open ids ---- */

static struct list_node *bucket_of(struct scheme *s, uint64_t id)
{
	return &s->buckets[(id * 0x9e3779b97f4a7c15ull) >> 32 & (s->bucket_count - 1)];
}

static struct remote *find_remote(struct scheme *s, uint64_t number, uint64_t id) REQUIRES(&s->lock)
{
	struct remote *m;

	if (s->bucket_count)
		list_each(m, bucket_of(s, id), hash_link)
			if (m->id == id && m->number == number)
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

err_t scheme_add_opened(struct scheme *s, struct call *c)
{
	struct remote *m = c->opening;
	err_t err = OK;

	if (c->result <= 0 || c->reply_flags & REPLY_FORWARD)
		return OK;
	if (s->remote_count >= s->bucket_count)
		err = buckets_grow(s);
	if (!err && find_remote(s, m->number, (uint64_t)c->result))
		err = ERR_PROTO;
	if (err) {
		c->result = err;
		return err;
	}
	m->id = (uint64_t)c->result;
	m->notifies = c->reply_flags & REPLY_NOTIFIES;
	m->closes_lazily = c->reply_flags & REPLY_LAZY_CLOSE && m->number == 0;
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
	return s->waiting ? READY_READ : 0;     /* who is told later looks again */
}

static void endpoint_destroy(struct resource *r)
{
	struct scheme *s = r->data;

	spin_lock(&s->lock);
	list_remove(&r->link);
	spin_unlock(&s->lock);
	if (r != s->endpoint) {
		resource_put(s->endpoint);
		return;
	}
	/* Every open resource and every request holds a reference, so only closes can be left. */
	while (!list_is_empty(&s->closes)) {
		struct remote *m = list_first(&s->closes, struct remote, hash_link);
		list_remove(&m->hash_link);
		heap_delete(m);
	}
	if (s->server) {
		struct process *p = s->server;
		spin_lock(&p->lock);
		list_remove(&s->served_link);
		spin_unlock(&p->lock);
		process_put(p);
	}
	resource_put(s->events);
	heap_free(s->slots, s->slot_count * sizeof(*s->slots));
	heap_free(s->buckets, s->bucket_count * sizeof(*s->buckets));
}

/* Without a server: what the last had taken is given to the next, or fails like what waits, as the flags say. */
static void orphans_settle(struct scheme *s) REQUIRES(&s->lock)
{
	for (uint32_t i = 0; i < s->slot_count; i++) {
		struct call *c = s->slots[i].call;
		if (c && c->state == CALL_TAKEN && s->flags & SCHEME_REDELIVER) {
			call_finish(s, c, CALL_QUEUED);
			c->cancel_asked = false;
			if (call_slot_take(s, c) == OK)
				list_push_front(&s->queue, &c->link);
			s->waiting++;
		} else if (c && (c->state == CALL_TAKEN || s->flags & SCHEME_FAIL_WITHOUT_SERVER)) {
			c->result = scheme_absence(s);
			call_finish_and_wake(s, c, CALL_DONE);
		}
	}
}

static err_t set_flags(struct scheme *s, uint64_t flags)
{
	if (flags & ~(uint64_t)SCHEME_FLAGS)
		return ERR_INVAL;
	spin_lock(&s->lock);
	s->flags = (uint32_t)flags;
	s->served_once = true;
	if (!s->server)
		orphans_settle(s);
	spin_unlock(&s->lock);
	return OK;
}

static err_t give_events(struct scheme *s, struct passed *out)
{
	TRY(scheme_become_server(s));
	TRY(event_create_for_server(out));
	spin_lock(&s->lock);
	struct resource *old = s->events;
	s->events = resource_get(out->resource);
	spin_unlock(&s->lock);
	resource_put(old);
	return OK;
}

static int64_t endpoint_call(struct resource *r, struct call_args *a)
{
	struct scheme *s = r->data;

	if (!(a->rights & RIGHT_SERVE))
		return ERR_ACCES;
	switch (a->code) {
	case ENDPOINT_SET:
		return set_flags(s, a->word);
	case ENDPOINT_NUMBER:
		return a->passed.resource && scheme_of(a->passed.resource) != s ? ERR_XDEV : (int64_t)r->id;
	case ENDPOINT_EVENTS:
		return give_events(s, &a->reply);
	default:
		return ERR_NOTTY;
	}
}

const struct resource_ops endpoint_ops = {
	.name = "endpoint", .data_bytes = sizeof(struct scheme), .open = endpoint_open, .call = endpoint_call, .ready = endpoint_ready,
	.destroy = endpoint_destroy,
};

bool scheme_is_endpoint(struct resource *r) { return r->ops == &endpoint_ops; }

err_t scheme_create(struct resource *beside, uint32_t scheme_flags, struct resource **out)
{
	struct scheme *group = beside ? scheme_of(beside) : NULL;

	if (beside && !group)
		return ERR_NOTTY;
	if (group ? scheme_flags != group->flags : scheme_flags & ~(uint32_t)SCHEME_FLAGS)
		return ERR_INVAL;
	TRY(resource_create(&endpoint_ops, NULL, 0, out));
	if (group) {
		resource_get(group->endpoint);
		(*out)->data = group;
	} else {
		group = (*out)->data;
		spin_init(&group->lock, RANK_SCHEME);
		list_init(&group->endpoints);
		list_init(&group->served_link);
		list_init(&group->queue);
		list_init(&group->closes);
		group->flags = scheme_flags;
		group->first_free = group->first_cancel = NO_SLOT;
		group->endpoint = *out;
	}
	spin_lock(&group->lock);
	(*out)->id = group->endpoint_count++;
	list_push_back(&group->endpoints, &(*out)->link);
	spin_unlock(&group->lock);
	return OK;
}

/* ---- who serves ---- */

err_t scheme_become_server(struct scheme *s)
{
	struct process *p = process_current();
	err_t err = OK;

	spin_lock(&p->lock);
	spin_lock(&s->lock);
	if (s->server && s->server != p) {
		err = ERR_BUSY;
	} else if (!s->server) {
		s->server = process_get(p);
		s->served_once = true;
		list_push_back(&p->served, &s->served_link);
	}
	spin_unlock(&s->lock);
	spin_unlock(&p->lock);
	return err;
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
		struct resource *events = NULL;
		list_remove(&s->served_link);
		if (alive) {
			spin_lock(&s->lock);
			s->server = NULL;
			events = s->events;
			s->events = NULL;
			while (take_cancel(s))
				;
			orphans_settle(s);
			spin_unlock(&s->lock);
		}
		spin_unlock(&p->lock);
		if (!alive)
			continue;       /* the reference to p is endpoint_destroy's, which is waiting for p's lock */
		resource_put(events);
		process_put(p);
		resource_put(endpoint);
	}
}

/* ---- what a server asks ---- */

/* COPY_GROUPS: they do not fit into every message, and few servers ask. */
static void cred_get(struct process *sender, struct task_cred *out)
{
	spin_lock(&sender->lock);
	*out = sender->cred;
	spin_unlock(&sender->lock);
}

/* COPY_KEEP: the client's pages for a device, which may get to them as long as the keeper holds on to them, whatever the client does. */
static err_t copy_keep(struct call *c, uint64_t address, uint64_t bytes, bool write, const struct request *q, size_t *done)
{
	struct process *p = process_current();
	struct dma_piece piece = { .bytes = 0 };
	struct resource *keeper;

	TRY(handle_find(&p->handles, (handle_t)(q->arg[1] >> 32), RIGHT_CALL, &keeper, NULL));
	struct memobj *m = memobj_of(keeper);
	err_t err = p->sender.uid != 0 ? ERR_PERM : !m || (address | bytes) & PAGE_MASK || q->arg[5] >> 48 ? ERR_INVAL : OK;
	for (uint64_t to = q->arg[3]; !err && *done < bytes; to += sizeof(piece), *done += piece.bytes) {
		piece.bytes = bytes - *done;
		if (!(err = memobj_keep(m, q->arg[5] + (*done >> PAGE_SHIFT), NULL, c->space, address + *done, write, &piece)))
			err = copy_to_user(uaddr(to), &piece, sizeof(piece));
	}
	c->has_kept |= *done > 0;       /* who keeps nothing holds up nobody */
	resource_put(keeper);
	return err;
}

int64_t scheme_copy(struct resource *endpoint, struct request *q)
{
	uint32_t tag = (uint32_t)q->arg[0], copy_flags = (uint32_t)q->arg[1];
	uaddr_t buffer = uaddr(q->arg[3]);
	struct scheme *s = endpoint->data;
	struct process *p = process_current();
	struct task_cred cred;
	bool to_client = copy_flags & COPY_TO_CLIENT;
	size_t done = 0;
	err_t err;

	spin_lock(&s->lock);
	struct call *c = call_find(s, tag);
	err = !c ? ERR_SRCH : c->state == CALL_BUSY ? ERR_BUSY : c->kernel_out ? ERR_INVAL : OK;
	if (!err)
		c->state = CALL_BUSY;
	spin_unlock(&s->lock);
	if (err)
		return err;

	uint64_t limit = to_client ? c->message.out_bytes : c->message.in_bytes;
	uint64_t offset = MIN_OF(q->arg[2], limit), bytes = MIN_OF(q->arg[4], limit - offset);
	uint64_t remote = (to_client ? c->out.raw : c->in.raw) + offset;
	if (copy_flags & COPY_GROUPS)
		cred_get(c->client->process, &cred);
	else if (copy_flags & COPY_KEEP)
		err = copy_keep(c, remote, bytes, to_client, q, &done);
	else if (bytes)
		err = to_client ? space_copy(c->space, remote, p->space, buffer.raw, bytes, false, &done)
		                : space_copy(p->space, buffer.raw, c->space, remote, bytes, false, &done);
	spin_lock(&s->lock);
	c->state = CALL_TAKEN;
	if (err == ERR_AGAIN) {
		call_finish_and_wake(s, c, CALL_WITHDRAWN);
		err = ERR_CANCELED;
	} else if (atomic_load(&c->client->attention) & ATTENTION_KILL) {
		thread_wake(c->client);
	}
	spin_unlock(&s->lock);
	if (copy_flags & COPY_GROUPS) {
		done = MIN_OF(q->arg[4], cred.groups_count * sizeof(cred.groups[0]));
		err = copy_to_user(buffer, cred.groups, done);
	}
	return err ? err : (int64_t)done;
}

int64_t scheme_notify(struct resource *endpoint, struct request *q)
{
	uint32_t ready = (uint32_t)q->arg[1], mask = (uint32_t)q->arg[2];
	struct scheme *s = endpoint->data;
	struct resource *r = NULL;
	int64_t result = OK;

	if (s->server != process_current())
		return ERR_ACCES;
	spin_lock(&s->lock);
	struct remote *m = find_remote(s, endpoint->id, q->arg[0]);
	if (m) {
		uint32_t now = (m->ready & ~mask) | (ready & mask);
		atomic_store_explicit((_Atomic uint32_t *)&m->ready, now, memory_order_release);
		r = object_try_get(&m->resource->object) ? m->resource : NULL;
		m->closes_lazily &= !(mask & NOTIFY_CLOSE_SOON);
	} else if ((result = s->lazy_close == q->arg[0] && !endpoint->id ? 1 : ERR_SRCH) > 0) {
		s->lazy_close = 0;
	}
	spin_unlock(&s->lock);
	if (r)
		resource_notify(r, ready & mask);
	resource_put(r);
	return result;
}
