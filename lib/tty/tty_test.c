/* lib/tty/tty_test.c - the rules of the line discipline, typed at and read back. */
#include "lib/test/test.h"
#include "lib/tty/tty.h"

static struct tty t;
static uint8_t buffer[16384];
static const struct tty_reader now_reader = { 0 };

static void start(void)
{
	tty_init(&t);
}

static void change(uint32_t clear_input, uint32_t set_input, uint32_t clear_local, uint32_t set_local)
{
	struct tty_modes modes = t.modes;

	modes.input = (modes.input & ~clear_input) | set_input;
	modes.local = (modes.local & ~clear_local) | set_local;
	tty_set_modes(&t, &modes);
}

static void make_raw(uint8_t min, uint8_t time)
{
	struct tty_modes modes = t.modes;

	modes.input = modes.output = modes.local = 0;
	modes.chars[TTY_VMIN] = min;
	modes.chars[TTY_VTIME] = time;
	tty_set_modes(&t, &modes);
}

static void type(const char *text)
{
	tty_input(&t, (const uint8_t *)text, strlen(text), 0);
}

/* What a read of at most bytes gives now, as a string. "(wait)": nothing yet. */
static const char *read_now(size_t bytes)
{
	uint64_t deadline;
	size_t got;
	err_t err = tty_read(&t, buffer, bytes, 0, &now_reader, &got, &deadline);

	if (err == ERR_AGAIN)
		return "(wait)";
	buffer[got] = 0;
	return (const char *)buffer;
}

static const char *shown(void)
{
	static char text[TTY_OUTPUT_BYTES + 1];
	const uint8_t *span;
	size_t count, total = 0;

	while ((count = tty_output(&t, &span)) > 0) {
		memcpy(text + total, span, count);
		total += count;
		tty_output_taken(&t, count);
	}
	text[total] = 0;
	return text;
}

static size_t write_text(const char *text)
{
	size_t taken;

	CHECK_EQ(tty_write(&t, (const uint8_t *)text, strlen(text), &taken), OK);
	return taken;
}

TEST(a_line_is_readable_once_it_ends)
{
	start();
	type("hello");
	CHECK_STR(read_now(100), "(wait)");
	CHECK_EQ(tty_ready(&t) & READY_READ, 0);
	type("\r");
	CHECK(tty_ready(&t) & READY_READ);
	CHECK_STR(read_now(100), "hello\n");
	CHECK_STR(shown(), "hello\r\n");
}

TEST(a_read_gives_one_line_and_a_short_one_leaves_the_rest)
{
	start();
	type("abc\ndef\n");
	CHECK_STR(read_now(2), "ab");
	CHECK_STR(read_now(100), "c\n");
	CHECK_EQ(tty_input_pending(&t), 4);
	CHECK_STR(read_now(100), "def\n");
	CHECK_STR(read_now(100), "(wait)");
}

TEST(end_of_file_on_an_empty_line_reads_as_nothing)
{
	start();
	type("\x04");
	CHECK_STR(read_now(100), "");
	CHECK_STR(read_now(100), "(wait)");
}

TEST(end_of_file_after_text_gives_the_text_without_a_newline)
{
	start();
	type("abc\x04");
	CHECK_EQ(tty_input_pending(&t), 3);
	CHECK_STR(read_now(3), "abc");
	CHECK_STR(read_now(100), "(wait)");
}

TEST(erase_takes_one_character_off_screen_and_line)
{
	start();
	type("ab\x7f");
	CHECK_STR(shown(), "ab\b \b");
	type("\x7f\x7f\x7f");
	CHECK_STR(shown(), "\b \b");
	type("c\n");
	CHECK_STR(read_now(100), "c\n");
}

TEST(erase_takes_a_whole_utf8_character_and_one_column)
{
	start();
	type("a\xc3\xa4");
	(void)shown();
	type("\x7f");
	CHECK_STR(shown(), "\b \b");
	type("\n");
	CHECK_STR(read_now(100), "a\n");
}

