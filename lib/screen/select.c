/* lib/screen/select.c - what is selected with the mouse, as text; and pasting. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/screen/private.h"

static int place_order(const struct text_place *a, const struct text_place *b)
{
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static const struct text_place *first_place(const struct text *t)
{
	return place_order(&t->select_from, &t->select_to) <= 0 ? &t->select_from : &t->select_to;
}

static const struct text_place *last_place(const struct text *t)
{
	return place_order(&t->select_from, &t->select_to) <= 0 ? &t->select_to : &t->select_from;
}

static struct text_place place_of(const struct text *t, uint16_t row, uint16_t column)
{
	return (struct text_place){ text_view_line(t) + MIN_OF(row, t->rows - 1), (uint16_t)MIN_OF(column, t->columns - 1) };
}

void text_select_from(struct text *t, uint16_t row, uint16_t column)
{
	text_select_nothing(t);
	t->select_from = t->select_to = place_of(t, row, column);
}

void text_select_to(struct text *t, uint16_t row, uint16_t column)
{
	struct text_place to = place_of(t, row, column);

	if (t->is_selected && place_order(&to, &t->select_to) == 0)
		return;
	t->select_to = to;
	t->is_selected = true;
	text_mark_all(t);
}

/* Where a double click ends: blanks, and what mostly stands around words. */
static bool is_in_word(const struct text_cell *cell)
{
	static const char outside[] = " \"'()[]{}<>|;,`";

	return cell->width == 0 || (cell->code != 0 && (cell->code > 0x7e || !strchr(outside, (int)cell->code)));
}

void text_select_word(struct text *t, uint16_t row, uint16_t column)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];
	uint16_t first = (uint16_t)MIN_OF(column, t->columns - 1), last = first;

	text_row(t, (uint16_t)MIN_OF(row, t->rows - 1), cells);
	if (is_in_word(&cells[first])) {
		while (first > 0 && is_in_word(&cells[first - 1]))
			first--;
		while (last + 1 < t->columns && is_in_word(&cells[last + 1]))
			last++;
	}
	text_select_from(t, row, first);
	text_select_to(t, row, last);
}

void text_select_line(struct text *t, uint16_t row)
{
	text_select_from(t, row, 0);
	text_select_to(t, row, (uint16_t)(t->columns - 1));
}

void text_select_nothing(struct text *t)
{
	if (t->is_selected)
		text_mark_all(t);
	t->is_selected = false;
}

bool text_is_selected(const struct text *t, uint16_t row, uint16_t column)
{
	struct text_place place = { text_view_line(t) + row, column };

	return t->is_selected && place_order(first_place(t), &place) <= 0 && place_order(&place, last_place(t)) <= 0;
}

/* ---- As text ---------------------------------------------------------------------------------------------------------- */

struct sink { char *to; size_t bytes, used; };

static void put(struct sink *s, char c)
{
	if (s->used < s->bytes)
		s->to[s->used] = c;
	s->used++;
}

size_t text_utf8(uint32_t code, char to[4])
{
	size_t tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

	to[0] = (char)(tail ? (0xff00 >> (tail + 1) & 0xff) | code >> 6 * tail : code);
	for (size_t i = 1; i <= tail; i++)
		to[i] = (char)(0x80 | (code >> 6 * (tail - i) & 0x3f));
	return 1 + tail;
}

static void put_code(struct sink *s, uint32_t code)
{
	char bytes[4];
	size_t count = text_utf8(code, bytes);

	for (size_t i = 0; i < count; i++)
		put(s, bytes[i]);
}

static void put_cell(struct sink *s, const struct text_cell *cell)
{
	if (cell->width == 0)
		return;
	put_code(s, cell->code ? cell->code : ' ');
	for (int i = 0; i < TEXT_MARKS && cell->mark[i]; i++)
		put_code(s, cell->mark[i]);
}

static bool is_blank(const struct text_cell *cell)
{
	return cell->width != 0 && (cell->code == 0 || cell->code == ' ') && !cell->mark[0];
}

size_t text_selection(const struct text *t, char *to, size_t bytes)
{
	const struct text_place *first = first_place(t), *last = last_place(t);
	struct text_cell cells[TEXT_COLUMNS_MAX];
	struct sink s = { to, bytes, 0 };

	for (uint64_t line = first->line; t->is_selected && line <= last->line; line++) {
		size_t from = line == first->line ? first->column : 0;
		size_t end = line == last->line ? last->column + 1u : t->columns;

		text_line(t, line, cells);
		end = MIN_OF(end, t->columns);
		while (end > from && is_blank(&cells[end - 1]))
			end--;
		for (size_t i = from; i < end; i++)
			put_cell(&s, &cells[i]);
		if (line < last->line)
			put(&s, '\n');
	}
	return s.used;
}

void text_paste(struct text *t, const char *bytes, size_t count)
{
	char piece[TEXT_ANSWER_MAX];
	size_t used = 0;

	vterm_keyboard_start_paste(t->vterm);
	for (size_t i = 0; i < count; i++) {
		char c = bytes[i] == '\n' ? '\r' : bytes[i];

		if (((uint8_t)c < ' ' && c != '\r' && c != '\t') || c == 0x7f)
			continue;
		piece[used++] = c;
		if (used == sizeof(piece)) {
			t->answer(t, piece, used);
			used = 0;
		}
	}
	if (used > 0)
		t->answer(t, piece, used);
	vterm_keyboard_end_paste(t->vterm);
}
