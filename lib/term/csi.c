/* lib/term/csi.c - control sequences: ESC [ parameters letter. */
#include "lib/base/fmt.h"
#include "lib/term/private.h"

/* Parameter number i; 0 and absent mean fallback. */
static uint32_t parameter(const struct term *t, uint8_t i, uint32_t fallback)
{
	return i < t->parameter_count && t->parameter[i] != 0 ? t->parameter[i] : fallback;
}

static uint32_t count_of(const struct term *t)
{
	return parameter(t, 0, 1);
}

static void erase_display(struct term *t)
{
	uint16_t row = t->cursor.row, column = t->cursor.column;

	switch (parameter(t, 0, 0)) {
	case 0:
		grid_erase(t, row, column, t->columns);
		grid_erase_rows(t, row + 1, t->rows);
		break;
	case 1:
		grid_erase_rows(t, 0, row);
		grid_erase(t, row, 0, column + 1);
		break;
	case 2: case 3:
		grid_erase_rows(t, 0, t->rows);
		break;
	}
	t->cursor.wraps = false;
}

static void erase_line(struct term *t)
{
	uint16_t row = t->cursor.row, column = t->cursor.column;

	switch (parameter(t, 0, 0)) {
	case 0:
		grid_erase(t, row, column, t->columns);
		break;
	case 1:
		grid_erase(t, row, 0, column + 1);
		break;
	case 2:
		grid_erase(t, row, 0, t->columns);
		break;
	}
	t->cursor.wraps = false;
}

static void erase_characters(struct term *t)
{
	uint32_t left = t->columns - t->cursor.column, count = count_of(t);

	grid_erase(t, t->cursor.row, t->cursor.column, (uint16_t)(t->cursor.column + (count < left ? count : left)));
	t->cursor.wraps = false;
}

/* IL and DL: only inside the scroll region. */
static void shift_lines(struct term *t, bool insert)
{
	if (t->cursor.row < t->top || t->cursor.row >= t->bottom)
		return;
	if (insert)
		grid_scroll_down(t, t->cursor.row, t->bottom, count_of(t));
	else
		grid_scroll_up(t, t->cursor.row, t->bottom, count_of(t));
	cursor_to_column(t, 0);
}

static void set_region(struct term *t)
{
	uint32_t top = parameter(t, 0, 1), bottom = parameter(t, 1, t->rows);

	if (bottom > t->rows)
		bottom = t->rows;
	if (top >= bottom)
		return;
	t->top = (uint16_t)(top - 1);
	t->bottom = (uint16_t)bottom;
	cursor_set(t, 0, 0);
}

static void clear_tabs(struct term *t)
{
	uint16_t column = t->cursor.column;

	if (parameter(t, 0, 0) == 0)
		t->tab_stops[column / 64] &= ~(1ull << column % 64);
	else if (parameter(t, 0, 0) == 3)
		__builtin_memset(t->tab_stops, 0, sizeof(t->tab_stops));
}

static void report(struct term *t)
{
	char text[32];
	uint16_t row = t->cursor.row - (t->cursor.origin ? t->top : 0);
	size_t bytes;

	if (parameter(t, 0, 0) == 5) {
		term_answer(t, "\033[0n", 4);
	} else if (parameter(t, 0, 0) == 6) {
		bytes = fmt(text, sizeof(text), "\033[%u;%uR", row + 1u, t->cursor.column + 1u);
		term_answer(t, text, bytes);
	}
}

static void repeat(struct term *t)
{
	uint32_t count = count_of(t), most = (uint32_t)t->columns * t->rows;

	for (count = count < most ? count : most; t->last_code && count > 0; count--)
		cursor_put(t, t->last_code);
}

static void set_ansi_mode(struct term *t, uint32_t mode, bool on)
{
	if (mode == 4)
		t->insert = on;
	else if (mode == 20)
		t->newline_returns = on;
}

/* 1047, 1049 and 47: the alternate screen, cleared as it comes; 1048: the cursor. */
static void switch_screen(struct term *t, uint32_t mode, bool on)
{
	if (on && mode != 47 && mode != 1047)
		cursor_save(t);
	if (mode != 1048) {
		struct term_cursor cursor = t->cursor;

		term_use_screen(t, on);
		t->cursor = cursor;
		if (on)
			grid_erase_rows(t, 0, t->rows);
	}
	if (!on && mode != 47 && mode != 1047)
		cursor_restore(t);
}

