/* servers/ptyd/pty.c - opening and closing of masters and slaves, and the master's reads and writes. */
#include "servers/ptyd/pty.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

static uint8_t scratch[4096];

static struct ptys *ptys_of(const struct scheme *s) { return s->context; }
static struct pty *pty_of(struct tty_served *s) { return container_of(s, struct pty, slave); }

void ptys_init(struct ptys *p, struct scheme *scheme, const struct tty_outside *outside, uint64_t realtime_offset_ns)
{
	*p = (struct ptys){ .scheme = scheme, .outside = outside, .realtime_offset_ns = realtime_offset_ns };
}

struct pty *pty_find(const struct ptys *p, uint32_t number)
{
	return number < p->capacity ? p->by_number[number] : NULL;
}

/* ---- The master's side of the slave's terminal ------------------------------------------------------------------- */

/* All slaves closed: what they wrote is still read, then the end. */
static bool is_other_end_closed(const struct pty *p)
{
	return p->slave_was_open && list_is_empty(&p->slave.opens);
}

static void notify_master(struct pty *p)
{
	uint32_t ready = 0;

	if (p->master_id == 0)
		return;
	if (tty_master_has_data(&p->slave.tty))
		ready |= READY_READ;
	if (list_is_empty(&p->writers) && tty_input_room(&p->slave.tty) > 0)
		ready |= READY_WRITE;
	if (is_other_end_closed(p))
		ready |= READY_HANGUP;
	if (ready == p->master_ready)
		return;
	p->master_ready = ready;
	scheme_notify(p->slave.scheme, p->master_id, ready, ~0u);
}

static err_t read_master(struct pty *p, uint8_t *out, size_t bytes, size_t *got)
{
	err_t err = tty_master_read(&p->slave.tty, out, bytes, got);

	return err == ERR_AGAIN && is_other_end_closed(p) ? ERR_IO : err;
}

/* The owner's output hook. */
static void go_on_with_readers(struct tty_served *s)
{
	struct pty *p = pty_of(s);
	size_t got;
	err_t err;

	while (!list_is_empty(&p->readers)) {
		struct tty_wait *w = list_first(&p->readers, struct tty_wait, link);

		err = read_master(p, scratch, MIN_OF(w->deferred.out_max, sizeof(scratch)), &got);
		if (err == ERR_AGAIN)
			break;
		tty_wait_answer(w, err ? err : (int64_t)got, scratch);
	}
	notify_master(p);
}

/* Types as much as there is room for. */
static size_t type(struct pty *p, const uint8_t *bytes, size_t count)
{
	size_t done = 0, room;

	while (done < count && (room = tty_input_room(&p->slave.tty)) > 0) {
		size_t chunk = MIN_OF(room, count - done);

		tty_serve_input(&p->slave, bytes + done, chunk);
		done += chunk;
	}
	return done;
}

/* The owner's room hook. */
static void go_on_with_writers(struct tty_served *s)
{
	struct pty *p = pty_of(s);

	while (!list_is_empty(&p->writers) && tty_input_room(&s->tty) > 0) {
		struct tty_wait *w = list_first(&p->writers, struct tty_wait, link);
		size_t chunk = MIN_OF(w->deferred.in_bytes - w->done, MIN_OF(sizeof(scratch), tty_input_room(&s->tty)));
		err_t err = scheme_deferred_in(&w->deferred, w->done, scratch, chunk);

		if (err) {
			tty_wait_answer(w, w->done > 0 ? (int64_t)w->done : err, NULL);
			continue;
		}
		tty_serve_input(s, scratch, chunk);
		w->done += chunk;
		if (w->done == w->deferred.in_bytes)
			tty_wait_answer(w, (int64_t)w->done, NULL);
	}
	notify_master(p);
}

static const struct tty_owner owner = { .output = go_on_with_readers, .room = go_on_with_writers };

static int64_t master_read(struct pty *p, struct scheme_request *r, size_t bytes)
{
	size_t got;
	err_t err = ERR_AGAIN;

	if (list_is_empty(&p->readers))
		err = read_master(p, r->out, MIN_OF(bytes, r->out_room), &got);
	if (!err) {
		tty_serve_settle(&p->slave);
		return (int64_t)got;
	}
	if (err != ERR_AGAIN || r->is_nonblock)
		return err;
	return tty_wait_defer(r, &p->readers, NULL);
}

