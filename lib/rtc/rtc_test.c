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

/* ---- Reading a clock that runs ---- */

/* It goes on a second after so many reads of registers, and says that it updates itself for some reads before that. */
static struct mock {
	uint8_t field[RTC_FIELDS], century_index, status_b;
	int reads, updates_each, updating_for, fails_after, updates;
	bool is_stuck;
} mock;

static bool mock_read(void *context, uint8_t index, uint8_t *out)
{
	struct mock *m = context;

	m->reads++;
	if (m->fails_after && m->reads > m->fails_after)
		return false;
	if (m->updates_each && m->reads % m->updates_each == 0) {
		m->field[RTC_SECOND]++;
		m->updates++;
	}
	if (index == RTC_STATUS_A)
		*out = m->is_stuck || (m->updating_for && m->updates_each && m->reads % m->updates_each >= m->updates_each - m->updating_for) ? RTC_A_UPDATING : 0;
	else if (index == RTC_STATUS_B)
		*out = m->status_b;
	else if (index == m->century_index)
		*out = m->field[RTC_CENTURY];
	for (int i = 0; i < RTC_CENTURY; i++)
		if (rtc_index[i] == index)
			*out = m->field[i];
	return true;
}

static const struct rtc_registers registers = { mock_read, &mock };

/* 2001-09-09 01:46:40. */
static void fresh(void)
{
	mock = (struct mock){ .field = { 40, 46, 1, 9, 9, 1, 20 }, .century_index = 0x32, .status_b = BINARY_24 };
}

TEST(a_clock_at_rest_is_read)
{
	fresh();
	CHECK_EQ(rtc_read_ns(&registers, 0), 1000000000 * S);
	mock.century_index = 0x48;
	CHECK_EQ(rtc_read_ns(&registers, 0x48), 1000000000 * S);
}

TEST(who_reads_during_an_update_reads_again)
{
	for (int each = 9; each <= 17; each++) {
		fresh();
		mock.updates_each = each;
		uint64_t ns = rtc_read_ns(&registers, 0);
		CHECK(mock.updates > 0);
		/* One of the seconds that it showed, or nothing: never a mixture. */
		CHECK(ns == 0 || (ns >= 1000000000 * S && ns <= (1000000000 + (uint64_t)mock.updates) * S));
	}
}

TEST(an_update_that_is_under_way_is_waited_for)
{
	fresh();
	mock.updates_each = 100;
	mock.updating_for = 60;
	mock.reads = 45;
	CHECK_EQ(rtc_read_ns(&registers, 0), 1000000001 * S);
	CHECK_EQ(mock.updates, 1);
}

TEST(one_that_never_stops_updating_is_given_up)
{
	fresh();
	mock.is_stuck = true;
	CHECK_EQ(rtc_read_ns(&registers, 0), 0);
	CHECK(mock.reads < 100000);
}

TEST(one_that_changes_at_each_look_is_given_up)
{
	fresh();
	mock.updates_each = 3;
	CHECK_EQ(rtc_read_ns(&registers, 0), 0);
	CHECK(mock.reads < 1000);
}

TEST(ports_that_do_not_answer_are_no_clock)
{
	for (int after = 1; after < 17; after++) {
		fresh();
		mock.fails_after = after;
		CHECK_EQ(rtc_read_ns(&registers, 0), 0);
	}
}
