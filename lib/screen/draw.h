/* lib/screen/draw.h - a text screen's cells as pixels (display.h: 0x00rrggbb) in memory.
 *
 * It remembers what it drew and touches only cells that look different now, and says which rectangles those are in.
 */
#pragma once
#include "abi/proto/display.h"
#include "lib/screen/text.h"
#include "lib/font/font.h"

enum draw_flags { DRAW_UNDERLINE = 1 << 0, DRAW_DOUBLE_UNDERLINE = 1 << 1, DRAW_STRIKE = 1 << 2, DRAW_ITALIC = 1 << 3,
	DRAW_CURSOR_LINE = 1 << 4, DRAW_CURSOR_BAR = 1 << 5, DRAW_TAIL = 1 << 6 /* of a wide character */ };

/* All that makes a cell look as it does: equal ones look equal. */
struct draw_look {
	uint32_t code, mark[TEXT_MARKS];
	uint32_t on, off;               /* colours */
	uint32_t draw_flags;            /* UINT32_MAX: not known */
};

struct draw {
	uint8_t *pixels;
	struct display_size size;
	uint32_t pitch_bytes;
	const struct font *font;
	struct draw_look *shown;        /* columns * rows */
	uint16_t columns, rows;
};

/* How many characters of the font fit, within what a text screen can have; 0: none. */
uint16_t draw_columns(struct display_size size, const struct font *font) NONNULL;
uint16_t draw_rows(struct display_size size, const struct font *font, uint16_t columns) NONNULL;
/* pixels: at least pitch_bytes * height; a multiple of 4 each. Nothing is known of what they show. INVAL: nothing fits; NOMEM. */
err_t draw_init(struct draw *d, uint8_t *pixels, struct display_size size, uint32_t pitch_bytes, const struct font *font) NONNULL MUST_CHECK;
void draw_fini(struct draw *d) NONNULL;
/* What it drew is not there any more, or was another text's: the next update draws all, and what is around the characters black. */
void draw_forget(struct draw *d) NONNULL;
/* Draws what of t's view changed (t is clean then), and stores the rectangles, at most most of them (at least 1), joined as needed. How many. */
size_t draw_update(struct draw *d, struct text *t, struct display_rectangle *out, size_t most) NONNULL MUST_CHECK;
/* 0x00rrggbb of a text_cell's colour. */
uint32_t draw_colour(uint32_t colour);
