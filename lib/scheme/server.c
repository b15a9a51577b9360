/* lib/scheme/server.c - the loop: receive, dispatch, reply and receive the next in one.
 *
 * Each round is a single system call, however many schemes and watches there are: endpoints of one group share what is received
 * (SCHEME), and the events of the queue that the kernel keeps for an endpoint (ENDPOINT_EVENTS) come as messages, several in one.
 * Rare: an endpoint of another group is watched, and served in turns when something waits there.
 */
#include "abi/proto/init.h"
#include "abi/proto/kernel.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/startup.h"
#include "lib/scheme/ring.h"

/* Requests of a scheme of another group that are taken before the others get their turn. */
enum { TURN_REQUESTS = 64, EVENTS_MAX = 16 };

/* A page of the starter's, or (there is none) one that nobody looks at. */
static struct service_life *life_find(void)
{
	static struct service_life nobodys;
	handle_t h = startup_handle("life");
	int64_t at = h == HANDLE_NONE ? ERR_NOENT : sys_map(0, h, 0, sizeof(struct service_life), MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);

	return at < 0 ? &nobodys : (struct service_life *)at;
}

err_t server_init(struct server *s)
{
	*s = (struct server){ .life = life_find() };
	list_init(&s->schemes);
	list_init(&s->watches);
	list_init(&s->timers);
	ids_init(&s->watch_ids, 0);
	s->endpoint = s->queue = HANDLE_NONE;
	s->in = heap_alloc(SCHEME_BUFFER_BYTES + 1);
	s->out = heap_alloc(SCHEME_BUFFER_BYTES);
	return s->in && s->out ? OK : ERR_NOMEM;
}

/* ---- Rings ------------------------------------------------------------------------------------------------------- */

static err_t area_map(handle_t object, uint32_t entries, void **base, size_t *bytes)
{
	struct mem_info info;

	TRY(result_error(sys_call(REQUEST_KERNEL, object, pack_handle(MEM_INFO, HANDLE_NONE, false), NULL, 0, &info, sizeof info, 0)));
	if (!ring_entries_fit(entries, info.bytes))
		return ERR_INVAL;
	TRY(result_error(handle_call(object, MEM_SEAL, NULL, 0, NULL, 0, info.bytes)));
	int64_t at = sys_map(0, object, 0, info.bytes, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_POPULATE, 0, HANDLE_NONE, 0);
	if (at < 0)
		return (err_t)at;
	*base = (void *)at;
	*bytes = info.bytes;
	return OK;
}

static void area_unmap(void *base, size_t bytes)
{
	sys_unmap(0, HANDLE_NONE, (uint64_t)base, bytes);
}

static void area_answer(struct scheme *scheme, uint32_t tag, int64_t result)
{
	sys_reply(0, scheme->handle, tag, result, NULL, 0, pack_handle(0, HANDLE_NONE, true));
}

static const struct scheme_area area = {
	.map = area_map, .unmap = area_unmap, .close = handle_close, .answer = area_answer, .notify = scheme_notify,
};

/* True: some are still awake, and looked at again soon. */
static bool rings_turn(struct server *s)
{
	struct scheme *scheme;
	struct scheme_ring *g;
	bool is_awake = false;

	list_each(scheme, &s->schemes, link) {
		if (LIKELY(!scheme->rings_awake))
			continue;
		list_each(g, &scheme->rings, link)
			if (g->is_awake) {
				uint32_t taken = g->taken;
				scheme_ring_turn(g);
				s->life->finished += g->taken - taken;
			}
		is_awake |= scheme->rings_awake != 0;
	}
	return is_awake;
}

static err_t scheme_serve(struct server *s, struct scheme *scheme);

/* The first's group is what we receive from; any other endpoint is watched. */
static void scheme_ready(struct server_watch *w, uint32_t found)
{
	struct scheme *scheme = container_of(w, struct scheme, watch);
	err_t err = scheme_serve(scheme->server, scheme);

	(void)found;
	if (err)
		scheme->server->error = err;
}

