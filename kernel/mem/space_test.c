/* kernel/mem/space_test.c - address spaces: the rules one by one, then random operations against a model. */
#include "kernel/mem/account.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { return &s->tables; }

enum { RAM = 32 << 20, RW = MAP_READ | MAP_WRITE, ALL = 7, P = PAGE_BYTES };

static uint64_t free_frames;
static struct space *space;

static void start(void)
{
	free_frames = machine_start(RAM);
	CHECK_EQ(space_create(NULL, &space), OK);
	space_switch(NULL, space);
}

static void finish(void)
{
	space_switch(machine_cpu->space, NULL);
	space_put(space);
	machine_check_free(free_frames);
}

static void run(struct space *s)
{
	space_switch(machine_cpu->space, s);
}

static uint64_t map(uint64_t address, uint64_t bytes, uint32_t flags, struct memobj *m, uint64_t offset)
{
	uint64_t at;
	CHECK_EQ(space_map(machine_cpu->space, address, bytes, flags, ALL, m, offset, &at), OK);
	return at;
}

static err_t poke(uint64_t address, uint64_t word)
{
	size_t done;
	return machine_user_copy(address, &word, sizeof word, true, &done);
}

static err_t peek(uint64_t address, uint64_t *word)
{
	size_t done;
	return machine_user_copy(address, word, sizeof *word, false, &done);
}

static void check_word(uint64_t address, uint64_t wanted)
{
	uint64_t word = ~wanted;
	CHECK_EQ(peek(address, &word), OK);
	CHECK_EQ(word, wanted);
}

static struct memobj *object(uint64_t bytes)
{
	struct memobj *m;
	CHECK_EQ(memobj_create(bytes, NULL, &m), OK);
	return m;
}

static uint64_t resident(void)
{
	struct space_info info;
	space_get_info(machine_cpu->space, &info);
	CHECK_EQ(info.resident_bytes / P, pages_count(machine_cpu->space, 0, USER_MAX));
	return info.resident_bytes / P;
}

static uint32_t region_total(struct space *s)
{
	struct region_info info;
	uint32_t count = 0;
	for (uint64_t at = 0; space_region_info(s, at, &info); at = info.end)
		count++;
	return count;
}

/* ---- Mapping ---- */

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
	CHECK_EQ(space_map(space, 0, P, RW | MAP_GROWSDOWN, ALL, m, 0, &out), ERR_INVAL);
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
	CHECK_EQ(space_remap(space, 0x100000, P, UINT64_MAX, REMAP_MAYMOVE, 0, &out), ERR_NOMEM);
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

