/* lib/term/private.h - what the files of lib/term share with each other and nobody else. */
#pragma once
#include "lib/term/term.h"

/* term.c */
void term_reset(struct term *t);
void term_answer(struct term *t, const char *text, size_t bytes);
void term_use_screen(struct term *t, uint8_t screen);

/* grid.c: what happens to cells. Rows and columns must be inside. */
void grid_mark(struct term *t, uint16_t row);
void grid_mark_all(struct term *t);
/* Columns from <= column < to of a row become blanks in the pen's background. */
void grid_erase(struct term *t, uint16_t row, uint16_t from, uint16_t to);
void grid_erase_rows(struct term *t, uint16_t from, uint16_t to);
/* Within top <= row < bottom, content moves up (down) by count rows; blanks follow. */
void grid_scroll_up(struct term *t, uint16_t top, uint16_t bottom, uint32_t count);
void grid_scroll_down(struct term *t, uint16_t top, uint16_t bottom, uint32_t count);
/* At the cursor, count blanks come in (cells go out). */
void grid_insert(struct term *t, uint32_t count);
void grid_delete(struct term *t, uint32_t count);

/* cursor.c: movement and writing. */
void cursor_put(struct term *t, uint32_t code);
void cursor_set(struct term *t, uint32_t row, uint32_t column);         /* clipped; origin applied */
void cursor_move(struct term *t, int32_t rows, int32_t columns);        /* stops at region and edges */
void cursor_to_column(struct term *t, uint32_t column);
void cursor_index(struct term *t);                                      /* down; scrolls at the bottom */
void cursor_reverse_index(struct term *t);
void cursor_tab(struct term *t, uint32_t count);
void cursor_back_tab(struct term *t, uint32_t count);
void cursor_save(struct term *t);
void cursor_restore(struct term *t);

/* csi.c */
void csi_run(struct term *t, uint8_t last);
/* sgr.c: select graphic rendition, from the parameters. */
void sgr_run(struct term *t);
void sgr_reset(struct term *t);
/* charset.c */
uint32_t charset_map(enum term_charset set, uint32_t code);
uint32_t charset_cp437_control(uint8_t byte);
unsigned charset_width(uint32_t code);
