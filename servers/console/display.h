/* servers/console/display.h - a terminal on a framebuffer. */
#pragma once
#include "abi/boot.h"
#include "lib/term/draw.h"

struct display {
	bool is_present;
	struct term term;
	struct draw draw;
	struct font font;
	struct term_cell *cells, *shown;
};

/* pixels: the framebuffer, mapped; font: a PSF file that stays. BADMSG: the font is none; INVAL: the framebuffer is not
 * of 32 bits or too small; NOMEM. On an error there is no display. */
err_t console_display_init(struct display *d, const struct boot_framebuffer *f, uint8_t *pixels, const uint8_t *font, size_t font_bytes) NONNULL MUST_CHECK;
void console_display_write(struct display *d, const uint8_t *bytes, size_t count) NONNULL;
void console_display_draw(struct display *d) NONNULL;