static void join_group(struct server *s, struct scheme *scheme)
{
	int64_t number = sys_call(0, scheme->handle, pack_handle(ENDPOINT_NUMBER, s->endpoint, false), NULL, 0, NULL, 0, 0);

	scheme->number = (handle_t)number;
	if (s->endpoint == HANDLE_NONE)
		s->endpoint = scheme->handle;
	else if (number < 0)
		server_add_watch(s, &scheme->watch, scheme->handle, READY_READ, scheme_ready);
}

/* Schemes are added before the loop runs: their list does not change under it. */
void server_add_endpoint(struct server *s, struct scheme *scheme, handle_t endpoint, const struct scheme_ops *ops, void *context)
{
	*scheme = (struct scheme){ .server = s, .handle = endpoint, .ops = ops, .context = context };
	/* Two instances of a server start at different milliseconds. */
	ids_init(&scheme->ids, (uint32_t)(sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) >> 20));
	list_init(&scheme->deferred);
	list_init(&scheme->rings);
	scheme->area = &area;
	list_push_back(&s->schemes, &scheme->link);
	join_group(s, scheme);
}

err_t server_add_scheme(struct server *s, struct scheme *scheme, const char *name, const struct scheme_ops *ops, void *context)
{
	handle_t endpoint = startup_handle(name ? name : "scheme");

	if (endpoint == HANDLE_NONE)
		return ERR_NOENT;
	server_add_endpoint(s, scheme, endpoint, ops, context);
	return OK;
}

void server_stop(struct server *s)
{
	s->is_stopping = true;
}

/* ---- Timers ---------------------------------------------------------------------------------------------------- */

void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *t))
{
	list_init(&t->link);
	t->fire = fire;
}

void server_timer_clear(struct server_timer *t)
{
	list_remove(&t->link);
}

void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns)
{
	struct server_timer *later;

	list_remove(&t->link);
	t->deadline_ns = deadline_ns;
	list_each(later, &s->timers, link)
		if (later->deadline_ns > deadline_ns)
			break;
	list_push_back(&later->link, &t->link);
}

static uint64_t next_deadline(const struct server *s)
{
	return list_is_empty(&s->timers) ? DEADLINE_NONE : list_first(&s->timers, struct server_timer, link)->deadline_ns;
}

/* How long the loop may sleep. */
static uint64_t sleep_until(struct server *s)
{
	return rings_turn(s) ? DEADLINE_NOW : next_deadline(s);
}

static void timers_fire(struct server *s)
{
	if (list_is_empty(&s->timers))
		return;
	uint64_t now = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
	while (next_deadline(s) <= now && !list_is_empty(&s->timers)) {
		struct server_timer *t = list_first(&s->timers, struct server_timer, link);
		list_remove(&t->link);
		t->fire(t);
	}
}

/* ---- The end ------------------------------------------------------------------------------------------------------ */

#define STOP_BIT (1ull << (SERVICE_STOP_NOTICE - 1))

void server_when_asked_to_end(struct server *s, void (*asked)(struct server *s))
{
	s->asked_to_end = asked;
	sys_notice_mask(0, HANDLE_NONE, ~STOP_BIT, NULL);
}

/* Who waits for the notice must be woken by it. */
static uint32_t wait_flags(const struct server *s)
{
	return s->asked_to_end ? REQUEST_INTERRUPTIBLE : 0;
}

