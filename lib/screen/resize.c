/* lib/screen/resize.c - a new terminal of the other size takes over what the old one showed and how it was set. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/screen/private.h"

/* What the old terminal was, while the arena becomes the new one. */
struct old {
	uint16_t columns, rows;
	bool is_alternate;
	struct VTerm vterm;
	struct VTermState state;
	char string[64];                /* of an unfinished sequence */
	VTermScreenCell *cells;         /* the primary screen, then the alternate one */
	size_t cells_bytes;
};

static void show_buffer(VTermState *s, bool alternate)
{
	VTermValue value = { .boolean = alternate };

	(void)s->callbacks->settermprop(VTERM_PROP_ALTSCREEN, &value, s->cbdata);
}

static void read_buffer(const struct text *t, VTermScreenCell *to)
{
	for (int row = 0; row < t->rows; row++)
		for (int column = 0; column < t->columns; column++)
			(void)vterm_screen_get_cell(t->vterm->screen, (VTermPos){ row, column }, to++);
}

static err_t read_old(const struct text *t, struct old *old)
{
	VTermState *s = text_state(t);
	size_t count = (size_t)t->columns * t->rows;

	*old = (struct old){ .columns = t->columns, .rows = t->rows, .is_alternate = s->mode.alt_screen, .vterm = *t->vterm, .state = *s };
	old->cells_bytes = 2 * count * sizeof(*old->cells);
	if (!(old->cells = heap_alloc(old->cells_bytes)))
		return ERR_NOMEM;
	memcpy(old->string, t->vterm->parser.strbuffer, MIN_OF(sizeof(old->string), t->vterm->parser.strbuffer_len));
	show_buffer(s, false);
	read_buffer(t, old->cells);
	show_buffer(s, true);
	read_buffer(t, old->cells + count);
	show_buffer(s, old->is_alternate);
	return OK;
}

/* How many rows above go, so that the cursor's stays. */
static int rows_over(int cursor_row, uint16_t rows)
{
	return MAX_OF(0, cursor_row - (rows - 1));
}

static void write_buffer(struct text *t, const struct old *old, const VTermScreenCell *cells, int skip)
{
	int columns = MIN_OF(t->columns, old->columns);

	for (int row = 0; row < t->rows && row + skip < old->rows; row++)
		for (int column = 0; column < columns; column++) {
			const VTermScreenCell *cell = &cells[(row + skip) * old->columns + column];

			if (cell->chars[0] != UINT32_MAX && column + cell->width <= t->columns)
				(void)vterm_screen_set_cell(t->vterm->screen, (VTermPos){ row, column }, cell);
		}
}

static void push_rows(struct text *t, const struct old *old, int rows)
{
	struct text_cell line[TEXT_COLUMNS_MAX];

	for (int row = 0; row < rows; row++) {
		for (int column = 0; column < old->columns; column++)
			text_cell_of(&old->cells[row * old->columns + column], &line[column]);
		history_push(&t->memory->history, line, old->columns);
	}
}

static VTermPos inside(const struct text *t, VTermPos pos, int skip)
{
	pos.row = MIN_OF(MAX_OF(pos.row - skip, 0), t->rows - 1);
	pos.col = MIN_OF(MAX_OF(pos.col, 0), t->columns - 1);
	return pos;
}

/* Modes, pen, character sets, and a sequence that is half read. Scroll region and tabulators are the new size's. */
static void take_settings(struct text *t, const struct old *old)
{
	VTermState *s = text_state(t);
	struct VTerm *v = t->vterm;
	const struct VTermState *o = &old->state;
	VTermValue reverse = { .boolean = o->mode.screen };
	__auto_type parser = old->vterm.parser;

	parser.callbacks = v->parser.callbacks;
	parser.cbdata = v->parser.cbdata;
	parser.strbuffer = v->parser.strbuffer;
	v->parser = parser;
	memcpy(v->parser.strbuffer, old->string, MIN_OF(sizeof(old->string), v->parser.strbuffer_len));
	v->mode = old->vterm.mode;
	(void)vterm_state_set_termprop(s, VTERM_PROP_REVERSE, &reverse);
	s->saved.pen = o->pen;
	vterm_state_savepen(s, 0);
	s->mode = o->mode;
	s->mode.origin = 0;
	s->mouse_flags = o->mouse_flags;
	s->mouse_protocol = o->mouse_protocol;
	memcpy(s->encoding, o->encoding, sizeof(s->encoding));
	s->encoding_utf8 = o->encoding_utf8;
	s->gl_set = o->gl_set;
	s->gr_set = o->gr_set;
	s->gsingle_set = o->gsingle_set;
	s->protected_cell = o->protected_cell;
	s->saved = o->saved;
}

err_t text_resize(struct text *t, uint16_t columns, uint16_t rows)
{
	struct old old;
	err_t err;

	if (columns < TEXT_COLUMNS_MIN || columns > TEXT_COLUMNS_MAX || rows < TEXT_ROWS_MIN || rows > TEXT_ROWS_MAX
	    || (uint32_t)columns * rows > TEXT_CELLS_MAX)
		return ERR_INVAL;
	if ((err = read_old(t, &old)))
		return err;
	/* Until the save at the end it is still the old one that counts. */
	text_save(t);
	text_build(t, columns, rows);
	int skip = rows_over(old.state.pos.row, rows);
	int primary_skip = old.is_alternate ? rows_over(old.state.saved.pos.row, rows) : skip;
	push_rows(t, &old, primary_skip);
	write_buffer(t, &old, old.cells, primary_skip);
	take_settings(t, &old);
	if (old.is_alternate) {
		show_buffer(text_state(t), true);
		write_buffer(t, &old, old.cells + (size_t)old.columns * old.rows, skip);
	}
	text_state(t)->pos = inside(t, old.state.pos, skip);
	text_state(t)->saved.pos = inside(t, old.state.saved.pos, primary_skip);
	heap_free(old.cells, old.cells_bytes);
	text_save(t);
	t->view = 0;
	text_select_nothing(t);
	text_mark_all(t);
	return OK;
}
