/* tests/linux/memory_fork.c - forks of processes with much memory, whose page tables parent and child may share until either changes something. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

/* Several tables of 2 MiB, wherever the memory begins. */
enum { PAGE = 4096, TABLE_PAGES = 512, PAGES = 8 * TABLE_PAGES };
/* Of futex(2). */
enum { WAIT_PRIVATE = 128, WAKE_PRIVATE = 129 };

static char *memory;

static volatile int *word(int page) { return (volatile int *)(memory + (size_t)page * PAGE); }

static void memory_make(void)
{
	memory = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		*word(i) = i;
}

static void memory_end(void) { munmap(memory, (size_t)PAGES * PAGE); }

/* How many of [first, end) do not hold their number and more. */
static int wrong_in(int first, int end, int more)
{
	int wrong = 0;

	for (int i = first; i < end; i++)
		wrong += *word(i) != i + more;
	return wrong;
}

/* The process's pages in memory, as /proc says. */
static long resident(void)
{
	long size, pages = -1;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = -1;
	if (f)
		fclose(f);
	return pages;
}

static bool is_near(long pages, long wanted) { return pages > wanted - 100 && pages < wanted + 100; }

/* Two pipes between parent and child: each can wait for the other. */
static int to_child[2], to_parent[2];

static void pipes_make(void)
{
	CHECK_EQ(pipe(to_child), 0);
	CHECK_EQ(pipe(to_parent), 0);
}

static void pipes_end(void)
{
	for (int i = 0; i < 2; i++) {
		close(to_child[i]);
		close(to_parent[i]);
	}
}

static bool tell(const int *ends) { return write(ends[1], "x", 1) == 1; }

static bool hear(const int *ends)
{
	char byte;
	return read(ends[0], &byte, 1) == 1;
}

TEST(resident_sizes_are_each_processs_own)
{
	memory_make();
	pipes_make();
	long before = resident();
	CHECK(before > PAGES);
	pid_t child = fork();
	if (child == 0) {
		if (!is_near(resident(), before))
			_exit(1);
		munmap(memory, (size_t)PAGES / 2 * PAGE);
		if (!is_near(resident(), before - PAGES / 2))
			_exit(2);
		for (int i = PAGES / 2; i < PAGES; i++)
			*word(i) = 1;
		if (!is_near(resident(), before - PAGES / 2))
			_exit(3);
		_exit(tell(to_parent) && hear(to_child) ? 0 : 4);
	}
	CHECK(hear(to_parent));
	CHECK(is_near(resident(), before));
	CHECK_EQ(madvise(memory, (size_t)PAGES / 4 * PAGE, MADV_DONTNEED), 0);
	CHECK(is_near(resident(), before - PAGES / 4));
	CHECK(tell(to_child));
	CHECK_EQ(test_wait(child), 0);
	CHECK(is_near(resident(), before - PAGES / 4));
	CHECK_EQ(wrong_in(PAGES / 4, PAGES, 0), 0);
	pipes_end();
	memory_end();
}

TEST(what_the_kernel_writes_into_shared_tables_only_its_caller_sees)
{
	int data[2];
	memory_make();
	pipes_make();
	CHECK_EQ(pipe(data), 0);
	int value = 99;
	for (int i = 0; i < 8; i++)
		CHECK_EQ(write(data[1], &value, sizeof value), (ssize_t)sizeof value);
	pid_t child = fork();
	if (child == 0) {
		/* One page of each table, nothing of which was written since fork. */
		for (int i = 0; i < 8; i++)
			if (read(data[0], (void *)word(i * TABLE_PAGES + 5), sizeof value) != sizeof value || *word(i * TABLE_PAGES + 5) != 99)
				_exit(1);
		if (wrong_in(0, 5, 0) != 0 || !tell(to_parent) || !hear(to_child))
			_exit(2);
		_exit(*word(5) == 99 && *word(6) == 6 ? 0 : 3);
	}
	CHECK(hear(to_parent));
	CHECK_EQ(wrong_in(0, PAGES, 0), 0);
	CHECK_EQ(write(data[1], &value, sizeof value), (ssize_t)sizeof value);
	CHECK_EQ(read(data[0], (void *)word(6), sizeof value), (ssize_t)sizeof value);
	CHECK_EQ(*word(6), 99);
	CHECK(tell(to_child));
	CHECK_EQ(test_wait(child), 0);
	close(data[0]);
	close(data[1]);
	pipes_end();
	memory_end();
}

