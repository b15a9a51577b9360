/* lib/term/draw.c - cells to pixels. */
#include "lib/term/draw.h"

uint16_t term_draw_columns(const struct draw_target *target, const struct font *font)
{
	uint32_t count = target->width / font->width;

	return (uint16_t)(count < TERM_COLUMNS_MAX ? count : TERM_COLUMNS_MAX);
}

uint16_t term_draw_rows(const struct draw_target *target, const struct font *font)
{
	uint32_t count = target->height / font->height;

	return (uint16_t)(count < TERM_ROWS_MAX ? count : TERM_ROWS_MAX);
}

static uint32_t pixel_of(const struct draw_target *target, uint32_t rgb)
{
	return (rgb >> 16 & 255) << target->red_shift | (rgb >> 8 & 255) << target->green_shift
	       | (rgb & 255) << target->blue_shift;
}

/* Colours 16 to 231 are a cube of six levels, 232 to 255 greys. */
static uint32_t rgb_of(const struct term *t, uint32_t index)
{
	static const uint8_t level[6] = { 0, 95, 135, 175, 215, 255 };

	if (index < 16)
		return t->palette[index];
	if (index >= 232)
		return (8 + (index - 232) * 10) * 0x010101;
	index -= 16;
	return (uint32_t)level[index / 36] << 16 | level[index / 6 % 6] << 8 | level[index % 6];
}

static void load_palette(struct draw *d, const struct term *t)
{
	for (uint32_t i = 0; i < 256; i++)
		d->colour[i] = pixel_of(&d->target, rgb_of(t, i));
}

static void forget_shown(struct draw *d)
{
	__builtin_memset(d->shown, 0, sizeof(*d->shown) * d->columns * d->rows);
}

void term_draw_init(struct draw *d, const struct draw_target *target, const struct font *font,
               const struct term *t, struct term_cell *shown)
{
	*d = (struct draw){ .target = *target, .font = font, .shown = shown, .columns = t->columns, .rows = t->rows };
	ASSERT(t->columns <= term_draw_columns(target, font) && t->rows <= term_draw_rows(target, font));
	load_palette(d, t);
	forget_shown(d);
	for (uint32_t y = 0; y < target->height; y++)
		__builtin_memset(target->pixels + (size_t)y * target->pitch_bytes, 0, (size_t)target->width * 4);
}

/* The attributes that say how a cell looks, once colours are settled. */
enum { DRAWN = TERM_UNDERLINE | TERM_STRIKE | TERM_WIDE_HEAD | TERM_WIDE_TAIL };

/* A cell with its attributes worked into its colours, so that equal cells look equal. */
static struct term_cell look_of(const struct term_cell *cell, bool reversed, bool cursor)
{
	struct term_cell look = { cell->code, cell->attributes & DRAWN, cell->foreground, cell->background };
	bool swap = !!(cell->attributes & TERM_REVERSE) ^ reversed ^ cursor;

	if ((cell->attributes & TERM_BOLD) && look.foreground < 8)
		look.foreground += 8;
	else if ((cell->attributes & TERM_DIM) && look.foreground == TERM_FOREGROUND)
		look.foreground = 8;
	if (cell->attributes & TERM_INVISIBLE)
		look.code = ' ';
	if (swap) {
		uint8_t colour = look.foreground;

		look.foreground = look.background;
		look.background = colour;
	}
	return look;
}

static bool is_same(const struct term_cell *a, const struct term_cell *b)
{
	return a->code == b->code && a->attributes == b->attributes && a->foreground == b->foreground
	       && a->background == b->background;
}

static void draw_glyph_row(uint32_t *pixel, const uint8_t *bits, uint32_t width, uint32_t on, uint32_t off)
{
	for (uint32_t x = 0; x < width; x++)
		pixel[x] = bits[x / 8] & 0x80 >> x % 8 ? on : off;
}

static void draw_cell(struct draw *d, uint16_t row, uint16_t column, const struct term_cell *look)
{
	const struct font *font = d->font;
	const uint8_t *glyph = font_glyph(font, look->code);
	uint32_t on = d->colour[look->foreground], off = d->colour[look->background];
	uint8_t *line = d->target.pixels + (size_t)row * font->height * d->target.pitch_bytes
	                + (size_t)column * font->width * 4;

	for (uint32_t y = 0; y < font->height; y++, line += d->target.pitch_bytes) {
		bool ruled = ((look->attributes & TERM_UNDERLINE) && y == font->height - 2)
		             || ((look->attributes & TERM_STRIKE) && y == font->height / 2);

		draw_glyph_row((uint32_t *)line, glyph + y * font->row_bytes, font->width, on, ruled ? on : off);
	}
}

static void draw_row(struct draw *d, const struct term *t, uint16_t row)
{
	const struct term_cell *line = term_line(t, row);
	struct term_cell *shown = d->shown + (size_t)row * d->columns;

	for (uint16_t column = 0; column < d->columns; column++) {
		bool cursor = t->cursor_visible && t->cursor.row == row && t->cursor.column == column;
		struct term_cell look = look_of(&line[column], t->reverse_screen, cursor);

		if (is_same(&look, &shown[column]))
			continue;
		draw_cell(d, row, column, &look);
		shown[column] = look;
	}
}

void term_draw_update(struct draw *d, struct term *t)
{
	if (t->palette_changed) {
		load_palette(d, t);
		forget_shown(d);
	}
	for (uint16_t row = 0; row < d->rows; row++)
		if (t->palette_changed || term_is_dirty(t, row))
			draw_row(d, t, row);
	term_clean(t);
}
