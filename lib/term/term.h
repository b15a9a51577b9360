/* lib/term/term.h - a terminal: bytes with escape sequences in, a grid of characters out.
 *
 * The subset of VT100, VT220 and xterm that TERM=linux names and full-screen programs use. Bytes may be cut
 * anywhere. Nothing here allocates: the cells come from the caller. What it does not know it
 * skips, as ECMA-48 delimits it. Screens are drawn by lib/term/draw.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/assert.h"
#include "lib/base/attr.h"

enum {
	TERM_COLUMNS_MAX = 512, TERM_ROWS_MAX = 256,
	TERM_PARAMETERS = 16,
	TERM_ANSWER_BYTES = 64,
	TERM_FOREGROUND = 7, TERM_BACKGROUND = 0,       /* default colours: indexes of the palette */
};

enum term_attribute {
	TERM_BOLD = 1 << 0, TERM_DIM = 1 << 1, TERM_ITALIC = 1 << 2, TERM_UNDERLINE = 1 << 3,
	TERM_BLINK = 1 << 4, TERM_REVERSE = 1 << 5, TERM_INVISIBLE = 1 << 6, TERM_STRIKE = 1 << 7,
	TERM_WIDE_HEAD = 1 << 8,        /* this cell and the next show one character */
	TERM_WIDE_TAIL = 1 << 9,
};

struct term_cell {
	uint32_t code;                  /* Unicode; ' ' when empty */
	uint16_t attributes;
	uint8_t foreground, background; /* palette indexes, 256 colours */
};

enum term_charset { TERM_ASCII, TERM_LINES /* DEC special graphics */, TERM_CP437 };

/* What ESC 7 saves. */
struct term_cursor {
	uint16_t row, column;
	bool wraps;                     /* in the last column, and the next character wraps */
	bool origin;                    /* DECOM: rows count from the scroll region */
	uint8_t set;                    /* which of charset is in use */
	uint8_t charset[2];             /* G0, G1: enum term_charset */
	struct term_cell pen;           /* colours and attributes of what is written */
};

struct term {
	uint16_t columns, rows;
	struct term_cell *line[2][TERM_ROWS_MAX];       /* normal and alternate screen */
	uint8_t screen;                 /* which one is shown */
	uint64_t dirty[TERM_ROWS_MAX / 64];             /* rows that changed since term_clean */
	struct term_cursor cursor, saved[2];
	uint16_t top, bottom;           /* scroll region: top <= row < bottom */
	uint64_t tab_stops[TERM_COLUMNS_MAX / 64];
	uint32_t last_code;             /* for REP */

	/* Modes; the application ones are for who encodes keys. */
	bool insert, autowrap, newline_returns, cursor_visible, reverse_screen;
	bool application_cursor, application_keypad;
	bool bell;                      /* rang since the caller cleared it */

	uint8_t state;                  /* enum state of parser.c */
	uint8_t marker, intermediate;   /* CSI's ? or > and the byte before the last */
	uint8_t parameter_count;
	uint32_t parameter[TERM_PARAMETERS];
	uint32_t utf8_code;
	uint8_t utf8_left;
	uint8_t utf8_minimum;           /* shift that the finished code must exceed, against overlong forms */

	uint32_t palette[16];           /* 0xrrggbb, changed by ESC ] P */
	bool palette_changed;           /* since term_clean */

	uint8_t answer[TERM_ANSWER_BYTES];              /* to DSR and DA, as if typed */
	uint8_t answer_bytes;
};

/* cells: 2 * columns * rows of them. ERR_INVAL when a count is 0 or above the maximum. */
err_t term_init(struct term *t, uint16_t columns, uint16_t rows, struct term_cell *cells) NONNULL MUST_CHECK;
void term_write(struct term *t, const uint8_t *bytes, size_t count) NONNULL;
const struct term_cell *term_line(const struct term *t, uint16_t row) NONNULL;
bool term_is_dirty(const struct term *t, uint16_t row) NONNULL;
/* All that changed was drawn. */
void term_clean(struct term *t) NONNULL;
/* Answers the terminal owes to the program: how many bytes; they are then forgotten. */
size_t term_take_answer(struct term *t, uint8_t out[TERM_ANSWER_BYTES]) NONNULL MUST_CHECK;
