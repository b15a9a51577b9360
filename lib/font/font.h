/* lib/font/font.h - bitmap fonts in the PSF format of Linux consoles, both versions.
 *
 * The file stays in the caller's memory; a struct font points into it. What it says is checked once.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum {
	FONT_CODES = 0x2800,            /* Unicode below this can have a glyph */
	FONT_SIZE_MAX = 64,             /* pixels, each way */
	FONT_NO_GLYPH = 0xffff,
};

struct font {
	uint32_t width, height;         /* pixels */
	uint32_t row_bytes, glyph_bytes, count;
	const uint8_t *glyphs;          /* count of them; rows top down, leftmost pixel the high bit */
	uint16_t unknown;               /* the glyph for what has none */
	uint16_t index[FONT_CODES];     /* code to glyph, or FONT_NO_GLYPH */
};

/* ERR_BADMSG when the file is no font that can be used. */
err_t font_init(struct font *f, const uint8_t *file, size_t bytes) NONNULL MUST_CHECK;
/* Is there a glyph of its own for it? */
bool font_has(const struct font *f, uint32_t code) NONNULL;
const uint8_t *font_glyph(const struct font *f, uint32_t code) NONNULL;
