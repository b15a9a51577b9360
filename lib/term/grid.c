/* lib/term/grid.c - the cells: erasing, shifting, scrolling, and which rows changed. */
#include "lib/term/private.h"

static struct term_cell *line_of(struct term *t, uint16_t row)
{
	ASSERT(row < t->rows);
	return t->line[t->screen][row];
}

void grid_mark(struct term *t, uint16_t row)
{
	t->dirty[row / 64] |= 1ull << row % 64;
}

void grid_mark_all(struct term *t)
{
	for (size_t i = 0; i < TERM_ROWS_MAX / 64; i++)
		t->dirty[i] = UINT64_MAX;
}

static struct term_cell blank(const struct term *t)
{
	return (struct term_cell){ ' ', 0, t->cursor.pen.foreground, t->cursor.pen.background };
}

/* A wide character of which half is about to go goes wholly. */
static void split_wide(struct term *t, struct term_cell *line, uint16_t column)
{
	if (column == 0 || column >= t->columns || !(line[column].attributes & TERM_WIDE_TAIL))
		return;
	line[column - 1] = blank(t);
	line[column] = blank(t);
}

void grid_erase(struct term *t, uint16_t row, uint16_t from, uint16_t to)
{
	struct term_cell *line = line_of(t, row);

	ASSERT(to <= t->columns);
	split_wide(t, line, from);
	split_wide(t, line, to);
	for (uint16_t i = from; i < to; i++)
		line[i] = blank(t);
	grid_mark(t, row);
}

void grid_erase_rows(struct term *t, uint16_t from, uint16_t to)
{
	for (uint16_t row = from; row < to; row++)
		grid_erase(t, row, 0, t->columns);
}

static void rotate(struct term_cell **line, uint16_t count, uint16_t by)
{
	struct term_cell *old[TERM_ROWS_MAX];

	for (uint16_t i = 0; i < count; i++)
		old[i] = line[(i + by) % count];
	for (uint16_t i = 0; i < count; i++)
		line[i] = old[i];
}

static void mark_rows(struct term *t, uint16_t from, uint16_t to)
{
	for (uint16_t row = from; row < to; row++)
		grid_mark(t, row);
}

void grid_scroll_up(struct term *t, uint16_t top, uint16_t bottom, uint32_t count)
{
	uint16_t height = bottom - top, by = (uint16_t)(count < height ? count : height);

	if (by == 0)
		return;
	rotate(&t->line[t->screen][top], height, by % height);
	mark_rows(t, top, bottom);
	grid_erase_rows(t, bottom - by, bottom);
}

void grid_scroll_down(struct term *t, uint16_t top, uint16_t bottom, uint32_t count)
{
	uint16_t height = bottom - top, by = (uint16_t)(count < height ? count : height);

	if (by == 0)
		return;
	rotate(&t->line[t->screen][top], height, (height - by) % height);
	mark_rows(t, top, bottom);
	grid_erase_rows(t, top, top + by);
}

void grid_insert(struct term *t, uint32_t count)
{
	uint16_t at = t->cursor.column, left = t->columns - at;
	uint16_t by = (uint16_t)(count < left ? count : left);
	struct term_cell *line = line_of(t, t->cursor.row);

	split_wide(t, line, at);
	split_wide(t, line, t->columns - by);
	for (uint16_t i = t->columns; i-- > at + by;)
		line[i] = line[i - by];
	for (uint16_t i = at; i < at + by; i++)
		line[i] = blank(t);
	grid_mark(t, t->cursor.row);
}

void grid_delete(struct term *t, uint32_t count)
{
	uint16_t at = t->cursor.column, left = t->columns - at;
	uint16_t by = (uint16_t)(count < left ? count : left);
	struct term_cell *line = line_of(t, t->cursor.row);

	split_wide(t, line, at);
	split_wide(t, line, at + by);
	for (uint16_t i = at; i + by < t->columns; i++)
		line[i] = line[i + by];
	for (uint16_t i = t->columns - by; i < t->columns; i++)
		line[i] = blank(t);
	grid_mark(t, t->cursor.row);
}
