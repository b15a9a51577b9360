/* servers/procd/load_test.c - load averages rise and fall with what runs, each at its own pace. */
#include "servers/procd/load.h"
#include "lib/test/test.h"

#define SECOND_NS 1000000000ull

TEST(an_idle_machine_has_no_load)
{
	struct load l = {0};

	load_update(&l, 3600 * SECOND_NS, 0);
	CHECK(l.average[0] == 0 && l.average[1] == 0 && l.average[2] == 0);
}

TEST(a_minute_of_one_thread_is_two_thirds_of_the_first_average)
{
	struct load l = {0};

	for (uint64_t s = 1; s <= 60; s++)
		load_update(&l, s * SECOND_NS, 1);
	CHECK(l.average[0] > 0.62 * 65536 && l.average[0] < 0.65 * 65536);
	CHECK(l.average[1] > 0.17 * 65536 && l.average[1] < 0.20 * 65536);
	CHECK(l.average[2] > 0.05 * 65536 && l.average[2] < 0.08 * 65536);
}

TEST(it_makes_no_difference_how_often_one_asks)
{
	struct load often = {0}, once = {0};

	for (uint64_t s = 1; s <= 100; s++)
		load_update(&often, s * SECOND_NS, 3);
	load_update(&once, 100 * SECOND_NS, 3);
	CHECK_EQ(often.average[0], once.average[0]);
	CHECK_EQ(often.average[2], once.average[2]);
}

TEST(after_long_all_are_what_runs_now)
{
	struct load l = {0};

	load_update(&l, UINT64_MAX, 7);
	for (int i = 0; i < 3; i++)
		CHECK(l.average[i] > 6.98 * 65536 && l.average[i] <= 7 * 65536);
	load_update(&l, 0, 100);
	CHECK(l.average[0] <= 7 * 65536);
}
