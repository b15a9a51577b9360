/* lib/scheme/server.c - the loop: receive, dispatch, reply and receive the next in one.
 *
 * Common: one scheme and nothing else to wait for; then each round is a single system call. With more to wait for
 * the loop polls, and takes requests without waiting until there are none.
 */
#include "abi/proto/kernel.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/startup.h"
#include "lib/scheme/ring.h"

/* Requests of one scheme that are taken before the others get their turn. */
enum { TURN_REQUESTS = 64 };

err_t server_init(struct server *s)
{
	*s = (struct server){ 0 };
	list_init(&s->schemes);
	list_init(&s->watches);
	list_init(&s->timers);
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

static const struct scheme_area area = { .map = area_map, .unmap = area_unmap, .close = handle_close };

static void ring_wake_client(struct scheme_ring *g)
{
	int64_t result;
	uint32_t tag = scheme_ring_due(g, &result);

	if (tag)
		sys_reply(0, g->scheme->handle, tag, result, NULL, 0, pack_handle(0, HANDLE_NONE, true));
}

/* True: some are still awake, and looked at again soon. */
static bool rings_turn(struct server *s)
{
	struct scheme *scheme;
	struct scheme_ring *g;
	bool is_awake = false;

	list_each(scheme, &s->schemes, link) {
		if (!scheme->rings_awake)
			continue;
		list_each(g, &scheme->rings, link)
			if (g->is_awake) {
				scheme_ring_turn(g);
				ring_wake_client(g);
			}
		is_awake |= scheme->rings_awake != 0;
	}
	return is_awake;
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
	s->scheme_count++;
	s->watches_changed = true;
}

err_t server_add_scheme(struct server *s, struct scheme *scheme, const char *name, const struct scheme_ops *ops, void *context)
{
	handle_t endpoint = startup_handle(name ? name : "scheme");

	if (endpoint == HANDLE_NONE)
		return ERR_NOENT;
	server_add_endpoint(s, scheme, endpoint, ops, context);
	return OK;
}

void server_add_watch(struct server *s, struct server_watch *w, handle_t handle, uint32_t wanted,
                      void (*ready)(struct server_watch *w, uint32_t found))
{
	*w = (struct server_watch){ .handle = handle, .wanted = wanted, .ready = ready };
	list_push_back(&s->watches, &w->link);
	s->watch_count++;
	s->watches_changed = true;
}

void server_remove_watch(struct server *s, struct server_watch *w)
{
	list_remove(&w->link);
	s->watch_count--;
	s->watches_changed = true;
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

/* Answers a (if due) and takes the next message in the same call. */
static int64_t answer_and_receive(struct server *s, struct scheme *scheme, const struct scheme_answer *a, struct message *m, uint64_t deadline_ns)
{
	struct serve serve = {
		.message = m, .buffer = s->in, .buffer_bytes = SCHEME_BUFFER_BYTES, .deadline_ns = deadline_ns,
	};
	/* Answers with handles or new numbers go alone, so that we see whether they arrived. */
	if (a->is_due && (a->opened_id != 0 || a->handle != HANDLE_NONE)) {
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
	return sys_reply_receive(deadline_ns == DEADLINE_NOW ? REQUEST_NONBLOCK : 0, scheme->handle, &serve);
}

/* The kernel leaves out of the message what it cannot reach without waiting. Asked for by COPY it says why: the client's pointer
 * was wrong (an answer), or the client must make its memory present first and asks again (no answer). False: not to be dispatched. */
static bool input_complete(struct server *s, struct scheme *scheme, struct message *m, struct scheme_answer *a)
{
	uint32_t wanted = MIN_OF(m->in_bytes, (uint32_t)SCHEME_BUFFER_BYTES);

	if (m->kind != MESSAGE_REQUEST || m->copied_bytes >= wanted)
		return true;
	uint32_t rest = wanted - m->copied_bytes;
	int64_t n = sys_copy(0, scheme->handle, m->request.tag, COPY_FROM_CLIENT, m->copied_bytes, s->in + m->copied_bytes, rest);
	if (n == rest) {
		m->copied_bytes = wanted;
		return true;
	}
	*a = (struct scheme_answer){
		.is_due = n != ERR_CANCELED, .tag = m->request.tag, .result = n < 0 ? n : ERR_FAULT, .handle = HANDLE_NONE, .unused = m->handle,
	};
	return false;
}

/* Serves requests of one scheme: while there are any, up to a turn's worth, or (alone) for ever, waiting for them until the next timer. */
static err_t scheme_serve(struct server *s, struct scheme *scheme, bool is_alone)
{
	struct scheme_answer a = { .handle = HANDLE_NONE, .unused = HANDLE_NONE };
	struct message m;

	for (uint32_t n = 0; is_alone || n < TURN_REQUESTS; n++) {
		uint64_t deadline_ns = is_alone && !s->is_stopping ? sleep_until(s) : DEADLINE_NOW;
		int64_t result = answer_and_receive(s, scheme, &a, &m, deadline_ns);
		a = (struct scheme_answer){ .handle = HANDLE_NONE, .unused = HANDLE_NONE };
		if (result < 0)
			return is_no_request(result) ? OK : (err_t)result;
		if (input_complete(s, scheme, &m, &a))
			scheme_dispatch(scheme, &m, s->in, s->out, &a);
		if (is_alone && s->watches_changed)
			break;
		if (is_alone)
			timers_fire(s);
	}
	if (a.is_due)
		answer_send(scheme, &a);
	else
		handle_close(a.unused);
	return OK;
}

/* ---- The loop ------------------------------------------------------------------------------------------------------ */

/* The list to poll: schemes, then watches. */
static err_t polled_make(struct server *s)
{
	uint32_t count = s->scheme_count + s->watch_count, i = 0;
	struct scheme *scheme;
	struct server_watch *w;

	if (count > s->polled_capacity) {
		struct poll_entry *p = heap_grow(s->polled, s->polled_capacity * sizeof *p, count * 2 * sizeof *p);
		if (!p)
			return ERR_NOMEM;
		s->polled = p;
		s->polled_capacity = count * 2;
	}
	list_each(scheme, &s->schemes, link)
		s->polled[i++] = (struct poll_entry){ .handle = scheme->handle, .wanted = READY_READ };
	list_each(w, &s->watches, link)
		s->polled[i++] = (struct poll_entry){ .handle = w->handle, .wanted = w->wanted };
	s->watches_changed = false;
	return OK;
}

/* Runs the watches that were found ready. Stops when their list changes: what is still ready shows again. */
static void watches_run(struct server *s, uint32_t first)
{
	struct list_node *node = s->watches.next;

	for (uint32_t i = first; !s->watches_changed && node != &s->watches; i++) {
		struct server_watch *w = container_of(node, struct server_watch, link);
		if (s->polled[i].found)
			w->ready(w, s->polled[i].found);
		if (!s->watches_changed)
			node = node->next;
	}
}

static err_t poll_once(struct server *s)
{
	struct scheme *scheme;
	uint32_t i = 0;
	err_t err;

	/* Wanted bits may have changed without our knowing, so the list is made anew each time: it is short. */
	if ((err = polled_make(s)))
		return err;
	int64_t ready = sys_poll(0, HANDLE_NONE, s->polled, s->scheme_count + s->watch_count, sleep_until(s));
	if (ready < 0)
		return is_no_request(ready) ? OK : (err_t)ready;
	list_each(scheme, &s->schemes, link)
		if (s->polled[i++].found && (err = scheme_serve(s, scheme, false)))
			return err;
	watches_run(s, i);
	return OK;
}

err_t server_step(struct server *s)
{
	err_t err;

	if (s->scheme_count != 1 || s->watch_count != 0) {
		err = poll_once(s);
	} else {
		s->watches_changed = false;
		err = scheme_serve(s, list_first(&s->schemes, struct scheme, link), true);
	}
	timers_fire(s);
	return err;
}

err_t server_run(struct server *s)
{
	err_t err = OK;

	startup_ready();
	while (!err && !s->is_stopping)
		err = server_step(s);
	return err;
}

/* ---- For the functions --------------------------------------------------------------------------------------------- */

static err_t copy(struct scheme *s, uint64_t tag, uint64_t flags, size_t offset, void *buffer, size_t bytes)
{
	int64_t n = sys_copy(0, s->handle, tag, flags, offset, buffer, bytes);

	if (n < 0)
		return (err_t)n;
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

static err_t deferred_answer(struct scheme_deferred *d, const struct scheme_answer *a)
{
	struct scheme_answer answer = *a;

	list_remove(&d->link);
	if (d->ring) {
		scheme_ring_answer(d, a);
		ring_wake_client(d->ring);
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
		}
	}
	return deferred_answer(d, &a);
}

void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask)
{
	sys_notify(0, s->handle, id, ready, mask);
}
