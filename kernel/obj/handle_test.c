/* kernel/obj/handle_test.c - handle tables: the rules one by one, then random operations against an array. */
#include "kernel/obj/handle.h"
#include "kernel/mem/account.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

enum { HIGH = HANDLE_PRIVATE };
static uint64_t free_frames;
static uint32_t alive;
static struct handle_table table;

static void count_destroyed(struct resource *r) { alive--; (void)r; }

static const struct resource_ops ops = { .name = "test", .destroy = count_destroyed };

static struct passed passed(uint64_t id, uint32_t rights, uint32_t flags)
{
	struct passed p = { .rights = rights, .flags = flags };
	CHECK_EQ(resource_create(&ops, NULL, 0, &p.resource), OK);
	p.resource->id = id;
	alive++;
	return p;
}

static void start(struct account *a)
{
	free_frames = machine_start(32 << 20);
	alive = 0;
	handle_table_init(&table, a);
}

static void finish(void)
{
	handle_table_fini(&table);
	CHECK_EQ(alive, 0);
	machine_check_free(free_frames);
}

static handle_t open_at(handle_t at_least, uint64_t id)
{
	struct passed p = passed(id, RIGHT_ALL, 0);
	return handle_open(&table, &p, at_least);
}

/* Whose resource h is; 0: nobody's. */
static uint64_t id_at(struct handle_table *t, handle_t h)
{
	struct resource *r;
	if (handle_find(t, h, 0, &r, NULL))
		return 0;
	uint64_t id = r->id;
	resource_put(r);
	return id;
}

TEST(new_handles_get_the_lowest_free_number)
{
	start(NULL);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(open_at(0, 1), i);
	CHECK_EQ(handle_close(&table, 7), OK);
	CHECK_EQ(handle_close(&table, 3), OK);
	CHECK_EQ(open_at(0, 1), 3);
	CHECK_EQ(open_at(10, 1), 20);
	CHECK_EQ(open_at(0, 1), 7);
	CHECK_EQ(open_at(HIGH, 1), HIGH);
	CHECK_EQ(open_at(HIGH, 1), HIGH + 1);
	CHECK_EQ(open_at(0, 1), 21);
	CHECK_EQ(open_at(-1, 1), ERR_INVAL);
	finish();
}

TEST(numbers_that_are_not_open_are_refused)
{
	const handle_t bad[] = { 0, -1, 15, 16, 100000, HIGH, HIGH + 1, INT32_MAX, INT32_MIN };
	struct resource *r;
	start(NULL);
	struct passed p = passed(1, RIGHT_ALL, 0);
	CHECK_EQ(open_at(1, 1), 1);
	CHECK_EQ(handle_close(&table, 1), OK);
	CHECK_EQ(handle_close(&table, 1), ERR_BADF);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_EQ(handle_find(&table, bad[i], 0, &r, NULL), ERR_BADF);
		CHECK_EQ(handle_close(&table, bad[i]), ERR_BADF);
		CHECK_EQ(handle_set_cloexec(&table, bad[i], true), ERR_BADF);
	}
	const handle_t beyond[] = { -1, HANDLE_SEGMENT_MAX, HIGH + HANDLE_SEGMENT_MAX, INT32_MAX };
	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		resource_get(p.resource);       /* what is refused is dropped */
		CHECK_EQ(handle_replace(&table, beyond[i], &p), ERR_BADF);
	}
	resource_put(p.resource);
	finish();
}

TEST(rights_are_needed_and_never_come_back)
{
	struct resource *r;
	uint32_t rights;
	start(NULL);
	struct passed p = passed(5, RIGHT_READ, 0);
	CHECK_EQ(handle_replace(&table, 0, &p), OK);
	CHECK_EQ(handle_find(&table, 0, RIGHT_WRITE, &r, &rights), ERR_ACCES);
	CHECK_EQ(handle_find(&table, 0, RIGHT_MAP, &r, &rights), ERR_ACCES);
	CHECK_EQ(handle_find(&table, 0, RIGHT_READ, &r, &rights), OK);
	CHECK_EQ(rights, RIGHT_READ);
	resource_put(r);
	finish();
}

TEST(the_limit_holds_for_public_numbers_only)
{
	start(NULL);
	struct passed p = passed(1, RIGHT_ALL, 0);
	handle_set_limit(&table, 2);
	CHECK_EQ(open_at(0, 1), 0);
	CHECK_EQ(open_at(0, 1), 1);
	CHECK_EQ(open_at(0, 1), ERR_MFILE);
	CHECK_EQ(open_at(5, 1), ERR_MFILE);
	resource_get(p.resource);
	CHECK_EQ(handle_replace(&table, 2, &p), ERR_BADF);
	CHECK_EQ(open_at(HIGH, 1), HIGH);
	CHECK_EQ(handle_replace(&table, 1, &p), OK);
	CHECK_EQ(alive, 3);
	finish();
}

