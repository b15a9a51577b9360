/* lib/screen/history.c - a line's cells lie together: what does not fit at the ring's end begins at its start. */
#include "lib/screen/history.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

const struct text_cell text_cell_blank = { .foreground = TEXT_DEFAULT_FOREGROUND, .background = TEXT_DEFAULT_BACKGROUND, .width = 1 };

static size_t without_blanks(const struct text_cell *cells, size_t count)
{
	while (count > 0 && memcmp(&cells[count - 1], &text_cell_blank, sizeof(*cells)) == 0)
		count--;
	return count;
}

void history_push(struct history *h, const struct text_cell *cells, size_t count)
{
	struct history_place *p = &h->place;
	uint64_t at = p->cell_end;

	ASSERT(count <= TEXT_COLUMNS_MAX);
	count = without_blanks(cells, count);
	if (at % TEXT_HISTORY_CELLS + count > TEXT_HISTORY_CELLS)
		at = round_up(at + 1, TEXT_HISTORY_CELLS);
	while (p->first < p->end
	       && (p->end - p->first == TEXT_HISTORY_LINES || at + count - h->line_at[p->first % TEXT_HISTORY_LINES] > TEXT_HISTORY_CELLS))
		p->first++;
	memcpy(&h->cell[at % TEXT_HISTORY_CELLS], cells, count * sizeof(*cells));
	h->line_at[p->end % TEXT_HISTORY_LINES] = at;
	h->line_cells[p->end % TEXT_HISTORY_LINES] = (uint16_t)count;
	p->cell_end = at + count;
	p->end++;
}

void history_line(const struct history *h, uint64_t line, struct text_cell *cells, size_t count)
{
	size_t i = 0, stored = h->line_cells[line % TEXT_HISTORY_LINES];

	if (line >= h->place.first && line < h->place.end) {
		const struct text_cell *from = &h->cell[h->line_at[line % TEXT_HISTORY_LINES] % TEXT_HISTORY_CELLS];

		i = MIN_OF(stored, count);
		memcpy(cells, from, i * sizeof(*cells));
		/* A wide character of which only half fits. */
		if (i > 0 && i < stored && cells[i - 1].width == 2)
			cells[i - 1] = text_cell_blank;
	}
	for (; i < count; i++)
		cells[i] = text_cell_blank;
}

void history_check(struct history *h)
{
	struct history_place *p = &h->place;
	bool is_good = p->first <= p->end && p->end - p->first <= TEXT_HISTORY_LINES;

	for (uint64_t line = p->first; is_good && line < p->end; line++) {
		uint64_t at = h->line_at[line % TEXT_HISTORY_LINES];

		is_good = at % TEXT_HISTORY_CELLS + h->line_cells[line % TEXT_HISTORY_LINES] <= TEXT_HISTORY_CELLS;
	}
	if (!is_good)
		p->first = p->end;
}
