/* bench/linux/process.c - rows of processes and threads that come and go. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <pthread.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* fork(), the child's _exit(0), waitpid(). */
static void fork_exit_wait(int count)
{
	while (count--) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		child_wait(child);
	}
}

enum { LARGE_BYTES = 32 << 20 };
static char *large;

static bool large_set_up(void)
{
	REQUIRE((large = mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
	memset(large, 1, LARGE_BYTES);
	return true;
}

static void large_tear_down(void)
{
	munmap(large, LARGE_BYTES);
}

/* The same, the child writing to one page of each 2 MiB. */
static void fork_write_wait(int count)
{
	while (count--) {
		pid_t child = fork();
		if (child == 0) {
			for (size_t i = 0; i < LARGE_BYTES; i += 2 << 20)
				large[i] = 2;
			_exit(0);
		}
		child_wait(child);
	}
}

/* The same, the child executing this program, which ends at once. */
static void fork_exec_wait(int count)
{
	while (count--) {
		pid_t child = fork();
		if (child == 0) {
			execl(program_path, program_path, "exit", (char *)NULL);
			_exit(1);
		}
		child_wait(child);
	}
}

/* The same through posix_spawn(), which needs no copy of the parent. */
static void spawn_wait(int count)
{
	char *arguments[] = { (char *)program_path, "exit", NULL }, *environment[] = { NULL };
	pid_t child;

	while (count--) {
		REQUIRE(posix_spawn(&child, program_path, NULL, NULL, arguments, environment) == 0);
		child_wait(child);
	}
}

static void *thread_nothing(void *argument)
{
	return argument;
}

/* pthread_create(), the thread's end, pthread_join(). */
static void thread_create_join(int count)
{
	pthread_t thread;

	while (count--) {
		REQUIRE(pthread_create(&thread, NULL, thread_nothing, NULL) == 0);
		pthread_join(thread, NULL);
	}
}

const struct row process_rows[] = {
	{ .name = "fork-exit-wait", .run = fork_exit_wait, .count = 5 },
	{ .name = "fork-exit-32m", .run = fork_exit_wait, .count = 2, .set_up = large_set_up, .tear_down = large_tear_down },
	{ .name = "fork-write-32m", .run = fork_write_wait, .count = 2, .set_up = large_set_up, .tear_down = large_tear_down },
	{ .name = "fork-exec-wait", .run = fork_exec_wait, .count = 5 },
	{ .name = "posix-spawn", .run = spawn_wait, .count = 5 },
	{ .name = "thread-create-join", .run = thread_create_join, .count = 10 },
	{ 0 },
};