static void end_look(struct server *s)
{
	if (sys_notice_take(0, HANDLE_NONE, STOP_BIT, DEADLINE_NOW) == SERVICE_STOP_NOTICE)
		s->asked_to_end(s);
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static bool is_no_request(int64_t result)
{
	return result == ERR_TIMEDOUT || result == ERR_AGAIN || result == ERR_INTR;
}

/* What the client was to get did not reach it: undo the open. */
static void open_undo(struct scheme *scheme, uint64_t id)
{
	void *open = ids_remove(&scheme->ids, id);

	if (open && scheme->ops->close)
		scheme->ops->close(scheme, open);
}

static uint64_t packed(const struct scheme_answer *a)
{
	return a->result < 0 ? pack_handle(0, HANDLE_NONE, true) : pack_handle(a->reply_flags, a->handle, true);
}

/* Our own handle has done its work; unless a copy was sent, the kernel moved it and it is gone already. */
static void handles_close(const struct scheme_answer *a, bool was_moved)
{
	handle_close(a->unused);
	if (!was_moved && !(a->reply_flags & REPLY_COPY_HANDLE))
		handle_close(a->handle);
}

static err_t answer_send(struct scheme *scheme, const struct scheme_answer *a)
{
	int64_t sent = sys_reply(0, scheme->handle, a->tag, a->result, a->data, a->bytes, packed(a));

	if (sent < 0 && a->opened_id != 0)
		open_undo(scheme, a->opened_id);
	else if (a->opened_id != 0 && scheme->ops->opened)
		scheme->ops->opened(scheme, ids_find(&scheme->ids, a->opened_id), a->opened_id);
	handles_close(a, sent >= 0 && a->result >= 0);
	return result_error(sent);
}

/* Whether it arrived must be known at once: to close a handle that is ours again, or for who wants to know. */
static bool goes_alone(const struct scheme *scheme, const struct scheme_answer *a)
{
	return (a->handle != HANDLE_NONE && !(a->reply_flags & REPLY_COPY_HANDLE)) || (a->opened_id != 0 && scheme->ops->opened);
}

/* Answers a (if due) and takes the next message in the same call. */
static int64_t answer_and_receive(struct server *s, handle_t endpoint, struct scheme *scheme, const struct scheme_answer *a, struct message *m,
                                  uint64_t deadline_ns)
{
	struct serve serve = {
		.message = m, .buffer = s->in, .buffer_bytes = SCHEME_BUFFER_BYTES, .deadline_ns = deadline_ns,
	};
	uint32_t flags = (deadline_ns == DEADLINE_NOW ? REQUEST_NONBLOCK : 0) | wait_flags(s);

	if (a->is_due && goes_alone(scheme, a)) {
		answer_send(scheme, a);
	} else {
		handle_close(a->unused);
		if (a->is_due) {
			serve.tag = a->tag;
			serve.result = a->result;
			serve.data = a->data;
			serve.bytes = a->bytes;
			serve.handle_and_flags = packed(a);
		}
	}
	if (serve.tag == 0 || a->opened_id == 0)
		return sys_reply_receive(flags, endpoint, &serve);
	serve.handle_and_flags |= (uint64_t)REPLY_SURE << 32;
	int64_t result = sys_reply_receive(flags, endpoint, &serve);
	if (result != ERR_SRCH)
		return result;
	open_undo(scheme, a->opened_id);
	serve.tag = 0;
	return sys_reply_receive(flags, endpoint, &serve);
}

/* The kernel leaves out of the message what it cannot reach without waiting. Asked for by COPY it says why: the client's pointer
 * was wrong (an answer), or the client must make its memory present first and asks again (no answer). False: not to be dispatched. */
static bool input_complete(struct server *s, struct scheme *scheme, struct message *m, struct scheme_answer *a)
{
	uint32_t wanted = MIN_OF(m->in_bytes, (uint32_t)SCHEME_BUFFER_BYTES);

	if (m->kind != MESSAGE_REQUEST || m->copied_bytes >= wanted)
		return true;
	uint32_t rest = wanted - m->copied_bytes;
	int64_t n = sys_copy(0, scheme->handle, m->request.tag, COPY_FROM_CLIENT, m->copied_bytes, s->in + m->copied_bytes, rest, 0);
	if (n == rest) {
		m->copied_bytes = wanted;
		return true;
	}
	*a = (struct scheme_answer){
		.is_due = n != ERR_CANCELED, .tag = m->request.tag, .result = n < 0 ? n : ERR_FAULT, .handle = HANDLE_NONE, .unused = m->handle,
	};
	return false;
}

static void answer_finish(struct scheme *scheme, const struct scheme_answer *a)
{
	if (a->is_due)
		answer_send(scheme, a);
	else
		handle_close(a->unused);
}

/* Serves requests of a scheme of another group, up to a turn's worth. */
static err_t scheme_serve(struct server *s, struct scheme *scheme)
{
	struct scheme_answer a = { .handle = HANDLE_NONE, .unused = HANDLE_NONE };
	struct message m;

	for (uint32_t n = 0; n < TURN_REQUESTS; n++) {
		int64_t result = answer_and_receive(s, scheme->handle, scheme, &a, &m, DEADLINE_NOW);
		a = (struct scheme_answer){ .handle = HANDLE_NONE, .unused = HANDLE_NONE };
		if (result < 0)
			return is_no_request(result) ? OK : (err_t)result;
		scheme_dispatch_lazy_close(scheme, &m);
		if (input_complete(s, scheme, &m, &a))
			scheme_dispatch(scheme, &m, s->in, s->out, &a);
		s->life->finished++;
	}
	answer_finish(scheme, &a);
	return OK;
}

/* ---- Watches ------------------------------------------------------------------------------------------------------- */

static err_t queue_tell(struct server *s, struct server_watch *w, uint32_t code)
{
	struct event_interest interest = { .handle = w->handle, .wanted = w->wanted, .cookie = w->id };

	return result_error(handle_call(s->queue, code, &interest, sizeof interest, NULL, 0, 0));
}

/* Who looks for nothing is not in the queue: ends of pipes always show their hang-up. */
static void watch_tell(struct server *s, struct server_watch *w, uint32_t wanted_before)
{
	err_t err = OK;

	if (s->queue == HANDLE_NONE || wanted_before == w->wanted)
		return;
	if (w->wanted)
		err = queue_tell(s, w, wanted_before ? EVENT_CHANGE : EVENT_ADD);
	else
		/* Closed already: if others hold the resource we shall hear of it once more (watches_run). */
		(void)queue_tell(s, w, EVENT_REMOVE);
	if (err)
		s->error = err;
}

/* A queue that knows all watches. A server without a scheme receives from an endpoint that nobody else has. */
static err_t queue_open(struct server *s)
{
	struct server_watch *w;
	err_t err;

	if (s->endpoint == HANDLE_NONE) {
		int64_t h = sys_scheme(0, HANDLE_NONE, 0);
		if (h < 0)
			return (err_t)h;
		s->endpoint = (handle_t)h;
	}
	if ((err = handle_call_get(s->endpoint, ENDPOINT_EVENTS, NULL, 0, 0, &s->queue)))
		return err;
	list_each(w, &s->watches, link)
		watch_tell(s, w, 0);
	return s->error;
}

void server_add_watch(struct server *s, struct server_watch *w, handle_t handle, uint32_t wanted,
                      void (*ready)(struct server_watch *w, uint32_t found))
{
	*w = (struct server_watch){ .handle = handle, .wanted = wanted, .ready = ready };
	list_push_back(&s->watches, &w->link);
	err_t err = ids_add(&s->watch_ids, w, &w->id);
	if (err)
		s->error = err;
	else
		watch_tell(s, w, 0);
}

void server_set_watch(struct server *s, struct server_watch *w, uint32_t wanted)
{
	uint32_t before = w->wanted;

	w->wanted = wanted;
	watch_tell(s, w, before);
}

void server_remove_watch(struct server *s, struct server_watch *w)
{
	server_set_watch(s, w, 0);
	ids_remove(&s->watch_ids, w->id);
	list_remove(&w->link);
}

/* Runs what was found ready. One may remove another that was found with it. */
static void watches_run(struct server *s, const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct server_watch *w = ids_find(&s->watch_ids, events[i].cookie);
		if (w && events[i].found & (w->wanted | READY_ERROR | READY_HANGUP)) {
			w->ready(w, events[i].found);
		} else if (!w && i == 0) {
			/* Its handle was closed before it was removed, so it cannot be told any more: begin anew. */
			handle_close(s->queue);
			s->queue = HANDLE_NONE;
			return;
		}
	}
}

