/* lib/screen/text.c - libvterm in an arena, with a log. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/screen/private.h"

enum { PIECE_MAX = 255 };

size_t text_memory_bytes(void)
{
	return sizeof(struct text_memory);
}

/* What the program must see done before what follows, should it end in between. */
static void in_order(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* ---- Memory for libvterm ---------------------------------------------------------------------------------------------- */

static void *arena_alloc(size_t bytes, void *memory)
{
	struct text_memory *m = memory;
	uint64_t at = m->arena_bytes;

	ASSERT(range_fits(at, bytes, sizeof(m->arena)));
	m->arena_bytes = round_up(at + bytes, 16);
	return m->arena + at;
}

/* Nothing is given back: the arena is used for one size of screen, then zeroed. */
static void arena_free(void *p, void *memory)
{
	(void)p, (void)memory;
}

static VTermAllocatorFunctions arena_functions = { .malloc = arena_alloc, .free = arena_free };

/* ---- What libvterm tells ------------------------------------------------------------------------------------------------ */

void text_mark_rows(struct text *t, uint32_t from, uint32_t to)
{
	from = MIN_OF(from + t->view, (uint32_t)t->rows);
	to = MIN_OF(to + t->view, (uint32_t)t->rows);
	for (; from < to; from++)
		t->dirty[from / 64] |= 1ull << from % 64;
}

static int on_damage(VTermRect rect, void *user)
{
	text_mark_rows(user, (uint32_t)rect.start_row, (uint32_t)rect.end_row);
	return 1;
}

static int on_cursor(VTermPos pos, VTermPos old, int visible, void *user)
{
	(void)visible;
	text_mark_rows(user, (uint32_t)old.row, (uint32_t)old.row + 1);
	text_mark_rows(user, (uint32_t)pos.row, (uint32_t)pos.row + 1);
	return 1;
}

static int on_property(VTermProp prop, VTermValue *value, void *user)
{
	struct text *t = user;
	uint32_t row = (uint32_t)text_state(t)->pos.row;

	(void)value;
	if (prop == VTERM_PROP_CURSORVISIBLE || prop == VTERM_PROP_CURSORSHAPE || prop == VTERM_PROP_CURSORBLINK)
		text_mark_rows(t, row, row + 1);
	return 1;
}

static int on_line_out(int columns, const VTermScreenCell *from, void *user)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];
	struct text *t = user;
	struct history *h = &t->memory->history;

	for (int i = 0; i < columns; i++)
		text_cell_of(&from[i], &cells[i]);
	history_push(h, cells, (size_t)columns);
	/* A view of the past stays where it is, as long as that is there. */
	if (t->view > 0 && t->view < h->place.end - h->place.first)
		t->view++;
	else if (t->view > 0)
		text_mark_all(t);
	return 1;
}

static void on_answer(const char *bytes, size_t count, void *user)
{
	struct text *t = user;

	if (!t->is_replaying)
		t->answer(t, bytes, count);
}

static const VTermScreenCallbacks screen_callbacks = {
	.damage = on_damage, .movecursor = on_cursor, .settermprop = on_property, .sb_pushline = on_line_out,
};

/* What in the arena points to this instance. */
static void adopt(struct text *t)
{
	t->vterm = (VTerm *)t->memory->arena;
	t->columns = (uint16_t)t->vterm->cols;
	t->rows = (uint16_t)t->vterm->rows;
	vterm_output_set_callback(t->vterm, on_answer, t);
	vterm_screen_set_callbacks(t->vterm->screen, &screen_callbacks, t);
}

void text_build(struct text *t, uint16_t columns, uint16_t rows)
{
	struct text_memory *m = t->memory;

	memset(m->arena, 0, m->arena_bytes);
	m->arena_bytes = 0;
	VTerm *vterm = vterm_new_with_allocator(rows, columns, &arena_functions, m);
	ASSERT((uint8_t *)vterm == m->arena);
	vterm_set_utf8(vterm, 1);
	VTermScreen *screen = vterm_obtain_screen(vterm);
	vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_ROW);
	vterm_screen_enable_altscreen(screen, 1);
	adopt(t);
	vterm_screen_reset(screen, 1);
	vterm_state_set_bold_highbright(vterm->state, 1);
}

