/* lib/term/term_fuzz.c - any bytes, any small screen: the cursor stays inside and cells stay sane. */
#include "lib/term/term.h"

static struct term t;
static struct term_cell cells[2 * 40 * 20];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t answer[TERM_ANSWER_BYTES];

	if (size < 2 || term_init(&t, data[0] % 40 + 1, data[1] % 20 + 1, cells))
		return 0;
	for (size_t i = 2; i < size; i++) {
		/* Bytes that begin sequences are too rare otherwise. */
		uint8_t byte = data[i] == 0x80 ? 0x1b : data[i] == 0x81 ? '[' : data[i];
		term_write(&t, &byte, 1);
		ASSERT(t.cursor.row < t.rows && t.cursor.column < t.columns);
		ASSERT(t.top < t.bottom && t.bottom <= t.rows);
	}
	(void)!term_take_answer(&t, answer);
	return 0;
}