static int64_t master_write(struct pty *p, struct scheme_request *r, size_t bytes)
{
	struct tty_wait *w;
	size_t done = 0;
	int64_t result;

	if (list_is_empty(&p->writers))
		done = type(p, r->in, r->in_here);
	notify_master(p);
	if (done == bytes)
		return (int64_t)bytes;
	if (r->is_nonblock)
		return done > 0 ? (int64_t)done : ERR_AGAIN;
	result = tty_wait_defer(r, &p->writers, &w);
	if (result != SCHEME_LATER)
		return done > 0 ? (int64_t)done : result;
	w->done = done;
	tty_serve_settle(&p->slave);
	return result;
}

static int64_t master_stat(struct pty *p, struct scheme_request *r)
{
	struct file_stat stat;

	if (r->in_bytes != 0)
		return ERR_NOTDIR;
	tty_serve_stat(&p->slave, &stat);
	stat.node = 2;
	stat.mode = MODE_CHARACTER | 0666;
	stat.uid = 0;
	stat.rdev = (uint64_t)PTY_MASTER_MAJOR << 32 | PTY_MASTER_MINOR;
	return scheme_out(r, &stat, sizeof(stat));
}

static int64_t master_name(struct scheme_request *r)
{
	static const char name[] = "/dev/ptmx";
	err_t err = scheme_out(r, name, sizeof(name) - 1);

	return err ? err : (int64_t)sizeof(name) - 1;
}

static int64_t master_call(struct pty *p, struct scheme_request *r, uint32_t code, uint64_t word)
{
	switch (code) {
	case PTY_NUMBER:
		return p->number;
	case PTY_LOCK:
		p->is_locked = word != 0;
		return 0;
	case PTY_PACKET:
		tty_set_packet(&p->slave.tty, word != 0);
		tty_serve_settle(&p->slave);
		return 0;
	case TTY_PENDING:       /* what is the slave's output is our input */
		return (int64_t)(word == TTY_FLUSH_IN ? tty_output_pending(&p->slave.tty) : tty_input_pending(&p->slave.tty));
	case FILE_STAT:
		return master_stat(p, r);
	case FILE_PATH:
		return master_name(r);
	case FILE_CHMOD: case FILE_CHOWN: case FILE_UTIME:
		return ERR_PERM;
	default:
		return tty_serve_call(&p->slave, r, code, word, true);
	}
}

/* ---- Opening and closing ----------------------------------------------------------------------------------------- */

static err_t take_number(struct ptys *p, uint32_t *number)
{
	uint32_t capacity = p->capacity ? p->capacity * 2 : 16;

	for (*number = 0; *number < p->capacity; ++*number)
		if (!p->by_number[*number])
			return OK;
	if (p->capacity == PTY_COUNT_MAX)
		return ERR_NOSPC;
	struct pty **grown = heap_grow(p->by_number, p->capacity * sizeof(*grown), capacity * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	p->by_number = grown;
	p->capacity = capacity;
	return OK;
}

static void init_slave(struct pty *pty, struct ptys *p, const struct sender *sender)
{
	struct tty_served *s = &pty->slave;
	uint64_t now_ns = p->outside->now_ns() + p->realtime_offset_ns;

	tty_served_init(s, p->scheme, &owner, p->outside);
	fmt(s->name, sizeof(s->name), "/dev/pts/%u", pty->number);
	s->major = PTY_SLAVE_MAJOR;
	s->minor = pty->number;
	s->node = pty->number + 3;
	s->mode = 0620;
	s->uid = sender->uid;
	s->gid = PTY_GROUP_TTY;
	s->changed = (struct file_time){ .seconds = (int64_t)(now_ns / 1000000000), .nanoseconds = now_ns % 1000000000 };
}

static err_t create_master(struct ptys *p, const struct sender *sender, struct pty **out)
{
	struct pty *pty;
	uint32_t number;
	err_t err;

	if ((err = take_number(p, &number)))
		return err;
	if (!(pty = heap_new(struct pty)))
		return ERR_NOMEM;
	pty->ptys = p;
	pty->number = number;
	pty->is_locked = pty->is_master_open = true;
	list_init(&pty->readers);
	list_init(&pty->writers);
	init_slave(pty, p, sender);
	p->by_number[number] = pty;
	*out = pty;
	return OK;
}

static err_t open_slave(struct ptys *p, struct pty_open *o, struct scheme_request *r, uint32_t number, uint32_t open_flags)
{
	struct pty *pty = pty_find(p, number);

	if (!pty)
		return ERR_NOENT;
	if (open_flags & OPEN_DIRECTORY)
		return ERR_NOTDIR;
	if (!tty_serve_may(&pty->slave, &r->message->sender, open_flags))
		return ERR_ACCES;
	if (pty->is_locked && !(open_flags & OPEN_PATH))
		return ERR_IO;
	*o = (struct pty_open){ .kind = PTY_SLAVE, .pty = pty };
	tty_serve_open(&pty->slave, &o->tty, r, open_flags);
	pty->slave_was_open |= !(open_flags & OPEN_PATH);
	tty_serve_settle(&pty->slave);
	return OK;
}

static bool is_name(const char *ref, size_t bytes, const char *name)
{
	for (; bytes > 0 && *ref == '/'; ref++)
		bytes--;
	return string_is(ref, bytes, name);
}

static err_t open_ref(struct ptys *p, struct pty_open *o, struct scheme_request *r, const char *ref, size_t bytes, uint32_t flags)
{
	uint32_t number;
	err_t err;

	if (is_name(ref, bytes, "") || is_name(ref, bytes, ".")) {
		*o = (struct pty_open){ .kind = PTY_DIRECTORY };
		/* A client keeps its place in the list as the handle's offset. */
		r->reply_flags |= REPLY_SEEKABLE;
		return flags & OPEN_WRITE ? ERR_ISDIR : OK;
	}
	if (is_name(ref, bytes, "new") || is_name(ref, bytes, "ptmx")) {
		*o = (struct pty_open){ .kind = PTY_MASTER };
		r->reply_flags |= REPLY_NOTIFIES;
		return create_master(p, &r->message->sender, &o->pty);
	}
	if ((err = pty_parse_name(ref, bytes, &number)))
		return err;
	return open_slave(p, o, r, number, flags);
}

static int64_t pty_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t flags, uint32_t mode)
{
	const struct pty_open *at = r->open;
	struct pty_open *o;
	err_t err;

	(void)mode;
	if (at && at->kind != PTY_DIRECTORY)
		return ERR_NOTDIR;
	if (!(o = heap_new(struct pty_open)))
		return ERR_NOMEM;
	if ((err = open_ref(ptys_of(r->scheme), o, r, ref, bytes, flags))) {
		heap_delete(o);
		return err;
	}
	r->opened = o;
	return 0;
}

