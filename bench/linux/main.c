/* bench/linux/main.c - what common operations cost, as a static Linux program that runs on Cathode and Linux alike.
 *
 * bench [ROW,ROW...] [-- PROGRAM [ARG...]]: measures these rows, or all but those of disks; then becomes PROGRAM. Prints "name<tab>median<tab>fastest"
 * in thousandths of a tick per operation, or "name<tab>absent"; first the ticks when main began, how many there are
 * in a second, and the KiB of memory that nobody used.
 */
#include "bench/linux/rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALIBRATION_NS = 20000000 };

static const struct row *const tables[] = { call_rows, talk_rows, memory_rows, process_rows, file_rows, wait_rows, program_rows, pair_rows, disk_rows };
const char *program_path;

void fail(const char *what)
{
	perror(what);
	exit(1);
}

void child_wait(pid_t child)
{
	int status;

	REQUIRE(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t ticks_per_second(void)
{
	uint64_t since_ns = now_ns(), since = timer_ticks(), ns;

	while ((ns = now_ns() - since_ns) < CALIBRATION_NS)
		continue;
	return (uint64_t)((double)(timer_ticks() - since) * 1e9 / (double)ns);
}

static void print_line(const char *name, uint64_t median, uint64_t fastest)
{
	printf("%s\t%llu\t%llu\n", name, (unsigned long long)median, (unsigned long long)fastest);
	fflush(stdout);
}

static void print_absent(const char *name)
{
	printf("%s\tabsent\n", name);
	fflush(stdout);
}

/* MemFree of /proc/meminfo. */
static uint64_t free_kib(void)
{
	char line[128];
	unsigned long long free = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "MemFree: %llu", &free) == 1)
			break;
	if (file)
		fclose(file);
	return free;
}

/* wanted: names with commas between; NULL: all are. */
static bool is_wanted(const char *name, const char *wanted)
{
	size_t bytes = strlen(name);

	for (const char *at = wanted; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, bytes) == 0 && (at[bytes] == ',' || !at[bytes]))
			return true;
	}
	return !wanted;
}

static void measure_all(const char *wanted)
{
	for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++)
		for (const struct row *row = tables[i]; row->name && (wanted || tables[i] != disk_rows); row++)
			if (is_wanted(row->name, wanted))
				row_measure(row, print_line, print_absent);
}

int main(int argc, char **argv)
{
	uint64_t began = timer_ticks();
	int next = 1;

	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	program_path = argv[0];
	uint64_t unused_kib = free_kib();
	print_line("began", began, began);
	print_line("free-kib", unused_kib, unused_kib);
	uint64_t second = ticks_per_second();
	print_line("second", second, second);
	if (argc > next && strcmp(argv[next], "--") != 0)
		measure_all(argv[next++]);
	else
		measure_all(NULL);
	if (argc > next + 1) {
		execv(argv[next + 1], argv + next + 1);
		fail(argv[next + 1]);
	}
	return 0;
}