/* ---- The log -------------------------------------------------------------------------------------------------------------- */

void text_save(struct text *t)
{
	struct text_memory *m = t->memory;

	m->phase = TEXT_SAVING;
	in_order();
	memcpy(m->saved, m->arena, m->arena_bytes);
	m->saved_bytes = m->arena_bytes;
	m->saved_history = m->history.place;
	m->next_written = t->written;
	in_order();
	m->phase = TEXT_SAVED;
	in_order();
	m->log_bytes = 0;
	m->saved_written = t->written;
	in_order();
	m->phase = TEXT_STEADY;
}

static void feed(struct text *t, const uint8_t *bytes, size_t count)
{
	(void)vterm_input_write(t->vterm, (const char *)bytes, count);
}

void text_write(struct text *t, const uint8_t *bytes, size_t count)
{
	struct text_memory *m = t->memory;

	while (count > 0) {
		size_t piece = MIN_OF(count, (size_t)PIECE_MAX);

		if (m->log_bytes + 1 + piece > TEXT_LOG_BYTES)
			text_save(t);
		m->log[m->log_bytes] = (uint8_t)piece;
		memcpy(m->log + m->log_bytes + 1, bytes, piece);
		in_order();
		m->log_bytes += (uint32_t)(1 + piece);
		in_order();
		t->written += piece;
		feed(t, bytes, piece);
		bytes += piece;
		count -= piece;
	}
	vterm_screen_flush_damage(t->vterm->screen);
}

/* False: what is there makes no sense. */
static bool revive(struct text *t)
{
	struct text_memory *m = t->memory;
	uint32_t at = 0;

	if (m->magic != TEXT_MEMORY_MAGIC || m->self != m || m->code != (const void *)&arena_functions)
		return false;
	if (m->arena_bytes < sizeof(VTerm) || m->arena_bytes > sizeof(m->arena) || m->saved_bytes > sizeof(m->saved) || m->log_bytes > TEXT_LOG_BYTES)
		return false;
	if (m->phase == TEXT_STEADY) {
		if (m->saved_bytes < sizeof(VTerm))
			return false;
		memset(m->arena, 0, m->arena_bytes);
		memcpy(m->arena, m->saved, m->saved_bytes);
		m->arena_bytes = m->saved_bytes;
		m->history.place = m->saved_history;
	}
	history_check(&m->history);
	adopt(t);
	t->is_replaying = true;
	t->written = m->phase == TEXT_SAVED ? m->next_written : m->saved_written;
	for (; m->phase != TEXT_SAVED && at < m->log_bytes && at + 1 + m->log[at] <= m->log_bytes; at += 1 + m->log[at]) {
		/* While saving it was all in the arena. */
		if (m->phase == TEXT_STEADY)
			feed(t, m->log + at + 1, m->log[at]);
		t->written += m->log[at];
	}
	t->is_replaying = false;
	vterm_screen_flush_damage(t->vterm->screen);
	text_save(t);
	return true;
}

static bool is_size(uint16_t columns, uint16_t rows)
{
	return columns >= TEXT_COLUMNS_MIN && columns <= TEXT_COLUMNS_MAX && rows >= TEXT_ROWS_MIN && rows <= TEXT_ROWS_MAX
	       && (uint32_t)columns * rows <= TEXT_CELLS_MAX;
}

err_t text_open(struct text *t, struct text_memory *memory, uint16_t columns, uint16_t rows,
                void (*answer)(struct text *t, const char *bytes, size_t count))
{
	if (!is_size(columns, rows))
		return ERR_INVAL;
	*t = (struct text){ .memory = memory, .answer = answer };
	if (revive(t)) {
		text_mark_all(t);
		return t->columns == columns && t->rows == rows ? OK : text_resize(t, columns, rows);
	}
	/* Of memory that was never used, pages should not be touched without need. */
	memory->arena_bytes = memory->magic ? sizeof(memory->arena) : MIN_OF(memory->arena_bytes, sizeof(memory->arena));
	memory->magic = 0;
	in_order();
	memory->history.place = (struct history_place){ 0 };
	text_build(t, columns, rows);
	memory->self = memory;
	memory->code = &arena_functions;
	text_save(t);
	memory->magic = TEXT_MEMORY_MAGIC;
	text_mark_all(t);
	return OK;
}

