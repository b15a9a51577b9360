/* kernel/mem/space_fork_test.c - copies of spaces see neither each other's writes nor stale pages. */
#include "lib/test/host/space.h"

TEST(fork_copies_on_write_both_ways)
{
	start();
	struct space *child;
	uint64_t at = map(0, 4 * P, RW, NULL, 0), shared = map(0, P, RW | MAP_SHARED, NULL, 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(poke(at + i * P, i + 1), OK);
	uint64_t before = frame_count_free();
	CHECK_EQ(space_fork(space, NULL, &child), OK);
	CHECK(before - frame_count_free() < 8);
	CHECK_EQ(poke(at, 100), OK);
	run(child);
	check_word(at, 1);
	CHECK_EQ(poke(at + P, 200), OK);
	CHECK_EQ(poke(at + 3 * P, 300), OK);
	CHECK_EQ(poke(shared, 7), OK);
	run(space);
	check_word(at + P, 2);
	check_word(at + 3 * P, 0);
	check_word(shared, 7);
	space_put(child);
	/* Alone again: writing copies nothing. */
	before = frame_count_free();
	CHECK_EQ(poke(at + 2 * P, 5), OK);
	CHECK_EQ(frame_count_free(), before);
	finish();
}

TEST(another_cpu_sees_the_copy_not_the_old_frame)
{
	start();
	struct space *child;
	uint64_t at = map(0, P, RW, NULL, 0);
	CHECK_EQ(poke(at, 1), OK);
	machine_run_on(1);
	run(space);
	check_word(at, 1);
	machine_run_on(0);
	CHECK_EQ(space_fork(space, NULL, &child), OK);
	check_word(at, 1);
	machine_run_on(1);
	check_word(at, 1);
	CHECK_EQ(poke(at, 2), OK);
	machine_run_on(0);
	check_word(at, 2);
	machine_run_on(1);
	run(NULL);
	machine_run_on(0);
	space_put(child);
	finish();
}

TEST(fork_copies_no_page_that_an_object_still_has)
{
	start();
	struct memobj *m = object(8 * P);
	struct space *child;
	struct space_info info;
	uint64_t at = map(0, 8 * P, RW, m, 0);
	check_word(at, 0);
	CHECK_EQ(poke(at + P, 3), OK);
	CHECK_EQ(space_fork(space, NULL, &child), OK);
	space_get_info(child, &info);
	CHECK_EQ(info.resident_bytes, P);
	run(child);
	check_word(at, 0);
	check_word(at + P, 3);
	run(space);
	space_put(child);
	memobj_put(m);
	finish();
}
