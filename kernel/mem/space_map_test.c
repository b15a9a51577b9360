/* kernel/mem/space_map_test.c - regions come, go and change: what may be where, and what neighbours become. */
#include "lib/test/host/space.h"

TEST(mappings_go_top_down_and_hints_are_kept_when_free)
{
	start();
	uint64_t a = map(0, P, RW, NULL, 0), b = map(0, P, MAP_READ, NULL, 0);
	CHECK_EQ(a, USER_MAX - P);
	CHECK_EQ(b, a - P);
	CHECK_EQ(map(0x500000, P, RW, NULL, 0), 0x500000);
	CHECK_EQ(map(0x500123, P, RW, NULL, 0), b - P);
	CHECK_EQ(map(100, P, RW, NULL, 0), b - 2 * P);
	CHECK_EQ(space_unmap(space, b, P), OK);
	CHECK_EQ(map(0, P, RW, NULL, 0), b);
	finish();
}

TEST(neighbours_that_continue_each_other_are_one_region)
{
	start();
	uint64_t at = map(0x100000, P, RW | MAP_FIXED, NULL, 0);
	map(at + 2 * P, P, RW | MAP_FIXED, NULL, 0);
	CHECK_EQ(region_total(space), 2);
	map(at + P, P, RW | MAP_FIXED, NULL, 0);
	CHECK_EQ(region_total(space), 1);
	CHECK_EQ(space_protect(space, at + P, P, MAP_READ), OK);
	CHECK_EQ(region_total(space), 3);
	CHECK_EQ(space_protect(space, at + P, P, RW), OK);
	CHECK_EQ(region_total(space), 1);
	struct memobj *m = object(10 * P);
	map(0x200000, P, RW | MAP_FIXED, m, 0);
	map(0x201000, P, RW | MAP_FIXED, m, P);
	CHECK_EQ(region_total(space), 2);
	map(0x202000, P, RW | MAP_FIXED, m, 3 * P);
	CHECK_EQ(region_total(space), 3);
	memobj_put(m);
	finish();
}

TEST(fixed_replaces_and_noreplace_refuses)
{
	start();
	uint64_t at = map(0x100000, 4 * P, RW, NULL, 0), out;
	CHECK_EQ(poke(at + P, 1), OK);
	CHECK_EQ(poke(at + 2 * P, 2), OK);
	CHECK_EQ(space_map(space, at + P, P, RW | MAP_NOREPLACE, ALL, NULL, 0, &out), ERR_EXIST);
	map(at + P, P, RW | MAP_FIXED, NULL, 0);
	check_word(at + P, 0);
	check_word(at + 2 * P, 2);
	CHECK_EQ(space_map(space, at + 4 * P, P, RW | MAP_NOREPLACE, ALL, NULL, 0, &out), OK);
	finish();
}

