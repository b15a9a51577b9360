/* lib/tty/serve.c - reading, writing and waiting at a served terminal. */
#include "lib/tty/serve.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/tty/private.h"
#include "lib/tty/serve_private.h"

/* One thread serves: what is read for a waiting request lies here on its way. */
static uint8_t scratch[TTY_INPUT_BYTES];

void tty_served_init(struct tty_served *s, struct scheme *scheme, const struct tty_owner *owner,
                     const struct tty_outside *outside)
{
	memset(s, 0, sizeof(*s));
	tty_init(&s->tty);
	s->scheme = scheme;
	s->owner = owner;
	s->outside = outside;
	s->leader = HANDLE_NONE;
	list_init(&s->opens);
	list_init(&s->readers);
	list_init(&s->writers);
	list_init(&s->drainers);
	serve_timer_init(s);
}

void tty_served_fini(struct tty_served *s)
{
	ASSERT(list_is_empty(&s->opens));
	serve_forget_session(s);
	tty_wait_answer_all(&s->readers, ERR_IO);
	tty_wait_answer_all(&s->writers, ERR_IO);
	tty_wait_answer_all(&s->drainers, ERR_IO);
	server_timer_clear(&s->timer);
}

/* ---- Requests that wait ------------------------------------------------------------------------------------------ */

int64_t tty_wait_defer(struct scheme_request *r, struct list_node *list, struct tty_wait **out)
{
	struct tty_wait *w = heap_new(struct tty_wait);

	if (!w)
		return ERR_NOMEM;
	w->deadline_ns = DEADLINE_NONE;
	list_push_back(list, &w->link);
	if (out)
		*out = w;
	return scheme_defer(r, &w->deferred);
}

err_t tty_wait_answer(struct tty_wait *w, int64_t result, const void *data)
{
	err_t err;

	list_remove(&w->link);
	if (data && result > 0)
		err = scheme_answer_data(&w->deferred, result, data, (size_t)result);
	else
		err = scheme_answer(&w->deferred, result);
	heap_delete(w);
	return err;
}

void tty_wait_answer_all(struct list_node *list, int64_t result)
{
	while (!list_is_empty(list))
		tty_wait_answer(list_first(list, struct tty_wait, link), result, NULL);
}

void tty_wait_cancel(struct scheme_deferred *d)
{
	struct tty_wait *w = container_of(d, struct tty_wait, deferred);

	tty_wait_answer(w, w->done > 0 ? (int64_t)w->done : ERR_INTR, NULL);
}

/* ---- Job control ------------------------------------------------------------------------------------------------- */

err_t serve_check(struct tty_served *s, const struct scheme_request *r, enum tty_access access)
{
	const struct sender *sender = &r->message->sender;

	if (access != TTY_ACCESS_READ && (r->message->request.flags & REQUEST_FROM_BACKGROUND))
		return OK;
	if (!tty_check(&s->tty, sender->session, sender->group, access))
		return OK;
	/* Nobody could ever put an orphaned group into the foreground again, so it gets nothing to read. To write or
	 * change it may still be allowed, by ignoring SIGTTOU: a shell that takes its terminal back does. */
	if (access == TTY_ACCESS_READ && s->outside->group_state(sender->group) & TTY_GROUP_ORPHANED)
		return ERR_IO;
	return ERR_BACKGROUND;
}

/* ---- Settling: after any change, whoever can go on does ------------------------------------------------------------- */

static void send_signals(struct tty_served *s)
{
	uint64_t signals = tty_take_signals(&s->tty);

	for (uint32_t i = 0; i < 64; i++)
		if (signals >> i & 1)
			s->outside->signal_group(s->tty.foreground, i + 1);
}

static void take_output(struct tty_served *s)
{
	if (s->owner->output)
		s->owner->output(s);
}

/* Writes as much as goes. */
static size_t push(struct tty_served *s, const uint8_t *bytes, size_t count)
{
	size_t done = 0, taken = 1;

	while (done < count && taken > 0) {
		if (tty_write(&s->tty, bytes + done, count - done, &taken))
			break;
		done += taken;
		take_output(s);
	}
	return done;
}

/* True when the writer is done with. */
static bool go_on_writing(struct tty_served *s, struct tty_wait *w)
{
	size_t bytes = w->deferred.in_bytes;
	err_t err;

	if (s->tty.hung_up) {
		tty_wait_answer(w, w->done > 0 ? (int64_t)w->done : ERR_IO, NULL);
		return true;
	}
	while (w->done < bytes) {
		size_t chunk = MIN_OF(bytes - w->done, sizeof(scratch)), taken;

		if (tty_output_pending(&s->tty) >= TTY_OUTPUT_BYTES - TTY_ECHO_RESERVE)
			return false;
		if ((err = scheme_deferred_in(&w->deferred, w->done, scratch, chunk))) {
			tty_wait_answer(w, w->done > 0 ? (int64_t)w->done : err, NULL);
			return true;
		}
		taken = push(s, scratch, chunk);
		w->done += taken;
		if (taken == 0)
			return false;
	}
	tty_wait_answer(w, (int64_t)bytes, NULL);
	return true;
}

static void go_on_with_writers(struct tty_served *s)
{
	while (!list_is_empty(&s->writers) && go_on_writing(s, list_first(&s->writers, struct tty_wait, link)))
		continue;
}

/* True when the reader is done with. */
static bool go_on_reading(struct tty_served *s, struct tty_wait *w)
{
	size_t got;
	uint32_t mark = s->tty.read_at;
	err_t err = tty_read(&s->tty, scratch, MIN_OF(w->deferred.out_max, sizeof(scratch)), s->outside->now_ns(),
	                     &w->reader, &got, &w->deadline_ns);

	if (err == ERR_AGAIN)
		return false;
	/* What a killed reader did not get is the next one's. */
	if (tty_wait_answer(w, err ? err : (int64_t)got, scratch))
		s->tty.read_at = mark;
	return true;
}