TEST(exec_closes_what_is_marked)
{
	start(NULL);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(open_at(i % 2 ? HIGH : 0, 1), i % 2 ? HIGH + i / 2 : i / 2);
	CHECK_EQ(handle_set_cloexec(&table, 0, true), OK);
	CHECK_EQ(handle_set_cloexec(&table, 1, true), OK);
	CHECK_EQ(handle_set_cloexec(&table, 1, false), OK);
	CHECK_EQ(handle_set_cloexec(&table, HIGH + 2, true), OK);
	CHECK_EQ(handle_close(&table, HIGH + 2), OK);
	CHECK_EQ(open_at(HIGH, 1), HIGH + 2);
	CHECK_EQ(handle_set_cloexec(&table, HIGH, true), OK);
	handle_close_on_exec(&table);
	CHECK_EQ(handle_next(&table, 0), 1);
	CHECK_EQ(handle_next(&table, 3), HIGH + 1);
	CHECK_EQ(handle_next(&table, HIGH + 2), HIGH + 2);
	CHECK_EQ(handle_next(&table, HIGH + 3), ERR_BADF);
	CHECK_EQ(handle_next(&table, -2), ERR_BADF);
	CHECK_EQ(alive, 4);
	finish();
}

TEST(a_quota_is_charged_for_the_room_and_given_back)
{
	const struct account_limits limits = { .pages = UINT64_MAX, .threads = 0, .handles = 40 };
	struct account_info info;
	struct account *a;
	free_frames = machine_start(32 << 20);
	CHECK_EQ(account_create(NULL, &limits, &a), OK);
	handle_table_init(&table, a);
	for (int i = 0; i < 32; i++)
		CHECK_EQ(open_at(0, 1), i);
	CHECK_EQ(open_at(0, 1), ERR_MFILE);
	CHECK_EQ(open_at(HIGH, 1), ERR_MFILE);
	handle_table_fini(&table);
	account_info(a, &info);
	CHECK_EQ(info.used.handles, 0);
	CHECK_EQ(alive, 0);
	account_put(a);
	machine_check_free(free_frames);
}

TEST(a_copy_has_the_same_handles_and_a_failed_one_leaks_none)
{
	struct handle_table copy;
	for (uint64_t n = 0; n < 4; n++) {
		start(NULL);
		CHECK_EQ(open_at(3, 11), 3);
		CHECK_EQ(open_at(40, 12), 40);
		CHECK_EQ(open_at(HIGH, 13), HIGH);
		CHECK_EQ(handle_set_cloexec(&table, 3, true), OK);
		handle_table_init(&copy, NULL);
		heap_fail_after(n);
		err_t err = handle_table_copy(&copy, &table, true);
		heap_fail_after(0);
		CHECK_EQ(err, n == 1 || n == 2 ? ERR_NOMEM : OK);
		if (!err) {
			CHECK_EQ(id_at(&copy, 3), 11);
			CHECK_EQ(id_at(&copy, 40), 12);
			CHECK_EQ(id_at(&copy, HIGH), 13);
			handle_close_on_exec(&copy);
			CHECK_EQ(id_at(&copy, 3), 0);
			CHECK_EQ(id_at(&table, 3), 11);
		}
		handle_table_fini(&copy);
		CHECK_EQ(alive, 3);
		finish();
	}
}

TEST(random_operations_agree_with_an_array)
{
	enum { NUMBERS = 200 };
	static uint64_t model[2][NUMBERS];
	start(NULL);
	memset(model, 0, sizeof model);
	for (uint64_t step = 1; step < 20000; step++) {
		uint32_t part = test_random() % 2, n = (uint32_t)(test_random() % NUMBERS), lowest = n;
		handle_t h = (handle_t)n + (part ? HIGH : 0);
		while (lowest < NUMBERS && model[part][lowest])
			lowest++;
		if (test_random() % 2) {
			CHECK_EQ(handle_close(&table, h), model[part][n] ? OK : ERR_BADF);
			model[part][n] = 0;
		} else if (test_random() % 4 == 0) {
			struct passed p = passed(step, RIGHT_ALL, 0);
			CHECK_EQ(handle_replace(&table, h, &p), OK);
			model[part][n] = step;
		} else if (lowest < NUMBERS) {
			CHECK_EQ(open_at(h, step), (handle_t)lowest + (part ? HIGH : 0));
			model[part][lowest] = step;
		}
		CHECK_EQ(id_at(&table, h), model[part][n]);
	}
	finish();
}
