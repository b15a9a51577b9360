/* lib/screen/private.h - what the files of lib/screen share with each other and nobody else. */
#pragma once
#include <vterm_internal.h>
#include "lib/screen/text_memory.h"

static inline VTermState *text_state(const struct text *t) { return t->vterm->state; }
/* The number of the view's first line. */
static inline uint64_t text_view_line(const struct text *t) { return t->memory->history.place.end - t->view; }
void text_mark_rows(struct text *t, uint32_t from, uint32_t to);
void text_cell_of(const VTermScreenCell *from, struct text_cell *to);
/* Any line, of history or of the screen. */
void text_line(const struct text *t, uint64_t line, struct text_cell *cells);
/* text.c: a terminal of that size in the (zeroed) arena, which has room. */
void text_build(struct text *t, uint16_t columns, uint16_t rows);
/* The arena becomes what counts. */
void text_save(struct text *t);
/* select.c: code (at most 0x10ffff) in UTF-8; how many bytes. */
size_t text_utf8(uint32_t code, char to[4]);
