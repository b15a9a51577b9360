/* lib/screen/text_test.c - what programs write, as grids; history, selection, resize; and going on after a sudden end. */
#include <stdio.h>
#include "abi/proto/input.h"
#include "lib/base/bits.h"
#include "lib/native/heap.h"
#include "lib/screen/text_memory.h"
#include "lib/test/test.h"

enum { COLUMNS = 20, ROWS = 5 };

static struct text_memory storage, *const memory = &storage;
static struct text text;
static char answered[512];
static size_t answered_bytes;

static void answer(struct text *t, const char *bytes, size_t count)
{
	CHECK(t == &text);
	CHECK(answered_bytes + count < sizeof(answered));
	memcpy(answered + answered_bytes, bytes, count);
	answered_bytes += count;
	answered[answered_bytes] = 0;
}

static void start_size(uint16_t columns, uint16_t rows)
{
	memory->magic = 0;
	answered_bytes = 0;
	answered[0] = 0;
	CHECK_EQ(text_open(&text, memory, columns, rows, answer), OK);
}

static void start(void)
{
	start_size(COLUMNS, ROWS);
}

static void say(const char *s)
{
	text_write(&text, (const uint8_t *)s, strlen(s));
}

/* A row as text: blanks at its end left out, a wide character's second half too. */
static const char *row(uint16_t number)
{
	static char line[4 * TEXT_COLUMNS_MAX * 3];
	struct text_cell cells[TEXT_COLUMNS_MAX];
	size_t used = 0, end = 0;

	text_row(&text, number, cells);
	for (uint16_t i = 0; i < text.columns; i++) {
		uint32_t codes[3] = { cells[i].code ? cells[i].code : ' ', cells[i].mark[0], cells[i].mark[1] };

		for (int k = 0; k < 3 && cells[i].width && codes[k]; k++) {
			uint32_t c = codes[k];
			used += (size_t)(c < 0x80 ? sprintf(line + used, "%c", c) : c < 0x800 ? sprintf(line + used, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 63))
				: c < 0x10000 ? sprintf(line + used, "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 63), 0x80 | (c & 63))
				: sprintf(line + used, "%c%c%c%c", 0xf0 | c >> 18, 0x80 | (c >> 12 & 63), 0x80 | (c >> 6 & 63), 0x80 | (c & 63)));
		}
		if (cells[i].code != 0 && cells[i].code != ' ')
			end = used;
	}
	line[end] = 0;
	return line;
}

static struct text_cell cell(uint16_t r, uint16_t column)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];

	text_row(&text, r, cells);
	return cells[column];
}

/* ---- Sequences, after what vttest looks at ----------------------------------------------------------------------------- */

