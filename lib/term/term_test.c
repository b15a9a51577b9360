/* lib/term/term_test.c - sequences in, grid out. */
#include <stdio.h>
#include "lib/test/test.h"
#include "lib/term/term.h"

enum { COLUMNS = 10, ROWS = 5 };

static struct term t;
static struct term_cell cells[2 * COLUMNS * ROWS];

static void start(void)
{
	CHECK_EQ(term_init(&t, COLUMNS, ROWS, cells), OK);
}

static void feed(const char *text)
{
	term_write(&t, (const uint8_t *)text, strlen(text));
}

/* A row as text, without trailing blanks; codes beyond ASCII as {hex}. */
static const char *row(uint16_t number)
{
	static char text[COLUMNS * 10 + 1];
	const struct term_cell *line = term_line(&t, number);
	size_t at = 0, end = 0;

	for (int i = 0; i < COLUMNS; i++) {
		at += (size_t)(line[i].code < 0x7f ? sprintf(text + at, "%c", (char)line[i].code)
		                                   : sprintf(text + at, "{%x}", line[i].code));
		if (line[i].code != ' ')
			end = at;
	}
	text[end] = 0;
	return text;
}

static void check_cursor(int r, int c)
{
	CHECK_EQ(t.cursor.row, r);
	CHECK_EQ(t.cursor.column, c);
}

static const char *answer(void)
{
	static uint8_t text[TERM_ANSWER_BYTES + 1];

	text[term_take_answer(&t, text)] = 0;
	return (const char *)text;
}

TEST(text_lies_where_it_was_written)
{
	start();
	feed("hello\r\nworld");
	CHECK_STR(row(0), "hello");
	CHECK_STR(row(1), "world");
	check_cursor(1, 5);
}

TEST(a_size_out_of_range_is_refused)
{
	CHECK_EQ(term_init(&t, 0, 5, cells), ERR_INVAL);
	CHECK_EQ(term_init(&t, 10, TERM_ROWS_MAX + 1, cells), ERR_INVAL);
}

TEST(the_wrap_waits_for_the_next_character)
{
	start();
	feed("0123456789");
	check_cursor(0, 9);
	feed("\r");
	check_cursor(0, 0);
	feed("0123456789a");
	CHECK_STR(row(1), "a");
	check_cursor(1, 1);
	feed("\033[?7l\033[1;1H0123456789xyz");
	CHECK_STR(row(0), "012345678z");
}

TEST(the_last_line_scrolls)
{
	start();
	feed("a\r\nb\r\nc\r\nd\r\ne\r\nf");
	CHECK_STR(row(0), "b");
	CHECK_STR(row(4), "f");
}

TEST(only_the_region_scrolls)
{
	start();
	feed("a\r\nb\r\nc\r\nd\r\ne\033[2;4r");
	check_cursor(0, 0);
	feed("\033[4;1H\n");
	CHECK_STR(row(0), "a");
	CHECK_STR(row(1), "c");
	CHECK_STR(row(2), "d");
	CHECK_STR(row(3), "");
	CHECK_STR(row(4), "e");
	feed("\033[2;1H\033M");
	CHECK_STR(row(1), "");
	CHECK_STR(row(2), "c");
	feed("\033[2S");
	CHECK_STR(row(1), "d");
	feed("\033[r\033[5;1H\n");
	CHECK_STR(row(3), "e");
}

TEST(origin_mode_counts_from_the_region)
{
	start();
	feed("\033[2;4r\033[?6h\033[1;1Hx\033[9;1Hy\033[6n");
	CHECK_STR(row(1), "x");
	CHECK_STR(row(3), "y");
	CHECK_STR(answer(), "\033[3;2R");
}

TEST(the_cursor_moves_and_stops_at_the_edges)
{
	start();
	feed("\033[3;4H");
	check_cursor(2, 3);
	feed("\033[A\033[2C");
	check_cursor(1, 5);
	feed("\033[99B\033[99D");
	check_cursor(4, 0);
	feed("\033[99;99H");
	check_cursor(4, 9);
	feed("\033[3G\033[2d");
	check_cursor(1, 2);
	feed("\033[E");
	check_cursor(2, 0);
	feed("\033[2F\b");
	check_cursor(0, 0);
}

