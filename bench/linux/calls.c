/* bench/linux/calls.c - rows of calls that nobody waits for. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One getppid(), as a system call instruction. */
static void linux_getppid(int count)
{
	while (count--)
		syscall(SYS_getppid);
}

/* One clock_gettime(CLOCK_MONOTONIC), by way of the C library (the vDSO where it has one). */
static void clock_read(int count)
{
	struct timespec now;

	while (count--)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static bool signal_set_up(void)
{
	REQUIRE(signal(SIGUSR1, on_signal) != SIG_ERR);
	return true;
}

/* A signal to the own thread: sent, its handler entered and left. One tgkill(), no masking around it. */
static void signal_round_trip(int count)
{
	pid_t pid = getpid(), tid = (pid_t)syscall(SYS_gettid);

	while (count--)
		syscall(SYS_tgkill, pid, tid, SIGUSR1);
}

const struct row call_rows[] = {
	{ .name = "linux-getppid", .run = linux_getppid, .count = 500 },
	{ .name = "clock-gettime", .run = clock_read, .count = 500 },
	{ .name = "signal-round-trip", .run = signal_round_trip, .count = 100, .set_up = signal_set_up },
	{ 0 },
};
