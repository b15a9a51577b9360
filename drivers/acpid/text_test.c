/* drivers/acpid/text_test.c - what is said of batteries and heat, whatever the firmware's numbers are. */
#include "drivers/acpid/text.h"
#include "lib/test/test.h"

static char line[160];

static const char *battery(struct battery b)
{
	battery_text("BAT0", &b, line, sizeof line);
	return line;
}

static const char *heat(uint64_t now, uint64_t critical)
{
	heat_text("TZ0", &(struct heat){ now, critical }, line, sizeof line);
	return line;
}

TEST(a_battery_says_how_much_is_left)
{
	struct battery b = { true, 0, 50000, 48000, 1, 12000, 24000 };

	CHECK_STR(battery(b), "battery BAT0 state=discharging left=50 rate=12000 remaining=24000 unit=mW\n");
	b.state = 2;
	b.unit = 1;
	CHECK_STR(battery(b), "battery BAT0 state=charging left=50 rate=12000 remaining=24000 unit=mA\n");
	b.state = 5;
	b.remaining = 100;
	CHECK_STR(battery(b), "battery BAT0 state=critical left=0 rate=12000 remaining=100 unit=mA\n");
}

TEST(a_battery_at_rest_is_full_or_not)
{
	CHECK_STR(battery((struct battery){ true, 0, 50000, 48000, 0, 0, 48000 }), "battery BAT0 state=full left=100 rate=0 remaining=48000 unit=mW\n");
	CHECK_STR(battery((struct battery){ true, 0, 50000, 48000, 0, 0, 47000 }), "battery BAT0 state=idle left=97 rate=0 remaining=47000 unit=mW\n");
}

TEST(an_empty_bay_is_absent)
{
	CHECK_STR(battery((struct battery){ 0 }), "battery BAT0 state=absent\n");
}

TEST(numbers_that_are_not_known_are_left_out)
{
	CHECK_STR(battery((struct battery){ true, 0, BATTERY_UNKNOWN, BATTERY_UNKNOWN, 1, BATTERY_UNKNOWN, BATTERY_UNKNOWN }),
	          "battery BAT0 state=discharging left=0 unit=mW\n");
	CHECK_STR(battery((struct battery){ true, 0, 50000, BATTERY_UNKNOWN, 1, BATTERY_UNKNOWN, 25000 }),
	          "battery BAT0 state=discharging left=50 remaining=25000 unit=mW\n");
}

TEST(absurd_numbers_give_no_more_than_all)
{
	CHECK_STR(battery((struct battery){ true, 9, 1, 1, ~7ull, UINT64_MAX, 4000000000 }),
	          "battery BAT0 state=full left=100 remaining=4000000000 unit=mW\n");
	CHECK_STR(battery((struct battery){ true, 0, 0, 0, 1, 0, 1 }), "battery BAT0 state=discharging left=0 rate=0 remaining=1 unit=mW\n");
	CHECK_STR(battery((struct battery){ true, 0, UINT64_MAX, UINT64_MAX, 1, 0, UINT64_MAX }), "battery BAT0 state=discharging left=0 rate=0 unit=mW\n");
}

TEST(heat_is_told_in_degrees)
{
	CHECK_STR(heat(3132, 0), "thermal TZ0 celsius=40.0\n");
	CHECK_STR(heat(3137, 3732), "thermal TZ0 celsius=40.5 critical=100.0\n");
	CHECK_STR(heat(2697, 0), "thermal TZ0 celsius=-3.5\n");
	CHECK_STR(heat(2731, 0), "thermal TZ0 celsius=-0.1\n");
	CHECK_STR(heat(0, 0), "thermal TZ0 celsius=-273.2\n");
	CHECK_STR(heat(UINT64_MAX, 0), "thermal TZ0 celsius=429496456.3\n");
}

TEST(a_line_that_does_not_fit_is_cut_and_its_length_told)
{
	struct battery b = { true, 0, 50000, 48000, 1, 12000, 24000 };
	char small[8];

	CHECK(battery_text("BAT0", &b, small, sizeof small) > sizeof small);
	CHECK_STR(small, "battery");
}