/* ---- The loop ------------------------------------------------------------------------------------------------------ */

static struct scheme *scheme_of(struct server *s, handle_t number)
{
	struct scheme *scheme;

	list_each(scheme, &s->schemes, link)
		if (scheme->number == number)
			return scheme;
	return NULL;
}

/* Which of the schemes is meant by a tag is not known: tags are the group's. */
static void dispatch_cancel(struct server *s, const struct message *m, struct scheme **scheme, struct scheme_answer *a)
{
	struct scheme *each;

	list_each(each, &s->schemes, link)
		if (each->number >= 0 && !a->is_due) {
			scheme_dispatch(each, m, s->in, s->out, a);
			*scheme = each;
		}
}

/* Does what a message asks for. *scheme: whose the answer is. */
static void take(struct server *s, struct message *m, struct scheme **scheme, struct scheme_answer *a)
{
	struct event events[EVENTS_MAX];

	if (m->kind == MESSAGE_EVENT) {
		memcpy(events, s->in, m->copied_bytes);         /* who runs may use the buffer */
		watches_run(s, events, m->copied_bytes / sizeof events[0]);
	} else if (m->kind == MESSAGE_CANCEL) {
		dispatch_cancel(s, m, scheme, a);
	} else if ((*scheme = scheme_of(s, m->request.handle))) {
		scheme_dispatch_lazy_close(*scheme, m);
		if (input_complete(s, *scheme, m, a))
			scheme_dispatch(*scheme, m, s->in, s->out, a);
	} else if (m->kind == MESSAGE_REQUEST) {
		*scheme = list_first(&s->schemes, struct scheme, link);
		*a = (struct scheme_answer){
			.is_due = true, .tag = m->request.tag, .result = ERR_NODEV, .handle = HANDLE_NONE, .unused = m->handle,
		};
	}
}

