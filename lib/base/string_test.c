/* lib/base/string_test.c - our memcpy and its kin (named base_... on the host) against the host's. */
#include "lib/test/test.h"
#include "lib/base/string.h"

void *base_memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *base_memmove(void *to, const void *from, size_t bytes);
void *base_memset(void *to, int byte, size_t bytes);
int base_memcmp(const void *a, const void *b, size_t bytes);
void *base_memchr(const void *in, int byte, size_t bytes);
size_t base_strlen(const char *s);
size_t base_strnlen(const char *s, size_t max);
int base_strcmp(const char *a, const char *b);
int base_strncmp(const char *a, const char *b, size_t max);
char *base_strchr(const char *s, int c);
char *base_strrchr(const char *s, int c);

enum { ROOM = 256 };

static uint8_t pattern[ROOM], mine[ROOM], theirs[ROOM];

static void refill(void)
{
	for (size_t i = 0; i < ROOM; i++)
		pattern[i] = mine[i] = theirs[i] = (uint8_t)(i * 7 + 1);
}

static int sign(int n)
{
	return n < 0 ? -1 : n > 0;
}

TEST(a_copy_touches_just_its_bytes_at_any_length_and_alignment)
{
	for (size_t bytes = 0; bytes <= 130; bytes++)
		for (size_t to = 0; to < 9; to++)
			for (size_t from = 0; from < 9; from++) {
				refill();
				CHECK(base_memcpy(mine + to, pattern + 40 + from, bytes) == mine + to);
				memcpy(theirs + to, pattern + 40 + from, bytes);
				CHECK_MEM(mine, theirs, ROOM);
			}
}

TEST(a_move_is_right_for_every_overlap)
{
	for (size_t bytes = 0; bytes <= 100; bytes++)
		for (size_t to = 0; to < 60; to++) {
			refill();
			CHECK(base_memmove(mine + to, mine + 30, bytes) == mine + to);
			memmove(theirs + to, theirs + 30, bytes);
			CHECK_MEM(mine, theirs, ROOM);
		}
}

TEST(a_fill_touches_just_its_bytes)
{
	for (size_t bytes = 0; bytes <= 130; bytes++)
		for (size_t to = 0; to < 9; to++) {
			refill();
			base_memset(mine + to, 0x1a5, bytes);
			memset(theirs + to, 0xa5, bytes);
			CHECK_MEM(mine, theirs, ROOM);
		}
}

TEST(bytes_compare_as_unsigned_wherever_they_first_differ)
{
	for (size_t bytes = 0; bytes <= 40; bytes++)
		for (size_t at = 0; at < bytes; at++) {
			refill();
			mine[at] ^= 0x80;
			CHECK_EQ(sign(base_memcmp(mine, theirs, bytes)), sign(memcmp(mine, theirs, bytes)));
			CHECK_EQ(base_memcmp(mine, theirs, at), 0);
		}
	CHECK(base_memcmp("\xff", "\x01", 1) > 0);
}

TEST(a_byte_is_found_or_not)
{
	CHECK(base_memchr("abc", 'c', 3) != NULL);
	CHECK(base_memchr("abc", 'c', 2) == NULL);
	CHECK(base_memchr("\xff", -1, 1) != NULL);
}

TEST(strings_have_their_length_and_order)
{
	CHECK_EQ(base_strlen(""), 0);
	CHECK_EQ(base_strlen("abc"), 3);
	CHECK_EQ(base_strnlen("abc", 2), 2);
	CHECK_EQ(base_strcmp("abc", "abc"), 0);
	CHECK(base_strcmp("abc", "abd") < 0 && base_strcmp("ab", "abc") < 0 && base_strcmp("\xff", "a") > 0);
	CHECK_EQ(base_strncmp("abc", "abd", 2), 0);
	CHECK(base_strncmp("abc", "abd", 3) < 0);
	const char *s = "a/b/c";
	CHECK(base_strchr(s, '/') == s + 1 && base_strrchr(s, '/') == s + 3);
	CHECK(base_strchr(s, 'x') == NULL && base_strrchr(s, 'x') == NULL);
	CHECK(base_strchr(s, 0) == s + 5 && base_strrchr(s, 0) == s + 5);
}

TEST(a_string_copy_is_cut_and_always_ended)
{
	char to[4] = "xxx";

	CHECK_EQ(string_copy(to, "abcdef", sizeof to), 6);
	CHECK_STR(to, "abc");
	CHECK_EQ(string_copy(to, "ab", sizeof to), 2);
	CHECK_STR(to, "ab");
	CHECK_EQ(string_copy(to, "zz", 0), 2);
	CHECK_STR(to, "ab");
	CHECK_EQ(string_copy_counted(to, sizeof to, "wxyz", 3), 3);
	CHECK_STR(to, "wxy");
}

TEST(counted_strings_are_told_apart)
{
	CHECK(string_is("abcd", 3, "abc") && !string_is("abcd", 4, "abc") && !string_is("ab", 2, "abc"));
	CHECK(string_starts_with("abc", "ab") && string_starts_with("abc", "") && !string_starts_with("ab", "abc"));
}

TEST(lengths_and_bytes_are_found_at_every_place_of_a_word)
{
	char text[48];

	for (size_t start = 0; start < 9; start++)
		for (size_t length = 0; length < 25; length++) {
			memset(text, 0x80, sizeof(text));       /* (a high bit is no zero) */
			text[start + length] = 0;
			text[start + length + 1] = 0;
			CHECK_EQ(base_strlen(text + start), length);
			for (size_t max = 0; max < 30; max++)
				CHECK_EQ(base_strnlen(text + start, max), max < length ? max : length);
			CHECK(base_memchr(text + start, 0, 30) == text + start + length);
			CHECK(base_memchr(text + start, 0, length) == NULL);
			text[start + length] = 1;               /* borrowed from by the zero below, if one counts wrongly */
			CHECK(base_memchr(text + start, 1, 30) == text + start + length);
		}
}