TEST(erasing_takes_what_was_named)
{
	start();
	feed("0123456789\r\nabcdefghij\r\nABCDEFGHIJ\033[2;5H\033[K");
	CHECK_STR(row(1), "abcd");
	feed("\033[1K");
	CHECK_STR(row(1), "");
	feed("\033[1;3H\033[2X");
	CHECK_STR(row(0), "01  456789");
	feed("\033[2;1H\033[1J");
	CHECK_STR(row(0), "");
	CHECK_STR(row(2), "ABCDEFGHIJ");
	feed("\033[J");
	CHECK_STR(row(2), "");
}

TEST(characters_are_inserted_and_deleted)
{
	start();
	feed("abcdefghij\033[1;3H\033[2@");
	CHECK_STR(row(0), "ab  cdefgh");
	feed("\033[3P");
	CHECK_STR(row(0), "abdefgh");
	feed("\033[4hXY\033[4l");
	CHECK_STR(row(0), "abXYdefgh");
	feed("Z");
	CHECK_STR(row(0), "abXYZefgh");
}

TEST(lines_are_inserted_and_deleted)
{
	start();
	feed("a\r\nb\r\nc\r\nd\r\ne\033[2;3H\033[L");
	check_cursor(1, 0);
	CHECK_STR(row(1), "");
	CHECK_STR(row(2), "b");
	CHECK_STR(row(4), "d");
	feed("\033[2M");
	CHECK_STR(row(1), "c");
	CHECK_STR(row(3), "");
}

TEST(colours_and_attributes_stick_to_cells)
{
	const struct term_cell *line;

	start();
	feed("\033[1;31;44mA\033[0;38;5;200mB\033[38;2;255;0;0;7mC\033[27;39;100mD\033[mE");
	line = term_line(&t, 0);
	CHECK_EQ(line[0].attributes, TERM_BOLD);
	CHECK_EQ(line[0].foreground, 1);
	CHECK_EQ(line[0].background, 4);
	CHECK_EQ(line[1].attributes, 0);
	CHECK_EQ(line[1].foreground, 200);
	CHECK_EQ(line[1].background, TERM_BACKGROUND);
	CHECK_EQ(line[2].foreground, 196);
	CHECK_EQ(line[2].attributes, TERM_REVERSE);
	CHECK_EQ(line[3].foreground, TERM_FOREGROUND);
	CHECK_EQ(line[3].background, 8);
	CHECK_EQ(line[4].background, TERM_BACKGROUND);
}

TEST(erased_cells_take_the_background)
{
	start();
	feed("\033[44m\033[K");
	CHECK_EQ(term_line(&t, 0)[3].background, 4);
}

TEST(line_drawing_is_by_charset)
{
	start();
	feed("\033(0qx\033(Bq");
	CHECK_STR(row(0), "{2500}{2502}q");
	feed("\r\033)0\x0el\x0fl");
	CHECK_STR(row(0), "{250c}lq");
}

TEST(utf8_may_be_cut_and_broken)
{
	start();
	feed("\xc3");
	feed("\xa4\xe2\x82\xac");
	CHECK_STR(row(0), "{e4}{20ac}");
	feed("\r\xc3(\xff\xe0\x80\x80\xf4\x90\x80\x80\xed\xa0\x80");
	CHECK_STR(row(0), "{fffd}({fffd}{fffd}{fffd}{fffd}");
}

TEST(wide_characters_take_two_cells_and_leave_together)
{
	start();
	feed("\xe4\xb8\xad" "a");
	CHECK(term_line(&t, 0)[0].attributes & TERM_WIDE_HEAD);
	CHECK(term_line(&t, 0)[1].attributes & TERM_WIDE_TAIL);
	check_cursor(0, 3);
	feed("\033[1;2Hx");
	CHECK_STR(row(0), " xa");
	feed("\033[1;10H\xe4\xb8\xad");
	CHECK_EQ(term_line(&t, 1)[0].code, 0x4e2d);
}

