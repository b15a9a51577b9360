/* servers/screend/serve.c - display: as a scheme: itself, text screens, graphic screens. */
#include "abi/proto/codes.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "servers/screend/screens.h"

enum { LIST_BYTES = 512 };

static struct screens *screens_of(const struct scheme *s) { return s->context; }

/* ---- Opening and closing ------------------------------------------------------------------------------------------------ */

static err_t parse(struct screens *s, const char *ref, size_t bytes, struct screen_open *out)
{
	uint64_t number;

	for (; bytes > 0 && *ref == '/'; ref++)
		bytes--;
	if (bytes == 0 || string_is(ref, bytes, "attached")) {
		out->kind = bytes == 0 ? OPEN_ROOT : OPEN_ATTACHED;
		return OK;
	}
	out->kind = OPEN_SCREEN;
	return number_parse(ref, bytes, 10, &number) || !(out->screen = screens_find(s, number)) ? ERR_NOENT : OK;
}

static int64_t open_text(struct screen *n, struct screen_open *o, struct scheme_request *r, uint32_t flags)
{
	err_t err;

	if (flags & OPEN_DIRECTORY)
		return ERR_NOTDIR;
	if (!tty_serve_may(&n->served, &r->message->sender, flags))
		return ERR_ACCES;
	if ((err = screen_text_use(n)))
		return err;
	tty_serve_open(&n->served, &o->tty, r, flags);
	return OK;
}

static int64_t open_graphic(struct screen *n, struct screen_open *o, struct scheme_request *r)
{
	if (r->message->sender.uid != 0)
		return ERR_ACCES;
	if (n->graphic->holder)
		return ERR_BUSY;
	n->graphic->holder = o;
	n->graphic->is_output_new = output_is_there(&n->all->output);
	r->reply_flags |= REPLY_NOTIFIES;
	return OK;
}

static int64_t display_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t flags, uint32_t mode)
{
	struct screens *s = screens_of(r->scheme);
	struct screen_open *o, what = { 0 };
	int64_t result;

	(void)mode;
	if (r->open)
		return ERR_NOTDIR;
	if ((result = parse(s, ref, bytes, &what)))
		return result;
	if (!(o = heap_new(struct screen_open)))
		return ERR_NOMEM;
	*o = what;
	struct screen *n = o->screen;
	if (!n)
		r->reply_flags |= REPLY_SEEKABLE;
	else
		result = n->kind == SCREEN_TEXT ? open_text(n, o, r, flags) : open_graphic(n, o, r);
	if (result < 0)
		heap_delete(o);
	else
		r->opened = o;
	return result;
}

/* What an instance after us is to know. When there is no room for it, that one's client gets CONNRESET. */
static void display_named(struct scheme *scheme, void *open, uint64_t id)
{
	struct screen_open *o = open;

	o->id = id;
	(void)!opens_add(&screens_of(scheme)->state->opens, id, o->kind, o->screen ? o->screen->number : 0);
}

static void display_opened(struct scheme *scheme, void *open, uint64_t id)
{
	struct screen_open *o = open;

	(void)scheme;
	o->id = id;
	if (o->screen && o->screen->kind == SCREEN_TEXT)
		tty_serve_opened(&o->tty, id);
	else if (o->screen)
		graphic_tell(o->screen);
}

static const struct opens_entry *entry_of(const struct screens *s, uint64_t id)
{
	for (size_t i = 0; i < OPENS_MAX; i++)
		if (s->state->opens.entry[i].id == id)
			return &s->state->opens.entry[i];
	return NULL;
}

