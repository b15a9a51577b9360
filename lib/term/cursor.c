/* lib/term/cursor.c - where the cursor goes, and what writing a character does. */
#include "lib/term/private.h"

static void place(struct term *t, uint32_t row, uint32_t column)
{
	grid_mark(t, t->cursor.row);
	t->cursor.row = (uint16_t)(row < t->rows ? row : t->rows - 1u);
	t->cursor.column = (uint16_t)(column < t->columns ? column : t->columns - 1u);
	t->cursor.wraps = false;
	grid_mark(t, t->cursor.row);
}

void cursor_set(struct term *t, uint32_t row, uint32_t column)
{
	if (t->cursor.origin) {
		uint32_t last = t->bottom - 1u;

		row = row < (uint32_t)(last - t->top) ? row + t->top : last;
	}
	place(t, row, column);
}

void cursor_to_column(struct term *t, uint32_t column)
{
	place(t, t->cursor.row, column);
}

static uint32_t clamp(int64_t value, int64_t low, int64_t high)
{
	return (uint32_t)(value < low ? low : value > high ? high : value);
}

void cursor_move(struct term *t, int32_t rows, int32_t columns)
{
	/* Who is inside the scroll region stays inside. */
	int64_t low = t->cursor.row >= t->top ? t->top : 0;
	int64_t high = t->cursor.row < t->bottom ? t->bottom - 1 : t->rows - 1;

	place(t, clamp((int64_t)t->cursor.row + rows, low, high),
	      clamp((int64_t)t->cursor.column + columns, 0, t->columns - 1));
}

void cursor_index(struct term *t)
{
	if (t->cursor.row + 1 == t->bottom)
		grid_scroll_up(t, t->top, t->bottom, 1);
	else
		place(t, t->cursor.row + 1u, t->cursor.column);
	t->cursor.wraps = false;
}

void cursor_reverse_index(struct term *t)
{
	if (t->cursor.row == t->top)
		grid_scroll_down(t, t->top, t->bottom, 1);
	else if (t->cursor.row > 0)
		place(t, t->cursor.row - 1u, t->cursor.column);
	t->cursor.wraps = false;
}

static bool is_tab_stop(const struct term *t, uint16_t column)
{
	return t->tab_stops[column / 64] >> column % 64 & 1;
}

void cursor_tab(struct term *t, uint32_t count)
{
	uint16_t column = t->cursor.column;

	while (count-- > 0 && column < t->columns - 1)
		do
			column++;
		while (column < t->columns - 1 && !is_tab_stop(t, column));
	place(t, t->cursor.row, column);
}

void cursor_back_tab(struct term *t, uint32_t count)
{
	uint16_t column = t->cursor.column;

	while (count-- > 0 && column > 0)
		do
			column--;
		while (column > 0 && !is_tab_stop(t, column));
	place(t, t->cursor.row, column);
}

void cursor_save(struct term *t)
{
	t->saved[t->screen] = t->cursor;
}

void cursor_restore(struct term *t)
{
	struct term_cursor saved = t->saved[t->screen];

	place(t, saved.row, saved.column);
	t->cursor = saved;
	if (t->cursor.origin && (saved.row < t->top || saved.row >= t->bottom))
		place(t, t->top, saved.column);
}

static void wrap(struct term *t)
{
	place(t, t->cursor.row, 0);
	cursor_index(t);
}

static void write_cell(struct term *t, uint32_t code, unsigned width)
{
	struct term_cell cell = t->cursor.pen;
	uint16_t column = t->cursor.column;
	struct term_cell *line;

	/* Erasing first takes care of wide characters that are half covered. */
	grid_erase(t, t->cursor.row, column, column + (uint16_t)width);
	line = t->line[t->screen][t->cursor.row] + column;
	cell.code = code;
	line[0] = cell;
	if (width == 2) {
		line[0].attributes |= TERM_WIDE_HEAD;
		cell.code = ' ';
		cell.attributes |= TERM_WIDE_TAIL;
		line[1] = cell;
	}
}

void cursor_put(struct term *t, uint32_t code)
{
	unsigned width = charset_width(code);

	if (width == 0 || width > t->columns)
		return;
	if (t->cursor.wraps && t->autowrap)
		wrap(t);
	if (t->cursor.column + width > t->columns) {
		if (t->autowrap)
			wrap(t);
		else
			t->cursor.column = (uint16_t)(t->columns - width);
	}
	if (t->insert)
		grid_insert(t, width);
	write_cell(t, code, width);
	t->last_code = code;
	if (t->cursor.column + width < t->columns) {
		t->cursor.column += (uint16_t)width;
	} else {
		t->cursor.column = t->columns - 1;
		t->cursor.wraps = true;
	}
}