TEST(erase_of_a_control_character_takes_two_columns)
{
	start();
	type("\x16\x01");
	CHECK_STR(shown(), "^\b^A");
	type("\x7f");
	CHECK_STR(shown(), "\b \b\b \b");
}

TEST(erase_of_a_tab_goes_back_as_far_as_the_tab_went)
{
	start();
	write_text("$ ");
	type("ab\t");
	(void)shown();
	type("\x7f");
	CHECK_STR(shown(), "\b\b\b\b");
}

TEST(word_erase_takes_blanks_then_a_word)
{
	start();
	type("one two  ");
	(void)shown();
	type("\x17");
	CHECK_STR(shown(), "\b \b\b \b\b \b\b \b\b \b");
	type("\n");
	CHECK_STR(read_now(100), "one \n");
}

TEST(kill_takes_the_line_and_no_earlier_one)
{
	start();
	type("first\nxy\x15z\n");
	CHECK_STR(read_now(100), "first\n");
	CHECK_STR(read_now(100), "z\n");
	CHECK_STR(shown(), "first\r\nxy\b \b\b \bz\r\n");
}

TEST(kill_without_echoke_shows_itself_and_a_newline)
{
	start();
	change(0, 0, TTY_ECHOKE, 0);
	type("xy\x15");
	CHECK_STR(shown(), "xy^U\r\n");
}

TEST(a_quoted_character_loses_its_meaning)
{
	start();
	type("\x16\x03\x16\x7f\x16\x04\n");
	CHECK_EQ(tty_take_signals(&t), 0);
	CHECK_STR(read_now(100), "\x03\x7f\x04\n");
}

TEST(reprint_shows_the_line_again)
{
	start();
	type("abc\x12");
	CHECK_STR(shown(), "abc^R\r\nabc");
}

TEST(interrupt_drops_what_was_typed_and_signals)
{
	start();
	t.foreground = 7;
	type("abc\x03");
	CHECK_EQ(tty_take_signals(&t), 1ull << (TTY_SIGINT - 1));
	CHECK_EQ(tty_take_signals(&t), 0);
	CHECK_STR(shown(), "^C");
	type("d\n");
	CHECK_STR(read_now(100), "d\n");
}

TEST(noflsh_keeps_what_was_typed)
{
	start();
	t.foreground = 7;
	change(0, 0, 0, TTY_NOFLSH);
	type("ab\x1a" "c\x1c\n");
	CHECK_EQ(tty_take_signals(&t), 1ull << (TTY_SIGTSTP - 1) | 1ull << (TTY_SIGQUIT - 1));
	CHECK_STR(read_now(100), "abc\n");
}

TEST(without_isig_an_interrupt_is_a_byte)
{
	start();
	t.foreground = 7;
	change(0, 0, TTY_ISIG, 0);
	type("\x03\n");
	CHECK_EQ(tty_take_signals(&t), 0);
	CHECK_STR(read_now(100), "\x03\n");
}

TEST(a_disabled_control_character_is_ordinary)
{
	struct tty_modes modes;

	start();
	modes = t.modes;
	modes.chars[TTY_VINTR] = 0;
	tty_set_modes(&t, &modes);
	tty_input(&t, (const uint8_t *)"\0\x03\n", 3, 0);
	CHECK_STR(read_now(100), "");
	CHECK_EQ(buffer[1], 3);
}

TEST(carriage_returns_and_newlines_are_translated_as_asked)
{
	start();
	change(TTY_ICRNL, TTY_INLCR, TTY_ICANON, 0);
	type("\n\r");
	CHECK_STR(read_now(100), "\r\r");
	change(TTY_INLCR, TTY_IGNCR, 0, 0);
	type("a\rb");
	CHECK_STR(read_now(100), "ab");
}

TEST(the_eighth_bit_is_stripped_as_asked)
{
	start();
	change(0, TTY_ISTRIP, 0, 0);
	type("\xe1\n");
	CHECK_STR(read_now(100), "a\n");
}

