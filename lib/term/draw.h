/* lib/term/draw.h - draws a terminal's grid into a linear framebuffer of 32 bits per pixel.
 *
 * It remembers what it drew and touches only cells that look different now: a framebuffer is slow.
 */
#pragma once
#include "lib/term/font.h"
#include "lib/term/term.h"

struct draw_target {
	uint8_t *pixels;
	uint32_t width, height, pitch_bytes;
	uint8_t red_shift, green_shift, blue_shift;
};

struct draw {
	struct draw_target target;
	const struct font *font;
	struct term_cell *shown;        /* columns * rows; code 0: unknown */
	uint16_t columns, rows;
	uint32_t colour[256];           /* as the framebuffer wants them */
	bool reversed;
};

/* How many characters fit. */
uint16_t term_draw_columns(const struct draw_target *target, const struct font *font) NONNULL;
uint16_t term_draw_rows(const struct draw_target *target, const struct font *font) NONNULL;
/* shown: one cell per character of the terminal, whose size is at most what fits. Clears the target. */
void term_draw_init(struct draw *d, const struct draw_target *target, const struct font *font,
               const struct term *t, struct term_cell *shown) NONNULL;
/* Draws what changed and calls term_clean. */
void term_draw_update(struct draw *d, struct term *t) NONNULL;
