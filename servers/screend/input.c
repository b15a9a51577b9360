/* servers/screend/input.c - keys and the mouse, to the current screen; what switches comes first, whatever that screen does. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "servers/screend/screens.h"

enum { KEY_F1 = 59, KEY_F10 = 68, KEY_F11 = 87, KEY_F12 = 88, KEY_PAGE_UP = 104, KEY_PAGE_DOWN = 109, WHEEL_LINES = 3 };
#define DOUBLE_CLICK_NS 400000000

/* F1 to F12 as 1 to 12; 0: another key. */
static uint32_t function_key(uint16_t code)
{
	return code >= KEY_F1 && code <= KEY_F10 ? code - KEY_F1 + 1u : code == KEY_F11 || code == KEY_F12 ? code - KEY_F11 + 11u : 0;
}

/* True: the event was for us. */
static bool take_switch(struct screens *s, const struct input_event *e)
{
	if (e->kind != INPUT_EVENT_KEY)
		return false;
	if (e->code == s->swallowed && s->swallowed != 0) {
		if (e->value == INPUT_UP)
			s->swallowed = 0;
		return true;
	}
	if (e->value != INPUT_DOWN || !function_key(e->code) || !(e->modifiers & s->settings.switch_modifiers))
		return false;
	s->swallowed = e->code;
	/* A number without a screen does nothing. */
	(void)!screens_switch(s, function_key(e->code));
	return true;
}

/* ---- Text: keys ---------------------------------------------------------------------------------------------------------- */

static void text_key_pressed(struct screen *n, const struct input_event *e)
{
	struct text *t = &n->text;
	bool is_page = e->kind == INPUT_EVENT_KEY && (e->modifiers & INPUT_SHIFT) && (e->code == KEY_PAGE_UP || e->code == KEY_PAGE_DOWN);

	if (e->value == INPUT_UP)
		return;
	if (is_page) {
		text_scroll_view(t, e->code == KEY_PAGE_UP ? t->rows / 2 : -(t->rows / 2));
		return;
	}
	text_key(t, e);
	if (n->answer_bytes == 0)
		return;
	text_scroll_view(t, INT32_MIN);
	text_select_nothing(t);
}

/* ---- Text: the mouse ---------------------------------------------------------------------------------------------------- */

static void move_pointer(struct screens *s, const struct input_event *e)
{
	struct display_size size = s->draw.size;
	int64_t x = e->is_absolute ? (int64_t)e->x * size.width / (INPUT_POINTER_SCALE + 1) : (int64_t)s->pointer_x + e->x;
	int64_t y = e->is_absolute ? (int64_t)e->y * size.height / (INPUT_POINTER_SCALE + 1) : (int64_t)s->pointer_y + e->y;

	s->pointer_x = (int32_t)MAX_OF(0, MIN_OF(x, (int64_t)size.width - 1));
	s->pointer_y = (int32_t)MAX_OF(0, MIN_OF(y, (int64_t)size.height - 1));
}

static uint16_t pointer_row(const struct screens *s)
{
	return (uint16_t)MIN_OF((uint32_t)s->pointer_y / s->font->height, s->draw.rows - 1u);
}

static uint16_t pointer_column(const struct screens *s)
{
	return (uint16_t)MIN_OF((uint32_t)s->pointer_x / s->font->width, s->draw.columns - 1u);
}

static void copy_selection(struct screens *s, const struct text *t)
{
	if (!t->is_selected)
		return;
	if (!s->clipboard && !(s->clipboard = heap_alloc(CLIPBOARD_BYTES)))
		return;
	s->clipboard_bytes = MIN_OF(text_selection(t, s->clipboard, CLIPBOARD_BYTES), (size_t)CLIPBOARD_BYTES);
}

/* As much as the terminal has room for: what is more would be dropped there. */
static void paste(struct screens *s, struct screen *n)
{
	text_paste(&n->text, s->clipboard, MIN_OF(s->clipboard_bytes, tty_input_room(&n->served.tty)));
}

static void press_left(struct screens *s, struct text *t, uint64_t time_ns)
{
	uint16_t row = pointer_row(s), column = pointer_column(s);
	bool is_same = row == s->clicked_row && column == s->clicked_column && time_ns - s->clicked_ns < DOUBLE_CLICK_NS;

	s->click_count = is_same ? s->click_count % 3 + 1 : 1;
	s->clicked_ns = time_ns;
	s->clicked_row = row;
	s->clicked_column = column;
	if (s->click_count == 1)
		text_select_from(t, row, column);
	else if (s->click_count == 2)
		text_select_word(t, row, column);
	else
		text_select_line(t, row);
	s->is_selecting = true;
}

static void text_button(struct screens *s, struct screen *n, const struct input_event *e)
{
	bool is_down = e->value == INPUT_DOWN;
	unsigned button = e->code == INPUT_BUTTON_LEFT ? 1 : e->code == INPUT_BUTTON_MIDDLE ? 2 : e->code == INPUT_BUTTON_RIGHT ? 3 : 0;

	if (text_wants_mouse(&n->text) && !(e->modifiers & INPUT_SHIFT) && !s->is_selecting) {
		text_mouse_button(&n->text, button, is_down, e->modifiers);
		return;
	}
	if (button == 1 && is_down)
		press_left(s, &n->text, e->time_ns);
	if (button == 1 && !is_down && s->is_selecting) {
		s->is_selecting = false;
		copy_selection(s, &n->text);
	}
	if (button == 2 && is_down && s->clipboard)
		paste(s, n);
}

static void text_moved(struct screens *s, struct screen *n, const struct input_event *e)
{
	move_pointer(s, e);
	if (s->is_selecting && (s->click_count > 1 || pointer_row(s) != s->clicked_row || pointer_column(s) != s->clicked_column || n->text.is_selected)) {
		if (s->click_count == 1)
			text_select_to(&n->text, pointer_row(s), pointer_column(s));
	} else if (!s->is_selecting && text_wants_mouse(&n->text)) {
		text_mouse_move(&n->text, pointer_row(s), pointer_column(s), e->modifiers);
	}
}

static void text_wheel(struct screen *n, const struct input_event *e)
{
	int32_t notches = MAX_OF(-8, MIN_OF(e->y, 8));

	if (!text_wants_mouse(&n->text) || (e->modifiers & INPUT_SHIFT)) {
		text_scroll_view(&n->text, notches * WHEEL_LINES);
		return;
	}
	for (int32_t i = 0; i < (notches < 0 ? -notches : notches); i++)
		text_mouse_button(&n->text, notches > 0 ? 4 : 5, true, e->modifiers);
}

static void text_event(struct screens *s, struct screen *n, const struct input_event *e)
{
	bool has_pointer = s->pixels != NULL;

	if (e->kind == INPUT_EVENT_KEY || e->kind == INPUT_EVENT_TEXT)
		text_key_pressed(n, e);
	else if (e->kind == INPUT_EVENT_POINTER && has_pointer)
		text_moved(s, n, e);
	else if (e->kind == INPUT_EVENT_BUTTON && has_pointer)
		text_button(s, n, e);
	else if (e->kind == INPUT_EVENT_WHEEL)
		text_wheel(n, e);
	screen_text_answers(n);
	screens_draw_soon(s);
}

void screens_event(struct screens *s, const struct input_event *e)
{
	struct screen *n = s->current;

	if (take_switch(s, e))
		return;
	if (n->kind == SCREEN_GRAPHIC)
		graphic_event(n, e);
	else if (screen_text_use(n) == OK)
		text_event(s, n, e);
}