/* Answers, waits and takes: once, or until something says stop. */
static err_t serve(struct server *s, bool is_once)
{
	struct scheme_answer a = { .handle = HANDLE_NONE, .unused = HANDLE_NONE };
	struct scheme *scheme = NULL;
	struct message m;
	err_t err = OK;

	do {
		if ((s->queue == HANDLE_NONE && !list_is_empty(&s->watches)) && (err = queue_open(s)))
			break;
		int64_t result = answer_and_receive(s, s->endpoint, scheme, &a, &m, sleep_until(s));
		a.is_due = false;
		a.unused = HANDLE_NONE;
		if (result >= 0) {
			take(s, &m, &scheme, &a);
			s->life->finished += m.kind == MESSAGE_REQUEST;
		} else if (result == ERR_INTR && s->asked_to_end) {
			end_look(s);
		} else if (!is_no_request(result)) {
			return (err_t)result;
		}
		timers_fire(s);
	} while (!is_once && !s->is_stopping && !(err = s->error));
	answer_finish(scheme, &a);
	return err ? err : s->error;
}

err_t server_step(struct server *s) { return serve(s, true); }

err_t server_run(struct server *s)
{
	startup_ready();
	return s->is_stopping ? OK : serve(s, false);
}

/* ---- For the functions --------------------------------------------------------------------------------------------- */

static err_t copy(struct scheme *s, uint64_t tag, uint64_t flags, size_t offset, void *buffer, size_t bytes)
{
	int64_t n = sys_copy(0, s->handle, tag, flags, offset, buffer, bytes, 0);

	/* A page that the client itself may not write is as bad as one that is not there. */
	if (n < 0)
		return n == ERR_ACCES ? ERR_FAULT : (err_t)n;
	return (size_t)n == bytes ? OK : ERR_FAULT;
}

err_t scheme_in(struct scheme_request *r, size_t offset, void *to, size_t bytes)
{
	if (!range_fits(offset, bytes, r->in_bytes))
		return ERR_INVAL;
	if (range_fits(offset, bytes, r->in_here)) {
		memcpy(to, r->in + offset, bytes);
		return OK;
	}
	if (r->ring) {
		memcpy(to, r->ring->data + r->ring->in_at + offset, bytes);
		return OK;
	}
	return copy(r->scheme, r->message->request.tag, COPY_FROM_CLIENT, offset, to, bytes);
}

err_t scheme_put(struct scheme_request *r, size_t offset, const void *from, size_t bytes)
{
	r->is_put = true;
	if (!range_fits(offset, bytes, r->out_max))
		return ERR_INVAL;
	if (r->ring) {
		memcpy(r->ring->data + r->ring->out_at + offset, from, bytes);
		return OK;
	}
	return copy(r->scheme, r->message->request.tag, COPY_TO_CLIENT, offset, (void *)(uintptr_t)from, bytes);
}

