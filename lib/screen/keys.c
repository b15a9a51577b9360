/* lib/screen/keys.c - keys and the mouse as what a program reads: characters here, the rest by libvterm (xterm's sequences). */
#include "abi/proto/input.h"
#include "lib/base/bits.h"
#include "lib/screen/private.h"

/* Codes of keys (input.h says whose they are) that are no characters. */
static const struct { uint16_t code; VTermKey key; } keys[] = {
	{ 1, VTERM_KEY_ESCAPE }, { 14, VTERM_KEY_BACKSPACE }, { 15, VTERM_KEY_TAB }, { 28, VTERM_KEY_ENTER },
	{ 102, VTERM_KEY_HOME }, { 103, VTERM_KEY_UP }, { 104, VTERM_KEY_PAGEUP }, { 105, VTERM_KEY_LEFT }, { 106, VTERM_KEY_RIGHT },
	{ 107, VTERM_KEY_END }, { 108, VTERM_KEY_DOWN }, { 109, VTERM_KEY_PAGEDOWN }, { 110, VTERM_KEY_INS }, { 111, VTERM_KEY_DEL },
	{ 59, VTERM_KEY_FUNCTION(1) }, { 60, VTERM_KEY_FUNCTION(2) }, { 61, VTERM_KEY_FUNCTION(3) }, { 62, VTERM_KEY_FUNCTION(4) },
	{ 63, VTERM_KEY_FUNCTION(5) }, { 64, VTERM_KEY_FUNCTION(6) }, { 65, VTERM_KEY_FUNCTION(7) }, { 66, VTERM_KEY_FUNCTION(8) },
	{ 67, VTERM_KEY_FUNCTION(9) }, { 68, VTERM_KEY_FUNCTION(10) }, { 87, VTERM_KEY_FUNCTION(11) }, { 88, VTERM_KEY_FUNCTION(12) },
};

/* The number pad: with the lock (then there is a symbol), or an application's keypad, or as what is printed below the digits. */
static const struct { uint16_t code; VTermKey number, other; } pad[] = {
	{ 71, VTERM_KEY_KP_7, VTERM_KEY_HOME }, { 72, VTERM_KEY_KP_8, VTERM_KEY_UP }, { 73, VTERM_KEY_KP_9, VTERM_KEY_PAGEUP },
	{ 75, VTERM_KEY_KP_4, VTERM_KEY_LEFT }, { 76, VTERM_KEY_KP_5, VTERM_KEY_NONE }, { 77, VTERM_KEY_KP_6, VTERM_KEY_RIGHT },
	{ 79, VTERM_KEY_KP_1, VTERM_KEY_END }, { 80, VTERM_KEY_KP_2, VTERM_KEY_DOWN }, { 81, VTERM_KEY_KP_3, VTERM_KEY_PAGEDOWN },
	{ 82, VTERM_KEY_KP_0, VTERM_KEY_INS }, { 83, VTERM_KEY_KP_PERIOD, VTERM_KEY_DEL },
};
enum { KEY_PAD_ENTER = 96 };

static VTermModifier modifiers_of(uint16_t modifiers)
{
	return (modifiers & INPUT_SHIFT ? VTERM_MOD_SHIFT : 0) | (modifiers & INPUT_CONTROL ? VTERM_MOD_CTRL : 0)
	       | (modifiers & INPUT_ALT ? VTERM_MOD_ALT : 0);
}

static VTermKey key_of(const struct text *t, const struct input_event *e)
{
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (keys[i].code == e->code)
			return keys[i].key;
	for (size_t i = 0; i < ARRAY_COUNT(pad); i++)
		if (pad[i].code == e->code && (e->symbol == 0 || text_state(t)->mode.keypad))
			return e->symbol ? pad[i].number : pad[i].other;
	return e->code == KEY_PAD_ENTER ? VTERM_KEY_ENTER : VTERM_KEY_NONE;
}

/* Control and a key: a control character, where there is one. */
static uint32_t with_control(uint32_t symbol)
{
	if (symbol == ' ' || symbol == '2')
		return 0;
	if (symbol == '?' || symbol == '8')
		return 0x7f;
	if (symbol == '/' || symbol == '-')
		return 0x1f;
	if (symbol >= '3' && symbol <= '7')
		return symbol - '3' + 0x1b;
	return symbol >= '@' && symbol < 0x7f ? symbol & 0x1f : symbol;
}

static void type_symbol(struct text *t, uint32_t symbol, uint16_t modifiers)
{
	char bytes[8];
	size_t count = 0;

	if (symbol > 0x10ffff)
		return;
	if (modifiers & INPUT_CONTROL)
		symbol = with_control(symbol);
	if (modifiers & INPUT_ALT)
		bytes[count++] = '\x1b';
	count += text_utf8(symbol, bytes + count);
	t->answer(t, bytes, count);
}

void text_key(struct text *t, const struct input_event *e)
{
	if ((e->kind != INPUT_EVENT_KEY && e->kind != INPUT_EVENT_TEXT) || e->value == INPUT_UP)
		return;
	VTermKey key = e->kind == INPUT_EVENT_KEY ? key_of(t, e) : VTERM_KEY_NONE;
	VTermModifier modifiers = modifiers_of(e->modifiers);

	/* Programs know nothing of Control and Shift with these. */
	if (key == VTERM_KEY_ENTER || key == VTERM_KEY_BACKSPACE || key == VTERM_KEY_ESCAPE)
		modifiers &= VTERM_MOD_ALT;
	if (key == VTERM_KEY_TAB)
		modifiers &= VTERM_MOD_ALT | VTERM_MOD_SHIFT;
	if (key != VTERM_KEY_NONE)
		vterm_keyboard_key(t->vterm, key, modifiers);
	else if (e->symbol != 0)
		type_symbol(t, e->symbol, e->modifiers);
}

/* ---- The mouse ---------------------------------------------------------------------------------------------------------- */

bool text_wants_mouse(const struct text *t)
{
	return text_state(t)->mouse_flags != 0;
}

void text_mouse_move(struct text *t, uint16_t row, uint16_t column, uint16_t modifiers)
{
	vterm_mouse_move(t->vterm, MIN_OF(row, t->rows - 1), MIN_OF(column, t->columns - 1), modifiers_of(modifiers));
}

void text_mouse_button(struct text *t, unsigned button, bool is_down, uint16_t modifiers)
{
	if (text_wants_mouse(t) && button >= 1 && button <= 5)
		vterm_mouse_button(t->vterm, (int)button, is_down, modifiers_of(modifiers));
}