/* A graphic one's surfaces went with the instance before: its holder gets NOENT, and gives them again. */
static err_t display_revive(struct scheme_request *r)
{
	struct screens *s = screens_of(r->scheme);
	const struct opens_entry *e = entry_of(s, r->id);
	struct screen_open *o;

	if (!e)
		return ERR_CONNRESET;
	struct screen *n = e->kind == OPEN_SCREEN ? screens_find(s, e->index) : NULL;
	if (e->kind == OPEN_SCREEN && (!n || (n->kind == SCREEN_GRAPHIC && n->graphic->holder)))
		return ERR_CONNRESET;
	if (!(o = heap_new(struct screen_open)))
		return ERR_NOMEM;
	*o = (struct screen_open){ .kind = (enum open_kind)e->kind, .screen = n, .id = r->id };
	if (n && n->kind == SCREEN_TEXT) {
		if (screen_text_use(n)) {
			heap_delete(o);
			return ERR_NOMEM;
		}
		tty_serve_open(&n->served, &o->tty, r, OPEN_NOCTTY);
		tty_serve_opened(&o->tty, r->id);
	} else if (n) {
		n->graphic->holder = o;
	}
	r->opened = o;
	return OK;
}

static void display_close(struct scheme *scheme, void *open)
{
	struct screen_open *o = open;
	struct screen *n = o->screen;

	opens_remove(&screens_of(scheme)->state->opens, o->id);
	if (n && n->kind == SCREEN_TEXT) {
		tty_serve_close(&o->tty);
		tty_serve_settle(&n->served);
	} else if (n && n->graphic->holder == o) {
		graphic_let_go(n);
	}
	heap_delete(o);
}

static void display_forget(struct scheme *scheme, uint64_t id)
{
	opens_remove(&screens_of(scheme)->state->opens, id);
}

/* ---- display: itself ------------------------------------------------------------------------------------------------------ */

static int64_t list(struct screens *s, struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char text[LIST_BYTES];
	size_t used = 0;

	for (uint32_t i = 0; i < DISPLAY_SCREENS; i++) {
		const struct screen *n = &s->screen[i];

		if (n->kind != SCREEN_NONE)
			used += fmt(text + used, sizeof(text) - used, "%u %s%s\n", n->number, n->kind == SCREEN_TEXT ? "text" : "graphic",
			            n == s->current ? " current" : "");
	}
	if (offset >= used)
		return 0;
	bytes = MIN_OF(MIN_OF(bytes, r->out_room), used - offset);
	memcpy(r->out, text + offset, bytes);
	return (int64_t)bytes;
}

static size_t attached_text(const struct screens *s, char *text, size_t bytes)
{
	return fmt(text, bytes, "%ux%u\n", s->output.is.size.width, s->output.is.size.height);
}

/* The size of what is attached; waits until something is. */
static int64_t read_attached(struct screens *s, struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char text[32];

	if (!output_is_there(&s->output))
		return r->is_nonblock ? ERR_AGAIN : tty_wait_defer(r, &s->waiting, NULL);
	size_t used = attached_text(s, text, sizeof(text));
	if (offset >= used)
		return 0;
	bytes = MIN_OF(MIN_OF(bytes, r->out_room), used - offset);
	memcpy(r->out, text + offset, bytes);
	return (int64_t)bytes;
}

void screens_tell_attached(struct screens *s)
{
	char text[32];

	while (output_is_there(&s->output) && !list_is_empty(&s->waiting)) {
		struct tty_wait *w = list_first(&s->waiting, struct tty_wait, link);
		size_t bytes = MIN_OF(attached_text(s, text, sizeof(text)), w->deferred.out_max);

		(void)!tty_wait_answer(w, (int64_t)bytes, text);
	}
}

static int64_t attach(struct screens *s, struct scheme_request *r)
{
	handle_t root = scheme_take_handle(r);
	err_t err;

	if (root == HANDLE_NONE)
		return ERR_INVAL;
	s->outside->watch(root, true);
	if ((err = output_attach(&s->output, (const char *)r->in, r->in_here, root))) {
		s->outside->watch(root, false);
		s->outside->close(root);
	}
	return err;
}

