/* bench/linux/pairs.c - the row of pairs that have nothing to do with each other: one per CPU, each bound to its own. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <sched.h>
#include <unistd.h>

enum { PAIRS_MAX = 64 };

static void cpu_bind(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
}

static int cpu_count(void)
{
	cpu_set_t all;

	REQUIRE(sched_getaffinity(0, sizeof all, &all) == 0);
	return CPU_COUNT(&all) < PAIRS_MAX ? CPU_COUNT(&all) : PAIRS_MAX;
}

/* Answers bytes until there are no more. */
static void echo(int from, int to)
{
	char byte;

	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		continue;
	_exit(0);
}

/* One pair: says that it is ready, waits until nobody holds the other end of go, does its round trips. */
static void pair(int cpu, int ready, int go, int count)
{
	int ping[2], pong[2];
	char byte = 0;

	cpu_bind(cpu);
	REQUIRE(pipe(ping) == 0 && pipe(pong) == 0);
	pid_t other = fork();
	if (other == 0) {
		close(ping[1]);
		echo(ping[0], pong[1]);
	}
	REQUIRE(write(ping[1], &byte, 1) == 1 && read(pong[0], &byte, 1) == 1);
	REQUIRE(write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 0);
	while (count--)
		REQUIRE(write(ping[1], &byte, 1) == 1 && read(pong[0], &byte, 1) == 1);
	close(ping[1]);
	child_wait(other);
	_exit(0);
}

/* A round trip of a byte over pipes in every pair: with as many CPUs as pairs it takes as long as one alone, if they scale. */
static void pipe_pairs(int count)
{
	int pairs = cpu_count(), ready[2], go[2];
	pid_t child[PAIRS_MAX];
	char byte;

	REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	for (int i = 0; i < pairs; i++)
		if ((child[i] = fork()) == 0) {
			close(go[1]);
			pair(i, ready[1], go[0], count);
		}
	for (int i = 0; i < pairs; i++)
		REQUIRE(read(ready[0], &byte, 1) == 1);
	timer_start();
	close(go[1]);
	for (int i = 0; i < pairs; i++)
		child_wait(child[i]);
	timer_stop();
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
}

const struct row pair_rows[] = {
	{ .name = "pipe-pairs", .run = pipe_pairs, .count = 300, .flags = ROW_TIMES_ITSELF },
	{ 0 },
};
