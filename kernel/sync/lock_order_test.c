/* kernel/sync/lock_order_test.c - which locks may be taken while which are held. */
#include "kernel/sync/lock_order.h"
#include "lib/test/test.h"

static struct spinlock process = { .rank = RANK_PROCESS }, space = { .rank = RANK_SPACE }, thread = { .rank = RANK_THREAD };
static struct spinlock other_thread = { .rank = RANK_THREAD }, unranked = { .rank = RANK_NONE };

TEST(locks_are_taken_outermost_first)
{
	const struct spinlock *held[] = { &process, &space };

	CHECK(lock_order_allows(held, 2, &thread, false));
	CHECK(!lock_order_allows(held + 1, 1, &process, false));
	CHECK(lock_order_allows(held, 0, &process, false));
}

TEST(an_equal_rank_needs_nesting)
{
	const struct spinlock *held[] = { &thread };

	CHECK(!lock_order_allows(held, 1, &other_thread, false));
	CHECK(lock_order_allows(held, 1, &other_thread, true));
}

TEST(a_held_lock_is_not_taken_again)
{
	const struct spinlock *held[] = { &unranked, &thread };

	CHECK(!lock_order_allows(held, 2, &thread, true));
	CHECK(!lock_order_allows(held, 2, &unranked, false));
}

TEST(a_lock_without_rank_fits_anywhere)
{
	const struct spinlock *held[] = { &thread };

	CHECK(lock_order_allows(held, 1, &unranked, false));
	held[0] = &unranked;
	CHECK(lock_order_allows(held, 1, &process, false));
}

TEST(locks_are_released_in_any_order)
{
	const struct spinlock *held[] = { &process, &space, &thread };
	uint32_t count = 3;

	CHECK(lock_order_remove(held, &count, &space));
	CHECK_EQ(count, 2);
	CHECK(held[0] == &process && held[1] == &thread);
	CHECK(!lock_order_remove(held, &count, &space));
	CHECK(lock_order_remove(held, &count, &thread));
	CHECK(lock_order_remove(held, &count, &process));
	CHECK_EQ(count, 0);
}