TEST(combining_marks_take_no_cell)
{
	start();
	feed("e\xcc\x81x");
	CHECK_STR(row(0), "ex");
}

TEST(the_alternate_screen_leaves_the_normal_one_alone)
{
	start();
	feed("shell\033[?1049h\033[H\033[2Jeditor");
	CHECK_STR(row(0), "editor");
	feed("\033[?1049l");
	CHECK_STR(row(0), "shell");
	check_cursor(0, 5);
}

TEST(save_and_restore_keep_place_and_colours)
{
	start();
	feed("\033[2;3H\033[31m\0337\033[H\033[m\0338x");
	CHECK_EQ(term_line(&t, 1)[2].foreground, 1);
	feed("\033[s\033[H\033[u");
	check_cursor(1, 3);
}

TEST(tabs_stop_where_they_were_set)
{
	start();
	feed("\tx");
	CHECK_STR(row(0), "        x");
	feed("\r\033[3g\033[4G\033H\r\ty");
	CHECK_STR(row(0), "   y    x");
	feed("\033[Z");
	check_cursor(0, 3);
}

TEST(questions_are_answered)
{
	start();
	feed("\033[3;4H\033[6n");
	CHECK_STR(answer(), "\033[3;4R");
	feed("\033[5n\033[c\033[>c");
	CHECK_STR(answer(), "\033[0n\033[?6c");
	CHECK_STR(answer(), "");
	for (int i = 0; i < 100; i++)
		feed("\033[6n");
	CHECK_EQ(strlen(answer()) % 6, 0);
}

TEST(titles_and_unknown_sequences_show_nothing)
{
	start();
	feed("\033]0;title\a" "a\033]2;x\033\\b\033P1$r\033\\c\033[?9999hd\033[1;2;3yzeit");
	CHECK_STR(row(0), "abcdzeit");
	feed("\r\033[[Af\033[>4;1mg\033%Gh\033[!pi");
	CHECK_STR(row(0), "fghizeit");
	feed("\r\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mj");
	CHECK_STR(row(0), "jghizeit");
}

TEST(a_cancelled_sequence_ends)
{
	start();
	feed("\033[12\x18" "A\033[3\033[1;2Hb");
	CHECK_STR(row(0), "Ab");
}

TEST(controls_work_inside_a_sequence)
{
	start();
	feed("ab\033[\b1Cx");
	CHECK_STR(row(0), "abx");
}

TEST(the_palette_can_be_changed_and_reset)
{
	start();
	feed("\033]P1ff8000X");
	CHECK_EQ(t.palette[1], 0xff8000);
	CHECK_STR(row(0), "X");
	feed("\033c");
	CHECK_EQ(t.palette[1], 0xaa0000);
	CHECK_STR(row(0), "");
}

TEST(repeat_repeats_the_last_character)
{
	start();
	feed("a\033[3b");
	CHECK_STR(row(0), "aaaa");
}

TEST(modes_for_keys_and_cursor_are_seen)
{
	start();
	feed("\033[?1h\033=\033[?25l");
	CHECK(t.application_cursor && t.application_keypad && !t.cursor_visible);
	feed("\033[?1l\033>\033[?25h");
	CHECK(!t.application_cursor && !t.application_keypad && t.cursor_visible);
}

TEST(only_changed_rows_are_dirty)
{
	start();
	term_clean(&t);
	feed("\033[3;1Hx");
	CHECK(term_is_dirty(&t, 0));    /* the cursor left it */
	CHECK(!term_is_dirty(&t, 1));
	CHECK(term_is_dirty(&t, 2));
}

TEST(alignment_pattern_fills_the_screen)
{
	start();
	feed("\033#8");
	CHECK_STR(row(4), "EEEEEEEEEE");
}

TEST(ibm_graphics_show_control_codes)
{
	start();
	feed("\033[11m\x10\033[10ma");
	CHECK_STR(row(0), "{25b6}a");
}