TEST(a_stack_grows_to_its_limit_and_not_into_others)
{
	start();
	uint64_t top = 0x40000000, at = map(top - 4 * P, 4 * P, RW | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
	CHECK_EQ(poke(at - 8, 1), OK);
	CHECK_EQ(poke(at - 100 * P, 2), OK);
	CHECK_EQ(poke(top - STACK_BYTES_MAX, 3), OK);
	CHECK_EQ(poke(top - STACK_BYTES_MAX - 8, 4), ERR_FAULT);
	check_word(at - 8, 1);
	struct space *child;
	CHECK_EQ(space_fork(space, NULL, &child), OK);
	space_put(child);
	uint64_t low = 0x20000000;
	map(low, P, RW | MAP_FIXED, NULL, 0);
	map(low + 40 * P, P, RW | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
	CHECK_EQ(poke(low + P + STACK_GUARD_BYTES, 1), OK);
	CHECK_EQ(poke(low + P + STACK_GUARD_BYTES - 8, 1), ERR_FAULT);
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
	CHECK_EQ(space_remap(space, at, 8 * P, 16 * P, REMAP_MAYMOVE, 0, &to), OK);
	for (uint64_t i = 0; i < 4; i++)
		check_word(to + i * P, i + 1);
	CHECK_EQ(poke(at, 1), ERR_FAULT);
	CHECK_EQ(space_remap(space, to + P, P, P, REMAP_MAYMOVE | REMAP_FIXED, 0x30000000, &out), OK);
	check_word(0x30000000, 2);
	CHECK_EQ(poke(to + P, 1), ERR_FAULT);
	check_word(to + 2 * P, 3);
	CHECK_EQ(space_remap(space, to + 2 * P, 14 * P, P, 0, 0, &out), OK);
	CHECK_EQ(out, to + 2 * P);
	CHECK_EQ(poke(to + 3 * P, 1), ERR_FAULT);
	finish();
}

/* ---- Objects ---- */

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

/* ---- Fork ---- */

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

TEST(a_read_fault_brings_what_the_object_has_around_it)
{
	start();
	struct memobj *m = object(40 * P);
	uint64_t writer = map(0x10000000, 40 * P, RW | MAP_SHARED | MAP_FIXED, m, 0), reader = map(0x20000000, 40 * P, MAP_READ | MAP_FIXED, m, 0);
	for (int i = 0; i < 40; i += 2)
		CHECK_EQ(poke(writer + i * P, i), OK);
	uint64_t before = resident();
	check_word(reader + 16 * P, 16);
	CHECK_EQ(resident(), before + 8);
	check_word(reader + 18 * P, 18);
	CHECK_EQ(resident(), before + 8);
	check_word(reader + 17 * P, 0);
	CHECK_EQ(resident(), before + 9);
	/* Nobody writes through what came along. */
	CHECK_EQ(poke(reader + 18 * P, 1), ERR_ACCES);
	memobj_put(m);
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

/* ---- Copies between spaces ---- */

TEST(copies_between_spaces_cross_pages_and_stop_at_holes)
{
	start();
	struct space *other;
	static uint8_t in[3 * P], out[3 * P];
	size_t done;
	CHECK_EQ(space_create(NULL, &other), OK);
	uint64_t from = map(0x100000, 3 * P, RW, NULL, 0), to;
	CHECK_EQ(space_map(other, 0x500000, 3 * P, RW, ALL, NULL, 0, &to), OK);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)test_random();
	CHECK_EQ(space_write(space, from, in, sizeof in, true), OK);
	CHECK_EQ(space_copy(other, to + 100, space, from + 3, 2 * P, true, &done), OK);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_read(other, to + 100, out, 2 * P, true), OK);
	CHECK_MEM(out, in + 3, 2 * P);
	CHECK_EQ(space_copy(other, to, space, from + P, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_copy(other, to + P, space, from, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_copy(other, UINT64_MAX, space, from, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(space_copy(space, from + 8, space, from, 64, true, &done), OK);
	CHECK_EQ(space_protect(other, to, P, MAP_READ), OK);
	CHECK_EQ(space_copy(other, to, space, from, 8, true, &done), ERR_ACCES);
	CHECK_EQ(space_read(space, UINT64_MAX - 2, out, 8, true), ERR_FAULT);
	CHECK_EQ(space_write(space, USER_MAX - 4, out, 8, true), ERR_FAULT);
	space_put(other);
	finish();
}

/* ---- Quotas ---- */

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

/* ---- Random operations against a model ---- */

enum { PROCESSES = 4, PAGES = 96, OBJECTS = 4, OBJECT_PAGES = 24 };
#define BASE 0x70000000ull

struct model_page {
	bool mapped, shared, copied;
	uint8_t prot;
	int8_t object;                  /* -1: none */
	uint32_t object_page;
	uint64_t value;                 /* of the page's own, when copied or without object */
};

static struct model {
	struct space *space;
	struct model_page page[PAGES];
} model[PROCESSES];

static struct {
	struct memobj *m;
	uint64_t pages;
	uint64_t value[OBJECT_PAGES];
	uint32_t users;                 /* mapped pages: an object that is mapped stays */
} objects[OBJECTS];

static uint64_t random_state;

/* xorshift64*: test_random's sequence is always the same one. */
static uint64_t random_word(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}

static uint64_t pick(uint64_t count) { return (random_word() >> 20) % count; }

static uint64_t pager_value(int i, uint64_t page) { return i == 0 ? 0xabc000 + page : 0; }

static err_t random_ask(void *context, struct memobj *m, uint64_t offset)
{
	uint64_t page[P / 8] = { 0 };
	(void)context;
	page[0] = page[P / 8 - 1] = pager_value(0, offset / P);
	return memobj_supply(m, offset, page);
}

/* What a page should hold; the error that touching it should give. */
static err_t model_access(const struct model_page *p, bool write, uint64_t *value)
{
	if (!p->mapped)
		return ERR_FAULT;
	if (!(p->prot & (write ? MAP_WRITE : ALL)))
		return ERR_ACCES;
	*value = p->value;
	if (p->object < 0 || p->copied)
		return OK;
	if (p->object_page >= objects[p->object].pages)
		return ERR_RANGE;
	*value = objects[p->object].value[p->object_page];
	return OK;
}

static void check_page(struct model *p, uint64_t i)
{
	uint64_t wanted = 0, word = 1, last = 2;
	err_t err = model_access(&p->page[i], false, &wanted);
	CHECK_EQ(peek(BASE + i * P, &word), err);
	if (err)
		return;
	CHECK_EQ(word, wanted);
	CHECK_EQ(peek(BASE + i * P + P - 8, &last), OK);
	CHECK_EQ(last, wanted);
}

static void op_write(struct model *p, uint64_t i)
{
	uint64_t old, value = random_word();
	struct model_page *page = &p->page[i];
	err_t wanted = model_access(page, true, &old), err = poke(BASE + i * P, value);
	if (err == ERR_NOMEM)
		return;                 /* injected */
	CHECK_EQ(err, wanted);
	if (err)
		return;
	CHECK_EQ(poke(BASE + i * P + P - 8, value), OK);
	if (page->object >= 0 && page->shared) {
		objects[page->object].value[page->object_page] = value;
	} else {
		page->copied = true;
		page->value = value;
	}
}

static void page_forget(struct model_page *p)
{
	if (p->mapped && p->object >= 0)
		objects[p->object].users--;
	*p = (struct model_page){ .object = -1 };
}

/* (Populating a private mapping of an object copies what could be had: that would be a guess.) */
static void op_map(struct model *p, uint64_t i, uint64_t count)
{
	uint64_t out;
	int o = (int)pick(OBJECTS * 2) - OBJECTS;
	bool shared = o >= 0 && pick(2);
	uint32_t prot = (uint32_t)pick(4), offset = (uint32_t)pick(OBJECT_PAGES);
	if (o >= 0 && !objects[o].m)
		o = -1;
	prot = prot < 3 ? RW : prot == 3 ? MAP_READ : 0;
	err_t err = space_map(p->space, BASE + i * P, count * P, prot | MAP_FIXED | (shared && o >= 0 ? MAP_SHARED : 0) | (pick(4) || (o >= 0 && !shared) ? 0 : MAP_POPULATE),
	                      ALL, o >= 0 ? objects[o].m : NULL, o >= 0 ? offset * P : 0, &out);
	if (err) {
		CHECK_EQ(err, ERR_NOMEM);
		return;
	}
	for (uint64_t n = 0; n < count; n++) {
		page_forget(&p->page[i + n]);
		p->page[i + n] = (struct model_page){
			.mapped = true, .shared = shared && o >= 0, .prot = (uint8_t)prot, .object = (int8_t)(o >= 0 ? o : -1), .object_page = offset + (uint32_t)n,
		};
		if (o >= 0)
			objects[o].users++;
	}
}

static void op_unmap(struct model *p, uint64_t i, uint64_t count)
{
	if (space_unmap(p->space, BASE + i * P, count * P))
		return;
	for (uint64_t n = 0; n < count; n++)
		page_forget(&p->page[i + n]);
}

static void op_protect(struct model *p, uint64_t i, uint64_t count)
{
	uint32_t prot = (uint32_t[]){ 0, MAP_READ, RW, RW }[pick(4)];
	bool whole = true;
	for (uint64_t n = 0; n < count; n++)
		whole &= p->page[i + n].mapped;
	err_t err = space_protect(p->space, BASE + i * P, count * P, prot);
	CHECK(err == OK ? whole : err == ERR_NOMEM);
	for (uint64_t n = 0; n < count && !err; n++)
		p->page[i + n].prot = (uint8_t)prot;
}

static void op_dontneed(struct model *p, uint64_t i, uint64_t count)
{
	if (space_advise(p->space, BASE + i * P, count * P, ADVICE_DONTNEED))
		return;
	for (uint64_t n = 0; n < count; n++) {
		p->page[i + n].copied = false;
		p->page[i + n].value = 0;
	}
}

/* Moves a stretch of like pages. */
static void op_remap(struct model *p, uint64_t i, uint64_t count)
{
	uint64_t to = pick(PAGES - count), out;
	struct model_page copy[PAGES];
	if (to < i + count && i < to + count)
		return;
	err_t err = space_remap(p->space, BASE + i * P, count * P, count * P, REMAP_MAYMOVE | REMAP_FIXED, BASE + to * P, &out);
	if (err == ERR_NOMEM) {
		/* The target may have been cleared already, as it may be by any fixed mapping: look. */
		struct region_info info;
		for (uint64_t n = 0; n < count; n++)
			if (!space_region_info(p->space, BASE + (to + n) * P, &info) || info.start > BASE + (to + n) * P)
				page_forget(&p->page[to + n]);
		return;
	}
	if (err) {
		CHECK_EQ(err, ERR_FAULT);
		return;
	}
	memcpy(copy, p->page + i, count * sizeof *copy);
	for (uint64_t n = 0; n < count; n++) {
		page_forget(&p->page[to + n]);
		p->page[to + n] = copy[n];
		p->page[i + n] = (struct model_page){ .object = -1 };
	}
}

static void model_forget(struct model *p)
{
	for (uint64_t i = 0; i < PAGES; i++)
		page_forget(&p->page[i]);
	p->space = NULL;
}

static void op_exit(uint64_t i)
{
	struct space *s = model[i].space;
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++) {
		machine_run_on(cpu);
		if (machine_cpu->space == s)
			run(NULL);
	}
	space_put(s);
	model_forget(&model[i]);
}

static void op_fork(uint64_t from, uint64_t to)
{
	struct space *child;
	if (model[to].space)
		op_exit(to);
	err_t err = space_fork(model[from].space, NULL, &child);
	if (err) {
		CHECK_EQ(err, ERR_NOMEM);
		return;
	}
	model[to] = model[from];
	model[to].space = child;
	for (uint64_t i = 0; i < PAGES; i++)
		if (model[to].page[i].mapped && model[to].page[i].object >= 0)
			objects[model[to].page[i].object].users++;
}

/* Through the kernel's own copies into another process. */
static void op_space_write(struct model *p, uint64_t i)
{
	uint64_t value = random_word(), old;
	struct model_page *page = &p->page[i];
	err_t wanted = model_access(page, true, &old), err = space_write(p->space, BASE + i * P, &value, 8, true);
	if (err == ERR_NOMEM)
		return;
	CHECK_EQ(err, wanted);
	if (!err)
		err = space_write(p->space, BASE + i * P + P - 8, &value, 8, true);
	if (err)
		return;
	if (page->object >= 0 && page->shared)
		objects[page->object].value[page->object_page] = value;
	else
		page->copied = true, page->value = value;
}

static void inject_stop(void)
{
	heap_fail_after(0);
	frame_fail_after(0);
}

static void object_fill(int o)
{
	for (uint64_t i = 0; i < OBJECT_PAGES; i++)
		objects[o].value[i] = i < objects[o].pages ? pager_value(o, i) : 0;
}

/* What private mappings copied of pages beyond the end goes too. */
static void object_cut(int o)
{
	for (int i = 0; i < PROCESSES; i++)
		for (uint64_t n = 0; n < PAGES; n++) {
			struct model_page *p = &model[i].page[n];
			if (p->mapped && p->object == o && p->object_page >= objects[o].pages)
				p->copied = false, p->value = 0;
		}
}

static err_t object_read(struct memobj *m, uint64_t page, uint64_t *word)
{
	paddr_t frame;
	err_t err = memobj_page(m, page * P, false, &frame);
	if (err)
		return err;
	*word = *(uint64_t *)paddr_to_kernel(frame);
	frame_put(frame);
	return OK;
}

static void op_object(int o)
{
	uint64_t page = pick(OBJECT_PAGES), count = pick(6);
	struct memobj *c;
	err_t err;
	if (!objects[o].m) {
		int of = (int)pick(OBJECTS);
		err = pick(2) && objects[of].m ? memobj_create_clone(objects[of].m, 0, OBJECT_PAGES * P, NULL, &c) : memobj_create(OBJECT_PAGES * P, NULL, &c);
		if (err)
			return;
		inject_stop();
		objects[o].m = c;
		objects[o].pages = OBJECT_PAGES;
		/* A clone holds its parent's pages; an empty object none, and so do clones of one. */
		uint64_t word;
		for (uint64_t i = 0; i < OBJECT_PAGES; i++) {
			CHECK_EQ(object_read(c, i, &word), OK);
			CHECK(word == 0 || word == objects[of].value[i]);
			objects[o].value[i] = word;
		}
		return;
	}
	switch (pick(4)) {
	case 0:
		if (o == 0)             /* paged: clones may still want its pages */
			return;
		if (memobj_resize(objects[o].m, page * P))
			return;
		for (uint64_t i = page; i < OBJECT_PAGES; i++)
			objects[o].value[i] = 0;
		objects[o].pages = page;
		object_cut(o);
		break;
	case 1:
		if (memobj_punch(objects[o].m, page * P, count * P)) {
			/* Which pages went is not said: look. */
			inject_stop();
			for (uint64_t i = 0; i < objects[o].pages; i++)
				CHECK_EQ(object_read(objects[o].m, i, &objects[o].value[i]), OK);
			return;
		}
		for (uint64_t i = page; i < page + count && i < objects[o].pages; i++)
			objects[o].value[i] = pager_value(o, i);
		break;
	case 2:
		if (o != 0 && objects[o].users == 0) {
			memobj_put(objects[o].m);
			objects[o].m = NULL;
		}
		break;
	default:
		if (o != 0 && !memobj_resize(objects[o].m, OBJECT_PAGES * P))
			objects[o].pages = OBJECT_PAGES;
	}
}

static void inject(void)
{
	heap_fail_after(pick(8) ? 0 : 1 + pick(6));
	frame_fail_after(pick(8) ? 0 : 1 + pick(6));
}

static void random_step(void)
{
	uint64_t who = pick(PROCESSES), i = pick(PAGES), count = 1 + pick(12), action = pick(64);
	struct model *p = &model[who];
	count = MIN_OF(count, PAGES - i);
	machine_run_on((uint32_t)pick(MACHINE_CPUS));
	if (!p->space) {
		inject();
		if (!space_create(NULL, &p->space))
			for (uint64_t n = 0; n < PAGES; n++)
				p->page[n].object = -1;
		else
			p->space = NULL;
		inject_stop();
		return;
	}
	run(p->space);
	if (action < 20) {
		check_page(p, i);
		return;
	}
	if (action < 36) {
		op_write(p, i);
		return;
	}
	if (pick(2))
		inject();
	if (action < 42)
		op_map(p, i, count);
	else if (action < 45)
		op_unmap(p, i, count);
	else if (action < 48)
		op_protect(p, i, count);
	else if (action < 50)
		op_dontneed(p, i, count);
	else if (action < 52)
		op_remap(p, i, count);
	else if (action < 55)
		op_space_write(p, i);
	else if (action < 58) {
		uint64_t to = pick(PROCESSES);
		if (to != who)
			op_fork(who, to);
	} else if (action == 58) {
		op_exit(who);
	} else {
		op_object((int)pick(OBJECTS));
	}
	inject_stop();
}

TEST(random_operations_agree_with_a_model)
{
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	uint64_t n = seed ? strtoull(seed, NULL, 0) : 1, step_count = steps ? strtoull(steps, NULL, 0) : 60000;
	printf("# SEED=%llu STEPS=%llu\n", (unsigned long long)n, (unsigned long long)step_count);
	free_frames = machine_start(RAM);
	random_state = (n + 1) * 0x9e3779b97f4a7c15ull;
	memset(model, 0, sizeof model);
	memset(objects, 0, sizeof objects);
	CHECK_EQ(memobj_create_paged(OBJECT_PAGES * P, NULL, random_ask, NULL, NULL, &objects[0].m), OK);
	objects[0].pages = OBJECT_PAGES;
	object_fill(0);
	for (uint64_t step = 0; step < step_count; step++) {
		random_step();
		if (step % 1000 == 0)
			for (int i = 0; i < PROCESSES; i++)
				for (uint64_t page = 0; page < PAGES && model[i].space; page++) {
					run(model[i].space);
					check_page(&model[i], page);
				}
	}
	for (int i = 0; i < PROCESSES; i++)
		if (model[i].space)
			op_exit((uint64_t)i);
	for (int o = 0; o < OBJECTS; o++)
		if (objects[o].m)
			memobj_put(objects[o].m);
	machine_run_on(0);
	machine_check_free(free_frames);
}

/* ---- Failures one by one ---- */

static void do_everything(void)
{
	struct space *child;
	struct memobj *m = NULL;
	uint64_t at = 0, shared = 0, out;
	if (!memobj_create(4 * P, NULL, &m)) {
		if (!space_map(space, 0, 4 * P, RW | MAP_SHARED, ALL, m, 0, &shared))
			(void)!poke(shared + P, 1);
		if (!space_map(space, 0, 4 * P, RW, ALL, m, 0, &shared))
			(void)!poke(shared + P, 1);
	}
	if (!space_map(space, 0x20000000, 8 * P, RW | MAP_FIXED | MAP_POPULATE, ALL, NULL, 0, &at)) {
		(void)!space_protect(space, at + 2 * P, P, MAP_READ);
		(void)!space_unmap(space, at + 5 * P, P);
		(void)!space_remap(space, at, 2 * P, 600 * P, REMAP_MAYMOVE, 0, &out);
		(void)!space_map(space, at + 3 * P, P, RW | MAP_FIXED | MAP_SHARED, ALL, NULL, 0, &out);
	}
	if (!space_fork(space, NULL, &child)) {
		(void)!poke(at + 2 * P, 1);
		space_put(child);
	}
	if (m)
		memobj_put(m);
}

TEST(a_failed_allocation_anywhere_leaks_nothing)
{
	for (uint64_t n = 1; n < 80; n++) {
		start();
		heap_fail_after(n);
		do_everything();
		heap_fail_after(0);
		finish();
		start();
		frame_fail_after(n);
		do_everything();
		frame_fail_after(0);
		finish();
	}
}
