/* lib/scheme/ids_test.c */
#include "lib/native/heap.h"
#include "lib/scheme/ids.h"
#include "lib/test/test.h"

static int things[2000];

TEST(a_number_finds_its_thing_until_it_is_removed)
{
	struct ids t;
	uint64_t id;

	ids_init(&t, 7);
	CHECK_EQ(ids_add(&t, &things[0], &id), OK);
	CHECK(ids_find(&t, id) == &things[0]);
	CHECK(ids_remove(&t, id) == &things[0]);
	CHECK(ids_find(&t, id) == NULL);
	CHECK(ids_remove(&t, id) == NULL);
	ids_fini(&t);
}

TEST(a_reused_slot_refuses_the_old_number)
{
	struct ids t;
	uint64_t old, new;

	ids_init(&t, 7);
	CHECK_EQ(ids_add(&t, &things[0], &old), OK);
	ids_remove(&t, old);
	CHECK_EQ(ids_add(&t, &things[1], &new), OK);
	CHECK(new != old && ids_find(&t, old) == NULL && ids_find(&t, new) == &things[1]);
	ids_fini(&t);
}

TEST(another_instance_refuses_the_numbers_of_the_first)
{
	struct ids a, b;
	uint64_t id_a, id_b;

	ids_init(&a, 1);
	ids_init(&b, 2);
	CHECK_EQ(ids_add(&a, &things[0], &id_a), OK);
	CHECK_EQ(ids_add(&b, &things[0], &id_b), OK);
	CHECK(ids_find(&b, id_a) == NULL);
	CHECK(ids_find(&a, id_b) == NULL);
	ids_fini(&a);
	ids_fini(&b);
}

TEST(many_numbers_stay_apart_and_positive)
{
	struct ids t;
	uint64_t id[2000];

	ids_init(&t, 0xffff);
	for (int i = 0; i < 2000; i++) {
		CHECK_EQ(ids_add(&t, &things[i], &id[i]), OK);
		CHECK((int64_t)id[i] > 0);
	}
	for (int i = 0; i < 2000; i++)
		CHECK(ids_find(&t, id[i]) == &things[i]);
	CHECK_EQ(t.count, 2000);
	ids_fini(&t);
}

TEST(wild_numbers_find_nothing)
{
	struct ids t;
	uint64_t id;

	ids_init(&t, 7);
	CHECK(ids_find(&t, 0) == NULL);
	CHECK_EQ(ids_add(&t, &things[0], &id), OK);
	for (int i = 0; i < 1000; i++) {
		uint64_t wild = test_random();
		CHECK(wild == id || ids_find(&t, wild) == NULL);
	}
	CHECK(ids_find(&t, 0) == NULL && ids_find(&t, UINT64_MAX) == NULL);
	ids_fini(&t);
}

TEST(no_memory_for_the_table_is_an_error_and_passes)
{
	struct ids t;
	uint64_t id;

	ids_init(&t, 7);
	heap_fail_after(1);
	CHECK_EQ(ids_add(&t, &things[0], &id), ERR_NOMEM);
	CHECK_EQ(ids_add(&t, &things[0], &id), OK);
	ids_fini(&t);
}

TEST(a_number_of_an_earlier_instance_can_live_on)
{
	struct ids old, t;
	uint64_t id, other;

	ids_init(&old, 1);
	ids_init(&t, 2);
	CHECK_EQ(ids_add(&old, &things[0], &id), OK);
	CHECK_EQ(ids_add(&t, &things[1], &other), OK);
	CHECK_EQ(ids_adopt(&t, id, &things[2]), OK);
	CHECK(ids_find(&t, id) == &things[2] && ids_find(&t, other) == &things[1]);
	CHECK_EQ(ids_adopt(&t, id, &things[3]), ERR_INVAL);
	CHECK_EQ(ids_adopt(&t, other, &things[3]), ERR_INVAL);
	CHECK(ids_remove(&t, id) == &things[2] && ids_find(&t, id) == NULL && ids_remove(&t, id) == NULL);
	heap_fail_after(1);
	CHECK_EQ(ids_adopt(&t, id, &things[2]), ERR_NOMEM);
	for (uint64_t i = 0; i < 300; i++)
		CHECK_EQ(ids_adopt(&t, id + i, &things[i]), OK);
	CHECK(ids_find(&t, id + 299) == &things[299]);
	ids_fini(&old);
	ids_fini(&t);
}
