/* lib/screen/text.h - a text screen: libvterm as the terminal, what scrolled out of it, and what is selected. No pixels.
 *
 * All that it shows lies in a struct text_memory that its user provides, which may outlive the program (a service's state): text_open on one
 * that was used goes on exactly where it ended, even if that was in the middle of anything. How: what is written is first appended to a log there,
 * then given to libvterm, whose memory is an arena there too; when the log is full the arena is copied aside and the log begins anew. Who comes
 * after a sudden end takes that copy and writes the log again.
 *
 * Lines are numbered from the first that was ever shown; those that scrolled out are kept as long as there is room, until the screen is
 * resized (then a line that does not fit is cut when it is shown). The alternate screen scrolls nothing out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum {
	TEXT_COLUMNS_MIN = 8, TEXT_ROWS_MIN = 2, TEXT_COLUMNS_MAX = 512, TEXT_ROWS_MAX = 256, TEXT_CELLS_MAX = 64 * 1024,
	TEXT_MARKS = 2,                 /* combining characters of a cell that are shown */
	TEXT_ARENA_BYTES = 6 << 20, TEXT_LOG_BYTES = 16 << 10, TEXT_HISTORY_LINES = 4096, TEXT_HISTORY_CELLS = 32 << 10,
	TEXT_ANSWER_MAX = 64,
};

enum text_attribute {
	TEXT_BOLD = 1 << 0, TEXT_DIM = 1 << 1, TEXT_ITALIC = 1 << 2, TEXT_UNDERLINE = 1 << 3, TEXT_DOUBLE_UNDERLINE = 1 << 4, TEXT_BLINK = 1 << 5,
	TEXT_REVERSE = 1 << 6, TEXT_CONCEAL = 1 << 7, TEXT_STRIKE = 1 << 8,
};

/* A colour: one of these, or one of the palette of 256, or 0x00rrggbb. */
enum { TEXT_DEFAULT_FOREGROUND = 1 << 24, TEXT_DEFAULT_BACKGROUND = 2 << 24, TEXT_PALETTE = 3 << 24 /* | 0 to 255 */ };

struct text_cell {
	uint32_t code;                  /* 0: nothing was written there */
	uint32_t mark[TEXT_MARKS];      /* 0: none */
	uint32_t foreground, background;
	uint16_t attributes;            /* enum text_attribute */
	uint16_t width;                 /* 2: the next one belongs to it; 0: that next one */
};

enum text_cursor_shape { TEXT_CURSOR_BLOCK = 1, TEXT_CURSOR_UNDERLINE, TEXT_CURSOR_BAR };
struct text_cursor {
	uint16_t row, column;
	bool is_visible;
	enum text_cursor_shape shape;
};

struct text_place { uint64_t line; uint16_t column; };

struct text_memory;                     /* text_memory.h */
struct text {
	struct text_memory *memory;
	struct VTerm *vterm;
	/* What the terminal types by itself: answers to programs' questions, keys, the mouse. May be called in any function below that is not const. */
	void (*answer)(struct text *t, const char *bytes, size_t count);
	uint16_t columns, rows;
	uint32_t view;                  /* lines that the view is scrolled back */
	bool is_selected, is_replaying;
	struct text_place select_from, select_to;       /* as the mouse went: from may be behind to; both are in it */
	uint64_t written;
	uint64_t dirty[TEXT_ROWS_MAX / 64];             /* rows of the view that look different since text_clean */
};

/* How much a struct text_memory takes, once: pages that are not touched need not be there. */
size_t text_memory_bytes(void);
/* memory: zeroed, or of an earlier struct text, at the same address. INVAL: a size that is too small or too large; another size than the
 * earlier one's is a text_resize. */
err_t text_open(struct text *t, struct text_memory *memory, uint16_t columns, uint16_t rows,
                void (*answer)(struct text *t, const char *bytes, size_t count)) NONNULL MUST_CHECK;
void text_write(struct text *t, const uint8_t *bytes, size_t count) NONNULL;
/* How many bytes were ever written, to this instance's text or an earlier one's: all that count bytes, and no more, are shown or will be. */
static inline uint64_t text_written(const struct text *t) { return t->written; }
/* What does not fit on a smaller screen scrolls out (rows) or is cut (columns). INVAL; NOMEM: all stays. */
err_t text_resize(struct text *t, uint16_t columns, uint16_t rows) NONNULL MUST_CHECK;

/* A row of the view: columns cells, those of history included. */
void text_row(const struct text *t, uint16_t row, struct text_cell *cells) NONNULL;
struct text_cursor text_cursor(const struct text *t) NONNULL;
bool text_is_dirty(const struct text *t, uint16_t row) NONNULL;
void text_clean(struct text *t) NONNULL;
void text_mark_all(struct text *t) NONNULL;
/* Scrolls the view back (up) or forth, as far as there are lines. Output does not scroll it; typing should bring it back (INT32_MIN). */
void text_scroll_view(struct text *t, int32_t lines) NONNULL;

/* select.c: from a place of the view to another; while the button is down text_select_to again and again. */
void text_select_from(struct text *t, uint16_t row, uint16_t column) NONNULL;
void text_select_to(struct text *t, uint16_t row, uint16_t column) NONNULL;
void text_select_word(struct text *t, uint16_t row, uint16_t column) NONNULL;
void text_select_line(struct text *t, uint16_t row) NONNULL;
void text_select_nothing(struct text *t) NONNULL;
bool text_is_selected(const struct text *t, uint16_t row, uint16_t column) NONNULL;
/* In UTF-8, without blanks at the ends of lines, lines ended by \n but for the last; not ended by 0. How long all is; what fits is stored. */
size_t text_selection(const struct text *t, char *to, size_t bytes) NONNULL;
/* Typed as one paste (bracketed, if the program wants that); \n becomes \r, other control characters but tab are left out. */
void text_paste(struct text *t, const char *bytes, size_t count) NONNULL;

/* keys.c. */
struct input_event;
/* Does the program want the mouse? */
bool text_wants_mouse(const struct text *t) NONNULL;
void text_mouse_move(struct text *t, uint16_t row, uint16_t column, uint16_t modifiers) NONNULL;
/* button: 1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down; modifiers: enum input_modifiers. */
void text_mouse_button(struct text *t, unsigned button, bool is_down, uint16_t modifiers) NONNULL;
/* INPUT_EVENT_KEY that goes down or repeats, and INPUT_EVENT_TEXT. */
void text_key(struct text *t, const struct input_event *e) NONNULL;
