/* lib/keymap/keymap.c - from a key and modifiers to a symbol. */
#include "abi/proto/input.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/keymap/layouts.h"

/* ---- Which layout ---------------------------------------------------------------------------------------------------- */

const struct keymap *keymap_find(const char *name, size_t bytes)
{
	for (const struct keymap *k = keymaps; k->name; k++)
		if (string_is(name, bytes, k->name))
			return k;
	return NULL;
}

const struct keymap *keymap_nth(uint32_t n)
{
	for (const struct keymap *k = keymaps; k->name; k++)
		if (n-- == 0)
			return k;
	return NULL;
}

const char *keymap_name(const struct keymap *k) { return k->name; }

/* ---- Modifiers and the number pad ------------------------------------------------------------------------------------ */

static bool has_third_level(const struct keymap *k)
{
	for (uint32_t i = 0; i < KEYMAP_ROWS; i++)
		if (k->row[i][2])
			return true;
	return false;
}

uint32_t keymap_modifier(const struct keymap *k, uint16_t code)
{
	switch (code) {
	case KEY_LEFT_SHIFT: case KEY_RIGHT_SHIFT:
		return INPUT_SHIFT;
	case KEY_LEFT_CONTROL: case KEY_RIGHT_CONTROL:
		return INPUT_CONTROL;
	case KEY_LEFT_ALT:
		return INPUT_ALT;
	case KEY_RIGHT_ALT:
		return has_third_level(k) ? INPUT_ALT_GR : INPUT_ALT;
	case KEY_LEFT_SUPER: case KEY_RIGHT_SUPER:
		return INPUT_SUPER;
	case KEY_CAPS_LOCK:
		return INPUT_CAPS;
	case KEY_NUM_LOCK:
		return INPUT_NUM;
	default:
		return 0;
	}
}

static const uint32_t pad_symbols[] = U"789-456+1230.";

uint16_t keymap_key(uint16_t code, uint32_t modifiers)
{
	static const uint8_t movement[] = {
		KEY_HOME, KEY_UP, KEY_PAGE_UP, 0, KEY_LEFT, 0, KEY_RIGHT, 0, KEY_END, KEY_DOWN, KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE,
	};
	bool moves = !(modifiers & INPUT_NUM) || modifiers & INPUT_SHIFT;

	if (code == KEY_PAD_ENTER)
		return KEY_ENTER;
	if (code < KEY_PAD_7 || code > KEY_PAD_DOT || !moves || !movement[code - KEY_PAD_7])
		return code;
	return movement[code - KEY_PAD_7];
}

/* ---- Symbols --------------------------------------------------------------------------------------------------------- */

/* Where each row's keys are: its first key's number, and that of the last one (beside Enter) where it is another. */
static const struct { uint8_t left, first, count, last; } rows[KEYMAP_ROWS] = {
	{ .left = 41, .first = 2, .count = 12 },        /* the key below Esc, 1 to = */
	{ .first = 16, .count = 12 },
	{ .first = 30, .count = 11, .last = 43 },
	{ .left = 86, .first = 44, .count = 10 },       /* the key that only ISO keyboards have, z to / */
};

static bool key_place(uint16_t key, uint32_t *row, uint32_t *column)
{
	for (uint32_t i = 0; i < KEYMAP_ROWS; i++) {
		bool has_left = rows[i].left;
		*row = i;
		*column = key >= rows[i].first ? key - rows[i].first + has_left : 0;
		if (key >= rows[i].first && key < rows[i].first + rows[i].count)
			return true;
		*column = has_left ? 0 : rows[i].count;
		if (key && (key == rows[i].left || key == rows[i].last))
			return true;
	}
	return false;
}

static uint32_t at_level(const struct keymap *k, uint32_t row, uint32_t column, uint32_t level)
{
	const uint32_t *symbols = k->row[row][level];

	for (uint32_t i = 0; symbols && symbols[i]; i++)
		if (i == column)
			return symbols[i] == ' ' ? 0 : symbols[i];
	return 0;
}

/* Letters of the Latin-1 range that have a capital one 32 below. */
static bool is_small_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7);
}

uint32_t keymap_symbol(const struct keymap *k, uint16_t key, uint32_t modifiers)
{
	uint32_t row, column;

	if (key == KEY_SPACE)
		return ' ';
	if (key == KEY_PAD_STAR || key == KEY_PAD_SLASH)
		return key == KEY_PAD_STAR ? '*' : '/';
	if (key >= KEY_PAD_7 && key <= KEY_PAD_DOT)
		return pad_symbols[key - KEY_PAD_7];
	if (!key_place(key, &row, &column))
		return 0;
	uint32_t plain = at_level(k, row, column, 0), shifted = at_level(k, row, column, 1);
	if (modifiers & INPUT_ALT_GR)
		return at_level(k, row, column, 2);
	bool is_letter = is_small_letter(plain) && shifted == plain - 32;
	bool shift = !!(modifiers & INPUT_SHIFT) != (is_letter && modifiers & INPUT_CAPS);
	return shift ? shifted : plain;
}

/* ---- Dead keys ------------------------------------------------------------------------------------------------------- */

uint32_t keymap_accent(uint32_t dead)
{
	for (const struct keymap_dead *d = keymap_deads; d->dead; d++)
		if (d->dead == dead)
			return d->accent;
	return 0;
}

uint32_t keymap_compose(uint32_t dead, uint32_t symbol)
{
	if (symbol == ' ' || symbol == dead)
		return keymap_accent(dead);
	for (const struct keymap_dead *d = keymap_deads; d->dead; d++)
		for (uint32_t i = 0; d->dead == dead && d->pairs[i]; i += 2)
			if (d->pairs[i] == symbol)
				return d->pairs[i + 1];
	return 0;
}