TEST(stop_and_start_hold_output_and_are_not_read)
{
	start();
	type("\x13");
	write_text("x");
	CHECK_STR(shown(), "");
	CHECK_EQ(tty_output_pending(&t), 1);
	type("\x11");
	CHECK_STR(shown(), "x");
	CHECK_EQ(tty_input_pending(&t), 0);
}

TEST(any_character_starts_output_under_ixany)
{
	start();
	change(0, TTY_IXANY, TTY_ECHO, 0);
	type("\x13");
	write_text("x");
	type("a");
	CHECK_STR(shown(), "x");
}

TEST(tcooff_is_not_undone_by_typing)
{
	start();
	CHECK_EQ(tty_flow(&t, TTY_OUTPUT_OFF), OK);
	write_text("x");
	type("\x11");
	CHECK_STR(shown(), "");
	CHECK_EQ(tty_flow(&t, TTY_OUTPUT_ON), OK);
	CHECK_STR(shown(), "x");
	CHECK_EQ(tty_flow(&t, 9), ERR_INVAL);
}

TEST(tcioff_sends_stop_before_other_output)
{
	start();
	write_text("x");
	CHECK_EQ(tty_flow(&t, TTY_INPUT_OFF), OK);
	CHECK_STR(shown(), "\x13x");
	CHECK_EQ(tty_flow(&t, TTY_INPUT_ON), OK);
	CHECK_STR(shown(), "\x11");
}

TEST(ixoff_stops_a_fast_sender_and_starts_it_again)
{
	start();
	make_raw(1, 0);
	change(0, TTY_IXOFF, 0, 0);
	for (int i = 0; i < 400; i++)
		type("0123456789");
	CHECK_STR(shown(), "\x13");
	(void)read_now(4000);
	CHECK_STR(shown(), "\x11");
}

TEST(a_full_line_takes_only_its_end)
{
	start();
	change(0, TTY_IMAXBEL, TTY_ECHO, 0);
	for (int i = 0; i < 5000; i++) {
		CHECK(tty_input_room(&t) > 0);
		type("x");
	}
	CHECK_EQ(shown()[0], '\a');
	type("\n");
	CHECK_EQ(tty_input_room(&t), 0);
	CHECK_EQ(strlen(read_now(8000)), 4096);
	CHECK_EQ(buffer[4094], 'x');
	CHECK_EQ(buffer[4095], '\n');
	CHECK_EQ(tty_input_room(&t), 4095);
}

TEST(a_full_raw_ring_asks_to_wait)
{
	start();
	make_raw(1, 0);
	for (int i = 0; i < 4095; i++)
		type("x");
	CHECK_EQ(tty_input_room(&t), 0);
	CHECK_EQ(strlen(read_now(5)), 5);
	CHECK_EQ(tty_input_room(&t), 5);
}

TEST(min_waits_for_that_many_or_for_what_was_asked)
{
	start();
	make_raw(3, 0);
	type("ab");
	CHECK_STR(read_now(100), "(wait)");
	CHECK_EQ(tty_ready(&t) & READY_READ, 0);
	CHECK_STR(read_now(2), "ab");
	type("cde");
	CHECK(tty_ready(&t) & READY_READ);
	CHECK_STR(read_now(100), "cde");
}

TEST(min_and_time_zero_never_wait)
{
	start();
	make_raw(0, 0);
	CHECK_STR(read_now(100), "");
	type("a");
	CHECK_STR(read_now(100), "a");
}

TEST(time_without_min_runs_from_the_call)
{
	struct tty_reader reader = { .started_ns = 1000 };
	uint64_t deadline, tenth = 100 * 1000 * 1000;
	size_t got;

	start();
	make_raw(0, 2);
	CHECK_EQ(tty_read(&t, buffer, 10, 1000, &reader, &got, &deadline), ERR_AGAIN);
	CHECK_EQ(deadline, 1000 + 2 * tenth);
	CHECK_EQ(tty_read(&t, buffer, 10, deadline, &reader, &got, &deadline), OK);
	CHECK_EQ(got, 0);
	type("x");
	CHECK_EQ(tty_read(&t, buffer, 10, 1000, &reader, &got, &deadline), OK);
	CHECK_EQ(got, 1);
}

