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

/* ---- Tables that are shared: those with enough pages, of regions without an object ---- */

enum { TABLE_PAGES = 512, TABLES = 3, LARGE_PAGES = TABLES * TABLE_PAGES };
#define LARGE 0x40000000ull

static uint64_t page_at(uint64_t i) { return LARGE + i * P; }

/* Three whole tables of pages, each with its number. */
static void large_map(void)
{
	map(LARGE, LARGE_PAGES * P, RW | MAP_FIXED, NULL, 0);
	for (uint64_t i = 0; i < LARGE_PAGES; i++)
		CHECK_EQ(poke(page_at(i), i), OK);
}

static struct space *fork_of(struct space *s)
{
	struct space *child;
	CHECK_EQ(space_fork(s, NULL, &child), OK);
	return child;
}

/* In s, pages [first, end) hold their number and more. */
static void check_range(struct space *s, uint64_t first, uint64_t end, uint64_t more)
{
	run(s);
	for (uint64_t i = first; i < end; i++)
		check_word(page_at(i), i + more);
}

TEST(a_large_fork_takes_a_few_frames_and_so_does_its_end)
{
	start();
	large_map();
	uint64_t before = frame_count_free();
	struct space *child = fork_of(space), *second = fork_of(child);
	CHECK(before - frame_count_free() < 12);
	CHECK_EQ(space->tables.shared_count, TABLES);
	CHECK_EQ(resident(), LARGE_PAGES);
	run(child);
	CHECK_EQ(resident(), LARGE_PAGES);
	check_range(second, 0, LARGE_PAGES, 0);
	run(space);
	space_put(child);
	check_range(second, 0, LARGE_PAGES, 0);
	run(space);
	space_put(second);
	CHECK_EQ(frame_count_free(), before);
	finish();
}

TEST(three_that_share_a_table_write_their_own_pages)
{
	start();
	large_map();
	struct space *of[] = { space, fork_of(space), NULL };
	of[2] = fork_of(of[1]);
	for (uint64_t who = 0; who < 3; who++) {
		run(of[who]);
		for (uint64_t i = who; i < LARGE_PAGES; i += 7)
			CHECK_EQ(poke(page_at(i), i + 1000 * (who + 1)), OK);
		CHECK_EQ(resident(), LARGE_PAGES);
		CHECK_EQ(of[who]->tables.shared_count, 0);
	}
	for (uint64_t who = 0; who < 3; who++) {
		run(of[who]);
		for (uint64_t i = 0; i < LARGE_PAGES; i++)
			check_word(page_at(i), i % 7 == who ? i + 1000 * (who + 1) : i);
	}
	run(space);
	space_put(of[1]);
	space_put(of[2]);
	finish();
}

TEST(the_last_that_shares_a_table_goes_on_with_it)
{
	start();
	large_map();
	space_put(fork_of(space));
	uint64_t before = frame_count_free(), faults = space->tables.shared_count;
	CHECK_EQ(faults, TABLES);
	for (uint64_t i = 0; i < LARGE_PAGES; i++)
		CHECK_EQ(poke(page_at(i), i + 1), OK);
	CHECK_EQ(frame_count_free(), before);
	CHECK_EQ(space->tables.shared_count, 0);
	/* And shares it once more. */
	struct space *child = fork_of(space);
	CHECK_EQ(child->tables.shared_count, TABLES);
	CHECK_EQ(poke(page_at(0), 5), OK);
	check_range(child, 0, LARGE_PAGES, 1);
	run(space);
	space_put(child);
	check_word(page_at(0), 5);
	finish();
}

TEST(what_is_done_to_a_part_of_a_shared_table_the_others_do_not_see)
{
	uint64_t out, word;
	start();
	large_map();
	struct space *child = fork_of(space);
	CHECK_EQ(space_unmap(space, page_at(100), 100 * P), OK);
	CHECK_EQ(space_advise(space, page_at(300), P, ADVICE_DONTNEED), OK);
	CHECK_EQ(space->tables.shared_count, TABLES - 1);
	CHECK_EQ(space_protect(space, page_at(TABLE_PAGES + 5), P, MAP_READ), OK);
	CHECK_EQ(space_protect(space, page_at(TABLE_PAGES + 6), P, 0), OK);
	CHECK_EQ(space->tables.shared_count, TABLES - 2);
	CHECK_EQ(space_remap(space, page_at(2 * TABLE_PAGES), 10 * P, 10 * P, REMAP_MOVE, page_at(2 * LARGE_PAGES), &out), OK);
	CHECK_EQ(space->tables.shared_count, 0);
	CHECK_EQ(resident(), LARGE_PAGES - 101);
	CHECK_EQ(peek(page_at(150), &word), ERR_FAULT);
	check_word(page_at(300), 0);
	CHECK_EQ(poke(page_at(TABLE_PAGES + 5), 1), ERR_ACCES);
	CHECK_EQ(peek(page_at(TABLE_PAGES + 6), &word), ERR_ACCES);
	check_word(page_at(2 * LARGE_PAGES + 9), 2 * TABLE_PAGES + 9);
	CHECK_EQ(poke(page_at(2 * LARGE_PAGES + 9), 1), OK);
	check_range(child, 0, LARGE_PAGES, 0);
	CHECK_EQ(resident(), LARGE_PAGES);
	run(space);
	space_put(child);
	finish();
}

