/* lib/rtc/rtc_test.c - dates in every form the clock may keep them. */
#include "lib/rtc/rtc.h"
#include "lib/test/test.h"

enum { BINARY_24 = 6, BINARY_12 = 4, BCD_24 = 2, BCD_12 = 0 };
#define S 1000000000ull

TEST(a_date_in_bcd_and_in_binary_is_the_same)
{
	const uint8_t bcd[RTC_FIELDS] = { 0x40, 0x46, 0x01, 0x09, 0x09, 0x01, 0x20 };
	const uint8_t binary[RTC_FIELDS] = { 40, 46, 1, 9, 9, 1, 20 };

	CHECK_EQ(rtc_to_ns(bcd, BCD_24), 1000000000 * S);
	CHECK_EQ(rtc_to_ns(binary, BINARY_24), 1000000000 * S);
}

TEST(twelve_hour_clocks_have_two_twelves)
{
	uint8_t f[RTC_FIELDS] = { 0, 0, 12, 1, 1, 70, 19 };

	CHECK_EQ(rtc_to_ns(f, BINARY_12), 0);
	f[RTC_HOUR] = 12 | 0x80;
	CHECK_EQ(rtc_to_ns(f, BINARY_12), 12 * 3600 * S);
	f[RTC_HOUR] = 11 | 0x80;
	CHECK_EQ(rtc_to_ns(f, BINARY_12), 23 * 3600 * S);
	f[RTC_HOUR] = 0x11 | 0x80, f[RTC_YEAR] = 0x70, f[RTC_CENTURY] = 0x19;
	CHECK_EQ(rtc_to_ns(f, BCD_12), 23 * 3600 * S);
}

TEST(without_a_century_it_is_the_twenty_first)
{
	const uint8_t f[RTC_FIELDS] = { 0, 0, 0, 29, 2, 24, 0 };

	CHECK_EQ(rtc_to_ns(f, BINARY_24), 1709164800 * S);
}

TEST(nonsense_is_no_date)
{
	const uint8_t month[RTC_FIELDS] = { 0, 0, 0, 1, 13, 24, 20 }, day[RTC_FIELDS] = { 0, 0, 0, 0, 1, 24, 20 };
	const uint8_t hour[RTC_FIELDS] = { 0, 0, 25, 1, 1, 24, 20 }, ones[RTC_FIELDS] = { 255, 255, 255, 255, 255, 255, 255 };

	CHECK_EQ(rtc_to_ns(month, BINARY_24), 0);
	CHECK_EQ(rtc_to_ns(day, BINARY_24), 0);
	CHECK_EQ(rtc_to_ns(hour, BINARY_24), 0);
	CHECK_EQ(rtc_to_ns(ones, BINARY_24), 0);
	CHECK_EQ(rtc_to_ns(ones, BCD_24), 0);
}
