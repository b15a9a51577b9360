/* kernel/mem/space_fault_test.c - pages come: zeroes, from objects, below stacks, and within a quota. */
#include "lib/test/host/space.h"

TEST(new_memory_reads_as_zero_and_keeps_what_is_written)
{
	start();
	uint64_t at = map(0, 10 * P, RW, NULL, 0);
	check_word(at + 3 * P, 0);
	CHECK_EQ(poke(at + 3 * P, 5), OK);
	check_word(at + 3 * P, 5);
	check_word(at + 4 * P, 0);
	CHECK_EQ(resident(), 2);
	CHECK_EQ(poke(at - 8, 1), ERR_FAULT);
	CHECK_EQ(poke(at + 10 * P, 1), ERR_FAULT);
	finish();
}

TEST(reading_untouched_memory_takes_no_frame)
{
	start();
	uint64_t at = map(0, 64 * P, RW, NULL, 0), before;
	check_word(at, 0);
	before = frame_count_free();
	for (uint64_t i = 0; i < 64; i++)
		check_word(at + i * P, 0);
	CHECK_EQ(frame_count_free(), before);
	finish();
}

TEST(private_mappings_show_the_object_until_written)
{
	start();
	struct memobj *m = object(2 * P);
	uint64_t shared = map(0, 2 * P, RW | MAP_SHARED, m, 0), private = map(0, 2 * P, RW, m, 0);
	check_word(private, 0);
	CHECK_EQ(poke(shared, 1), OK);
	check_word(private, 1);
	CHECK_EQ(poke(private, 2), OK);
	CHECK_EQ(poke(shared, 3), OK);
	check_word(private, 2);
	check_word(shared, 3);
	memobj_put(m);
	finish();
}

TEST(a_private_mapping_of_an_object_takes_no_more_than_it_writes)
{
	start();
	struct memobj *m = object(8 * P);
	uint64_t private = map(0, 8 * P, RW, m, 0);
	for (int i = 0; i < 8; i++)
		check_word(private + i * P, 0);
	uint64_t before = frame_count_free();
	CHECK_EQ(poke(private + P, 1), OK);
	CHECK_EQ(frame_count_free(), before - 1);
	memobj_put(m);
	finish();
}

TEST(cut_pages_vanish_from_every_mapping)
{
	start();
	struct memobj *m = object(4 * P);
	struct space *child;
	uint64_t shared = map(0, 4 * P, RW | MAP_SHARED, m, 0), private = map(0, 4 * P, RW, m, 0), word;
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(poke(shared + i * P, i + 1), OK);
		CHECK_EQ(poke(private + i * P, i + 11), OK);
	}
	CHECK_EQ(space_fork(space, NULL, &child), OK);
	machine_run_on(1);
	run(child);
	check_word(shared + 3 * P, 4);
	machine_run_on(0);
	CHECK_EQ(memobj_resize(m, 2 * P), OK);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		machine_run_on(cpu);
		check_word(shared + P, 2);
		check_word(private + P, 12);
		CHECK_EQ(peek(shared + 3 * P, &word), ERR_RANGE);
		CHECK_EQ(peek(private + 3 * P, &word), ERR_RANGE);
		CHECK_EQ(poke(private + 2 * P, 1), ERR_RANGE);
	}
	CHECK_EQ(memobj_resize(m, 4 * P), OK);
	check_word(shared + 3 * P, 0);
	check_word(private + 3 * P, 0);
	run(NULL);
	machine_run_on(0);
	space_put(child);
	memobj_put(m);
	finish();
}