static void go_on_with_readers(struct tty_served *s)
{
	while (!list_is_empty(&s->readers) && go_on_reading(s, list_first(&s->readers, struct tty_wait, link)))
		continue;
	server_timer_clear(&s->timer);
	if (list_is_empty(&s->readers))
		return;
	uint64_t deadline_ns = list_first(&s->readers, struct tty_wait, link)->deadline_ns;
	if (deadline_ns != DEADLINE_NONE)
		server_timer_set(s->scheme->server, &s->timer, deadline_ns);
}

static bool is_drained(struct tty_served *s)
{
	return !s->owner->is_drained || s->tty.hung_up || s->owner->is_drained(s);
}

static void go_on_with_drainers(struct tty_served *s)
{
	while (!list_is_empty(&s->drainers) && is_drained(s)) {
		struct tty_wait *w = list_first(&s->drainers, struct tty_wait, link);

		if (w->is_set)
			serve_set_modes(s, &w->modes, w->when);
		tty_wait_answer(w, 0, NULL);
	}
}

static void notify(struct tty_served *s)
{
	uint32_t ready = tty_ready(&s->tty);
	struct tty_open *o;

	list_each(o, &s->opens, link)
		if (o->id != 0 && o->ready != ready) {
			o->ready = ready;
			scheme_notify(s->scheme, o->id, ready, ~0u);
		}
}

/* Hooks may come back here by way of what they call: one round at a time, and another if something changed. */
void tty_serve_settle(struct tty_served *s)
{
	s->must_settle = true;
	if (s->is_settling)
		return;
	s->is_settling = true;
	while (s->must_settle) {
		s->must_settle = false;
		if (s->tty.hung_up)
			notify(s);      /* first: whom an answer tells of the end sees it in poll, too */
		send_signals(s);
		take_output(s);
		go_on_with_writers(s);
		go_on_with_readers(s);
		if (s->owner->room)
			s->owner->room(s);
		take_output(s);
		go_on_with_drainers(s);
	}
	s->is_settling = false;
	notify(s);
	if (s->owner->settled)
		s->owner->settled(s);
}

static void timer_fired(struct server_timer *t)
{
	tty_serve_settle(container_of(t, struct tty_served, timer));
}

void serve_timer_init(struct tty_served *s)
{
	server_timer_init(&s->timer, timer_fired);
}

/* ---- What processes and the owner ask ------------------------------------------------------------------------------- */

void tty_serve_input(struct tty_served *s, const uint8_t *bytes, size_t count)
{
	tty_input(&s->tty, bytes, count, s->outside->now_ns());
	tty_serve_settle(s);
}

void tty_serve_open(struct tty_served *s, struct tty_open *o, struct scheme_request *r, uint32_t open_flags)
{
	const struct sender *sender = &r->message->sender;

	*o = (struct tty_open){ .served = s };
	list_push_back(&s->opens, &o->link);
	r->reply_flags |= REPLY_NOTIFIES;
	bool may_read = sender->uid == 0 || open_flags & OPEN_READ;

	if (!(open_flags & (OPEN_NOCTTY | OPEN_PATH)) && may_read && sender->session != 0 && sender->pid == sender->session && s->tty.session == 0)
		(void)!serve_acquire(s, sender, false);
}

void tty_serve_opened(struct tty_open *o, uint64_t id)
{
	o->id = id;
	o->ready = tty_ready(&o->served->tty);
	scheme_notify(o->served->scheme, id, o->ready, ~0u);
}

void tty_serve_close(struct tty_open *o)
{
	list_remove(&o->link);
	if (list_is_empty(&o->served->opens))
		serve_forget_session(o->served);
	tty_serve_settle(o->served);
}

int64_t tty_serve_read(struct tty_served *s, struct scheme_request *r, size_t bytes)
{
	struct tty_reader reader = { .started_ns = s->outside->now_ns(), .nonblocking = r->is_nonblock };
	uint64_t deadline_ns;
	struct tty_wait *w;
	size_t got;
	int64_t result;
	err_t err;

	if ((err = serve_check(s, r, TTY_ACCESS_READ)))
		return err;
	err = ERR_AGAIN;
	if (list_is_empty(&s->readers) || s->tty.hung_up)
		err = tty_read(&s->tty, r->out, MIN_OF(bytes, r->out_room), reader.started_ns, &reader, &got, &deadline_ns);
	if (!err) {
		tty_serve_settle(s);
		return (int64_t)got;
	}
	if (err != ERR_AGAIN || r->is_nonblock)
		return err;
	result = tty_wait_defer(r, &s->readers, &w);
	if (result == SCHEME_LATER) {
		w->reader = reader;
		tty_serve_settle(s);
	}
	return result;
}

int64_t tty_serve_write(struct tty_served *s, struct scheme_request *r, size_t bytes)
{
	struct tty_wait *w;
	size_t done = 0;
	int64_t result;
	err_t err;

	if ((err = serve_check(s, r, TTY_ACCESS_WRITE)))
		return err;
	if (s->tty.hung_up)
		return ERR_IO;
	if (list_is_empty(&s->writers)) {
		done = push(s, r->in, r->in_here);
		tty_serve_settle(s);
	}
	if (done == bytes)
		return (int64_t)bytes;
	if (r->is_nonblock)
		return done > 0 ? (int64_t)done : ERR_AGAIN;
	result = tty_wait_defer(r, &s->writers, &w);
	if (result != SCHEME_LATER)
		return done > 0 ? (int64_t)done : result;
	w->done = done;
	tty_serve_settle(s);
	return result;
}
