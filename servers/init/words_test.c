/* servers/init/words_test.c */
#include "lib/test/test.h"
#include "servers/init/words.h"

static char text[1024];

static struct words_reader reader_of(const char *from)
{
	struct words_reader r;

	memcpy(text, from, strlen(from) + 1);
	words_reader_init(&r, text, strlen(from));
	return r;
}

TEST(lines_are_cut_into_words_and_counted)
{
	struct words_reader r = reader_of("# first\n\n one  two\t\"three  and\" # not this\n\nx\n");
	const char *mistake;
	struct words w;

	CHECK(words_next_line(&r, &w, &mistake) && !mistake);
	CHECK(r.line == 3 && w.count == 3);
	CHECK_STR(w.word[2], "three  and");
	CHECK(words_have(&w, "two") && !words_have(&w, "not"));
	CHECK(words_next_line(&r, &w, &mistake) && !mistake && r.line == 5);
	CHECK(!words_next_line(&r, &w, &mistake));
}

TEST(a_line_that_cannot_be_cut_gives_what_it_has_and_the_next_goes_on)
{
	struct words_reader r = reader_of("a \"b c\nd\ne");
	const char *mistake;
	struct words w;

	CHECK(words_next_line(&r, &w, &mistake) && mistake && w.count == 2);
	CHECK(words_next_line(&r, &w, &mistake) && !mistake && w.count == 1);
	CHECK_STR(w.word[0], "d");
	CHECK(words_next_line(&r, &w, &mistake) && mistake && w.count == 0);
	CHECK(!words_next_line(&r, &w, &mistake));
}

TEST(words_are_numbers_bytes_and_times_or_are_refused)
{
	uint32_t n;
	uint64_t big;

	CHECK(word_is_number("4294967295", &n) && n == UINT32_MAX);
	CHECK(!word_is_number("4294967296", &n) && !word_is_number("", &n) && !word_is_number("-1", &n) && !word_is_number("1x", &n));
	CHECK(word_is_bytes("4096", &big) && big == 4096);
	CHECK(word_is_bytes("3M", &big) && big == 3 << 20);
	CHECK(!word_is_bytes("3m", &big) && !word_is_bytes("M", &big) && !word_is_bytes("99999999999999G", &big));
	CHECK(word_is_time("50ms", &big) && big == 50000000);
	CHECK(word_is_time("5s", &big) && big == 5000000000);
	CHECK(!word_is_time("5", &big) && !word_is_time("5 s", &big) && !word_is_time("99999999999999999s", &big));
}

TEST(hexadecimal_words_have_their_digits_and_their_end)
{
	const char *rest;
	uint32_t n;

	CHECK(word_is_hex("1af4:1042", 4, ':', &n, &rest) && n == 0x1af4);
	CHECK(word_is_hex(rest, 4, 0, &n, &rest) && n == 0x1042 && *rest == 0);
	CHECK(!word_is_hex("11af4:1042", 4, ':', &n, &rest) && !word_is_hex("", 4, 0, &n, &rest) && !word_is_hex("1af4", 4, ':', &n, &rest));
	CHECK(!word_is_hex("xyz", 4, 0, &n, &rest));
}

TEST(options_are_found_among_the_words_of_a_command_line)
{
	char value[8];
	const char *line = "quiet mode=exec xmode=no rows=25 long=0123456789";

	words_option(line, strlen(line), "mode", "run", value, sizeof value);
	CHECK_STR(value, "exec");
	words_option(line, strlen(line), "columns", "80", value, sizeof value);
	CHECK_STR(value, "80");
	words_option(line, strlen(line), "long", "", value, sizeof value);
	CHECK_STR(value, "0123456");
	words_option("", 0, "mode", "run", value, sizeof value);
	CHECK_STR(value, "run");
}