TEST(time_with_min_runs_between_bytes)
{
	struct tty_reader reader = { .started_ns = 1000 };
	uint64_t deadline, tenth = 100 * 1000 * 1000;
	size_t got;

	start();
	make_raw(5, 1);
	CHECK_EQ(tty_read(&t, buffer, 10, 9 * tenth, &reader, &got, &deadline), ERR_AGAIN);
	CHECK_EQ(deadline, DEADLINE_NONE);
	tty_input(&t, (const uint8_t *)"ab", 2, 20 * tenth);
	CHECK_EQ(tty_read(&t, buffer, 10, 20 * tenth, &reader, &got, &deadline), ERR_AGAIN);
	CHECK_EQ(deadline, 21 * tenth);
	CHECK_EQ(tty_read(&t, buffer, 10, 21 * tenth, &reader, &got, &deadline), OK);
	CHECK_EQ(got, 2);
}

TEST(a_nonblocking_read_takes_what_there_is_below_min)
{
	struct tty_reader reader = { .nonblocking = true };
	uint64_t deadline;
	size_t got;

	start();
	make_raw(5, 0);
	CHECK_EQ(tty_read(&t, buffer, 10, 0, &reader, &got, &deadline), ERR_AGAIN);
	type("ab");
	CHECK_EQ(tty_read(&t, buffer, 10, 0, &reader, &got, &deadline), OK);
	CHECK_EQ(got, 2);
}

TEST(leaving_lines_makes_everything_readable_without_end_marks)
{
	start();
	type("ab\x04" "cd");
	make_raw(1, 0);
	CHECK_STR(read_now(100), "abcd");
}

TEST(entering_lines_makes_a_line_of_what_lies_there)
{
	start();
	make_raw(1, 0);
	type("ab");
	change(0, 0, 0, TTY_ICANON);
	type("cd\n");
	CHECK_STR(read_now(100), "ab");
	CHECK_STR(read_now(100), "cd\n");
}

TEST(output_processing_does_what_each_flag_says)
{
	struct tty_modes modes;

	start();
	CHECK_EQ(write_text("a\nb"), 3);
	CHECK_STR(shown(), "a\r\nb");
	modes = t.modes;
	modes.output = TTY_OPOST | TTY_OCRNL | TTY_ONOCR | TTY_ONLRET | TTY_XTABS;
	tty_set_modes(&t, &modes);
	write_text("\r\r\r" "ab\tc\n\td");
	CHECK_STR(shown(), "\nab      c\n        d");
	modes.output = 0;
	tty_set_modes(&t, &modes);
	write_text("a\n\t\r");
	CHECK_STR(shown(), "a\n\t\r");
}

TEST(a_full_screen_queue_takes_less_and_leaves_room_for_echo)
{
	size_t taken, total = 0;

	start();
	memset(buffer, 'x', sizeof(buffer));
	CHECK_EQ(tty_write(&t, buffer, sizeof(buffer), &taken), OK);
	CHECK_EQ(taken, TTY_OUTPUT_BYTES - TTY_ECHO_RESERVE);
	CHECK_EQ(tty_ready(&t) & READY_WRITE, 0);
	type("abc");
	CHECK_EQ(tty_output_pending(&t), taken + 3);
	total = strlen(shown());
	CHECK_EQ(total, taken + 3);
	CHECK(tty_ready(&t) & READY_WRITE);
}

TEST(echonl_shows_the_newline_alone)
{
	start();
	change(0, 0, TTY_ECHO, TTY_ECHONL);
	type("secret\n");
	CHECK_STR(shown(), "\r\n");
}

TEST(a_break_is_a_signal_or_a_mark_or_a_zero)
{
	start();
	t.foreground = 7;
	change(0, TTY_BRKINT, 0, 0);
	tty_input_break(&t, 0);
	CHECK_EQ(tty_take_signals(&t), 1ull << (TTY_SIGINT - 1));
	make_raw(1, 0);
	change(0, TTY_PARMRK, 0, 0);
	tty_input_break(&t, 0);
	type("\xff");
	(void)read_now(100);
	CHECK_MEM(buffer, "\xff\0\0\xff\xff", 5);
	change(TTY_PARMRK, TTY_IGNBRK, 0, 0);
	tty_input_break(&t, 0);
	CHECK_EQ(tty_input_pending(&t), 0);
}

