/* lib/screen/history.h - lines that scrolled out of a text screen: a ring of cells, the oldest lines go first.
 *
 * Plain memory without pointers. Pushing the same lines again from an earlier place gives the same bytes.
 */
#pragma once
#include "lib/screen/text.h"

struct history_place {
	uint64_t first, end;            /* numbers of lines: from first to before end */
	uint64_t cell_end;              /* cells that were ever used; modulo TEXT_HISTORY_CELLS where the next line begins */
};

struct history {
	struct history_place place;
	uint64_t line_at[TEXT_HISTORY_LINES];           /* by number modulo this: as cell_end */
	uint16_t line_cells[TEXT_HISTORY_LINES];
	struct text_cell cell[TEXT_HISTORY_CELLS];
};

/* Blank cells at its end are not kept. count at most TEXT_COLUMNS_MAX. */
void history_push(struct history *h, const struct text_cell *cells, size_t count) NONNULL;
/* Its cells, and blanks up to count. A line that is not there (any more) is blank. */
void history_line(const struct history *h, uint64_t line, struct text_cell *cells, size_t count) NONNULL;
/* Makes what an earlier program left consistent, should it not be. */
void history_check(struct history *h) NONNULL;

extern const struct text_cell text_cell_blank;