TEST(a_vfork_child_writes_for_its_parent_and_not_for_an_earlier_fork)
{
	memory_make();
	pipes_make();
	pid_t child = fork();
	if (child == 0)
		_exit(hear(to_child) && wrong_in(0, PAGES, 0) == 0 ? 0 : 1);
	pid_t second = vfork();
	if (second == 0) {
		*word(TABLE_PAGES + 1) = -1;
		_exit(0);
	}
	CHECK_EQ(test_wait(second), 0);
	CHECK_EQ(*word(TABLE_PAGES + 1), -1);
	CHECK_EQ(*word(TABLE_PAGES + 2), TABLE_PAGES + 2);
	CHECK(tell(to_child));
	CHECK_EQ(test_wait(child), 0);
	pipes_end();
	memory_end();
}

/* Each writes a page of its own, and sees those of all before it. */
static int generation(int depth)
{
	int status = 0;

	for (int i = 0; i < depth; i++)
		if (*word(i * 100) != -i - 1)
			return 1;
	*word(depth * 100) = -depth - 1;
	if (depth < 12) {
		pid_t child = fork();
		if (child == 0)
			_exit(generation(depth + 1));
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			return 2;
	}
	return *word((depth + 1) * 100) == (depth + 1) * 100 && wrong_in(PAGES - TABLE_PAGES, PAGES, 0) == 0 ? 0 : 3;
}

TEST(a_chain_of_forks_sees_what_came_before_and_nothing_after)
{
	memory_make();
	CHECK_EQ(generation(0), 0);
	memory_end();
}

static sigjmp_buf escape;

static void on_bus_error(int number) { siglongjmp(escape, number); }

/* The signal that reading page raises. */
static int signal_of(int page)
{
	int number = sigsetjmp(escape, 1);

	if (number == 0)
		(void)*word(page);
	return number;
}

TEST(a_file_mapped_amid_shared_tables_is_cut_for_all_and_nothing_else)
{
	char path[] = "/tmp/fork.XXXXXX";
	int fd = mkstemp(path);
	enum { AT = 3 * TABLE_PAGES + 7, COUNT = 20 };

	unlink(path);
	CHECK_EQ(ftruncate(fd, COUNT * PAGE), 0);
	memory_make();
	pipes_make();
	CHECK(mmap(memory + (size_t)AT * PAGE, COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED);
	*word(AT + 3) = 5;
	signal(SIGBUS, on_bus_error);
	pid_t child = fork();
	if (child == 0) {
		if (*word(AT) != 0 || *word(AT + 3) != 5)
			_exit(1);
		*word(AT + 4) = 6;
		if (!tell(to_parent) || !hear(to_child))
			_exit(2);
		_exit(signal_of(AT) == SIGBUS && signal_of(AT + 3) == SIGBUS && signal_of(AT + 4) == SIGBUS &&
		      wrong_in(0, AT, 0) == 0 && wrong_in(AT + COUNT, PAGES, 0) == 0 ? 0 : 3);
	}
	CHECK(hear(to_parent));
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(signal_of(AT + 3), SIGBUS);
	CHECK(tell(to_child));
	CHECK_EQ(test_wait(child), 0);
	CHECK_EQ(wrong_in(0, AT, 0), 0);
	CHECK_EQ(wrong_in(AT + COUNT, PAGES, 0), 0);
	signal(SIGBUS, SIG_DFL);
	close(fd);
	pipes_end();
	memory_end();
}

TEST(a_private_futex_in_a_shared_table_is_each_processs_own)
{
	struct timespec limit = { .tv_nsec = 200000000 };
	memory_make();
	pipes_make();
	pid_t child = fork();
	if (child == 0) {
		if (!tell(to_parent))
			_exit(1);
		/* Nobody wakes it. */
		_exit(syscall(SYS_futex, word(9), WAIT_PRIVATE, 9, &limit, NULL, 0) == -1 ? 0 : 2);
	}
	CHECK(hear(to_parent));
	limit.tv_nsec = 50000000;
	nanosleep(&limit, NULL);
	CHECK_EQ(syscall(SYS_futex, word(9), WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	CHECK_EQ(test_wait(child), 0);
	pipes_end();
	memory_end();
}

TEST(what_was_inaccessible_at_fork_is_there_when_it_is_allowed)
{
	memory_make();
	pipes_make();
	CHECK_EQ(mprotect(memory, (size_t)PAGES * PAGE, PROT_NONE), 0);
	pid_t child = fork();
	if (child == 0) {
		if (mprotect(memory, (size_t)PAGES / 2 * PAGE, PROT_READ | PROT_WRITE) != 0 || wrong_in(0, PAGES / 2, 0) != 0)
			_exit(1);
		for (int i = 0; i < PAGES / 2; i++)
			*word(i) = 0;
		_exit(0);
	}
	CHECK_EQ(test_wait(child), 0);
	CHECK_EQ(mprotect(memory, (size_t)PAGES * PAGE, PROT_READ), 0);
	CHECK_EQ(wrong_in(0, PAGES, 0), 0);
	pipes_end();
	memory_end();
}