TEST(a_damaged_byte_is_marked_dropped_or_kept)
{
	start();
	make_raw(1, 0);
	tty_input_error(&t, 'a', 0);
	CHECK_STR(read_now(10), "a");
	change(0, TTY_INPCK | TTY_IGNPAR, 0, 0);
	tty_input_error(&t, 'a', 0);
	CHECK_EQ(tty_input_pending(&t), 0);
	change(TTY_IGNPAR, TTY_PARMRK, 0, 0);
	tty_input_error(&t, 'a', 0);
	(void)read_now(10);
	CHECK_MEM(buffer, "\xff\0a", 3);
}

TEST(a_hangup_ends_reads_and_fails_writes)
{
	size_t taken;

	start();
	type("abc\n");
	tty_hangup(&t);
	CHECK_STR(read_now(10), "");
	CHECK_EQ(tty_write(&t, buffer, 1, &taken), ERR_IO);
	CHECK(tty_ready(&t) & READY_HANGUP);
	type("x\n");
	CHECK_STR(read_now(10), "");
}

TEST(a_new_size_signals_once)
{
	struct tty_size size = { 25, 80, 0, 0 };

	start();
	t.foreground = 7;
	tty_set_size(&t, &size);
	CHECK_EQ(tty_take_signals(&t), 1ull << (TTY_SIGWINCH - 1));
	tty_set_size(&t, &size);
	CHECK_EQ(tty_take_signals(&t), 0);
}

TEST(the_background_may_write_but_neither_read_nor_change)
{
	start();
	t.session = 5;
	t.foreground = 7;
	CHECK_EQ(tty_check(&t, 5, 7, TTY_ACCESS_READ), OK);
	CHECK_EQ(tty_check(&t, 5, 8, TTY_ACCESS_READ), ERR_BACKGROUND);
	CHECK_EQ(tty_check(&t, 5, 8, TTY_ACCESS_CHANGE), ERR_BACKGROUND);
	CHECK_EQ(tty_check(&t, 5, 8, TTY_ACCESS_WRITE), OK);
	change(0, 0, 0, TTY_TOSTOP);
	CHECK_EQ(tty_check(&t, 5, 8, TTY_ACCESS_WRITE), ERR_BACKGROUND);
	CHECK_EQ(tty_check(&t, 6, 8, TTY_ACCESS_READ), OK);
}

TEST(packet_mode_tells_the_master_first)
{
	size_t got;

	start();
	tty_set_packet(&t, true);
	CHECK_EQ(tty_master_read(&t, buffer, 10, &got), ERR_AGAIN);
	write_text("hi");
	CHECK_EQ(tty_master_read(&t, buffer, 10, &got), OK);
	CHECK_EQ(got, 3);
	CHECK_MEM(buffer, "\0hi", 3);
	type("\x13");
	CHECK_EQ(tty_master_read(&t, buffer, 10, &got), OK);
	CHECK_EQ(got, 1);
	CHECK_EQ(buffer[0], TTY_PACKET_STOP);
	change(TTY_IXON, 0, 0, 0);
	CHECK_EQ(tty_master_read(&t, buffer, 10, &got), OK);
	CHECK_EQ(buffer[0], TTY_PACKET_START | TTY_PACKET_NO_STOP);
	tty_flush(&t, TTY_FLUSH_OUT);
	CHECK_EQ(tty_master_read(&t, buffer, 10, &got), OK);
	CHECK_EQ(buffer[0], TTY_PACKET_FLUSH_WRITE);
}

TEST(a_ring_that_wrapped_keeps_its_bytes)
{
	start();
	for (int i = 0; i < 3000; i++) {
		type("ab\n");
		CHECK_STR(read_now(10), "ab\n");
		(void)shown();
	}
}
