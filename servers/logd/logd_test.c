/* servers/logd/logd_test.c - the ring, the lines and the echo. */
#include "lib/test/test.h"
#include "servers/logd/echo.h"
#include "servers/logd/lines.h"
#include "servers/logd/ring.h"

static char collected[4096];

static void collect(void *context, const char *text, size_t bytes)
{
	(void)context;
	strncat(collected, text, bytes);
	strcat(collected, "|");
}

TEST(lines_come_out_whole_whatever_the_pieces)
{
	struct lines l = { .used = 0 };

	collected[0] = 0;
	lines_add(&l, "one\ntw", 6, collect, NULL);
	lines_add(&l, "o\r\n\n", 4, collect, NULL);
	lines_add(&l, "thr", 3, collect, NULL);
	lines_flush(&l, collect, NULL);
	lines_flush(&l, collect, NULL);
	CHECK_STR(collected, "one|two|thr|");
}

TEST(control_characters_reach_no_terminal)
{
	struct lines l = { .used = 0 };

	collected[0] = 0;
	lines_add(&l, "a\tb\033[2J\177\0c\303\244\n", 13, collect, NULL);
	CHECK_STR(collected, "a\tb?[2J??c\303\244|");
}

TEST(a_line_without_end_is_cut)
{
	struct lines l = { .used = 0 };

	collected[0] = 0;
	for (int i = 0; i < LINE_BYTES_MAX + 10; i++)
		lines_add(&l, "x", 1, collect, NULL);
	CHECK_EQ(strlen(collected), LINE_BYTES_MAX + 1);
	CHECK_EQ(l.used, 10);
}

TEST(the_ring_keeps_the_newest_and_begins_with_a_whole_line)
{
	char bytes[16], out[64] = "";
	struct ring r;
	uint64_t position = 0;

	ring_init(&r, bytes, sizeof(bytes));
	ring_put(&r, "first\n", 6);
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 6);
	ring_put(&r, "second\nthird\n", 13);
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 13);
	CHECK_MEM(out, "second\nthird\n", 13);
	position = 0;
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 13);
	ring_put(&r, "4\n", 2);
	position = 0;
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 15);
	ring_put(&r, "fifth\n", 6);
	position = 1;
	CHECK_EQ(ring_read(&r, &position, out, 8), 8);
	CHECK_MEM(out, "third\n4\n", 8);
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 6);
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 0);
	position = UINT64_MAX;
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 0);
	CHECK_EQ(position, r.end);
}

TEST(more_than_the_ring_holds_leaves_the_end)
{
	char bytes[8], out[16];
	struct ring r;
	uint64_t position = 0;

	ring_init(&r, bytes, sizeof(bytes));
	ring_put(&r, "0123456789\nab\n", 14);
	CHECK_EQ(ring_read(&r, &position, out, sizeof(out)), 3);
	CHECK_MEM(out, "ab\n", 3);
}

TEST(own_lines_are_known_again_in_order_and_once)
{
	struct echo e = { .sent = 0 };

	echo_sent(&e, "a", 1);
	echo_sent(&e, "b", 1);
	echo_sent(&e, "c", 1);
	CHECK(!echo_is_ours(&e, "kernel", 6));
	CHECK(echo_is_ours(&e, "a", 1));
	CHECK(!echo_is_ours(&e, "a", 1));
	/* b was lost. */
	CHECK(echo_is_ours(&e, "c", 1));
	CHECK(!echo_is_ours(&e, "b", 1));
	for (int i = 0; i < ECHO_COUNT * 2; i++)
		echo_sent(&e, "x", 1);
	CHECK(echo_is_ours(&e, "x", 1));
}
