/* servers/init/backoff_test.c */
#include "lib/test/test.h"
#include "servers/init/backoff.h"

static const struct backoff_policy for_ever = { .wait_ns = BACKOFF_FIRST_NS, .most_ns = BACKOFF_MAX_NS };
static const struct backoff_policy three = { .limit = 3, .wait_ns = BACKOFF_FIRST_NS, .most_ns = BACKOFF_MAX_NS };

TEST(the_first_time_is_at_once_then_each_waits_twice_as_long_up_to_the_most)
{
	struct backoff b = { 0 };
	uint64_t at, wait = BACKOFF_FIRST_NS;

	backoff_start(&b, 1000);
	CHECK(backoff_end(&b, 1001, &for_ever, &at));
	CHECK_EQ(at, 1001);
	for (int i = 0; i < 100; i++) {
		backoff_start(&b, 1000);
		CHECK(backoff_end(&b, 1001, &for_ever, &at));
		CHECK_EQ(at - 1001, wait);
		wait = wait * 2 < BACKOFF_MAX_NS ? wait * 2 : BACKOFF_MAX_NS;
	}
}

TEST(after_the_limit_of_failures_it_is_given_up)
{
	struct backoff b = { 0 };
	uint64_t at;

	CHECK(backoff_end(&b, 1, &three, &at));
	CHECK(backoff_end(&b, 2, &three, &at));
	CHECK(!backoff_end(&b, 3, &three, &at));
}

TEST(a_good_life_forgives_earlier_failures_one_for_each_while)
{
	struct backoff b = { 0 };
	uint64_t at;

	for (int i = 0; i < 5; i++)
		CHECK(backoff_end(&b, 1, &for_ever, &at));
	backoff_start(&b, 10);
	CHECK(backoff_end(&b, 10 + 2 * BACKOFF_FORGIVE_NS, &for_ever, &at));
	CHECK_EQ(b.failures, 4);
	backoff_start(&b, 10);
	CHECK(backoff_end(&b, 10 + 100 * BACKOFF_FORGIVE_NS, &for_ever, &at));
	CHECK_EQ(b.failures, 1);
	CHECK_EQ(at, 10 + 100 * BACKOFF_FORGIVE_NS);
}

TEST(who_fails_now_and_then_is_never_given_up_and_who_does_all_the_time_is)
{
	struct backoff slow = { 0 }, fast = { 0 };
	uint64_t at, now = 0;
	int lives = 0;

	for (int i = 0; i < 1000; i++, now += BACKOFF_FORGIVE_NS) {
		backoff_start(&slow, now);
		CHECK(backoff_end(&slow, now + BACKOFF_FORGIVE_NS, &three, &at));
	}
	do
		backoff_start(&fast, now);
	while (++lives < 100 && backoff_end(&fast, now + BACKOFF_FORGIVE_NS / 2, &three, &now));
	CHECK_EQ(lives, 3);
}

TEST(a_policy_of_huge_times_or_of_none_is_kept_to)
{
	struct backoff_policy huge = { .wait_ns = 3ull << 62, .most_ns = UINT64_MAX / 2 }, none = { 0 };
	struct backoff b = { .failures = 1 };
	uint64_t at;

	for (int i = 0; i < 5; i++) {
		CHECK(backoff_end(&b, 0, &huge, &at));
		CHECK_EQ(at, UINT64_MAX / 2);
	}
	CHECK(backoff_end(&b, 7, &none, &at));
	CHECK_EQ(at, 7);
}
