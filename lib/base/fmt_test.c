/* lib/base/fmt_test.c - against the host's snprintf, and on our own where C says nothing. */
#include <stdio.h>
#include "lib/base/fmt.h"
#include "lib/test/test.h"

static char mine[256], theirs[256];

/* Both get the same; the buffer is cut at different places. */
#define SAME(...) do {                                                          \
	for (size_t room = sizeof mine; ; room = room == sizeof mine ? 7 : room - 1) {  \
		memset(mine, 'z', sizeof mine);                                 \
		memset(theirs, 'z', sizeof theirs);                             \
		size_t n = fmt(mine, room, __VA_ARGS__);                        \
		CHECK_EQ(n, (size_t)snprintf(theirs, room, __VA_ARGS__));       \
		CHECK_MEM(mine, theirs, sizeof mine);                           \
		if (room == 0)                                                  \
			break;                                                  \
	}                                                                       \
} while (0)

TEST(numbers_look_as_in_c)
{
	SAME("%d %i %u", -5, 0, 4000000000u);
	SAME("%ld %lld %lu %zu", INT64_MIN, (long long)INT64_MAX, UINT64_MAX, (size_t)7);
	SAME("%x %X %o %#x %#X %#o %#x", 255u, 255u, 255u, 255u, 255u, 255u, 0u);
	SAME("%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)200, (short)-300, (unsigned short)60000);
	SAME("%lx", 0x123456789abcdef0ul);
}

TEST(flags_width_and_precision_look_as_in_c)
{
	SAME("[%5d] [%-5d] [%05d] [%+d] [% d] [%+5d]", 42, 42, 42, 42, 42, 42);
	SAME("[%5d] [%-5d] [%05d] [%.5d] [%8.5d] [%-8.5d]", -42, -42, -42, -42, -42, -42);
	SAME("[%.0d] [%.0d] [%#8x] [%#08x] [%-#8x]", 0, 1, 255u, 255u, 255u);
	SAME("[%*d] [%*d] [%.*d] [%.*d]", 6, 42, -6, 42, 4, 42, -4, 42);
}

TEST(text_looks_as_in_c)
{
	SAME("%s|%5s|%-5s|%.2s|%5.1s|%%|%c|%3c|%-3c|", "abc", "abc", "abc", "abc", "abc", 'x', 'y', 'z');
	SAME("plain");
	SAME("%s", "");
}

TEST(a_counted_text_is_not_read_past_its_precision)
{
	char three[3] = { 'a', 'b', 'c' };

	fmt(mine, sizeof mine, "%.*s", 3, three);
	CHECK_STR(mine, "abc");
}

TEST(pointers_and_null_texts_are_shown)
{
	fmt(mine, sizeof mine, "%p %s", (void *)0x1234, (char *)NULL);
	CHECK_STR(mine, "0x1234 (null)");
}

/* What the compiler must not check. */
static size_t loose(const char *format, ...)
{
	va_list list;

	va_start(list, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t n = fmt_v(mine, sizeof mine, format, list);
#pragma GCC diagnostic pop
	va_end(list);
	return n;
}

TEST(what_is_no_format_is_shown_as_it_stands)
{
	loose("%q %d", 5);
	CHECK_STR(mine, "%q 5");
	loose("end %");
	CHECK_STR(mine, "end %");
	loose("%-5");
	CHECK_STR(mine, "%-5");
}

TEST(huge_widths_are_held_within_reason)
{
	CHECK_EQ(loose("%999999999d", 1), 4096);
	CHECK_EQ(loose("%.*d", 0x7fffffff, 1), 4096);
}