TEST(whole_tables_are_protected_and_emptied_for_one_only)
{
	uint64_t word;
	start();
	large_map();
	struct space *child = fork_of(space);
	CHECK_EQ(space_protect(space, page_at(TABLE_PAGES), TABLE_PAGES * P, 0), OK);
	CHECK_EQ(space_advise(space, LARGE, 5 * P, ADVICE_DONTNEED), OK);
	CHECK_EQ(peek(page_at(TABLE_PAGES), &word), ERR_ACCES);
	check_word(page_at(4), 0);
	check_range(child, 0, LARGE_PAGES, 0);
	for (uint64_t i = 0; i < LARGE_PAGES; i++)
		CHECK_EQ(poke(page_at(i), i + 1), OK);
	run(space);
	check_word(page_at(5), 5);
	/* What is inaccessible is shared all the same. */
	struct space *second = fork_of(space);
	CHECK_EQ(second->tables.shared_count, TABLES);
	CHECK_EQ(space_protect(space, page_at(TABLE_PAGES), TABLE_PAGES * P, RW), OK);
	check_range(space, TABLE_PAGES, LARGE_PAGES, 0);
	run(second);
	CHECK_EQ(peek(page_at(TABLE_PAGES), &word), ERR_ACCES);
	run(space);
	space_put(child);
	space_put(second);
	finish();
}

TEST(a_shared_table_goes_whole_without_memory)
{
	start();
	large_map();
	struct space *child = fork_of(space);
	frame_fail_after(1);
	CHECK_EQ(space_unmap(space, page_at(TABLE_PAGES), TABLE_PAGES * P), OK);
	frame_fail_after(0);
	CHECK_EQ(resident(), 2 * TABLE_PAGES);
	CHECK_EQ(space->tables.shared_count, 2);
	check_range(space, 2 * TABLE_PAGES, LARGE_PAGES, 0);
	check_range(child, 0, LARGE_PAGES, 0);
	run(space);
	space_put(child);
	/* A part needs a copy of its table, or nothing happens. */
	child = fork_of(space);
	frame_fail_after(1);
	CHECK_EQ(space_unmap(space, page_at(1), P), ERR_NOMEM);
	frame_fail_after(1);
	CHECK_EQ(space_protect(space, page_at(1), P, MAP_READ), ERR_NOMEM);
	frame_fail_after(1);
	CHECK_EQ(space_advise(space, page_at(1), P, ADVICE_DONTNEED), ERR_NOMEM);
	frame_fail_after(0);
	CHECK_EQ(region_total(space), 2);
	check_range(space, 0, TABLE_PAGES, 0);
	space_put(child);
	finish();
}

TEST(a_file_over_a_part_of_a_shared_table_is_cut_while_others_keep_theirs)
{
	start();
	large_map();
	struct memobj *m = object(8 * P);
	struct space *child = fork_of(space);
	map(page_at(200), 8 * P, RW | MAP_FIXED, m, 0);
	struct space *second = fork_of(space);
	check_word(page_at(200), 0);
	CHECK_EQ(poke(page_at(201), 9), OK);
	run(second);
	check_word(page_at(200), 0);
	CHECK_EQ(memobj_resize(m, 0), OK);
	uint64_t word;
	CHECK_EQ(peek(page_at(200), &word), ERR_RANGE);
	run(space);
	CHECK_EQ(peek(page_at(201), &word), ERR_RANGE);
	check_range(child, 0, LARGE_PAGES, 0);
	check_range(second, 300, LARGE_PAGES, 0);
	run(space);
	CHECK_EQ(resident(), LARGE_PAGES - 8);
	space_put(child);
	space_put(second);
	memobj_put(m);
	finish();
}

TEST(another_cpu_forgets_a_table_that_was_left)
{
	start();
	large_map();
	struct space *child = fork_of(space);
	machine_run_on(1);
	run(space);
	check_word(page_at(TABLE_PAGES + 7), TABLE_PAGES + 7);
	machine_run_on(0);
	/* A whole one, which nobody wrote to; and one that is left with a copy. */
	CHECK_EQ(space_unmap(space, page_at(TABLE_PAGES), TABLE_PAGES * P), OK);
	uint64_t told = machine_shootdowns, word;
	CHECK_EQ(poke(page_at(8), 80), OK);
	CHECK_EQ(machine_shootdowns, told + 2);
	machine_run_on(1);
	CHECK_EQ(peek(page_at(TABLE_PAGES + 7), &word), ERR_FAULT);
	run(NULL);
	machine_run_on(0);
	check_range(child, 0, LARGE_PAGES, 0);
	run(space);
	space_put(child);
	finish();
}

TEST(a_table_with_little_in_it_is_copied_as_entries)
{
	start();
	map(LARGE, TABLE_PAGES * P, RW | MAP_FIXED, NULL, 0);
	for (uint64_t i = 0; i < 3; i++)
		CHECK_EQ(poke(page_at(i * 100), i), OK);
	struct space *child = fork_of(space);
	CHECK_EQ(child->tables.shared_count, 0);
	run(child);
	CHECK_EQ(resident(), 3);
	check_word(page_at(200), 2);
	run(space);
	space_put(child);
	finish();
}