static void set_private_mode(struct term *t, uint32_t mode, bool on)
{
	switch (mode) {
	case 1:
		t->application_cursor = on;
		break;
	case 5:
		t->reverse_screen = on;
		grid_mark_all(t);
		break;
	case 6:
		t->cursor.origin = on;
		cursor_set(t, 0, 0);
		break;
	case 7:
		t->autowrap = on;
		break;
	case 25:
		t->cursor_visible = on;
		grid_mark(t, t->cursor.row);
		break;
	case 66:
		t->application_keypad = on;
		break;
	case 47: case 1047: case 1048: case 1049:
		switch_screen(t, mode, on);
		break;
	}
}

static void set_modes(struct term *t, bool on)
{
	for (uint8_t i = 0; i < t->parameter_count; i++)
		if (t->marker == '?')
			set_private_mode(t, t->parameter[i], on);
		else if (t->marker == 0)
			set_ansi_mode(t, t->parameter[i], on);
}

static void soft_reset(struct term *t)
{
	t->insert = t->application_cursor = t->application_keypad = t->cursor.origin = false;
	t->cursor_visible = t->autowrap = true;
	t->top = 0;
	t->bottom = t->rows;
	t->cursor.set = 0;
	t->cursor.charset[0] = t->cursor.charset[1] = TERM_ASCII;
	sgr_reset(t);
}

static void move(struct term *t, uint8_t last)
{
	int32_t count = (int32_t)count_of(t);

	switch (last) {
	case 'A':
		cursor_move(t, -count, 0);
		break;
	case 'B': case 'e':
		cursor_move(t, count, 0);
		break;
	case 'C': case 'a':
		cursor_move(t, 0, count);
		break;
	case 'D':
		cursor_move(t, 0, -count);
		break;
	case 'E':
		cursor_move(t, count, 0);
		cursor_to_column(t, 0);
		break;
	case 'F':
		cursor_move(t, -count, 0);
		cursor_to_column(t, 0);
		break;
	case 'G': case '`':
		cursor_to_column(t, count_of(t) - 1);
		break;
	case 'd':
		cursor_set(t, count_of(t) - 1, t->cursor.column);
		break;
	case 'H': case 'f':
		cursor_set(t, count_of(t) - 1, parameter(t, 1, 1) - 1);
		break;
	case 'I':
		cursor_tab(t, count_of(t));
		break;
	case 'Z':
		cursor_back_tab(t, count_of(t));
		break;
	}
}

static void change(struct term *t, uint8_t last)
{
	switch (last) {
	case '@':
		grid_insert(t, count_of(t));
		t->cursor.wraps = false;
		break;
	case 'J':
		erase_display(t);
		break;
	case 'K':
		erase_line(t);
		break;
	case 'L': case 'M':
		shift_lines(t, last == 'L');
		break;
	case 'P':
		grid_delete(t, count_of(t));
		t->cursor.wraps = false;
		break;
	case 'S':
		grid_scroll_up(t, t->top, t->bottom, count_of(t));
		break;
	case 'T':
		grid_scroll_down(t, t->top, t->bottom, count_of(t));
		break;
	case 'X':
		erase_characters(t);
		break;
	case 'b':
		repeat(t);
		break;
	}
}

static void control(struct term *t, uint8_t last)
{
	switch (last) {
	case 'c':
		if (parameter(t, 0, 0) == 0)
			term_answer(t, "\033[?6c", 5);
		break;
	case 'g':
		clear_tabs(t);
		break;
	case 'm':
		sgr_run(t);
		break;
	case 'n':
		report(t);
		break;
	case 'r':
		set_region(t);
		break;
	case 's':
		cursor_save(t);
		break;
	case 'u':
		cursor_restore(t);
		break;
	}
}

void csi_run(struct term *t, uint8_t last)
{
	if (t->intermediate == '!' && last == 'p')
		soft_reset(t);
	if (t->intermediate)
		return;
	if (last == 'h' || last == 'l')
		set_modes(t, last == 'h');
	else if (t->marker == '?' && (last == 'J' || last == 'K'))
		change(t, last);
	if (t->marker)
		return;
	move(t, last);
	change(t, last);
	control(t, last);
}
