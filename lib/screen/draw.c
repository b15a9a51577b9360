/* lib/screen/draw.c - looks are worked out cell by cell; only those that changed become pixels. */
#include "lib/screen/draw.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/screen/compose.h"

enum { FOREGROUND = 0xaaaaaa, BACKGROUND = 0x000000, BRIGHT = 0xffffff };

uint16_t draw_columns(struct display_size size, const struct font *font)
{
	return (uint16_t)MIN_OF(size.width / font->width, (uint32_t)TEXT_COLUMNS_MAX);
}

uint16_t draw_rows(struct display_size size, const struct font *font, uint16_t columns)
{
	uint32_t rows = MIN_OF(size.height / font->height, (uint32_t)TEXT_ROWS_MAX);

	return (uint16_t)(columns ? MIN_OF(rows, (uint32_t)TEXT_CELLS_MAX / columns) : 0);
}

static size_t shown_bytes(const struct draw *d)
{
	return (size_t)d->columns * d->rows * sizeof(*d->shown);
}

err_t draw_init(struct draw *d, uint8_t *pixels, struct display_size size, uint32_t pitch_bytes, const struct font *font)
{
	uint16_t columns = draw_columns(size, font), rows = draw_rows(size, font, columns);

	if (columns == 0 || rows == 0 || pitch_bytes % 4 != 0 || pitch_bytes / 4 < size.width)
		return ERR_INVAL;
	*d = (struct draw){ .pixels = pixels, .size = size, .pitch_bytes = pitch_bytes, .font = font, .columns = columns, .rows = rows };
	if (!(d->shown = heap_alloc(shown_bytes(d))))
		return ERR_NOMEM;
	draw_forget(d);
	return OK;
}

void draw_fini(struct draw *d)
{
	heap_free(d->shown, shown_bytes(d));
	d->shown = NULL;
}

void draw_forget(struct draw *d)
{
	memset(d->shown, 0xff, shown_bytes(d));
}

/* ---- How a cell looks --------------------------------------------------------------------------------------------------- */

/* The first 16 are Linux's and VGA's; then a cube of six levels, then greys (as xterm has them). */
uint32_t draw_colour(uint32_t colour)
{
	static const uint32_t basic[16] = {
		0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
		0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
	};
	static const uint8_t level[6] = { 0, 95, 135, 175, 215, 255 };
	uint32_t index = colour & 0xff;

	if (colour == TEXT_DEFAULT_FOREGROUND)
		return FOREGROUND;
	if (colour == TEXT_DEFAULT_BACKGROUND)
		return BACKGROUND;
	if ((colour & 0xff000000) != TEXT_PALETTE)
		return colour & 0xffffff;
	if (index < 16)
		return basic[index];
	if (index >= 232)
		return (8 + (index - 232) * 10) * 0x010101;
	index -= 16;
	return (uint32_t)level[index / 36] << 16 | (uint32_t)level[index / 6 % 6] << 8 | level[index % 6];
}

/* Between the two: two thirds of the way to colour. */
static uint32_t dimmed(uint32_t colour, uint32_t background)
{
	uint32_t result = 0;

	for (int shift = 0; shift < 24; shift += 8)
		result |= ((colour >> shift & 255) * 2 + (background >> shift & 255)) / 3 << shift;
	return result;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t was = *a;

	*a = *b;
	*b = was;
}

static struct draw_look look_of(const struct text_cell *cell, bool is_selected)
{
	uint16_t a = cell->attributes;
	struct draw_look look = {
		.code = cell->code ? cell->code : ' ', .mark = { cell->mark[0], cell->mark[1] },
		.on = draw_colour(cell->foreground), .off = draw_colour(cell->background),
		.draw_flags = (a & TEXT_UNDERLINE ? DRAW_UNDERLINE : 0) | (a & TEXT_DOUBLE_UNDERLINE ? DRAW_DOUBLE_UNDERLINE : 0)
		              | (a & TEXT_STRIKE ? DRAW_STRIKE : 0) | (a & TEXT_ITALIC ? DRAW_ITALIC : 0),
	};

