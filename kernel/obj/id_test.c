/* kernel/obj/id_test.c - numbers of processes and threads: who gets which, and when they come back. */
#include "kernel/obj/id.h"
#include "kernel/mem/heap.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

static struct object objects[ID_MAX];

/* The table keeps its memory from test to test. */
static void start(void)
{
	static bool started;
	if (!started)
		machine_start(64 << 20);
	started = true;
}

static uint32_t add(enum id_kind kind, struct object *o, uint32_t wanted)
{
	uint32_t id = 0;
	object_init(o);
	CHECK_EQ(id_add(kind, o, wanted, &id), OK);
	CHECK(id > 0 && id < ID_MAX);
	return id;
}

TEST(a_first_thread_has_its_processs_number_and_the_next_another)
{
	start();
	uint32_t pid = add(ID_PROCESS, &objects[0], 0), first = add(ID_THREAD, &objects[1], pid), second = add(ID_THREAD, &objects[2], pid);
	CHECK_EQ(first, pid);
	CHECK(second != pid);
	CHECK_EQ(id_count(ID_PROCESS), 1);
	CHECK_EQ(id_count(ID_THREAD), 2);
	/* Exec: the second is the only one left and takes the number. */
	id_remove(ID_THREAD, first);
	id_swap(ID_THREAD, second, pid);
	CHECK(id_find(ID_THREAD, pid) == &objects[2]);
	CHECK(id_find(ID_THREAD, second) == NULL);
	CHECK(id_find(ID_PROCESS, second) == NULL);
	CHECK(id_find(ID_PROCESS, pid) == &objects[0]);
	id_remove(ID_THREAD, pid);
	id_remove(ID_PROCESS, pid);
	CHECK_EQ(id_count(ID_PROCESS) + id_count(ID_THREAD), 0);
}

TEST(nobody_is_found_under_strange_numbers_or_once_dying)
{
	start();
	uint32_t pid = add(ID_PROCESS, &objects[0], 0);
	const uint32_t strange[] = { 0, ID_MAX, ID_MAX + 1, UINT32_MAX, pid + 1 };
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
		CHECK(id_find(ID_PROCESS, strange[i]) == NULL);
	CHECK(object_put(&objects[0]));
	CHECK(id_find(ID_PROCESS, pid) == NULL);
	CHECK_EQ(id_next(ID_PROCESS, 1), pid);
	id_remove(ID_PROCESS, pid);
	CHECK_EQ(id_next(ID_PROCESS, 1), 0);
}

TEST(numbers_run_out_and_come_back_late)
{
	static uint32_t ids[ID_MAX];
	uint32_t id, at = 0;
	start();
	for (uint32_t i = 1; i < ID_MAX; i++)
		ids[i] = add(i % 2 ? ID_PROCESS : ID_THREAD, &objects[i], 0);
	object_init(&objects[0]);
	CHECK_EQ(id_add(ID_PROCESS, &objects[0], 0, &id), ERR_AGAIN);
	id_remove(ID_PROCESS, ids[1]);
	id_remove(ID_PROCESS, ids[101]);
	uint32_t one = add(ID_THREAD, &objects[0], 0), other = add(ID_THREAD, &objects[1], 0);
	CHECK_EQ(one + other, ids[1] + ids[101]);
	CHECK(one == ids[1] || one == ids[101]);
	id_remove(ID_THREAD, ids[1]);
	id_remove(ID_THREAD, ids[101]);
	uint32_t found = 0;
	while ((at = id_next(ID_PROCESS, at + 1)) != 0)
		found++;
	CHECK_EQ(found, id_count(ID_PROCESS));
	for (uint32_t i = 2; i < ID_MAX; i++)
		if (i != 101)
			id_remove(i % 2 ? ID_PROCESS : ID_THREAD, ids[i]);
	CHECK_EQ(id_count(ID_PROCESS) + id_count(ID_THREAD), 0);
}