/* Each: what is written to a fresh screen of 20 by 5, and the rows then. */
static const struct { const char *name, *written, *rows[ROWS]; int cursor_row, cursor_column; } screens[] = {
	{ "plain", "one\r\ntwo", { "one", "two" }, 1, 3 },
	{ "wraps at the right", "abcdefghijklmnopqrstuvwxyz", { "abcdefghijklmnopqrst", "uvwxyz" }, 1, 6 },
	{ "the last column waits", "abcdefghijklmnopqrst\r\nx", { "abcdefghijklmnopqrst", "x" }, 1, 1 },
	{ "no wrap", "\x1b[?7labcdefghijklmnopqrstuvwxyz", { "abcdefghijklmnopqrsz" }, 0, 19 },
	{ "scrolls", "1\r\n2\r\n3\r\n4\r\n5\r\n6", { "2", "3", "4", "5", "6" }, 4, 1 },
	{ "cursor position", "\x1b[3;4Hx\x1b[H1\x1b[99;99H9", { "1", "", "   x", "", "                   9" }, 4, 19 },
	{ "cursor up down left right", "\x1b[3;3Ha\x1b[2Ab\x1b[2Bc\x1b[3Dd\x1b[1Ce", { "   b", "", "  d e" }, 2, 5 },
	{ "next and previous line", "ab\x1b[2Ec\x1b[1Fd", { "ab", "d", "c" }, 1, 1 },
	{ "column and row", "\x1b[10Gx\x1b[4dy", { "         x", "", "", "          y" }, 3, 11 },
	{ "erase below", "1\r\n2\r\n3\x1b[2;1H\x1b[J", { "1" }, 1, 0 },
	{ "erase above", "111\r\n222\r\n333\x1b[2;2H\x1b[1J", { "", "  2", "333" }, 1, 1 },
	{ "erase all", "111\r\n222\x1b[2J", { "" }, 1, 3 },
	{ "erase in line", "abcdef\x1b[3G\x1b[K\r\nabcdef\x1b[3G\x1b[1K\r\nabcdef\x1b[2K", { "ab", "   def" }, 2, 6 },
	{ "erase characters", "abcdef\x1b[2G\x1b[3X", { "a   ef" }, 0, 1 },
	{ "insert characters", "abcdef\x1b[2G\x1b[2@", { "a  bcdef" }, 0, 1 },
	{ "delete characters", "abcdef\x1b[2G\x1b[2P", { "adef" }, 0, 1 },
	{ "insert lines", "1\r\n2\r\n3\x1b[2;1H\x1b[L", { "1", "", "2", "3" }, 1, 0 },
	{ "delete lines", "1\r\n2\r\n3\x1b[1;1H\x1b[M", { "2", "3" }, 0, 0 },
	{ "insert mode", "abc\x1b[1G\x1b[4hxy\x1b[4lZ", { "xyZbc" }, 0, 3 },
	{ "scroll region", "1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[4;1H\n", { "1", "3", "4", "", "5" }, 3, 0 },
	{ "reverse index in a region", "1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[2;1H\x1bM", { "1", "", "2", "3", "5" }, 1, 0 },
	{ "origin mode", "\x1b[2;4r\x1b[?6h\x1b[1;1Hx\x1b[9;1Hy", { "", "x", "", "y" }, 3, 1 },
	{ "scroll up and down", "1\r\n2\r\n3\x1b[S\x1b[2T", { "", "", "2", "3" }, 2, 1 },
	{ "tabs", "a\tb\x1b[3g\x1b[15G\x1bH\r\tx", { "a       b     x" }, 0, 15 },
	{ "back tab", "a\tb\x1b[Zc", { "a       c" }, 0, 9 },
	{ "save and restore", "ab\x1b" "7\x1b[4;4Hx\x1b" "8c", { "abc", "", "", "   x" }, 0, 3 },
	{ "backspace", "abc\b\bX", { "aXc" }, 0, 2 },
	{ "repeat", "ab\x1b[5b", { "abbbbbb" }, 0, 7 },
	{ "line drawing", "\x1b(0lqk\x1b(Bq", { "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90q" }, 0, 4 },
	{ "alternate screen and back", "main\x1b[?1049h\x1b[2Jother\x1b[?1049l!", { "main!" }, 0, 5 },
	{ "alternate screen", "main\x1b[?1049h\x1b[Hother", { "other" }, 0, 5 },
	{ "full reset", "\x1b[31mabc\x1b[2;4r\x1b" "cx", { "x" }, 0, 1 },
	{ "alignment test", "\x1b#8", { "EEEEEEEEEEEEEEEEEEEE", "EEEEEEEEEEEEEEEEEEEE", "EEEEEEEEEEEEEEEEEEEE", "EEEEEEEEEEEEEEEEEEEE",
		"EEEEEEEEEEEEEEEEEEEE" }, 0, 0 },
	{ "UTF-8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82", { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82" }, 0, -1 },
	{ "combining", "e\xcc\x81x", { "e\xcc\x81x" }, 0, 2 },
	{ "wide", "\xe6\xbc\xa2\xe5\xad\x97|", { "\xe6\xbc\xa2\xe5\xad\x97|" }, 0, 5 },
	{ "wide wraps whole", "abcdefghijklmnopqrs\xe6\xbc\xa2", { "abcdefghijklmnopqrs", "\xe6\xbc\xa2" }, 1, 2 },
	{ "broken UTF-8", "a\xc3z\xffy", { "a\xef\xbf\xbdz\xef\xbf\xbdy" }, 0, 5 },
	{ "C1 in UTF-8 is no control", "a\xc2\x9b" "31mb", { "a\xef\xbf\xbd" "31mb" }, 0, 6 },
	{ "titles are not shown", "a\x1b]0;title\x07" "b\x1b]2;x\x1b\\c", { "abc" }, 0, 3 },
	{ "unknown sequences are not shown", "a\x1b[?2026hb\x1b[>4;1mc\x1bPq#0\x1b\\d", { "abcd" }, 0, 4 },
	{ "cancelled", "a\x1b[3\x18" "b\x1b[3\x1a" "c", { "abc" }, 0, 3 },
	{ "controls inside a sequence", "abc\x1b[2\bDx", { "xbc" }, 0, 1 },
	{ "the bell is not seen", "a\ab", { "ab" }, 0, 2 },
};

TEST(sequences_make_the_grids_they_should)
{
	for (size_t i = 0; i < ARRAY_COUNT(screens); i++) {
		start();
		say(screens[i].written);
		for (uint16_t r = 0; r < ROWS; r++) {
			const char *wanted = screens[i].rows[r] ? screens[i].rows[r] : "";
			if (strcmp(row(r), wanted))
				test_fail(__FILE__, __LINE__, "%s: row %d is \"%s\", not \"%s\"", screens[i].name, r, row(r), wanted);
		}
		struct text_cursor c = text_cursor(&text);
		if (screens[i].cursor_column >= 0 && (c.row != screens[i].cursor_row || c.column != screens[i].cursor_column))
			test_fail(__FILE__, __LINE__, "%s: the cursor is at %d %d", screens[i].name, c.row, c.column);
	}
}

TEST(sequences_may_come_byte_by_byte)
{
	for (size_t i = 0; i < ARRAY_COUNT(screens); i++) {
		start();
		for (const char *s = screens[i].written; *s; s++)
			text_write(&text, (const uint8_t *)s, 1);
		for (uint16_t r = 0; r < ROWS; r++) {
			const char *wanted = screens[i].rows[r] ? screens[i].rows[r] : "";
			if (strcmp(row(r), wanted))
				test_fail(__FILE__, __LINE__, "%s: row %d is \"%s\", not \"%s\"", screens[i].name, r, row(r), wanted);
		}
	}
}

TEST(a_character_may_come_in_two_pieces)
{
	start();
	say("ab\xc3");
	say("\xbc" "c");
	CHECK_STR(row(0), "ab\xc3\xbc" "c");
}

TEST(attributes_and_colours_are_kept_with_the_cell)
{
	static const struct { const char *sgr; uint16_t attributes; uint32_t foreground, background; } sgrs[] = {
		{ "0", 0, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "1", TEXT_BOLD, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "2", TEXT_DIM, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "3;4", TEXT_ITALIC | TEXT_UNDERLINE, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "21", TEXT_UNDERLINE | TEXT_DOUBLE_UNDERLINE, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "5;7;8;9", TEXT_BLINK | TEXT_REVERSE | TEXT_CONCEAL | TEXT_STRIKE, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "1;2;22", 0, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "7;27;8;28;4;24", 0, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
		{ "31;42", 0, TEXT_PALETTE | 1, TEXT_PALETTE | 2 },
		{ "1;31", TEXT_BOLD, TEXT_PALETTE | 9, TEXT_DEFAULT_BACKGROUND },
		{ "91;102", 0, TEXT_PALETTE | 9, TEXT_PALETTE | 10 },
		{ "38;5;200;48;5;17", 0, TEXT_PALETTE | 200, TEXT_PALETTE | 17 },
		{ "38;2;1;2;3;48;2;255;254;253", 0, 0x010203, 0xfffefd },
		{ "38:2:9:8:7", 0, 0x090807, TEXT_DEFAULT_BACKGROUND },
		{ "31;39;42;49", 0, TEXT_DEFAULT_FOREGROUND, TEXT_DEFAULT_BACKGROUND },
	};

	for (size_t i = 0; i < ARRAY_COUNT(sgrs); i++) {
		char written[64];

		start();
		snprintf(written, sizeof(written), "\x1b[%smx", sgrs[i].sgr);
		say(written);
		struct text_cell c = cell(0, 0);
		CHECK_EQ(c.code, 'x');
		if (c.attributes != sgrs[i].attributes || c.foreground != sgrs[i].foreground || c.background != sgrs[i].background)
			test_fail(__FILE__, __LINE__, "%s makes %x, %x on %x", sgrs[i].sgr, c.attributes, c.foreground, c.background);
	}
}

TEST(the_cursor_has_shapes_and_can_hide)
{
	start();
	CHECK(text_cursor(&text).is_visible);
	CHECK_EQ(text_cursor(&text).shape, TEXT_CURSOR_BLOCK);
	say("\x1b[4 q");
	CHECK_EQ(text_cursor(&text).shape, TEXT_CURSOR_UNDERLINE);
	say("\x1b[6 q");
	CHECK_EQ(text_cursor(&text).shape, TEXT_CURSOR_BAR);
	say("\x1b[?25l");
	CHECK(!text_cursor(&text).is_visible);
	say("\x1b[?12;25h");
	CHECK(text_cursor(&text).is_visible);
}

TEST(questions_are_answered)
{
	start();
	say("ab\x1b[6n\x1b[c\x1b[5n");
	CHECK_STR(answered, "\x1b[1;3R\x1b[?1;2c\x1b[0n");
}

/* What a program asks about must not be typed back at it: `cat file` would type commands. */
TEST(an_answer_never_has_the_question_in_it)
{
	start();
	say("\x1bP$qrm -rf /\x1b\\");
	CHECK(!strstr(answered, "rm"));
}

/* ---- History and view ---------------------------------------------------------------------------------------------------- */

static void lines(int from, int to)
{
	char line[32];

	for (int i = from; i <= to; i++) {
		snprintf(line, sizeof(line), "%sline %d", i == 1 ? "" : "\r\n", i);
		say(line);
	}
}

TEST(lines_that_scroll_out_can_be_looked_at)
{
	start();
	lines(1, 20);
	CHECK_STR(row(0), "line 16");
	text_scroll_view(&text, 5);
	CHECK_STR(row(0), "line 11");
	CHECK_STR(row(4), "line 15");
	CHECK(!text_cursor(&text).is_visible);
	text_scroll_view(&text, 1000);
	CHECK_STR(row(0), "line 1");
	text_scroll_view(&text, INT32_MIN);
	CHECK_STR(row(4), "line 20");
}

TEST(a_view_of_the_past_stays_while_output_goes_on)
{
	start();
	lines(1, 20);
	text_scroll_view(&text, 3);
	CHECK_STR(row(0), "line 13");
	lines(21, 30);
	CHECK_STR(row(0), "line 13");
}

TEST(history_forgets_its_oldest_lines)
{
	char line[32];

	start();
	for (int i = 1; i <= TEXT_HISTORY_LINES + 100; i++) {
		snprintf(line, sizeof(line), "\r\n%d", i);
		say(line);
	}
	text_scroll_view(&text, INT32_MAX);
	snprintf(line, sizeof(line), "%d", 100 - ROWS + 1);
	CHECK_STR(row(0), line);
	/* And by their size: 512 columns, full. */
	start_size(TEXT_COLUMNS_MAX, ROWS);
	for (int i = 0; i < 300; i++)
		for (int k = 0; k < TEXT_COLUMNS_MAX; k++)
			say(k == 0 ? "!" : "x");
	text_scroll_view(&text, INT32_MAX);
	CHECK(text.view > 32 && text.view <= TEXT_HISTORY_CELLS / TEXT_COLUMNS_MAX);
	CHECK_EQ(cell(0, 0).code, '!');
	CHECK_EQ(cell(0, TEXT_COLUMNS_MAX - 1).code, 'x');
}

TEST(the_alternate_screen_and_regions_leave_no_history)
{
	start();
	say("\x1b[?1049h");
	lines(1, 20);
	say("\x1b[?1049l\x1b[2;4r\x1b[4;1H\n\n\n\n");
	text_scroll_view(&text, 10);
	CHECK_EQ(text.view, 0);
}

/* ---- Selection ------------------------------------------------------------------------------------------------------------- */

static const char *selected(void)
{
	static char out[256];

	size_t bytes = text_selection(&text, out, sizeof(out) - 1);
	CHECK(bytes < sizeof(out));
	out[bytes] = 0;
	return out;
}

TEST(what_is_between_two_places_is_selected_whichever_came_first)
{
	start();
	say("hello world\r\nsecond line\r\nthird");
	text_select_from(&text, 0, 6);
	text_select_to(&text, 1, 5);
	CHECK_STR(selected(), "world\nsecond");
	text_select_from(&text, 1, 5);
	text_select_to(&text, 0, 6);
	CHECK_STR(selected(), "world\nsecond");
	CHECK(text_is_selected(&text, 0, 6) && text_is_selected(&text, 1, 5) && text_is_selected(&text, 0, 19));
	CHECK(!text_is_selected(&text, 0, 5) && !text_is_selected(&text, 1, 6));
	text_select_nothing(&text);
	CHECK_STR(selected(), "");
}

TEST(a_click_alone_selects_nothing_and_two_a_word)
{
	start();
	say("say (hello) to/it\r\ngr\xc3\xbc\xc3\x9f e\xcc\x81 \xe6\xbc\xa2");
	text_select_from(&text, 0, 6);
	CHECK_STR(selected(), "");
	text_select_word(&text, 0, 6);
	CHECK_STR(selected(), "hello");
	text_select_word(&text, 0, 14);
	CHECK_STR(selected(), "to/it");
	text_select_line(&text, 1);
	CHECK_STR(selected(), "gr\xc3\xbc\xc3\x9f e\xcc\x81 \xe6\xbc\xa2");
}

TEST(a_selection_moves_with_its_lines)
{
	start();
	lines(1, 5);
	text_select_word(&text, 4, 5);
	CHECK_STR(selected(), "5");
	lines(6, 12);
	CHECK_STR(selected(), "5");
}

TEST(a_selection_of_more_than_fits_says_how_much)
{
	char small[4];

	start();
	say("hello");
	text_select_line(&text, 0);
	CHECK_EQ(text_selection(&text, small, sizeof(small)), 5);
	CHECK_MEM(small, "hell", 4);
}

TEST(what_is_pasted_cannot_do_more_than_type)
{
	start();
	text_paste(&text, "a\nb\x1b[201~\x03\tc", 12);
	CHECK_STR(answered, "a\rb[201~\tc");
	start();
	say("\x1b[?2004h");
	text_paste(&text, "x", 1);
	CHECK_STR(answered, "\x1b[200~x\x1b[201~");
}

/* ---- Keys and mouse --------------------------------------------------------------------------------------------------------- */

static const char *key(uint16_t code, uint32_t symbol, uint16_t modifiers)
{
	answered_bytes = 0;
	answered[0] = 0;
	text_key(&text, &(struct input_event){ .kind = INPUT_EVENT_KEY, .code = code, .symbol = symbol, .modifiers = modifiers, .value = INPUT_DOWN });
	return answered;
}

TEST(keys_send_what_xterms_description_says)
{
	start();
	CHECK_STR(key(30, 'a', 0), "a");
	CHECK_STR(key(30, 'A', INPUT_SHIFT), "A");
	CHECK_STR(key(30, 'a', INPUT_CONTROL), "\x01");
	CHECK_STR(key(23, 'i', INPUT_CONTROL), "\t");
	CHECK_STR(key(36, 'j', INPUT_CONTROL), "\n");
	CHECK_STR(key(26, '[', INPUT_CONTROL), "\x1b");
	CHECK_STR(key(48, 'b', INPUT_ALT), "\x1b" "b");
	CHECK_STR(key(40, 0xe4, 0), "\xc3\xa4");
	CHECK_STR(key(18, 0x20ac, INPUT_ALT_GR), "\xe2\x82\xac");
	CHECK_STR(key(28, '\r', 0), "\r");
	CHECK_STR(key(28, '\r', INPUT_SHIFT | INPUT_CONTROL), "\r");
	CHECK_STR(key(14, '\b', 0), "\x7f");
	CHECK_STR(key(15, '\t', INPUT_SHIFT), "\x1b[Z");
	CHECK_STR(key(1, 0, 0), "\x1b");
	CHECK_STR(key(103, 0, 0), "\x1b[A");
	CHECK_STR(key(103, 0, INPUT_CONTROL), "\x1b[1;5A");
	CHECK_STR(key(102, 0, 0), "\x1b[H");
	CHECK_STR(key(111, 0, 0), "\x1b[3~");
	CHECK_STR(key(59, 0, 0), "\x1bOP");
	CHECK_STR(key(88, 0, 0), "\x1b[24~");
	CHECK_STR(key(71, '7', 0), "7");
	CHECK_STR(key(71, 0, 0), "\x1b[H");
	say("\x1b[?1h\x1b=");
	CHECK_STR(key(103, 0, 0), "\x1bOA");
	CHECK_STR(key(71, '7', 0), "\x1bOw");
	CHECK_STR(key(42, 0, INPUT_SHIFT), "");
	answered_bytes = 0;
	answered[0] = 0;
	text_key(&text, &(struct input_event){ .kind = INPUT_EVENT_KEY, .code = 30, .symbol = 'a', .value = INPUT_UP });
	CHECK_STR(answered, "");
	text_key(&text, &(struct input_event){ .kind = INPUT_EVENT_TEXT, .symbol = 0xea, .value = INPUT_DOWN });
	CHECK_STR(answered, "\xc3\xaa");
	text_key(&text, &(struct input_event){ .kind = INPUT_EVENT_KEY, .symbol = 0xffffffff, .value = INPUT_DOWN });
	CHECK_STR(answered, "\xc3\xaa");
}

TEST(control_and_blank_type_a_nul)
{
	start();
	(void)key(57, ' ', INPUT_CONTROL);
	CHECK_EQ(answered_bytes, 1);
	CHECK_EQ(answered[0], 0);
}

TEST(the_mouse_is_told_only_to_who_asked)
{
	start();
	text_mouse_move(&text, 2, 3, 0);
	text_mouse_button(&text, 1, true, 0);
	CHECK(!text_wants_mouse(&text));
	CHECK_STR(answered, "");
	say("\x1b[?1000;1006h");
	CHECK(text_wants_mouse(&text));
	text_mouse_move(&text, 2, 3, 0);
	text_mouse_button(&text, 1, true, 0);
	text_mouse_button(&text, 1, false, 0);
	text_mouse_button(&text, 4, true, INPUT_CONTROL);
	CHECK_STR(answered, "\x1b[<0;4;3M\x1b[<0;4;3m\x1b[<80;4;3M");
}

/* ---- Other sizes ----------------------------------------------------------------------------------------------------------- */

TEST(a_smaller_screen_keeps_the_cursors_line_and_a_larger_one_all)
{
	start();
	say("\x1b[32m");
	lines(1, 5);
	CHECK_EQ(text_resize(&text, 10, 3), OK);
	CHECK_STR(row(0), "line 3");
	CHECK_STR(row(2), "line 5");
	CHECK_EQ(text_cursor(&text).row, 2);
	text_scroll_view(&text, 2);
	CHECK_STR(row(0), "line 1");
	text_scroll_view(&text, INT32_MIN);
	CHECK_EQ(text_resize(&text, 40, 10), OK);
	CHECK_STR(row(2), "line 5");
	say("x");
	CHECK_STR(row(2), "line 5x");
	CHECK_EQ(cell(2, 6).foreground, TEXT_PALETTE | 2);
}

TEST(a_resize_keeps_modes_the_other_screen_and_a_sequence_half_read)
{
	start();
	say("main\x1b[?1049h\x1b[?1h\x1b[?2004h\x1b[Hother\x1b[3");
	CHECK_EQ(text_resize(&text, 30, 8), OK);
	say("1mx");
	CHECK_STR(row(0), "otherx");
	CHECK_EQ(cell(0, 5).foreground, TEXT_PALETTE | 1);
	CHECK_STR(key(103, 0, 0), "\x1bOA");
	say("\x1b[m\x1b[?1049l");
	CHECK_STR(row(0), "main");
}

TEST(sizes_that_make_no_sense_are_refused)
{
	start();
	say("x");
	CHECK_EQ(text_resize(&text, 1, 1), ERR_INVAL);
	CHECK_EQ(text_resize(&text, 500, 200), ERR_INVAL);
	CHECK_EQ(text_resize(&text, 60000, 5), ERR_INVAL);
	CHECK_STR(row(0), "x");
}

TEST(a_resize_without_memory_changes_nothing)
{
	start();
	say("hello\x1b[?1049hthere");
	heap_fail_after(1);
	CHECK_EQ(text_resize(&text, 30, 8), ERR_NOMEM);
	heap_fail_after(0);
	CHECK_EQ(text.columns, COLUMNS);
	CHECK_STR(row(0), "     there");
}

/* ---- After a sudden end ------------------------------------------------------------------------------------------------------ */

/* Everything that can be seen of it. */
static uint64_t fingerprint(void)
{
	struct text_cell cells[TEXT_COLUMNS_MAX];
	struct text_cursor c = text_cursor(&text);
	uint64_t sum = c.row * 1000003u + c.column * 10007u + (unsigned)c.shape + c.is_visible;

	text_scroll_view(&text, INT32_MAX);
	for (uint32_t left = text.view + text.rows; left > 0; left--) {
		uint16_t r = text.view > 0 ? 0 : (uint16_t)(text.rows - left);

		text_row(&text, r, cells);
		for (size_t i = 0; i < text.columns * sizeof(*cells); i++)
			sum = sum * 31 + ((uint8_t *)cells)[i];
		if (text.view > 0)
			text_scroll_view(&text, -1);
	}
	return sum;
}

static void random_output(size_t bytes)
{
	static const char *const pieces[] = { "\r\n", "hello ", "\x1b[31m", "\x1b[m", "\x1b[H", "\x1b[2J", "\x1b[3;7r", "\x1b[r", "\x1b[L", "\x1b[5M",
		"\xe6\xbc\xa2", "e\xcc\x81", "\x1b[?1049h", "\x1b[?1049l", "\x1b[10;3H", "\x1b[38;2;1;2;3m", "\t", "\x1b[4 q", "\x1b(0", "\x1b(B", "\x1b[", "\xc3" };

	while (bytes-- > 0)
		say(pieces[test_random() % ARRAY_COUNT(pieces)]);
}

TEST(the_next_instance_finds_all_as_it_was)
{
	start();
	for (int i = 0; i < 50; i++) {
		random_output(test_random() % 2000);
		uint64_t was = fingerprint();
		memset(&text, 0x55, sizeof(text));
		CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
		CHECK_EQ(fingerprint(), was);
	}
}

/* An end between the log and libvterm, in the middle of libvterm, and in the middle of a save. */
TEST(an_end_at_any_moment_loses_nothing_that_was_logged)
{
	for (int i = 0; i < 30; i++) {
		start();
		random_output(500);
		say("\x18");
		uint64_t was = fingerprint();
		if (i % 3 == 0)
			for (int k = 0; k < 200; k++)
				memory->arena[test_random() % memory->arena_bytes] ^= 0xff;
		if (i % 3 == 1) {
			memory->phase = TEXT_SAVING;
			for (int k = 0; k < 200; k++)
				memory->saved[test_random() % memory->saved_bytes] ^= 0xff;
			memory->log_bytes = i % 2 ? 0 : memory->log_bytes;
		}
		if (i % 3 == 2) {
			/* Logged, but not shown: it is shown now. */
			memory->log[memory->log_bytes] = 1;
			memory->log[memory->log_bytes + 1] = '!';
			memory->log_bytes += 2;
		}
		CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
		CHECK((fingerprint() == was) == (i % 3 != 2));
	}
}

TEST(how_much_was_written_is_known_after_an_end_at_any_moment)
{
	uint64_t written = 0;

	start();
	for (int i = 0; i < 4000; i++) {
		char piece[300] = { 0 };
		size_t bytes = test_random() % (sizeof(piece) - 1);

		memset(piece, 'x', bytes);
		say(piece);
		written += bytes;
		/* In a save: at its beginning, and when it is just about done. */
		if (i % 40 == 1)
			memory->phase = TEXT_SAVING;
		if (i % 40 == 2) {
			memory->phase = TEXT_SAVED;
			memory->next_written = written;
		}
		if (i % 20 < 3)
			CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
		CHECK_EQ(text_written(&text), written);
	}
}

TEST(another_size_after_a_restart_is_a_resize)
{
	start();
	lines(1, 5);
	CHECK_EQ(text_open(&text, memory, 40, 8, answer), OK);
	CHECK_EQ(text.columns, 40);
	CHECK_STR(row(4), "line 5");
}

TEST(memory_that_makes_no_sense_is_begun_anew)
{
	start();
	say("x");
	memory->log_bytes = UINT32_MAX;
	CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
	CHECK_STR(row(0), "");
	say("y");
	memory->self = &text;
	CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
	CHECK_STR(row(0), "");
	say("z");
	CHECK_STR(row(0), "z");
}

TEST(what_was_asked_before_the_end_is_not_answered_again)
{
	start();
	say("\x1b[6n");
	CHECK_STR(answered, "\x1b[1;1R");
	CHECK_EQ(text_open(&text, memory, COLUMNS, ROWS, answer), OK);
	CHECK_STR(answered, "\x1b[1;1R");
}

/* ---- What is said to have changed --------------------------------------------------------------------------------------------- */

TEST(only_rows_that_look_different_are_dirty)
{
	start();
	text_clean(&text);
	say("\x1b[3;1Hx");
	CHECK(text_is_dirty(&text, 0) && text_is_dirty(&text, 2) && !text_is_dirty(&text, 1) && !text_is_dirty(&text, 4));
	text_clean(&text);
	say("\x1b[?25l");
	CHECK(text_is_dirty(&text, 2) && !text_is_dirty(&text, 0));
}
