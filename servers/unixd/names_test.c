/* servers/unixd/names_test.c - names of sockets: given once, free again when the socket is gone, bounded per user. */
#include "servers/unixd/names.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/test/test.h"

static bool alive[NAMES_MAX * 2];
static int dropped;
static struct names names;

static bool is_alive(handle_t h) { return alive[h]; }
static void drop(handle_t h) { (void)h; dropped++; }

static void begin(void)
{
	memset(alive, 1, sizeof(alive));
	dropped = 0;
	names_init(&names, is_alive, drop);
}

static void end(void)
{
	memset(alive, 0, sizeof(alive));
	struct name *e, *next;
	for (size_t i = 0; i < NAME_BUCKETS; i++)
		list_each_safe(e, next, &names.buckets[i], link) {
			list_remove(&e->link);
			heap_delete(e);
		}
}

TEST(a_name_leads_to_its_socket_and_is_given_once)
{
	const struct name *n;
	handle_t h;

	begin();
	CHECK_EQ(names_find(&names, "a", 1, &h), ERR_CONNREFUSED);
	CHECK_EQ(names_add(&names, "a", 1, 5, 7, &n), OK);
	CHECK_EQ(names_add(&names, "a\0", 2, 5, 8, &n), OK);
	CHECK_EQ(names_add(&names, "a", 1, 5, 9, &n), ERR_ADDRINUSE);
	CHECK_EQ(names_find(&names, "a", 1, &h), OK);
	CHECK_EQ(h, 7);
	CHECK_EQ(names_find(&names, "a\0", 2, &h), OK);
	CHECK_EQ(h, 8);
	end();
}

TEST(the_name_of_a_dead_socket_is_free)
{
	const struct name *n;
	handle_t h;

	begin();
	CHECK_EQ(names_add(&names, "a", 1, 5, 7, &n), OK);
	alive[7] = false;
	CHECK_EQ(names_find(&names, "a", 1, &h), ERR_CONNREFUSED);
	CHECK_EQ(dropped, 1);
	CHECK_EQ(names_add(&names, "a", 1, 6, 8, &n), OK);
	alive[8] = false;
	CHECK_EQ(names_add(&names, "a", 1, 6, 9, &n), OK);
	CHECK_EQ(dropped, 2);
	end();
}

TEST(an_empty_name_becomes_one_that_nobody_has)
{
	const struct name *first, *second;

	begin();
	CHECK_EQ(names_add(&names, "\0" "00002", 6, 5, 1, &first), OK);
	CHECK_EQ(names_add(&names, "", 0, 5, 2, &first), OK);
	CHECK_EQ(names_add(&names, "", 0, 5, 3, &second), OK);
	CHECK_EQ(first->bytes, NAME_MADE_BYTES);
	CHECK(memcmp(first->text, "\0" "00001", 6) == 0);
	CHECK(memcmp(second->text, "\0" "00003", 6) == 0);
	end();
}

TEST(one_user_cannot_take_all_names)
{
	const struct name *n;
	char text[PIPE_NAME_MAX + 1] = { 0 };

	begin();
	for (handle_t i = 0; i < NAMES_PER_USER; i++)
		CHECK_EQ(names_add(&names, "", 0, 5, i, &n), OK);
	CHECK_EQ(names_add(&names, "", 0, 5, NAMES_PER_USER, &n), ERR_NOSPC);
	CHECK_EQ(names_add(&names, "x", 1, 6, NAMES_PER_USER, &n), OK);
	alive[3] = false;
	CHECK_EQ(names_add(&names, "", 0, 5, NAMES_PER_USER + 1, &n), OK);
	CHECK_EQ(dropped, 1);
	CHECK_EQ(names_add(&names, text, PIPE_NAME_MAX + 1, 6, NAMES_PER_USER + 2, &n), ERR_INVAL);
	end();
}