static void pty_opened(struct scheme *s, void *open, uint64_t id)
{
	struct pty_open *o = open;

	(void)s;
	if (o->kind == PTY_SLAVE) {
		tty_serve_opened(&o->tty, id);
	} else if (o->kind == PTY_MASTER) {
		o->pty->master_id = id;
		notify_master(o->pty);
	}
}

static void close_master(struct pty *p)
{
	p->is_master_open = false;
	p->master_id = 0;
	p->ptys->by_number[p->number] = NULL;
	tty_wait_answer_all(&p->readers, ERR_IO);
	tty_wait_answer_all(&p->writers, ERR_IO);
	tty_serve_hangup(&p->slave);
}

static void pty_close(struct scheme *s, void *open)
{
	struct pty_open *o = open;
	struct pty *p = o->pty;

	(void)s;
	if (o->kind == PTY_MASTER)
		close_master(p);
	if (o->kind == PTY_SLAVE) {
		tty_serve_close(&o->tty);
		tty_serve_settle(&p->slave);
	}
	heap_delete(o);
	if (p && !p->is_master_open && list_is_empty(&p->slave.opens)) {
		tty_served_fini(&p->slave);
		heap_delete(p);
	}
}

/* ---- Requests ------------------------------------------------------------------------------------------------------ */

static int64_t pty_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct pty_open *o = r->open;

	(void)offset;
	if (o->kind == PTY_DIRECTORY)
		return ERR_ISDIR;
	return o->kind == PTY_MASTER ? master_read(o->pty, r, bytes) : tty_serve_read(&o->pty->slave, r, bytes);
}

static int64_t pty_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct pty_open *o = r->open;

	(void)offset;
	if (o->kind == PTY_DIRECTORY)
		return ERR_ISDIR;
	return o->kind == PTY_MASTER ? master_write(o->pty, r, bytes) : tty_serve_write(&o->pty->slave, r, bytes);
}

static int64_t pty_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct pty_open *o = r->open;

	switch (o->kind) {
	case PTY_DIRECTORY:
		return pty_directory_call(ptys_of(r->scheme), r, code, word);
	case PTY_MASTER:
		return master_call(o->pty, r, code, word);
	default:
		return tty_serve_call(&o->pty->slave, r, code, word, false);
	}
}

const struct scheme_ops pty_ops = {
	.open = pty_open, .opened = pty_opened, .read = pty_read, .write = pty_write, .call = pty_call,
	.close = pty_close, .cancel = tty_wait_cancel, .needs_sender = true,
};