err_t scheme_deferred_in(struct scheme_deferred *d, size_t offset, void *to, size_t bytes)
{
	if (!range_fits(offset, bytes, d->in_bytes))
		return ERR_INVAL;
	if (d->ring) {
		memcpy(to, d->ring->data + d->ring_in + offset, bytes);
		return OK;
	}
	return copy(d->scheme, d->tag, COPY_FROM_CLIENT, offset, to, bytes);
}

err_t scheme_deferred_put(struct scheme_deferred *d, size_t offset, const void *from, size_t bytes)
{
	if (!range_fits(offset, bytes, d->out_max))
		return ERR_INVAL;
	if (d->ring) {
		memcpy(d->ring->data + d->ring_out + offset, from, bytes);
		return OK;
	}
	return copy(d->scheme, d->tag, COPY_TO_CLIENT, offset, (void *)(uintptr_t)from, bytes);
}

err_t scheme_deferred_keep(struct scheme_deferred *d, bool is_out, size_t offset, size_t bytes, handle_t keeper, uint64_t number, struct dma_piece *piece)
{
	uint64_t flags = COPY_KEEP | (is_out ? COPY_TO_CLIENT : COPY_FROM_CLIENT) | (uint64_t)keeper << 32;

	if (d->ring)
		return ERR_OPNOTSUPP;
	if (!range_fits(offset, bytes, is_out ? d->out_max : d->in_bytes))
		return ERR_INVAL;
	int64_t n = sys_copy(0, d->scheme->handle, d->tag, flags, offset, piece, bytes, number);
	return n < 0 ? (err_t)n : (size_t)n == bytes ? OK : ERR_FAULT;
}

static err_t deferred_answer(struct scheme_deferred *d, const struct scheme_answer *a)
{
	struct scheme_answer answer = *a;

	list_remove(&d->link);
	if (d->ring) {
		scheme_ring_answer(d, a);
		scheme_ring_let_go(d->ring);
		return OK;
	}
	answer.is_due = true;
	answer.tag = d->tag;
	answer.unused = HANDLE_NONE;
	return answer_send(d->scheme, &answer);
}

err_t scheme_answer(struct scheme_deferred *d, int64_t result)
{
	return deferred_answer(d, &(struct scheme_answer){ .result = result, .handle = HANDLE_NONE });
}

err_t scheme_answer_data(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes)
{
	return deferred_answer(d, &(struct scheme_answer){
		.result = result, .data = data, .bytes = MIN_OF(bytes, d->out_max), .handle = HANDLE_NONE });
}

err_t scheme_answer_handle(struct scheme_deferred *d, int64_t result, handle_t reply_handle, uint32_t reply_flags)
{
	return deferred_answer(d, &(struct scheme_answer){ .result = result, .handle = reply_handle, .reply_flags = reply_flags });
}

err_t scheme_answer_open(struct scheme_deferred *d, void *opened, handle_t reply_handle, uint32_t reply_flags)
{
	struct scheme_answer a = { .handle = reply_handle, .reply_flags = reply_flags };
	err_t err;

	if (!(reply_flags & REPLY_FORWARD)) {
		if ((err = ids_add(&d->scheme->ids, opened, &a.opened_id))) {
			if (d->scheme->ops->close)
				d->scheme->ops->close(d->scheme, opened);
			a.reply_flags = 0;
			a.result = err;
		} else {
			a.result = (int64_t)a.opened_id;
			if (d->scheme->ops->named)
				d->scheme->ops->named(d->scheme, opened, a.opened_id);
		}
	}
	return deferred_answer(d, &a);
}

void scheme_close_soon(struct scheme *s, uint64_t id)
{
	struct message m = { .kind = MESSAGE_CLOSE, .id = id };
	struct scheme_answer none;

	if (sys_notify(0, s->handle, id, 0, NOTIFY_CLOSE_SOON) == 1)
		scheme_dispatch(s, &m, s->server->in, s->server->out, &none);
}

void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask)
{
	sys_notify(0, s->handle, id, ready, mask);
}
