/* drivers/acpid/pace_test.c - the clock against a timer: right, wrong, wrapped, and on a host that has other things to do. */
#include "drivers/acpid/pace.h"
#include "lib/test/test.h"

#define S 1000000000ull

static struct pace pace;
static uint64_t timer_base;

/* The timer at the true time true_ns; the clock shows that, ppm slower. */
static enum pace_news take(uint64_t true_ns, int64_t slow_ppm, uint64_t width_ns)
{
	uint64_t clock_ns = true_ns - (uint64_t)((int64_t)true_ns / 1000000 * slow_ppm);
	uint32_t mask = pace.timer_bits == 32 ? UINT32_MAX : 0xffffff;
	struct pace_sample s = { clock_ns - width_ns / 2, clock_ns + width_ns / 2, (uint32_t)(timer_base + true_ns * PACE_TIMER_HZ / S) & mask };

	return pace_take(&pace, &s);
}

static void fresh(uint32_t bits)
{
	timer_base = 0;
	pace_init(&pace, bits);
}

TEST(a_right_clock_is_measured_and_nothing_is_said)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	for (uint64_t t = 12; t < 40; t += 2)
		CHECK_EQ(take(t * S, 0, 2000), PACE_MEASURED);
	CHECK(pace.error_ppm >= -2 && pace.error_ppm <= 2);
	CHECK_EQ(pace.measured, 14u);
}

TEST(a_wrong_clock_is_told_once_when_three_measurements_agree)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 5000, 2000), PACE_NOTHING);
	CHECK_EQ(take(12 * S, 5000, 2000), PACE_MEASURED);
	CHECK_EQ(take(14 * S, 5000, 2000), PACE_MEASURED);
	CHECK_EQ(take(16 * S, 5000, 2000), PACE_IS_OFF);
	CHECK_EQ(take(18 * S, 5000, 2000), PACE_MEASURED);
	CHECK(pace.error_ppm > 4900 && pace.error_ppm < 5100);
}

TEST(a_fast_clock_is_wrong_too)
{
	fresh(32);
	for (uint64_t t = 10; t < 16; t += 2)
		CHECK(take(t * S, -20000, 2000) != PACE_IS_OFF);
	CHECK_EQ(take(16 * S, -20000, 2000), PACE_IS_OFF);
	CHECK(pace.error_ppm < -19000);
}

TEST(the_timer_may_wrap_between_two_readings)
{
	fresh(24);
	timer_base = 0xffffff - 1000;
	timer_base -= 10 * (uint64_t)PACE_TIMER_HZ;
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(12 * S, 0, 2000), PACE_MEASURED);
	CHECK(pace.error_ppm >= -2 && pace.error_ppm <= 2);
	fresh(32);
	timer_base = UINT32_MAX - 1000;
	timer_base -= 10 * (uint64_t)PACE_TIMER_HZ;
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(12 * S, 0, 2000), PACE_MEASURED);
	CHECK(pace.error_ppm >= -2 && pace.error_ppm <= 2);
}

TEST(a_host_that_stops_us_while_we_read_is_not_a_wrong_clock)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	for (uint64_t t = 12; t < 30; t++)
		CHECK_EQ(take(t * S, 0, 30000000), PACE_NOTHING);
	CHECK_EQ(pace.measured, 0u);
	CHECK_EQ(pace.off, 0u);
}

TEST(one_that_keeps_us_until_the_timer_may_have_wrapped_makes_us_begin_anew)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(17 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(19 * S, 0, 2000), PACE_MEASURED);
	CHECK(pace.error_ppm >= -2 && pace.error_ppm <= 2);
}

TEST(readings_too_close_together_say_nothing)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(10 * S + S / 2, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(12 * S, 0, 2000), PACE_MEASURED);
	CHECK_EQ(pace.span_ns, 2 * S);
}

TEST(one_bad_measurement_among_good_ones_is_forgotten)
{
	fresh(24);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	for (uint64_t t = 12; t < 60; t += 6) {
		timer_base += 100000;
		CHECK_EQ(take(t * S, 0, 2000), PACE_MEASURED);
		CHECK_EQ(pace.off, 1u);
		CHECK_EQ(take((t + 2) * S, 0, 2000), PACE_MEASURED);
		CHECK_EQ(pace.off, 0u);
		CHECK_EQ(take((t + 4) * S, 0, 2000), PACE_MEASURED);
	}
}

TEST(clocks_that_run_backwards_or_stand_are_no_crash)
{
	struct pace_sample s = { 100, 50, 7 };

	fresh(24);
	CHECK_EQ(pace_take(&pace, &s), PACE_NOTHING);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(10 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(5 * S, 0, 2000), PACE_NOTHING);
	CHECK_EQ(take(7 * S, 0, 2000), PACE_MEASURED);
}
