/* servers/console/console.c - between the terminal and its devices. */
#include "servers/console/console.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

/* About what leaving the UART takes. */
enum { DRAIN_DELAY_NS = 2 * 1000 * 1000 };

static struct console *console_of(struct tty_served *s) { return container_of(s, struct console, served); }

/* ---- Output -------------------------------------------------------------------------------------------------------- */

static void take_output(struct tty_served *s)
{
	struct console *c = console_of(s);
	const uint8_t *span;
	size_t count, sent;

	while ((count = tty_output(&s->tty, &span)) > 0) {
		sent = c->uart.is_present ? uart_write(&c->uart, span, count) : count;
		tty_output_taken(&s->tty, sent);
		if (sent < count)
			break;
	}
}

static void drain_fired(struct server_timer *t)
{
	struct console *c = container_of(t, struct console, drain_timer);

	c->is_drain_due = false;
	tty_serve_settle(&c->served);
}

static bool is_drained(struct tty_served *s)
{
	struct console *c = console_of(s);

	if (tty_output_pending(&s->tty) > 0)
		return false;
	if (uart_is_idle(&c->uart))
		return true;
	if (!c->is_drain_due) {
		c->is_drain_due = true;
		server_timer_set(c->scheme->server, &c->drain_timer, s->outside->now_ns() + DRAIN_DELAY_NS);
	}
	return false;
}

/* ---- Input --------------------------------------------------------------------------------------------------------- */

static bool take_room(struct uart *u)
{
	struct console *c = container_of(u, struct console, uart);

	return c->typed_bytes < sizeof(c->typed) && c->typed_bytes < tty_input_room(&c->served.tty);
}

static void type(struct console *c)
{
	size_t bytes = c->typed_bytes;

	c->typed_bytes = 0;
	if (bytes > 0)
		tty_serve_input(&c->served, c->typed, bytes);
}

static void take(struct uart *u, enum uart_event event, uint8_t byte)
{
	struct console *c = container_of(u, struct console, uart);

	if (event == UART_BYTE) {
		c->typed[c->typed_bytes++] = byte;
		return;
	}
	type(c);
	if (event == UART_BREAK)
		tty_input_break(&c->served.tty, c->served.outside->now_ns());
	else
		tty_input_error(&c->served.tty, byte, c->served.outside->now_ns());
}

void console_serial_service(struct console *c)
{
	bool can_send = uart_service(&c->uart);

	type(c);
	if (can_send || c->served.tty.signals)
		tty_serve_settle(&c->served);
}

/* The owner's room hook: what had to stay in the UART comes now. */
static void take_held(struct tty_served *s)
{
	struct console *c = console_of(s);

	if (!c->uart.is_present || !uart_is_held(&c->uart) || tty_input_room(&s->tty) == 0)
		return;
	(void)uart_service(&c->uart);
	type(c);
}

static void save_state(struct tty_served *s);

/* ---- Making -------------------------------------------------------------------------------------------------------- */

static const struct tty_owner owner = { .output = take_output, .room = take_held, .is_drained = is_drained, .settled = save_state };

void console_init(struct console *c, struct scheme *scheme, const struct tty_outside *outside)
{
	struct tty_served *s = &c->served;

	memset(c, 0, sizeof(*c));
	c->scheme = scheme;
	tty_served_init(s, scheme, &owner, outside);
	string_copy(s->name, "/dev/console", sizeof(s->name));
	s->major = CONSOLE_MAJOR;
	s->minor = CONSOLE_MINOR;
	s->node = 1;
	s->mode = 0620;
	s->gid = 5;
	server_timer_init(&c->drain_timer, drain_fired);
}

void console_add_serial(struct console *c, const struct ports *ports)
{
	uart_init(&c->uart, ports, take_room, take);
}

/* What nobody described has the usual 80 by 24. */
void console_set_size(struct console *c, const struct options *o)
{
	struct tty_size size = { .rows = o->rows ? o->rows : 24, .columns = o->columns ? o->columns : 80 };

	tty_set_size(&c->served.tty, &size);
	/* A terminal that nobody has yet did not change under anybody. */
	(void)!tty_take_signals(&c->served.tty);
}

/* ---- Over a restart -------------------------------------------------------------------------------------------------- */

static void save_state(struct tty_served *s)
{
	struct console *c = console_of(s);

	if (!c->state)
		return;
	*c->state = (struct console_state){
		.magic = CONSOLE_STATE_MAGIC, .modes = s->tty.modes, .size = s->tty.size, .session = s->tty.session,
		.foreground = s->tty.foreground, .mode = s->mode, .uid = s->uid, .gid = s->gid,
	};
}

void console_keep_state(struct console *c, struct console_state *state)
{
	struct tty_served *s = &c->served;

	if (state->magic == CONSOLE_STATE_MAGIC) {
		tty_set_modes(&s->tty, &state->modes);
		s->tty.size = state->size;
		s->mode = state->mode & MODE_PERMISSIONS;
		s->uid = state->uid;
		s->gid = state->gid;
		tty_serve_resume(s, state->session, state->foreground);
	}
	c->state = state;
	save_state(s);
}

/* ---- As a scheme ----------------------------------------------------------------------------------------------------- */

static int64_t console_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t flags, uint32_t mode)
{
	struct console *c = r->scheme->context;
	struct tty_open *o;

	(void)mode;
	for (; bytes > 0 && *ref == '/'; ref++)
		bytes--;
	if (!string_is(ref, bytes, r->open ? "" : "console"))
		return r->open ? ERR_NOTDIR : ERR_NOENT;
	if (flags & OPEN_DIRECTORY)
		return ERR_NOTDIR;
	if (!tty_serve_may(&c->served, &r->message->sender, flags))
		return ERR_ACCES;
	if (!(o = heap_new(struct tty_open)))
		return ERR_NOMEM;
	tty_serve_open(&c->served, o, r, flags);
	r->opened = o;
	return 0;
}

/* There is just one terminal that a number of an earlier instance can mean. */
static err_t console_revive(struct scheme_request *r)
{
	struct console *c = r->scheme->context;
	struct tty_open *o = heap_new(struct tty_open);

	if (!o)
		return ERR_NOMEM;
	tty_serve_open(&c->served, o, r, OPEN_NOCTTY);
	tty_serve_opened(o, r->id);
	r->opened = o;
	return OK;
}

static void console_opened(struct scheme *s, void *open, uint64_t id)
{
	(void)s;
	tty_serve_opened(open, id);
}

static void console_close(struct scheme *s, void *open)
{
	(void)s;
	tty_serve_close(open);
	heap_free(open, sizeof(struct tty_open));
}

static int64_t console_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct console *c = r->scheme->context;

	(void)offset;
	return tty_serve_read(&c->served, r, bytes);
}

static int64_t console_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct console *c = r->scheme->context;

	(void)offset;
	return tty_serve_write(&c->served, r, bytes);
}

static int64_t console_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct console *c = r->scheme->context;

	return tty_serve_call(&c->served, r, code, word, false);
}

const struct scheme_ops console_ops = {
	.open = console_open, .opened = console_opened, .read = console_read, .write = console_write, .call = console_call,
	.close = console_close, .cancel = tty_wait_cancel, .revive = console_revive, .needs_sender = true,
};
