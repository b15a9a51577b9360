/* servers/screend/text.c - a text screen between its terminal and lib/screen. */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "servers/screend/screens.h"

static struct screen *screen_of(struct tty_served *t) { return container_of(t, struct screen, served); }
static struct screen_state *state_of(struct screen *n) { return &n->all->state->screen[n->number - 1]; }

/* What the terminal answers comes while output is being taken: it is typed afterwards. What does not fit was asked by nobody in his senses. */
static void keep_answer(struct text *t, const char *bytes, size_t count)
{
	struct screen *n = container_of(t, struct screen, text);

	count = MIN_OF(count, sizeof(n->answer) - n->answer_bytes);
	memcpy(n->answer + n->answer_bytes, bytes, count);
	n->answer_bytes += count;
}

void screen_text_answers(struct screen *n)
{
	char bytes[ANSWER_BYTES];

	while (n->answer_bytes > 0) {
		size_t count = n->answer_bytes;

		memcpy(bytes, n->answer, count);
		n->answer_bytes = 0;
		tty_serve_input(&n->served, (uint8_t *)bytes, count);
	}
}

static void take_output(struct tty_served *served)
{
	struct screen *n = screen_of(served);
	const uint8_t *span;
	size_t count;

	if (!n->is_open)
		return;
	while ((count = tty_output(&served->tty, &span)) > 0) {
		size_t old = MIN_OF(n->skip, count);

		n->skip -= old;
		text_write(&n->text, span + old, count - old);
		tty_output_taken(&served->tty, count);
		if (n == n->all->current)
			screens_draw_soon(n->all);
	}
	screen_text_answers(n);
}

static void save_state(struct tty_served *served)
{
	struct screen *n = screen_of(served);
	const struct tty *t = &served->tty;

	struct screen_state *to = state_of(n);

	*to = (struct screen_state){
		.is_used = n->is_open, .write_tag = to->write_tag, .write_start = to->write_start, .modes = t->modes, .size = t->size, .session = t->session, .foreground = t->foreground,
		.mode = served->mode, .uid = served->uid, .gid = served->gid,
	};
}

/* One that an instance before us had begun comes again: what it had written of it is not written twice. */
int64_t screen_text_write(struct screen *n, struct scheme_request *r, size_t bytes)
{
	struct screen_state *state = state_of(n);
	uint64_t tag = r->message->request.tag;

	if (tag != 0 && state->write_tag == tag) {
		n->skip = text_written(&n->text) - state->write_start;
	} else {
		state->write_tag = 0;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		state->write_start = text_written(&n->text);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		state->write_tag = tag;
	}
	int64_t result = tty_serve_write(&n->served, r, bytes);
	/* What waits (for START, say) goes on between others' output. */
	if (result == SCHEME_LATER)
		state->write_tag = 0;
	n->skip = 0;
	return result;
}

static const struct tty_owner owner = { .output = take_output, .settled = save_state };

/* How many characters fit, and what they take. */
static struct tty_size wanted_size(const struct screens *s)
{
	if (!s->pixels)
		return (struct tty_size){ .rows = ROWS_WITHOUT_DISPLAY, .columns = COLUMNS_WITHOUT_DISPLAY };
	return (struct tty_size){
		.rows = s->draw.rows, .columns = s->draw.columns,
		.x_pixels = (uint16_t)MIN_OF(s->draw.size.width, 65535u), .y_pixels = (uint16_t)MIN_OF(s->draw.size.height, 65535u),
	};
}

void screen_text_size(struct screen *n)
{
	struct tty_size size = wanted_size(n->all);

	/* Without a display it stays as it was. */
	if (n->is_open && (!n->all->pixels || text_resize(&n->text, size.columns, size.rows) != OK))
		return;
	tty_set_size(&n->served.tty, &size);
	if (n->is_open)
		tty_serve_settle(&n->served);
	else
		(void)!tty_take_signals(&n->served.tty);
}

err_t screen_text_use(struct screen *n)
{
	const struct tty_size *size = &n->served.tty.size;
	struct tty_size wanted = wanted_size(n->all);
	err_t err;

	if (n->is_open)
		return OK;
	if (!n->all->pixels && size->columns > 0)
		wanted = *size;
	if ((err = text_open(&n->text, n->memory, wanted.columns, wanted.rows, keep_answer)))
		return err;
	n->is_open = true;
	state_of(n)->is_used = true;
	tty_set_size(&n->served.tty, &wanted);
	return OK;
}

static void resume(struct screen *n, const struct screen_state *left)
{
	struct tty_served *t = &n->served;

	tty_set_modes(&t->tty, &left->modes);
	t->tty.size = left->size;
	t->mode = left->mode & MODE_PERMISSIONS;
	t->uid = left->uid;
	t->gid = left->gid;
	/* As large as it was: the display may not be back yet. */
	if (text_open(&n->text, n->memory, left->size.columns, left->size.rows, keep_answer) == OK)
		n->is_open = true;
	tty_serve_resume(t, left->session, left->foreground);
}

void screen_text_init(struct screen *n, struct screen_state *left, struct text_memory *memory)
{
	struct tty_served *t = &n->served;
	struct screen_state was = *left;

	n->memory = memory;
	tty_served_init(t, n->all->scheme, &owner, n->all->tty_outside);
	fmt(t->name, sizeof(t->name), "/dev/tty%u", n->number);
	t->major = TTY_MAJOR;
	t->minor = n->number;
	t->node = n->number;
	t->mode = 0620;
	t->gid = GROUP_TTY;
	t->tty.size = wanted_size(n->all);
	if (was.is_used)
		resume(n, &was);
}