	if ((a & TEXT_BOLD) && cell->foreground == TEXT_DEFAULT_FOREGROUND)
		look.on = BRIGHT;
	if (a & TEXT_DIM)
		look.on = dimmed(look.on, look.off);
	if (!!(a & TEXT_REVERSE) ^ is_selected)
		swap(&look.on, &look.off);
	if (a & TEXT_CONCEAL)
		look.code = ' ', look.mark[0] = look.mark[1] = 0;
	compose(&look.code, look.mark);
	/* A blank has no pixels of its colour, lines apart. */
	if (look.code == ' ' && !look.mark[0] && !(look.draw_flags & ~(uint32_t)DRAW_ITALIC))
		look.on = look.off, look.draw_flags = 0;
	return look;
}

static void show_cursor(struct draw_look *look, const struct text_cell *cell, enum text_cursor_shape shape)
{
	uint32_t on = draw_colour(cell->foreground);

	if (shape == TEXT_CURSOR_UNDERLINE || shape == TEXT_CURSOR_BAR) {
		look->draw_flags |= shape == TEXT_CURSOR_BAR ? DRAW_CURSOR_BAR : DRAW_CURSOR_LINE;
		if (look->on == look->off)
			look->on = on == look->off ? ~on & 0xffffff : on;
		return;
	}
	if (look->on == look->off)
		look->on = on == look->off ? ~on & 0xffffff : on;
	swap(&look->on, &look->off);
}

/* ---- Pixels --------------------------------------------------------------------------------------------------------------- */

/* The bits of a row of a glyph, leftmost pixel highest of 64. */
static uint64_t glyph_row(const struct font *f, const uint8_t *glyph, uint32_t y)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < f->row_bytes; i++)
		bits |= (uint64_t)glyph[y * f->row_bytes + i] << (56 - 8 * i);
	return bits;
}

static uint64_t line_bits(const struct draw_look *look, uint32_t y, uint32_t height)
{
	uint32_t flags = look->draw_flags;
	bool is_full = ((flags & (DRAW_UNDERLINE | DRAW_DOUBLE_UNDERLINE)) && y == height - 1) || ((flags & DRAW_DOUBLE_UNDERLINE) && y == height - 3)
	               || ((flags & DRAW_STRIKE) && y == height / 2) || ((flags & DRAW_CURSOR_LINE) && y >= height - 2);

	return is_full ? UINT64_MAX : flags & DRAW_CURSOR_BAR ? 3ull << 62 : 0;
}

static void put_row(uint32_t *pixel, uint64_t bits, uint32_t width, uint32_t on, uint32_t off)
{
	for (uint32_t x = 0; x < width; x++, bits <<= 1)
		pixel[x] = bits >> 63 ? on : off;
}

static void fill(uint8_t *line, uint32_t pitch_bytes, uint32_t width, uint32_t height, uint32_t colour)
{
	uint64_t two = (uint64_t)colour << 32 | colour;

	for (uint32_t y = 0; y < height; y++, line += pitch_bytes) {
		uint32_t x = 0;

		for (; x + 1 < width; x += 2)
			memcpy(line + x * 4, &two, sizeof(two));
		if (x < width)
			memcpy(line + x * 4, &colour, sizeof(colour));
	}
}

