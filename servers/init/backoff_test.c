/* servers/init/backoff_test.c */
#include "lib/test/test.h"
#include "servers/init/backoff.h"

static const struct backoff_policy for_ever = { .wait_ns = BACKOFF_FIRST_NS, .most_ns = BACKOFF_MAX_NS };
static const struct backoff_policy three = { .limit = 3, .wait_ns = BACKOFF_FIRST_NS, .most_ns = BACKOFF_MAX_NS };

TEST(each_failure_waits_twice_as_long_up_to_the_most)
{
	struct backoff b = { 0 };
	uint64_t at, wait = BACKOFF_FIRST_NS;

	for (int i = 0; i < 100; i++) {
		backoff_start(&b, 1000);
		CHECK(backoff_end(&b, 1001, &for_ever, &at));
		CHECK_EQ(at - 1001, wait);
		wait = wait * 2 < BACKOFF_MAX_NS ? wait * 2 : BACKOFF_MAX_NS;
	}
}

TEST(after_the_limit_of_failures_in_a_row_it_is_given_up)
{
	struct backoff b = { 0 };
	uint64_t at;

	CHECK(backoff_end(&b, 1, &three, &at));
	CHECK(backoff_end(&b, 2, &three, &at));
	CHECK(!backoff_end(&b, 3, &three, &at));
}

TEST(a_good_life_forgives_earlier_failures)
{
	struct backoff b = { 0 };
	uint64_t at;

	CHECK(backoff_end(&b, 1, &three, &at));
	CHECK(backoff_end(&b, 2, &three, &at));
	backoff_start(&b, 10);
	CHECK(backoff_end(&b, 10 + BACKOFF_WELL_NS, &three, &at));
	CHECK_EQ(at, 10 + BACKOFF_WELL_NS + BACKOFF_FIRST_NS);
}

TEST(a_policy_of_huge_times_or_of_none_is_kept_to)
{
	struct backoff_policy huge = { .wait_ns = 3ull << 62, .most_ns = UINT64_MAX / 2 }, none = { 0 };
	struct backoff b = { 0 };
	uint64_t at;

	for (int i = 0; i < 5; i++) {
		CHECK(backoff_end(&b, 0, &huge, &at));
		CHECK_EQ(at, UINT64_MAX / 2);
	}
	CHECK(backoff_end(&b, 7, &none, &at));
	CHECK_EQ(at, 7);
}
