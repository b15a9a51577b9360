/* bench/bench.c - what common operations cost, as a static Linux program that runs on Cathode and Linux alike.
 *
 * Counts ticks of the time stamp counter, which under QEMU's `-icount shift=0` are guest instructions. Prints a line
 * "name<tab>ticks" per operation: the median of several batches. The first line is the counter when main began.
 * With the argument `calls` only the plainest operations.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FUTEX_WAKE_PRIVATE = 1 | 128 };  /* Linux's, futex(2) */
enum { BATCHES = 9, PAGE = 4096, PAGES = 128 };

static const char *self;
static int zero_fd, null_fd, own_pipe[2], ping[2], pong[2];
static uint64_t batch_ticks;            /* of a batch that measures only a part of itself */

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

#define REQUIRE(x) do { if (!(x)) fail(#x); } while (0)

static void null_call(int count)
{
	while (count--)
		syscall(SYS_getppid);
}

static void clock_read(int count)
{
	struct timespec now;

	while (count--)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

static void read_zero(int count)
{
	char byte;

	while (count--)
		REQUIRE(read(zero_fd, &byte, 1) == 1);
}

static void write_null(int count)
{
	while (count--)
		REQUIRE(write(null_fd, "x", 1) == 1);
}

static void pipe_self(int count)
{
	char byte = 0;

	while (count--)
		REQUIRE(write(own_pipe[1], &byte, 1) == 1 && read(own_pipe[0], &byte, 1) == 1);
}

static void pipe_round_trip(int count)
{
	char byte = 0;

	while (count--)
		REQUIRE(write(ping[1], &byte, 1) == 1 && read(pong[0], &byte, 1) == 1);
}

static void futex_wake(int count)
{
	static uint32_t word;

	while (count--)
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void open_close(int count)
{
	while (count--) {
		int fd = open("/tmp/bench.file", O_RDONLY);
		REQUIRE(fd >= 0);
		close(fd);
	}
}

static void stat_file(int count)
{
	struct stat info;

	while (count--)
		REQUIRE(stat("/tmp/bench.file", &info) == 0);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static void signal_self(int count)
{
	while (count--)
		raise(SIGUSR1);
}

static char *pages_map(void)
{
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(pages != MAP_FAILED);
	return pages;
}

static void pages_touch(char *pages)
{
	for (int i = 0; i < PAGES; i++)
		((volatile char *)pages)[i * PAGE] = 1;
}

/* Ticks of touching PAGES pages. */
static uint64_t touch_ticks(char *pages)
{
	uint64_t start = ticks();

	pages_touch(pages);
	return ticks() - start;
}

static void fault_zero(int count)
{
	(void)count;
	char *pages = pages_map();
	batch_ticks = touch_ticks(pages);
	munmap(pages, PAGES * PAGE);
}

/* A child shares the pages until the parent has written all of them. */
static void fault_copy(int count)
{
	int hold[2];
	char byte;

	(void)count;
	char *pages = pages_map();
	pages_touch(pages);
	REQUIRE(pipe(hold) == 0);
	pid_t child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0);
	}
	close(hold[0]);
	batch_ticks = touch_ticks(pages);
	close(hold[1]);
	REQUIRE(waitpid(child, NULL, 0) == child);
	munmap(pages, PAGES * PAGE);
}

static void map_touch_unmap(int count)
{
	while (count--) {
		char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(page != MAP_FAILED);
		*(volatile char *)page = 1;
		munmap(page, PAGE);
	}
}

static void fork_exit_wait(int count)
{
	while (count--) {
		pid_t child = fork();
		REQUIRE(child >= 0);
		if (child == 0)
			_exit(0);
		REQUIRE(waitpid(child, NULL, 0) == child);
	}
}

static void fork_exec_wait(int count)
{
	int status;

	while (count--) {
		pid_t child = fork();
		REQUIRE(child >= 0);
		if (child == 0) {
			execl(self, self, "exit", (char *)NULL);
			_exit(1);
		}
		REQUIRE(waitpid(child, &status, 0) == child && status == 0);
	}
}

static void *thread_nothing(void *argument)
{
	return argument;
}

static void thread_create_join(int count)
{
	pthread_t thread;

	while (count--) {
		REQUIRE(pthread_create(&thread, NULL, thread_nothing, NULL) == 0);
		pthread_join(thread, NULL);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Runs batches of count operations; prints the median per operation. divisor: operations that one batch stands for. */
static void measure(const char *name, void (*batch)(int), int count, int divisor)
{
	uint64_t took[BATCHES];

	batch(count);
	for (int i = 0; i < BATCHES; i++) {
		batch_ticks = 0;
		uint64_t start = ticks();
		batch(count);
		uint64_t all = ticks() - start;
		took[i] = batch_ticks ? batch_ticks : all;
	}
	qsort(took, BATCHES, sizeof took[0], compare);
	printf("%s\t%llu\n", name, (unsigned long long)(took[BATCHES / 2] / divisor));
	fflush(stdout);
}

/* The other end of the ping-pong. */
static pid_t echo_start(void)
{
	char byte;

	REQUIRE(pipe(ping) == 0 && pipe(pong) == 0);
	pid_t child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		close(ping[1]);
		while (read(ping[0], &byte, 1) == 1 && write(pong[1], &byte, 1) == 1)
			continue;
		_exit(0);
	}
	close(ping[0]);
	close(pong[1]);
	return child;
}

static void measure_ping_pong(void)
{
	pid_t child = echo_start();

	measure("pipe round trip 1 B", pipe_round_trip, 200, 200);
	close(ping[1]);
	close(pong[0]);
	REQUIRE(waitpid(child, NULL, 0) == child);
}

static void set_up(const char *program)
{
	self = program;
	REQUIRE((zero_fd = open("/dev/zero", O_RDONLY)) >= 0);
	REQUIRE((null_fd = open("/dev/null", O_WRONLY)) >= 0);
	REQUIRE(pipe(own_pipe) == 0);
	int fd = open("/tmp/bench.file", O_CREAT | O_WRONLY, 0644);
	REQUIRE(fd >= 0);
	close(fd);
	REQUIRE(signal(SIGUSR1, on_signal) != SIG_ERR);
}

int main(int argc, char **argv)
{
	uint64_t booted = ticks();

	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	printf("boot to first program\t%llu\n", (unsigned long long)booted);
	set_up(argv[0]);
	measure("null call (getppid)", null_call, 500, 500);
	measure("clock_gettime", clock_read, 500, 500);
	measure("read 1 B of /dev/zero", read_zero, 300, 300);
	measure("write 1 B to /dev/null", write_null, 300, 300);
	measure("pipe write+read 1 B, alone", pipe_self, 300, 300);
	if (argc > 1 && strcmp(argv[1], "calls") == 0)
		return 0;
	measure_ping_pong();
	measure("futex wake, nobody waits", futex_wake, 300, 300);
	measure("open+close", open_close, 100, 100);
	measure("stat", stat_file, 100, 100);
	measure("signal to self", signal_self, 100, 100);
	measure("page fault, zero", fault_zero, 1, PAGES);
	measure("page fault, copy on write", fault_copy, 1, PAGES);
	measure("mmap+touch+munmap", map_touch_unmap, 50, 50);
	measure("fork+exit+wait", fork_exit_wait, 5, 5);
	measure("fork+exec+wait", fork_exec_wait, 5, 5);
	measure("thread create+join", thread_create_join, 10, 10);
	return 0;
}
