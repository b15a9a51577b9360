/* lib/screen/text_fuzz.c - any bytes to a text screen, at several sizes, in pieces, with resizes, restarts, keys and drawing between. */
#include <stddef.h>
#include <stdint.h>
#include "abi/proto/input.h"
#include "lib/base/assert.h"
#include "lib/screen/draw.h"
#include "lib/screen/text_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void answer(struct text *t, const char *bytes, size_t count)
{
	static volatile char sink;

	(void)t;
	for (size_t i = 0; i < count; i++)
		sink = bytes[i];
	(void)sink;
}

/* 0xbf and a byte: something else happens than output. */
static void disturb(struct text *t, uint8_t what)
{
	err_t err = OK;

	switch (what % 8) {
	case 0: err = text_resize(t, (uint16_t)(8 + what), (uint16_t)(2 + what / 4)); break;
	case 1: err = text_open(t, t->memory, t->columns, t->rows, answer); break;
	case 2: text_scroll_view(t, (int8_t)(what << 2)); break;
	case 3: text_select_from(t, what, (uint16_t)(what / 3)); break;
	case 4: text_select_to(t, (uint16_t)(what / 5), what); break;
	case 5: text_mouse_move(t, what, what, 0); text_mouse_button(t, what / 8 % 6, what & 128, what); break;
	case 6: text_key(t, &(struct input_event){ .kind = INPUT_EVENT_KEY, .code = what, .modifiers = what, .value = INPUT_DOWN }); break;
	default: text_paste(t, "a\nb\033", 4);
	}
	ASSERT(err == OK || err == ERR_INVAL);
}

/* Bytes from 0xc0 on stand for what random ones hardly ever make. */
static const char *const tokens[] = {
	"\x1b[", "\x1b[?", ";", ":", "0", "1", "9999999999", "65535", "h", "l", "m", "H", "r", "s", "J", "K", "L", "M", "P", "@", "X", "b", "S", "T", "d", "G",
	"A", "B", "C", "D", "g", "\x1b]", "\x1bP", "\x1b\\", "\a", "$q", "m", " q", "'}", "'~", "\x1b" "7", "\x1b" "8", "\x1bM", "\x1b(0", "\x1b#6", "\x1b" "c", "1049",
	"69", "6", "4", "1003", "1006", "38;2", "48;5", "\n", "\r", "\t", "\xe6\xbc\xa2", "\xcc\x81", "\xf0", "\xc2\x9b", "\xff", "\x18", "\x7f",
};
_Static_assert(sizeof(tokens) / sizeof(*tokens) == 64, "one for each");

static void write_some(struct text *t, const uint8_t *data, size_t bytes)
{
	uint8_t out[300];
	size_t used = 0;

	for (size_t i = 0; i < bytes; i++) {
		const char *token = data[i] >= 0xc0 ? tokens[data[i] - 0xc0] : NULL;

		if (used + 16 > sizeof(out)) {
			text_write(t, out, used);
			used = 0;
		}
		if (!token)
			out[used++] = data[i];
		for (; token && *token; token++)
			out[used++] = (uint8_t)*token;
	}
	text_write(t, out, used);
}

static void look(struct text *t)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];
	struct text_cursor cursor = text_cursor(t);
	char selected[64];

	ASSERT(cursor.column < t->columns && (cursor.row < t->rows || t->view > 0));
	for (uint16_t row = 0; row < t->rows; row++) {
		text_row(t, row, cells);
		for (uint16_t column = 0; column < t->columns; column++)
			ASSERT(cells[column].width <= 2 && cells[column].code <= 0x10ffff);
	}
	(void)text_selection(t, selected, sizeof(selected));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const uint16_t sizes[][2] = { { 80, 25 }, { 8, 2 }, { 20, 5 }, { 9, 50 } };
	static struct text_memory storage, *const memory = &storage;
	struct text text;
	size_t from = 1;

	if (bytes < 2)
		return 0;
	memory->magic = 0;
	ASSERT(text_open(&text, memory, sizes[data[0] % 4][0], sizes[data[0] % 4][1], answer) == OK);
	for (size_t i = 1; i + 1 < bytes; i++)
		if (data[i] == 0xbf) {
			write_some(&text, data + from, i - from);
			disturb(&text, data[i + 1]);
			from = i + 2;
			i++;
		}
	if (from < bytes)
		write_some(&text, data + from, bytes - from);
	look(&text);
	return 0;
}
