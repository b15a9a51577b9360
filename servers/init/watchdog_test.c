/* servers/init/watchdog_test.c */
#include "lib/test/test.h"
#include "servers/init/watchdog.h"

TEST(a_quiet_server_is_asked_once_in_a_while)
{
	struct watchdog w = { 0 };

	for (int round = 0; round < 3; round++) {
		CHECK_EQ(watchdog_tick(&w, 3, false, 0), WATCHDOG_FINE);
		CHECK_EQ(watchdog_tick(&w, 3, false, 0), WATCHDOG_FINE);
		CHECK_EQ(watchdog_tick(&w, 3, false, 0), WATCHDOG_ASK);
	}
}

TEST(one_that_owes_an_answer_and_finishes_nothing_is_stuck)
{
	struct watchdog w = { 0 };

	CHECK_EQ(watchdog_tick(&w, 3, true, 7), WATCHDOG_FINE);
	CHECK_EQ(watchdog_tick(&w, 3, true, 7), WATCHDOG_FINE);
	CHECK_EQ(watchdog_tick(&w, 3, true, 7), WATCHDOG_FINE);
	CHECK_EQ(watchdog_tick(&w, 3, true, 7), WATCHDOG_STUCK);
}

TEST(one_that_is_slow_but_finishes_something_now_and_then_is_not)
{
	struct watchdog w = { 0 };

	for (uint64_t i = 0; i < 29; i++)
		CHECK_EQ(watchdog_tick(&w, 3, true, i / 2), WATCHDOG_FINE);
	CHECK_EQ(watchdog_tick(&w, 3, false, 15), WATCHDOG_FINE);
	CHECK_EQ(w.owed, 0);
}

TEST(one_that_serves_others_and_never_us_is_stuck_after_all)
{
	struct watchdog w = { 0 };

	for (uint64_t i = 0; i < 3 * WATCHDOG_PATIENCE - 1; i++)
		CHECK_EQ(watchdog_tick(&w, 3, true, i), WATCHDOG_FINE);
	CHECK_EQ(watchdog_tick(&w, 3, true, 99), WATCHDOG_STUCK);
}

TEST(without_a_limit_nobody_is_asked_or_blamed)
{
	struct watchdog w = { 0 };

	for (int i = 0; i < 100; i++)
		CHECK_EQ(watchdog_tick(&w, 0, i % 2, 0), WATCHDOG_FINE);
}
