/* servers/screend/screens.c - the current screen on the output. */
#include "servers/screend/screens.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

#define FRAME_NS (1000000000 / 60)
#define RETRY_NS 1000000000

static struct screens *screens_of(struct output *o) { return container_of(o, struct screens, output); }

struct screen *screens_find(struct screens *s, uint64_t number)
{
	return number >= 1 && number <= DISPLAY_SCREENS && s->screen[number - 1].kind != SCREEN_NONE ? &s->screen[number - 1] : NULL;
}

/* What the output is to show of the current screen. */
static struct target *target_of(struct screens *s)
{
	struct screen *n = s->current;

	if (n->kind == SCREEN_TEXT)
		return s->pixels ? &s->text_target : NULL;
	return n->graphic && n->graphic->shown ? &n->graphic->shown->target : NULL;
}

static void show_current(struct screens *s)
{
	for (size_t i = 0; i < DISPLAY_SCREENS; i++)
		if (s->screen[i].graphic)
			graphic_let_pass(&s->screen[i]);
	if (s->current->kind == SCREEN_TEXT) {
		if (screen_text_use(s->current) == OK)
			text_mark_all(&s->current->text);
		if (s->pixels)
			draw_forget(&s->draw);
	}
	s->is_draw_due = true;
	output_show(&s->output, target_of(s));
}

err_t screens_switch(struct screens *s, uint64_t number)
{
	struct screen *n = screens_find(s, number);

	if (!n)
		return ERR_NOENT;
	if (n == s->current)
		return OK;
	s->current = n;
	s->state->current = n->number;
	s->is_selecting = false;
	show_current(s);
	return OK;
}

/* ---- Frames ------------------------------------------------------------------------------------------------------------ */

static void frame_fired(struct server_timer *t)
{
	struct screens *s = container_of(t, struct screens, frame_timer);

	s->is_frame_waited_for = false;
	output_go_on(&s->output);
}

void screens_draw_soon(struct screens *s)
{
	s->is_draw_due = true;
	output_go_on(&s->output);
}

static bool is_frame_time(struct screens *s)
{
	uint64_t now_ns = s->tty_outside->now_ns();

	if (now_ns >= s->drawn_ns + FRAME_NS) {
		s->drawn_ns = now_ns;
		return true;
	}
	if (!s->is_frame_waited_for) {
		s->is_frame_waited_for = true;
		server_timer_set(s->scheme->server, &s->frame_timer, s->drawn_ns + FRAME_NS);
	}
	return false;
}

size_t screens_draw(struct output *o, struct display_rectangle *out)
{
	struct screens *s = screens_of(o);

	if (s->current->kind == SCREEN_GRAPHIC)
		return graphic_draw(s->current, out);
	if (!s->pixels || !s->current->is_open || !s->is_draw_due || (!o->must_draw_all && !is_frame_time(s)))
		return 0;
	s->is_draw_due = false;
	return draw_update(&s->draw, &s->current->text, out, DISPLAY_RECTANGLES_MAX);
}

void screens_drawn(struct output *o)
{
	struct screens *s = screens_of(o);

	for (size_t i = 0; i < DISPLAY_SCREENS; i++)
		if (s->screen[i].graphic)
			graphic_drawn(&s->screen[i]);
}

void screens_output_failed(struct output *o)
{
	struct screens *s = screens_of(o);

	server_timer_set(s->scheme->server, &s->retry_timer, s->tty_outside->now_ns() + RETRY_NS);
}

static void retry_fired(struct server_timer *t)
{
	output_try_again(&container_of(t, struct screens, retry_timer)->output);
}

/* ---- Another output, or another size ----------------------------------------------------------------------------------- */

static void drop_pixels(struct screens *s)
{
	if (!s->pixels)
		return;
	output_forget(&s->output, &s->text_target);
	draw_fini(&s->draw);
	s->outside->memory_drop(s->text_target.object, s->pixels, s->pixels_bytes);
	s->pixels = NULL;
}

static err_t make_pixels(struct screens *s, struct display_size size)
{
	uint32_t pitch_bytes = size.width * 4;
	size_t bytes = round_up((uint64_t)pitch_bytes * size.height, 4096);
	handle_t object;
	uint8_t *pixels;
	err_t err;

	if ((err = s->outside->memory_make(bytes, &object, &pixels)))
		return err;
	if ((err = draw_init(&s->draw, pixels, size, pitch_bytes, s->font))) {
		s->outside->memory_drop(object, pixels, bytes);
		return err;
	}
	s->text_target = (struct target){ .object = object, .is = { .size = size, .pitch_bytes = pitch_bytes } };
	s->pixels = pixels;
	s->pixels_bytes = bytes;
	return OK;
}

void screens_output_changed(struct output *o)
{
	struct screens *s = screens_of(o);

	if (output_is_there(o) && (!s->pixels || s->draw.size.width != o->is.size.width || s->draw.size.height != o->is.size.height)) {
		drop_pixels(s);
		/* Without memory, or on a display smaller than a few characters, there is no text. */
		if (make_pixels(s, o->is.size) == OK && (s->draw.columns < TEXT_COLUMNS_MIN || s->draw.rows < TEXT_ROWS_MIN))
			drop_pixels(s);
	}
	for (size_t i = 0; i < DISPLAY_SCREENS; i++) {
		struct screen *n = &s->screen[i];

		if (n->kind == SCREEN_TEXT)
			screen_text_size(n);
		if (n->graphic) {
			n->graphic->is_output_new = true;
			graphic_tell(n);
		}
	}
	show_current(s);
	screens_tell_attached(s);
}

/* ---- Making -------------------------------------------------------------------------------------------------------------- */

static size_t state_bytes(void)
{
	return round_up(sizeof(struct screens_state), 4096);
}

static size_t memory_bytes(void)
{
	return round_up(text_memory_bytes(), 4096);
}

size_t screens_memory_bytes(void)
{
	return state_bytes() + DISPLAY_SCREENS * memory_bytes();
}

void screens_init(struct screens *s, struct scheme *scheme, const struct tty_outside *tty, const struct screens_outside *outside,
                  const struct output_outside *output, const struct settings *settings, const struct font *font, void *memory)
{
	struct screens_state *state = memory;

	memset(s, 0, sizeof(*s));
	s->scheme = scheme;
	s->tty_outside = tty;
	s->outside = outside;
	s->settings = *settings;
	s->font = font;
	s->state = state;
	if (state->magic != SCREENS_STATE_MAGIC)
		memset(state, 0, sizeof(*state));
	state->magic = SCREENS_STATE_MAGIC;
	list_init(&s->waiting);
	server_timer_init(&s->frame_timer, frame_fired);
	server_timer_init(&s->retry_timer, retry_fired);
	output_init(&s->output, output);
	for (uint32_t i = 0; i < DISPLAY_SCREENS; i++) {
		struct screen *n = &s->screen[i];

		n->all = s;
		n->number = i + 1;
		n->kind = settings->kind[i];
		if (n->kind == SCREEN_TEXT)
			screen_text_init(n, &state->screen[i], (struct text_memory *)((uint8_t *)memory + state_bytes() + i * memory_bytes()));
		if (n->kind == SCREEN_GRAPHIC && graphic_init(n))
			n->kind = SCREEN_NONE;
		if (!s->current && n->kind != SCREEN_NONE)
			s->current = n;
	}
	if (screens_find(s, state->current))
		s->current = screens_find(s, state->current);
	state->current = s->current->number;
}
