/* bench/linux/memory.c - rows of page faults and mappings. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 128 };
static const char file_path[] = "/tmp/bench.pages";
static int file;

static char *pages_map(int flags, int fd)
{
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	REQUIRE(pages != MAP_FAILED);
	return pages;
}

static void pages_write(char *pages)
{
	for (int i = 0; i < PAGES; i++)
		((volatile char *)pages)[i * PAGE] = 1;
}

/* First write to each of PAGES anonymous pages; only the touching counts. */
static void fault_zero(int count)
{
	while (count--) {
		char *pages = pages_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
		timer_start();
		pages_write(pages);
		timer_stop();
		munmap(pages, PAGES * PAGE);
	}
}

/* First write to each of PAGES pages that a forked child shares; only the touching counts. */
static void fault_cow(int count)
{
	while (count--) {
		int hold[2];
		char byte, *pages = pages_map(MAP_PRIVATE | MAP_ANONYMOUS, -1);

		pages_write(pages);
		REQUIRE(pipe(hold) == 0);
		pid_t child = fork();
		if (child == 0) {
			close(hold[1]);
			_exit(read(hold[0], &byte, 1) != 0);
		}
		close(hold[0]);
		timer_start();
		pages_write(pages);
		timer_stop();
		close(hold[1]);
		child_wait(child);
		munmap(pages, PAGES * PAGE);
	}
}

static bool file_set_up(void)
{
	static char page[PAGE];

	REQUIRE((file = open(file_path, O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0);
	memset(page, 1, sizeof page);
	for (int i = 0; i < PAGES; i++)
		REQUIRE(write(file, page, PAGE) == PAGE);
	return true;
}

static void file_tear_down(void)
{
	close(file);
	unlink(file_path);
}

/* First read of each of PAGES pages of a shared mapping of a file that is in memory; only the touching counts. */
static void fault_file(int count)
{
	while (count--) {
		volatile char *pages = pages_map(MAP_SHARED, file);
		timer_start();
		for (int i = 0; i < PAGES; i++)
			(void)pages[i * PAGE];
		timer_stop();
		munmap((void *)pages, PAGES * PAGE);
	}
}

/* One anonymous page mapped, written once and unmapped. */
static void mmap_munmap(int count)
{
	while (count--) {
		char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(page != MAP_FAILED);
		*(volatile char *)page = 1;
		munmap(page, PAGE);
	}
}

const struct row memory_rows[] = {
	{ .name = "fault-zero", .run = fault_zero, .count = 1, .per = PAGES, .flags = ROW_TIMES_ITSELF },
	{ .name = "fault-cow", .run = fault_cow, .count = 1, .per = PAGES, .flags = ROW_TIMES_ITSELF },
	{ .name = "fault-file", .run = fault_file, .count = 1, .per = PAGES, .set_up = file_set_up, .tear_down = file_tear_down, .flags = ROW_TIMES_ITSELF },
	{ .name = "mmap-munmap", .run = mmap_munmap, .count = 50 },
	{ 0 },
};
