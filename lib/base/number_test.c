/* lib/base/number_test.c */
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/test/test.h"

static err_t parse(const char *text, unsigned base, uint64_t *out)
{
	return number_parse(text, strlen(text), base, out);
}

TEST(whole_numbers_parse_in_their_base)
{
	uint64_t n;

	CHECK(parse("0", 10, &n) == OK && n == 0);
	CHECK(parse("18446744073709551615", 10, &n) == OK && n == UINT64_MAX);
	CHECK(parse("ffFF", 16, &n) == OK && n == 0xffff);
	CHECK(parse("777", 8, &n) == OK && n == 511);
	CHECK(parse("0x1f", 0, &n) == OK && n == 31);
	CHECK(parse("10", 0, &n) == OK && n == 10);
}

TEST(anything_else_in_the_text_is_refused)
{
	uint64_t n;

	CHECK_EQ(parse("", 10, &n), ERR_INVAL);
	CHECK_EQ(parse("0x", 0, &n), ERR_INVAL);
	CHECK_EQ(parse(" 1", 10, &n), ERR_INVAL);
	CHECK_EQ(parse("1 ", 10, &n), ERR_INVAL);
	CHECK_EQ(parse("-1", 10, &n), ERR_INVAL);
	CHECK_EQ(parse("8", 8, &n), ERR_INVAL);
	CHECK_EQ(parse("12a", 10, &n), ERR_INVAL);
}

TEST(numbers_that_do_not_fit_are_refused)
{
	uint64_t n;

	CHECK_EQ(parse("18446744073709551616", 10, &n), ERR_RANGE);
	CHECK_EQ(parse("99999999999999999999999999999", 10, &n), ERR_RANGE);
	CHECK_EQ(parse("10000000000000000", 16, &n), ERR_RANGE);
}

TEST(a_scan_stops_where_the_number_does)
{
	uint64_t n;

	CHECK_EQ(number_scan("123,4", 5, 10, &n), 3);
	CHECK_EQ(n, 123);
	CHECK_EQ(number_scan("123", 2, 10, &n), 2);
	CHECK_EQ(number_scan("x", 1, 10, &n), 0);
	CHECK_EQ(number_scan("99999999999999999999", 20, 10, &n), 0);
}

TEST(ranges_fit_without_overflow)
{
	CHECK(range_fits(0, 10, 10) && range_fits(10, 0, 10) && range_fits(3, 7, 10));
	CHECK(!range_fits(4, 7, 10) && !range_fits(UINT64_MAX, 2, 10) && !range_fits(2, UINT64_MAX, 10));
	CHECK(round_up(1, 4096) == 4096 && round_up(4096, 4096) == 4096 && round_down(4097, 4096) == 4096);
	CHECK(is_power_of_two(64) && !is_power_of_two(0) && !is_power_of_two(6));
	CHECK(lowest_bit(0x50) == 4 && highest_bit(0x50) == 6);
}