/* What the output shows: the text screens' pixels, or a graphic screen's. */
static int64_t snapshot_from(struct screens *s, const struct display_surface *to_is, uint8_t *to)
{
	const struct target *t = s->output.target;
	size_t bytes;
	uint8_t *from;

	if (!t)
		return ERR_NODEV;
	bytes = (size_t)t->is.pitch_bytes * (t->is.size.height - 1) + t->is.size.width * 4;
	from = t == &s->text_target ? s->pixels : s->outside->object_map(t->object, t->is.offset, bytes);
	if (!from)
		return ERR_NOMEM;
	for (uint32_t y = 0; y < t->is.size.height; y++)
		memcpy(to + (size_t)y * to_is->pitch_bytes, from + (size_t)y * t->is.pitch_bytes, (size_t)t->is.size.width * 4);
	if (t != &s->text_target)
		s->outside->object_unmap(from, bytes);
	return OK;
}

static int64_t snapshot(struct screens *s, struct scheme_request *r)
{
	struct display_surface is;
	err_t err;

	if ((err = scheme_in_struct(r, &is, sizeof(is))))
		return err;
	if (!s->output.target)
		return ERR_NODEV;
	struct display_size size = s->output.target->is.size;
	int64_t object_bytes = r->passed == HANDLE_NONE ? ERR_INVAL : s->outside->object_bytes(r->passed);
	size_t bytes = (size_t)is.pitch_bytes * (size.height - 1) + size.width * 4;
	if (object_bytes < 0 || is.size.width < size.width || is.size.height < size.height || is.pitch_bytes % 4 != 0 || is.pitch_bytes / 4 < size.width
	    || is.offset % 4096 != 0 || !range_fits(is.offset, bytes, (uint64_t)object_bytes))
		return ERR_INVAL;
	uint8_t *to = s->outside->object_map(r->passed, is.offset, bytes);
	if (!to)
		return ERR_INVAL;
	int64_t result = snapshot_from(s, &is, to);
	s->outside->object_unmap(to, bytes);
	return result < 0 ? result : scheme_out(r, &size, sizeof(size));
}

static int64_t root_call(struct screens *s, struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code != ATTACH && code != DETACH && code != DISPLAY_SWITCH && code != DISPLAY_SNAPSHOT)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	switch (code) {
	case ATTACH:
		return attach(s, r);
	case DETACH:
		return output_detach(&s->output, (const char *)r->in, r->in_here);
	case DISPLAY_SWITCH:
		return screens_switch(s, word);
	default:
		return snapshot(s, r);
	}
}

/* ---- Requests --------------------------------------------------------------------------------------------------------------- */

static int64_t display_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	const struct screen_open *o = r->open;

	if (o->kind == OPEN_ATTACHED)
		return read_attached(screens_of(r->scheme), r, bytes, offset);
	if (!o->screen)
		return list(screens_of(r->scheme), r, bytes, offset);
	return o->screen->kind == SCREEN_TEXT ? tty_serve_read(&o->screen->served, r, bytes) : graphic_read(o->screen, r, bytes);
}

static int64_t display_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	const struct screen_open *o = r->open;

	(void)offset;
	return o->screen && o->screen->kind == SCREEN_TEXT ? screen_text_write(o->screen, r, bytes) : ERR_BADF;
}

static int64_t display_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	const struct screen_open *o = r->open;

	if (o->kind == OPEN_ATTACHED)
		return ERR_NOTTY;
	if (!o->screen)
		return root_call(screens_of(r->scheme), r, code, word);
	return o->screen->kind == SCREEN_TEXT ? tty_serve_call(&o->screen->served, r, code, word, false) : graphic_call(o->screen, r, code, word);
}

const struct scheme_ops screens_ops = {
	.open = display_open, .named = display_named, .opened = display_opened, .read = display_read, .write = display_write, .call = display_call,
	.revive = display_revive, .close = display_close, .forget = display_forget, .cancel = tty_wait_cancel, .needs_sender = true,
};
