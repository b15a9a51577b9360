/* tests/linux/disk_gap.c - how long the disk that DISK names does not answer when its driver, DRIVER, is killed under load. Run where QEMU counts
 * instructions, so that a busy host is no gap; there the clock leaps while the CPU has nothing to do, so somebody always has.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { READERS = 4, BYTES = 64 << 10, PLACES = 128, KILLS = 10, PAUSE_US = 300, BETWEEN_KILLS_US = 1050000 };
#define GAP_MAX_NS 50000000ull

static _Atomic bool is_over;
static _Atomic uint64_t longest_ns, faults, reads;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *reader(void *number)
{
	static uint8_t buffer[READERS][BYTES] __attribute__((aligned(4096)));
	int fd = open(getenv("DISK"), O_RDONLY | O_DIRECT);

	for (uint64_t i = (uint64_t)number; !is_over; i++) {
		uint64_t start = now();
		faults += pread(fd, buffer[(uint64_t)number], BYTES, (off_t)(i % PLACES * BYTES)) != BYTES;
		uint64_t gap = now() - start, before = longest_ns;
		while (gap > before && !atomic_compare_exchange_weak(&longest_ns, &before, gap))
			;
		reads++;
		usleep(PAUSE_US);
	}
	close(fd);
	return NULL;
}

/* Lets everybody else go first. */
static pid_t idler_start(void)
{
	pid_t child = fork();

	if (child == 0) {
		(void)!nice(19);
		for (;;)
			atomic_signal_fence(memory_order_seq_cst);
	}
	return child;
}

static void driver_kill(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl("/usr/bin/svc", "svc", "kill", getenv("DRIVER"), NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(who_reads_goes_on_within_50_ms_of_a_killed_driver)
{
	pthread_t thread[READERS];
	pid_t idler = idler_start();

	CHECK(idler > 0);
	for (uint64_t i = 0; i < READERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, reader, (void *)i), 0);
	for (int i = 0; i < KILLS; i++) {
		usleep(BETWEEN_KILLS_US + i * 137);
		driver_kill();
	}
	usleep(BETWEEN_KILLS_US);
	is_over = true;
	for (int i = 0; i < READERS; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	CHECK(kill(idler, SIGKILL) == 0 && waitpid(idler, NULL, 0) == idler);
	printf("# %llu reads, the longest took %llu us\n", (unsigned long long)reads, (unsigned long long)longest_ns / 1000);
	CHECK_EQ(faults, 0);
	CHECK(longest_ns < GAP_MAX_NS);
}
