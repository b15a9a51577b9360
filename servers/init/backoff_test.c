/* servers/init/backoff_test.c */
#include "lib/test/test.h"
#include "servers/init/backoff.h"

TEST(each_failure_waits_twice_as_long_up_to_the_most)
{
	struct backoff b = { 0 };
	uint64_t at, wait = BACKOFF_FIRST_NS;

	for (int i = 0; i < 100; i++) {
		backoff_start(&b, 1000);
		CHECK(backoff_end(&b, 1001, 0, &at));
		CHECK_EQ(at - 1001, wait);
		wait = wait * 2 < BACKOFF_MAX_NS ? wait * 2 : BACKOFF_MAX_NS;
	}
}

TEST(after_the_limit_of_failures_in_a_row_it_is_given_up)
{
	struct backoff b = { 0 };
	uint64_t at;

	CHECK(backoff_end(&b, 1, 3, &at));
	CHECK(backoff_end(&b, 2, 3, &at));
	CHECK(!backoff_end(&b, 3, 3, &at));
}

TEST(a_good_life_forgives_earlier_failures)
{
	struct backoff b = { 0 };
	uint64_t at;

	CHECK(backoff_end(&b, 1, 3, &at));
	CHECK(backoff_end(&b, 2, 3, &at));
	backoff_start(&b, 10);
	CHECK(backoff_end(&b, 10 + BACKOFF_WELL_NS, 3, &at));
	CHECK_EQ(at, 10 + BACKOFF_WELL_NS + BACKOFF_FIRST_NS);
}