static void draw_cell(const struct draw *d, uint16_t row, uint16_t column, const struct draw_look *look)
{
	const struct font *f = d->font;
	const uint8_t *glyph = font_glyph(f, look->draw_flags & DRAW_TAIL ? ' ' : look->code), *mark[TEXT_MARKS];
	uint8_t *line = d->pixels + (size_t)row * f->height * d->pitch_bytes + (size_t)column * f->width * 4;

	if (look->on == look->off) {
		fill(line, d->pitch_bytes, f->width, f->height, look->off);
		return;
	}
	for (int i = 0; i < TEXT_MARKS; i++)
		mark[i] = look->mark[i] && font_has(f, look->mark[i]) ? font_glyph(f, look->mark[i]) : NULL;
	for (uint32_t y = 0; y < f->height; y++, line += d->pitch_bytes) {
		uint64_t bits = glyph_row(f, glyph, y);

		for (int i = 0; i < TEXT_MARKS; i++)
			if (mark[i])
				bits |= glyph_row(f, mark[i], y);
		if (look->draw_flags & DRAW_ITALIC)
			bits = y < f->height / 2 ? bits >> 1 : bits;
		put_row((uint32_t *)line, bits | line_bits(look, y, f->height), f->width, look->on, look->off);
	}
}

/* ---- What changed ------------------------------------------------------------------------------------------------------------ */

struct changes { struct display_rectangle *out; size_t count, most; };

/* Rows come in order: a rectangle that goes on from the last one makes it larger, and so does one that has no place. */
static void add_change(struct changes *c, const struct display_rectangle *r)
{
	struct display_rectangle *last = c->count > 0 ? &c->out[c->count - 1] : NULL;

	if (last && (c->count == c->most || last->y + last->height == r->y)) {
		uint32_t right = MAX_OF(last->x + last->width, r->x + r->width);

		last->x = MIN_OF(last->x, r->x);
		last->width = right - last->x;
		last->height = r->y + r->height - last->y;
		return;
	}
	c->out[c->count++] = *r;
}

static void draw_row(const struct draw *d, const struct text *t, uint16_t row, const struct text_cursor *cursor, struct changes *changes)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];
	uint16_t first = d->columns, last = 0;

	text_row(t, row, cells);
	for (uint16_t column = 0; column < d->columns; column++) {
		struct draw_look look = look_of(&cells[column], text_is_selected(t, row, column));
		struct draw_look *shown = &d->shown[(size_t)row * d->columns + column];

		if (cells[column].width == 0)
			look.draw_flags |= DRAW_TAIL;
		if (cursor->is_visible && cursor->row == row && cursor->column == column)
			show_cursor(&look, &cells[column], cursor->shape);
		if (memcmp(&look, shown, sizeof(look)) == 0)
			continue;
		draw_cell(d, row, column, &look);
		*shown = look;
		first = MIN_OF(first, column);
		last = column;
	}
	uint32_t width = d->font->width, height = d->font->height;
	if (first <= last)
		add_change(changes, &(struct display_rectangle){ first * width, row * height, (uint32_t)(last - first + 1) * width, height });
}

/* What no character covers, after a draw_forget. */
static void clear_around(const struct draw *d, struct changes *changes)
{
	uint32_t width = d->columns * d->font->width, height = d->rows * d->font->height;

	fill(d->pixels + (size_t)width * 4, d->pitch_bytes, d->size.width - width, height, BACKGROUND);
	fill(d->pixels + (size_t)height * d->pitch_bytes, d->pitch_bytes, d->size.width, d->size.height - height, BACKGROUND);
	changes->out[0] = (struct display_rectangle){ 0, 0, d->size.width, d->size.height };
	changes->count = 1;
}

size_t draw_update(struct draw *d, struct text *t, struct display_rectangle *out, size_t most)
{
	bool is_all = d->shown[0].draw_flags == UINT32_MAX;
	struct text_cursor cursor = text_cursor(t);
	struct changes changes = { out, 0, is_all ? 1 : most };

	ASSERT(t->columns == d->columns && t->rows == d->rows);
	for (uint16_t row = 0; row < d->rows; row++)
		if (is_all || text_is_dirty(t, row))
			draw_row(d, t, row, &cursor, &changes);
	if (is_all)
		clear_around(d, &changes);
	text_clean(t);
	return changes.count;
}