/* ---- What it looks like ------------------------------------------------------------------------------------------------------ */

static uint32_t colour_of(const VTermColor *c)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c))
		return TEXT_DEFAULT_FOREGROUND;
	if (VTERM_COLOR_IS_DEFAULT_BG(c))
		return TEXT_DEFAULT_BACKGROUND;
	if (VTERM_COLOR_IS_INDEXED(c))
		return TEXT_PALETTE | c->indexed.idx;
	return (uint32_t)c->rgb.red << 16 | (uint32_t)c->rgb.green << 8 | c->rgb.blue;
}

void text_cell_of(const VTermScreenCell *from, struct text_cell *to)
{
	const VTermScreenCellAttrs *a = &from->attrs;
	bool is_tail = from->chars[0] == UINT32_MAX;

	*to = (struct text_cell){
		.code = is_tail ? 0 : from->chars[0], .foreground = colour_of(&from->fg), .background = colour_of(&from->bg),
		.width = is_tail ? 0 : (uint16_t)from->width,
		.attributes = (uint16_t)((a->bold ? TEXT_BOLD : 0) | (a->dim ? TEXT_DIM : 0) | (a->italic ? TEXT_ITALIC : 0)
		                         | (a->underline ? TEXT_UNDERLINE : 0) | (a->underline == VTERM_UNDERLINE_DOUBLE ? TEXT_DOUBLE_UNDERLINE : 0)
		                         | (a->blink ? TEXT_BLINK : 0) | (a->reverse ? TEXT_REVERSE : 0) | (a->conceal ? TEXT_CONCEAL : 0)
		                         | (a->strike ? TEXT_STRIKE : 0)),
	};
	for (int i = 0; i < TEXT_MARKS && !is_tail && from->chars[i] && from->chars[i + 1]; i++)
		to->mark[i] = from->chars[i + 1];
}

void text_line(const struct text *t, uint64_t line, struct text_cell *cells)
{
	uint64_t end = t->memory->history.place.end;
	VTermScreenCell cell;

	if (line < end || line >= end + t->rows) {
		history_line(&t->memory->history, line, cells, t->columns);
		return;
	}
	for (int column = 0; column < t->columns; column++) {
		(void)vterm_screen_get_cell(t->vterm->screen, (VTermPos){ (int)(line - end), column }, &cell);
		text_cell_of(&cell, &cells[column]);
	}
}

void text_row(const struct text *t, uint16_t row, struct text_cell *cells)
{
	text_line(t, text_view_line(t) + row, cells);
}

struct text_cursor text_cursor(const struct text *t)
{
	const VTermState *s = text_state(t);
	uint32_t row = (uint32_t)s->pos.row + t->view;

	return (struct text_cursor){
		.row = (uint16_t)row, .column = (uint16_t)s->pos.col, .is_visible = s->mode.cursor_visible && row < t->rows,
		.shape = (enum text_cursor_shape)s->mode.cursor_shape,
	};
}

bool text_is_dirty(const struct text *t, uint16_t row)
{
	return t->dirty[row / 64] >> row % 64 & 1;
}

void text_clean(struct text *t)
{
	memset(t->dirty, 0, sizeof(t->dirty));
}

void text_mark_all(struct text *t)
{
	memset(t->dirty, 0xff, sizeof(t->dirty));
}

void text_scroll_view(struct text *t, int32_t lines)
{
	const struct history_place *p = &t->memory->history.place;
	int64_t view = (int64_t)t->view + lines, most = (int64_t)(p->end - p->first);
	uint32_t now = (uint32_t)(view < 0 ? 0 : MIN_OF(view, most));

	if (now != t->view)
		text_mark_all(t);
	t->view = now;
}
