/* bench/linux/talk.c - rows in which two processes or threads answer each other, and the bandwidth of a pipe.
 *
 * A ping-pong is there and back: one operation is two messages (and, on one CPU, two switches).
 */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FUTEX_WAIT_PRIVATE = 0 | 128, FUTEX_WAKE_PRIVATE = 1 | 128 };       /* futex(2) */
enum { CHUNK = 65536, EVENT_END = 2 };

/* Where we write to and read from; the other side has its own. */
static int to, from;
static pid_t other;
static char chunk[CHUNK];

/* Forks the other side, which answers a byte with a byte until there is no more. Both sides drop what is the other's. */
static void echo_start(int their_in, int their_out)
{
	char byte;

	REQUIRE((other = fork()) >= 0);
	if (other == 0) {
		close(to);
		if (from != to)
			close(from);
		while (read(their_in, &byte, 1) == 1 && write(their_out, &byte, 1) == 1)
			continue;
		_exit(0);
	}
	close(their_in);
	if (their_out != their_in)
		close(their_out);
}

static void echo_stop(void)
{
	close(to);
	if (from != to)
		close(from);
	child_wait(other);
}

static bool pipe_set_up(void)
{
	int ping[2], pong[2];

	REQUIRE(pipe(ping) == 0 && pipe(pong) == 0);
	to = ping[1];
	from = pong[0];
	echo_start(ping[0], pong[1]);
	return true;
}

/* AF_UNIX, a stream. */
static bool socket_set_up(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return false;
	to = from = pair[0];
	echo_start(pair[1], pair[1]);
	return true;
}

/* A byte there, a byte back, through the process on the other side. */
static void byte_ping_pong(int count)
{
	char byte = 0;

	while (count--)
		REQUIRE(write(to, &byte, 1) == 1 && read(from, &byte, 1) == 1);
}

static bool eventfd_set_up(void)
{
	uint64_t value;

	if ((to = eventfd(0, 0)) < 0 || (from = eventfd(0, 0)) < 0)
		return false;
	REQUIRE((other = fork()) >= 0);
	if (other == 0) {
		while (read(to, &value, sizeof value) == sizeof value && value != EVENT_END)
			REQUIRE(write(from, &value, sizeof value) == sizeof value);
		_exit(0);
	}
	return true;
}

static void eventfd_tear_down(void)
{
	uint64_t end = EVENT_END;

	REQUIRE(write(to, &end, sizeof end) == sizeof end);
	child_wait(other);
	close(to);
	close(from);
}

/* An eventfd raised there, another raised back. */
static void eventfd_ping_pong(int count)
{
	uint64_t value = 1;

	while (count--)
		REQUIRE(write(to, &value, sizeof value) == sizeof value && read(from, &value, sizeof value) == sizeof value);
}

/* Whose turn it is; both threads sleep on it. */
static _Atomic uint32_t turn;
enum { OURS, THEIRS, END };
static pthread_t partner;

static void turn_wait_while(uint32_t value)
{
	while (turn == value)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void turn_give(uint32_t value)
{
	turn = value;
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_partner(void *unused)
{
	for (;;) {
		turn_wait_while(OURS);
		if (turn == END)
			return unused;
		turn_give(OURS);
	}
}

static bool futex_set_up(void)
{
	turn = OURS;
	REQUIRE(pthread_create(&partner, NULL, futex_partner, NULL) == 0);
	return true;
}

static void futex_tear_down(void)
{
	turn_give(END);
	pthread_join(partner, NULL);
}

/* Two threads of one process: a wake and a wait on each side. */
static void futex_ping_pong(int count)
{
	while (count--) {
		turn_give(THEIRS);
		turn_wait_while(THEIRS);
	}
}

/* Two processes on one CPU give the turn to each other through a shared page. */
static _Atomic uint32_t *shared_turn;

static void turn_yield_while(uint32_t value)
{
	while (*shared_turn == value)
		sched_yield();
}

static bool yield_set_up(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	REQUIRE(sched_setaffinity(0, sizeof first, &first) == 0);
	shared_turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared_turn != MAP_FAILED);
	*shared_turn = OURS;
	REQUIRE((other = fork()) >= 0);
	if (other == 0) {
		while (turn_yield_while(OURS), *shared_turn != END)
			*shared_turn = OURS;
		_exit(0);
	}
	return true;
}

static void yield_tear_down(void)
{
	cpu_set_t all;

	*shared_turn = END;
	child_wait(other);
	munmap((void *)shared_turn, 4096);
	memset(&all, 0xff, sizeof all);
	REQUIRE(sched_setaffinity(0, sizeof all, &all) == 0);
}

/* The turn goes to the other process and comes back; who waits yields. That is two switches. */
static void yield(int count)
{
	while (count--) {
		*shared_turn = THEIRS;
		turn_yield_while(THEIRS);
	}
}

/* The other process reads all there is and answers nothing. */
static bool sink_set_up(void)
{
	int ends[2];

	REQUIRE(pipe(ends) == 0 && (other = fork()) >= 0);
	if (other == 0) {
		close(ends[1]);
		while (read(ends[0], chunk, CHUNK) > 0)
			continue;
		_exit(0);
	}
	close(ends[0]);
	to = from = ends[1];
	return true;
}

/* 64 KiB written to a pipe that another process empties. */
static void pipe_bandwidth(int count)
{
	while (count--)
		for (size_t done = 0; done < CHUNK;) {
			ssize_t some = write(to, chunk + done, CHUNK - done);
			REQUIRE(some > 0);
			done += (size_t)some;
		}
}

const struct row talk_rows[] = {
	{ .name = "pipe-ping-pong", .run = byte_ping_pong, .count = 200, .set_up = pipe_set_up, .tear_down = echo_stop },
	{ .name = "socketpair-ping-pong", .run = byte_ping_pong, .count = 200, .set_up = socket_set_up, .tear_down = echo_stop },
	{ .name = "eventfd-ping-pong", .run = eventfd_ping_pong, .count = 200, .set_up = eventfd_set_up, .tear_down = eventfd_tear_down },
	{ .name = "futex-ping-pong", .run = futex_ping_pong, .count = 200, .set_up = futex_set_up, .tear_down = futex_tear_down },
	{ .name = "context-switch", .run = yield, .count = 200, .per = 2, .set_up = yield_set_up, .tear_down = yield_tear_down },
	{ .name = "pipe-bandwidth", .run = pipe_bandwidth, .count = 20, .set_up = sink_set_up, .tear_down = echo_stop },
	{ 0 },
};