TEST(a_clone_taken_while_mapped_does_not_change)
{
	start();
	struct memobj *m = object(2 * P), *c;
	uint64_t a = map(0, 2 * P, RW | MAP_SHARED, m, 0), b = map(0, 2 * P, RW | MAP_SHARED, m, 0);
	CHECK_EQ(poke(a, 1), OK);
	check_word(b, 1);
	CHECK_EQ(memobj_create_clone(m, 0, 2 * P, NULL, &c), OK);
	uint64_t copy = map(0, 2 * P, RW | MAP_SHARED, c, 0);
	check_word(copy, 1);
	check_word(b, 1);
	CHECK_EQ(poke(a, 2), OK);
	check_word(b, 2);
	check_word(copy, 1);
	CHECK_EQ(poke(copy, 3), OK);
	check_word(a, 2);
	check_word(copy, 3);
	CHECK_EQ(poke(b + P, 4), OK);
	check_word(copy + P, 0);
	memobj_put(m);
	memobj_put(c);
	finish();
}

TEST(a_write_through_a_mapping_is_a_change_of_the_object)
{
	start();
	struct memobj *m = object(P);
	struct mem_info before, after;
	uint64_t at = map(0, P, RW | MAP_SHARED, m, 0);
	memobj_info(m, &before);
	check_word(at, 0);
	memobj_info(m, &after);
	CHECK_EQ(before.changed_ns, after.changed_ns);
	CHECK_EQ(poke(at, 1), OK);
	memobj_info(m, &after);
	CHECK(after.changed_ns > before.changed_ns);
	memobj_put(m);
	finish();
}

TEST(a_read_fault_brings_what_the_object_has_around_it)
{
	start();
	struct memobj *m = object(72 * P);
	uint64_t writer = map(0x10000000, 72 * P, RW | MAP_SHARED | MAP_FIXED, m, 0), reader = map(0x20000000, 72 * P, MAP_READ | MAP_FIXED, m, 0);
	for (int i = 0; i < 72; i += 2)
		CHECK_EQ(poke(writer + i * P, i), OK);
	uint64_t before = resident();
	check_word(reader + 32 * P, 32);
	CHECK_EQ(resident(), before + 16);
	check_word(reader + 34 * P, 34);
	CHECK_EQ(resident(), before + 16);
	check_word(reader + 33 * P, 0);
	CHECK_EQ(resident(), before + 17);
	/* Nobody writes through what came along. */
	CHECK_EQ(poke(reader + 34 * P, 1), ERR_ACCES);
	memobj_put(m);
	finish();
}

TEST(a_futex_in_shared_memory_means_the_object)
{
	start();
	struct memobj *m = object(4 * P), *found;
	uint64_t shared = map(0, P, RW | MAP_SHARED, m, 2 * P), private = map(0, P, RW, m, 0), offset;
	CHECK_EQ(space_futex_key(space, shared + 12, &found, &offset), OK);
	CHECK_EQ(found, m);
	CHECK_EQ(offset, 2 * P + 12);
	memobj_put(found);
	CHECK_EQ(space_futex_key(space, private + 12, &found, &offset), OK);
	CHECK(!found);
	CHECK_EQ(offset, private + 12);
	CHECK_EQ(space_futex_key(space, 0x10000, &found, &offset), ERR_FAULT);
	memobj_put(m);
	finish();
}

TEST(a_space_over_its_quota_gets_an_error_and_goes_on)
{
	free_frames = machine_start(RAM);
	struct account *a;
	struct space *child;
	struct account_info info;
	CHECK_EQ(account_create(NULL, &(struct account_limits){ 20, 0, 0 }, &a), OK);
	CHECK_EQ(space_create(a, &space), OK);
	space_switch(NULL, space);
	uint64_t at = map(0, 64 * P, RW, NULL, 0), i = 0;
	while (!poke(at + i * P, 1))
		i++;
	CHECK(i > 10 && i < 20);
	CHECK_EQ(poke(at + i * P, 1), ERR_NOMEM);
	CHECK_EQ(space_fork(space, a, &child), ERR_NOMEM);
	CHECK_EQ(space_unmap(space, at, 4 * P), OK);
	CHECK_EQ(poke(at + i * P, 1), OK);
	check_word(at + 5 * P, 1);
	space_switch(space, NULL);
	space_put(space);
	account_info(a, &info);
	CHECK_EQ(info.used.pages, 0);
	account_put(a);
	machine_check_free(free_frames);
}