TEST(hostile_arguments_are_errors)
{
	start();
	uint64_t out;
	struct memobj *m = object(P);
	CHECK_EQ(space_map(space, 0, 0, RW, ALL, NULL, 0, &out), ERR_INVAL);
	CHECK_EQ(space_map(space, 0, UINT64_MAX, RW, ALL, NULL, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_map(space, 0, USER_MAX, RW, ALL, NULL, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_map(space, 0, P, RW, ALL, m, 7, &out), ERR_INVAL);
	CHECK_EQ(space_map(space, 0, P, RW, ALL, m, UINT64_MAX & ~PAGE_MASK, &out), ERR_OVERFLOW);
	CHECK_EQ(space_map(space, 5, P, RW | MAP_FIXED, ALL, NULL, 0, &out), ERR_INVAL);
	CHECK_EQ(space_map(space, 0, P, RW | MAP_FIXED, ALL, NULL, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_map(space, USER_MAX, P, RW | MAP_FIXED, ALL, NULL, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_map(space, UINT64_MAX & ~PAGE_MASK, P, RW | MAP_FIXED, ALL, NULL, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_map(space, UINT64_MAX, P, RW, ALL, NULL, 0, &out), OK);
	CHECK_EQ(space_map(space, 0, P, RW, MAP_READ, NULL, 0, &out), ERR_ACCES);
	CHECK_EQ(space_unmap(space, 1, P), ERR_INVAL);
	CHECK_EQ(space_unmap(space, 0, 0), ERR_INVAL);
	CHECK_EQ(space_unmap(space, P, UINT64_MAX), ERR_INVAL);
	CHECK_EQ(space_protect(space, 0x100000, P, MAP_READ), ERR_NOMEM);
	CHECK_EQ(space_protect(space, UINT64_MAX & ~PAGE_MASK, P, MAP_READ), ERR_NOMEM);
	CHECK_EQ(space_protect(space, 5, P, MAP_READ), ERR_INVAL);
	CHECK_EQ(space_advise(space, 0x100000, P, ADVICE_DONTNEED), ERR_NOMEM);
	CHECK_EQ(space_advise(space, 0x100000, P, 77), ERR_INVAL);
	CHECK_EQ(space_fault(space, UINT64_MAX, FAULT_WRITE, true), ERR_FAULT);
	CHECK_EQ(space_remap(space, 0x100000, P, 2 * P, 0, 0, &out), ERR_FAULT);
	CHECK_EQ(space_remap(space, 0x100000, P, UINT64_MAX, REMAP_MOVE, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_remap(space, 0x100000, P, 2 * P, 99, 0, &out), ERR_INVAL);
	memobj_put(m);
	finish();
}

TEST(protection_is_enforced_and_limited)
{
	start();
	uint64_t at, word;
	CHECK_EQ(space_map(space, 0, 3 * P, RW, RW, NULL, 0, &at), OK);
	CHECK_EQ(poke(at + P, 9), OK);
	CHECK_EQ(space_protect(space, at + P, P, MAP_READ), OK);
	CHECK_EQ(poke(at + P, 1), ERR_ACCES);
	check_word(at + P, 9);
	CHECK_EQ(space_protect(space, at, 3 * P, 0), OK);
	CHECK_EQ(peek(at + P, &word), ERR_ACCES);
	CHECK_EQ(space_protect(space, at, 3 * P, RW), OK);
	CHECK_EQ(poke(at + P, 10), OK);
	check_word(at + P, 10);
	CHECK_EQ(space_protect(space, at, 3 * P, RW | MAP_EXEC), ERR_ACCES);
	CHECK_EQ(space_fault(space, at, FAULT_EXECUTE, true), ERR_ACCES);
	CHECK_EQ(space_protect(space, at + 2 * P, 2 * P, MAP_READ), ERR_NOMEM);
	CHECK_EQ(poke(at + 2 * P, 1), OK);
	finish();
}

TEST(populate_brings_the_pages_at_once)
{
	start();
	uint64_t at = map(0, 16 * P, RW | MAP_POPULATE, NULL, 0);
	CHECK_EQ(resident(), 16);
	uint64_t before = frame_count_free();
	for (int i = 0; i < 16; i++)
		CHECK_EQ(poke(at + i * P, i), OK);
	CHECK_EQ(frame_count_free(), before);
	finish();
}

TEST(dontneed_brings_zeroes_or_the_objects_bytes_back)
{
	start();
	struct memobj *m = object(2 * P);
	uint64_t shared = map(0, 2 * P, RW | MAP_SHARED, m, 0), private = map(0, 2 * P, RW, m, 0), anon = map(0, 2 * P, RW, NULL, 0);
	CHECK_EQ(poke(shared, 1), OK);
	CHECK_EQ(poke(private, 2), OK);
	CHECK_EQ(poke(anon, 3), OK);
	CHECK_EQ(space_advise(space, shared, 2 * P, ADVICE_DONTNEED), OK);
	CHECK_EQ(space_advise(space, private, 2 * P, ADVICE_DONTNEED), OK);
	CHECK_EQ(space_advise(space, anon, 2 * P, ADVICE_DONTNEED), OK);
	CHECK_EQ(resident(), 0);
	check_word(shared, 1);
	check_word(private, 1);
	check_word(anon, 0);
	memobj_put(m);
	finish();
}

TEST(remap_grows_in_place_or_moves_with_its_pages)
{
	start();
	uint64_t at = map(0x10000000, 4 * P, RW | MAP_FIXED, NULL, 0), to, out;
	for (uint64_t i = 0; i < 4; i++)
		CHECK_EQ(poke(at + i * P, i + 1), OK);
	CHECK_EQ(space_remap(space, at, 4 * P, 8 * P, 0, 0, &to), OK);
	CHECK_EQ(to, at);
	map(at + 8 * P, P, MAP_READ | MAP_FIXED, NULL, 0);
	CHECK_EQ(space_remap(space, at, 8 * P, 16 * P, 0, 0, &out), ERR_NOMEM);
	CHECK_EQ(space_remap(space, at, 8 * P, 16 * P, REMAP_MOVE, 0x50000000, &to), OK);
	for (uint64_t i = 0; i < 4; i++)
		check_word(to + i * P, i + 1);
	CHECK_EQ(poke(at, 1), ERR_FAULT);
	CHECK_EQ(space_remap(space, to + P, P, P, REMAP_MOVE, 0x30000000, &out), OK);
	check_word(0x30000000, 2);
	CHECK_EQ(poke(to + P, 1), ERR_FAULT);
	check_word(to + 2 * P, 3);
	CHECK_EQ(space_remap(space, to + 2 * P, 14 * P, P, 0, 0, &out), OK);
	CHECK_EQ(out, to + 2 * P);
	CHECK_EQ(poke(to + 3 * P, 1), ERR_FAULT);
	finish();
}

TEST(tables_of_a_large_range_go_with_it)
{
	start();
	struct space_info before, after;
	space_get_info(space, &before);
	uint64_t at = map(0x40000000, 64 << 20, RW | MAP_FIXED, NULL, 0);
	for (uint64_t i = 0; i < 64 << 20; i += 1 << 20)
		CHECK_EQ(poke(at + i, 1), OK);
	space_get_info(space, &after);
	CHECK(after.table_bytes >= before.table_bytes + 32 * P);
	CHECK_EQ(space_unmap(space, at, 64 << 20), OK);
	space_get_info(space, &after);
	CHECK_EQ(after.table_bytes, before.table_bytes);
	finish();
}

TEST(only_cpus_that_have_the_space_are_told)
{
	start();
	uint64_t at = map(0, 4 * P, RW | MAP_POPULATE, NULL, 0), told = machine_shootdowns;
	struct space *other;
	CHECK_EQ(space_create(NULL, &other), OK);
	run(other);
	CHECK_EQ(space_unmap(space, at, 4 * P), OK);
	CHECK_EQ(machine_shootdowns, told);
	run(space);
	at = map(0, 200 * P, RW | MAP_POPULATE, NULL, 0);
	told = machine_shootdowns;
	CHECK_EQ(space_unmap(space, at, 200 * P), OK);
	CHECK(machine_shootdowns - told <= 200 / GATHER_MAX + 1);
	space_put(other);
	finish();
}

TEST(regions_cost_quota_and_have_a_limit)
{
	free_frames = machine_start(RAM);
	struct account *a;
	CHECK_EQ(account_create(NULL, &(struct account_limits){ 10, 0, 0 }, &a), OK);
	CHECK_EQ(space_create(a, &space), OK);
	uint64_t out, count = 0;
	err_t err;
	while (!(err = space_map(space, 0x10000000 + count * 2 * P, P, RW | MAP_FIXED, ALL, NULL, 0, &out)))
		count++;
	CHECK_EQ(err, ERR_NOMEM);
	CHECK(count > 200 && count < 400);
	space_put(space);
	account_put(a);
	machine_check_free(free_frames);
}
