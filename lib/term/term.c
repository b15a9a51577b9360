/* lib/term/term.c - a terminal as a whole: its making, its screens, its answers. */
#include "lib/term/private.h"

static const uint32_t default_palette[16] = {
	0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
	0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
};

void term_use_screen(struct term *t, uint8_t screen)
{
	if (t->screen == screen)
		return;
	t->screen = screen;
	grid_mark_all(t);
}

/* All but the content of struct that says where the cells are. */
void term_reset(struct term *t)
{
	t->top = 0;
	t->bottom = t->rows;
	t->insert = t->newline_returns = t->reverse_screen = false;
	t->application_cursor = t->application_keypad = false;
	t->autowrap = t->cursor_visible = true;
	t->state = 0;
	t->utf8_left = 0;
	t->last_code = 0;
	t->cursor = (struct term_cursor){ 0 };
	sgr_reset(t);
	t->saved[0] = t->saved[1] = t->cursor;
	for (size_t i = 0; i < TERM_COLUMNS_MAX / 64; i++)
		t->tab_stops[i] = 0x0101010101010101;
	__builtin_memcpy(t->palette, default_palette, sizeof(t->palette));
	t->palette_changed = true;
	for (t->screen = 2; t->screen-- > 0;)
		grid_erase_rows(t, 0, t->rows);
	t->screen = 0;
	grid_mark_all(t);
}

err_t term_init(struct term *t, uint16_t columns, uint16_t rows, struct term_cell *cells)
{
	if (columns == 0 || columns > TERM_COLUMNS_MAX || rows == 0 || rows > TERM_ROWS_MAX)
		return ERR_INVAL;
	__builtin_memset(t, 0, sizeof(*t));
	__builtin_memset(cells, 0, 2 * sizeof(*cells) * columns * rows);
	t->columns = columns;
	t->rows = rows;
	for (uint32_t i = 0; i < 2u * rows; i++)
		t->line[i / rows][i % rows] = cells + (size_t)i * columns;
	term_reset(t);
	return OK;
}

const struct term_cell *term_line(const struct term *t, uint16_t row)
{
	ASSERT(row < t->rows);
	return t->line[t->screen][row];
}

bool term_is_dirty(const struct term *t, uint16_t row)
{
	return t->dirty[row / 64] >> row % 64 & 1;
}

void term_clean(struct term *t)
{
	__builtin_memset(t->dirty, 0, sizeof(t->dirty));
	t->palette_changed = false;
}

/* An answer that does not fit whole is not given: half of one would be typed as text. */
void term_answer(struct term *t, const char *text, size_t bytes)
{
	if (t->answer_bytes + bytes > TERM_ANSWER_BYTES)
		return;
	__builtin_memcpy(t->answer + t->answer_bytes, text, bytes);
	t->answer_bytes += (uint8_t)bytes;
}

size_t term_take_answer(struct term *t, uint8_t out[TERM_ANSWER_BYTES])
{
	size_t bytes = t->answer_bytes;

	__builtin_memcpy(out, t->answer, bytes);
	t->answer_bytes = 0;
	return bytes;
}
