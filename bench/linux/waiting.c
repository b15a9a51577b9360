/* bench/linux/waiting.c - rows of one thread that watches a thousand pipes. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WATCHED = 1000 };
static int reading[WATCHED], writing[WATCHED], queue;
static struct pollfd watched[WATCHED];

/* The last one made has a byte to be read. */
static bool pipes_set_up(void)
{
	struct rlimit limit = { 3 * WATCHED, 3 * WATCHED };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return false;
	for (int i = 0; i < WATCHED; i++) {
		int ends[2];
		if (pipe(ends))
			return false;
		reading[i] = ends[0];
		writing[i] = ends[1];
		watched[i] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	}
	return write(writing[WATCHED - 1], "x", 1) == 1;
}

static void pipes_tear_down(void)
{
	for (int i = 0; i < WATCHED; i++) {
		close(reading[i]);
		close(writing[i]);
	}
}

static bool epoll_set_up(void)
{
	if (!pipes_set_up() || (queue = epoll_create1(0)) < 0)
		return false;
	for (int i = 0; i < WATCHED; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = reading[i] };
		if (epoll_ctl(queue, EPOLL_CTL_ADD, reading[i], &event))
			return false;
	}
	return true;
}

static void epoll_tear_down(void)
{
	close(queue);
	pipes_tear_down();
}

/* One poll() of 1,000 pipes, of which one can be read. */
static void poll_1000(int count)
{
	while (count--)
		REQUIRE(poll(watched, WATCHED, -1) == 1);
}

/* One epoll_wait() where 1,000 pipes are registered, of which one can be read. */
static void epoll_1000(int count)
{
	struct epoll_event ready[8];

	while (count--)
		REQUIRE(epoll_wait(queue, ready, 8, -1) == 1);
}

const struct row wait_rows[] = {
	{ .name = "poll-1000", .run = poll_1000, .count = 10, .set_up = pipes_set_up, .tear_down = pipes_tear_down },
	{ .name = "epoll-1000", .run = epoll_1000, .count = 200, .set_up = epoll_set_up, .tear_down = epoll_tear_down },
	{ 0 },
};
