/* tests/linux/memory.c - mmap and its kin. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PAGE = 4096 };

static sigjmp_buf escape;

static void on_fault(int number)
{
	siglongjmp(escape, number);
}

/* The signal that reading (or writing) at address raises; 0: none. */
static int fault_of(volatile char *address, bool write)
{
	int number;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	if ((number = sigsetjmp(escape, 1)) == 0) {
		if (write)
			*address = 1;
		else
			(void)*address;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return number;
}

static char *map(size_t bytes, int protection, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, protection, flags, fd, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static char *map_private(size_t bytes)
{
	return map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

TEST(what_grows_down_can_be_used_below_its_start)
{
	enum { DOWN = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN };
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, DOWN, -1);

	at[0] = 1;
	at[-1] = 2;
	at[-100 * PAGE] = 3;
	CHECK_EQ(munmap(at - 101 * PAGE, 105 * PAGE), 0);
	/* At a place of its own, with something in the way a little below. */
	char *room = map(64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK_EQ(munmap(room + PAGE, 63 * PAGE), 0);
	CHECK(mmap(room + 63 * PAGE, PAGE, PROT_READ | PROT_WRITE, DOWN | MAP_FIXED, -1, 0) == room + 63 * PAGE);
	room[63 * PAGE - 1] = 4;
	CHECK_EQ(fault_of(room, false), SIGSEGV);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK_EQ(munmap(room, 64 * PAGE), 0);
}

static int temporary(const void *content, size_t bytes)
{
	char path[] = "/tmp/memory.XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, content, bytes) == (ssize_t)bytes);
	unlink(path);
	return fd;
}

TEST(new_memory_is_zero)
{
	char *memory = map_private(64 * PAGE);

	for (int i = 0; i < 64 * PAGE; i++)
		CHECK(memory[i] == 0);
	CHECK_EQ(munmap(memory, 64 * PAGE), 0);
	CHECK_EQ(fault_of(memory, false), SIGSEGV);
}

TEST(protection_is_enforced_and_changed)
{
	char *memory = map_private(3 * PAGE);

	CHECK_EQ(mprotect(memory + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(fault_of(memory + PAGE, true), SIGSEGV);
	CHECK_EQ(fault_of(memory + PAGE, false), 0);
	CHECK_EQ(fault_of(memory, true), 0);
	CHECK_EQ(fault_of(memory + 2 * PAGE, true), 0);
	CHECK_EQ(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(fault_of(memory + PAGE, false), SIGSEGV);
	CHECK_EQ(mprotect(memory, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(fault_of(memory + PAGE, true), 0);
	munmap(memory, 3 * PAGE);
}

TEST(a_hole_can_be_made_in_a_mapping)
{
	char *memory = map_private(5 * PAGE);

	memset(memory, 7, 5 * PAGE);
	CHECK_EQ(munmap(memory + 2 * PAGE, PAGE), 0);
	CHECK_EQ(fault_of(memory + 2 * PAGE, false), SIGSEGV);
	CHECK(memory[PAGE] == 7 && memory[3 * PAGE] == 7);
	char *again = mmap(memory + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(again == memory + 2 * PAGE && *again == 0);
	munmap(memory, 5 * PAGE);
}

TEST(shared_memory_is_shared_with_a_child_and_private_is_not)
{
	volatile char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), *own = map_private(PAGE);

	pid_t child = fork();
	if (child == 0) {
		*shared = *own = 9;
		_exit(0);
	}
	CHECK_EQ(test_wait(child), 0);
	CHECK(*shared == 9 && *own == 0);
	munmap((void *)shared, PAGE);
	munmap((void *)own, PAGE);
}

TEST(a_private_file_mapping_leaves_the_file_alone)
{
	int fd = temporary("hello", 5);
	char *memory = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), back[5];

	CHECK_MEM(memory, "hello\0\0\0", 8);
	memory[0] = 'J';
	CHECK_EQ(pread(fd, back, 5, 0), 5);
	CHECK_MEM(back, "hello", 5);
	munmap(memory, PAGE);
	close(fd);
}

TEST(a_shared_file_mapping_is_the_file)
{
	int fd = temporary("hello", 5);
	char *memory = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd), back[5];

	memory[0] = 'J';
	CHECK_EQ(pread(fd, back, 5, 0), 5);
	CHECK_MEM(back, "Jello", 5);
	CHECK_EQ(pwrite(fd, "y", 1, 4), 1);
	CHECK_EQ(memory[4], 'y');
	CHECK_EQ(msync(memory, PAGE, MS_SYNC), 0);
	munmap(memory, PAGE);
	close(fd);
}

TEST(beyond_the_end_of_a_file_there_is_SIGBUS)
{
	int fd = temporary("x", 1);
	char *memory = map(2 * PAGE, PROT_READ, MAP_SHARED, fd);

	CHECK_EQ(fault_of(memory, false), 0);
	CHECK_EQ(fault_of(memory + PAGE, false), SIGBUS);
	munmap(memory, 2 * PAGE);
	close(fd);
}

TEST(a_mapping_outlives_its_file)
{
	int fd = temporary("still here", 10);
	char *memory = map(PAGE, PROT_READ, MAP_PRIVATE, fd);

	close(fd);
	CHECK_MEM(memory, "still here", 10);
	munmap(memory, PAGE);
}

TEST(mremap_grows_moves_and_shrinks)
{
	char *memory = map_private(2 * PAGE);

	memory[0] = 1;
	memory[2 * PAGE - 1] = 2;
	char *grown = mremap(memory, 2 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
	CHECK(grown != MAP_FAILED);
	CHECK(grown[0] == 1 && grown[2 * PAGE - 1] == 2 && grown[199 * PAGE] == 0);
	char *shrunk = mremap(grown, 200 * PAGE, PAGE, 0);
	CHECK(shrunk == grown && shrunk[0] == 1);
	CHECK_EQ(fault_of(grown + PAGE, false), SIGSEGV);
	munmap(shrunk, PAGE);
}

TEST(the_break_moves_both_ways)
{
	char *start = (char *)syscall(SYS_brk, 0);

	CHECK((char *)syscall(SYS_brk, start + 10 * PAGE) == start + 10 * PAGE);
	memset(start, 5, 10 * PAGE);
	CHECK((char *)syscall(SYS_brk, start) == start);
	CHECK((char *)syscall(SYS_brk, start + 10 * PAGE) == start + 10 * PAGE);
	CHECK_EQ(start[PAGE], 0);
	CHECK((char *)syscall(SYS_brk, start) == start);
	CHECK((char *)syscall(SYS_brk, 8) == start);
}

TEST(large_allocations_are_cheap_until_touched)
{
	size_t bytes = (size_t)1 << 30;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(memory != MAP_FAILED);
	memory[0] = memory[bytes / 2] = memory[bytes - 1] = 1;
	CHECK_EQ(munmap(memory, bytes), 0);
}

TEST(advice_to_forget_gives_zeros_again)
{
	char *memory = map_private(4 * PAGE);

	memset(memory, 3, 4 * PAGE);
	CHECK_EQ(madvise(memory + PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK(memory[0] == 3 && memory[PAGE] == 0 && memory[2 * PAGE] == 3);
	munmap(memory, 4 * PAGE);
}

TEST(bad_arguments_are_refused)
{
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(munmap((void *)1, PAGE) == -1 && errno == EINVAL);
	char *memory = map_private(PAGE);
	munmap(memory, PAGE);
	CHECK(mprotect(memory, PAGE, PROT_READ) == -1 && errno == ENOMEM);
}

TEST(pages_written_after_fork_are_copied_both_ways)
{
	enum { PAGES = 200 };
	char *memory = map_private(PAGES * PAGE);
	int ends[2];
	char byte;

	for (int i = 0; i < PAGES; i++)
		memory[i * PAGE] = (char)i;
	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		if (read(ends[0], &byte, 1) != 1)
			_exit(1);
		for (int i = 0; i < PAGES; i++)
			if (memory[i * PAGE] != (char)i)
				_exit(2);
		_exit(0);
	}
	for (int i = 0; i < PAGES; i++)
		memory[i * PAGE] = (char)(i + 100);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(test_wait(child), 0);
	for (int i = 0; i < PAGES; i++)
		CHECK(memory[i * PAGE] == (char)(i + 100));
	munmap(memory, PAGES * PAGE);
	close(ends[0]);
	close(ends[1]);
}

TEST(code_can_be_made_and_run)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };        /* mov $42, %eax; ret */
	char *memory = map_private(PAGE);

	memcpy(memory, code, sizeof code);
	CHECK_EQ(mprotect(memory, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(((int (*)(void))memory)(), 42);
	munmap(memory, PAGE);
}
