/* tests/linux/disk.c - large transfers of a raw disk, the one that DISK names: what the device does straight in the program's pages
 * agrees with what goes by a copy, whatever becomes of those pages meanwhile. The disk has 24 MiB and nothing of worth. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PAGE = 4096, MEGABYTE = 1 << 20, BUFFER = 4 * MEGABYTE, THREADS = 4, ROUNDS = 40 };

static int disk_open(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(getenv("DISK"), O_RDWR);
	return fd;
}

static uint8_t *pages(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

/* No two words of it are alike, nor those of another seed. */
static void fill(uint8_t *at, size_t bytes, uint64_t seed)
{
	for (size_t i = 0; i < bytes / 8; i++)
		((uint64_t *)at)[i] = (seed << 32 | i) * 0x9e3779b97f4a7c15ull;
}

/* Through a buffer beside the page's start, which goes by a copy. */
static bool disk_has(const uint8_t *data, size_t bytes, off_t at)
{
	uint8_t *buffer = pages(bytes + PAGE);
	bool same = pread(disk_open(), buffer + 8, bytes, at) == (ssize_t)bytes && memcmp(buffer + 8, data, bytes) == 0;

	munmap(buffer, bytes + PAGE);
	return same;
}

TEST(what_is_written_from_pages_is_there_and_is_read_into_pages)
{
	static const size_t sizes[] = { 28 << 10, 32 << 10, 36 << 10, 128 << 10, 132 << 10, MEGABYTE, MEGABYTE + PAGE, 3 * MEGABYTE };
	static const off_t places[] = { 0, 512, PAGE, MEGABYTE + 1536 };
	uint8_t *out = pages(BUFFER), *in = pages(BUFFER);

	CHECK(disk_open() >= 0);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
			fill(out, sizes[i], i << 8 | j);
			CHECK_EQ(pwrite(disk_open(), out, sizes[i], places[j]), (ssize_t)sizes[i]);
			CHECK(disk_has(out, sizes[i], places[j]));
			CHECK_EQ(pread(disk_open(), in, sizes[i], places[j]), (ssize_t)sizes[i]);
			CHECK(memcmp(in, out, sizes[i]) == 0);
		}
	munmap(out, BUFFER);
	munmap(in, BUFFER);
}

TEST(pages_that_lie_apart_are_put_in_order)
{
	uint8_t *out = pages(BUFFER), *in = pages(BUFFER);

	/* Every other one first, from the end: their frames are no row. */
	for (size_t i = BUFFER / PAGE; i-- > 0;)
		if (i % 2)
			out[i * PAGE] = in[i * PAGE] = 1;
	fill(out, BUFFER, 99);
	CHECK_EQ(pwrite(disk_open(), out, BUFFER, 0), BUFFER);
	CHECK(disk_has(out, BUFFER, 0));
	CHECK_EQ(pread(disk_open(), in, BUFFER, 0), BUFFER);
	CHECK(memcmp(in, out, BUFFER) == 0);
	munmap(out, BUFFER);
	munmap(in, BUFFER);
}

TEST(memory_that_was_never_touched_is_zeroes)
{
	uint8_t *zeroes = pages(MEGABYTE), *out = pages(MEGABYTE);

	fill(out, MEGABYTE, 5);
	CHECK_EQ(pwrite(disk_open(), out, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(pwrite(disk_open(), zeroes, MEGABYTE, 0), MEGABYTE);
	memset(out, 0, MEGABYTE);
	CHECK(disk_has(out, MEGABYTE, 0));
	munmap(zeroes, MEGABYTE);
	munmap(out, MEGABYTE);
}

TEST(a_child_keeps_what_its_parent_reads_over)
{
	uint8_t *out = pages(MEGABYTE), *shared = pages(MEGABYTE);
	int go[2], status;

	fill(out, MEGABYTE, 6);
	fill(shared, MEGABYTE, 7);
	CHECK_EQ(pwrite(disk_open(), out, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(pipe(go), 0);
	pid_t child = fork();
	if (child == 0) {
		uint8_t *wanted = pages(MEGABYTE), byte;
		fill(wanted, MEGABYTE, 7);
		_exit(read(go[0], &byte, 1) == 1 && memcmp(shared, wanted, MEGABYTE) == 0 ? 0 : 1);
	}
	CHECK_EQ(pread(disk_open(), shared, MEGABYTE, 0), MEGABYTE);
	CHECK(memcmp(shared, out, MEGABYTE) == 0);
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	close(go[0]);
	close(go[1]);
	munmap(out, MEGABYTE);
	munmap(shared, MEGABYTE);
}

TEST(pages_that_cannot_be_written_or_are_not_there_are_an_error)
{
	uint8_t *at = pages(MEGABYTE);

	CHECK_EQ(mprotect(at + MEGABYTE / 2, PAGE, PROT_READ), 0);
	CHECK(pread(disk_open(), at, MEGABYTE, 0) == -1 && errno == EFAULT);
	CHECK_EQ(pwrite(disk_open(), at, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(munmap(at + MEGABYTE / 2, PAGE), 0);
	CHECK(pread(disk_open(), at, MEGABYTE, 0) == -1 && errno == EFAULT);
	CHECK(pwrite(disk_open(), at, MEGABYTE, 0) == -1 && errno == EFAULT);
	munmap(at, MEGABYTE);
}

TEST(files_in_memory_are_as_good_as_memory)
{
	int file = memfd_create("pages", 0);
	uint8_t *out = pages(MEGABYTE), *in = pages(MEGABYTE);

	fill(out, MEGABYTE, 8);
	CHECK(file >= 0 && ftruncate(file, MEGABYTE) == 0);
	uint8_t *shared = mmap(NULL, MEGABYTE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(shared != MAP_FAILED);
	CHECK_EQ(pwrite(disk_open(), out, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(pread(disk_open(), shared, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(pread(file, in, MEGABYTE, 0), MEGABYTE);
	CHECK(memcmp(in, out, MEGABYTE) == 0);
	/* A private mapping that is read over leaves the file as it is. */
	uint8_t *private = mmap(NULL, MEGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	CHECK(private != MAP_FAILED);
	fill(in, MEGABYTE, 9);
	CHECK_EQ(pwrite(disk_open(), in, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(pread(disk_open(), private, MEGABYTE, 0), MEGABYTE);
	CHECK(memcmp(private, in, MEGABYTE) == 0);
	CHECK(memcmp(shared, out, MEGABYTE) == 0);
	munmap(shared, MEGABYTE);
	munmap(private, MEGABYTE);
	munmap(out, MEGABYTE);
	munmap(in, MEGABYTE);
	close(file);
}

static void *place_use(void *number)
{
	uint64_t n = (uint64_t)number;
	uint8_t *out = pages(MEGABYTE), *in = pages(MEGABYTE);
	uint64_t faults = 0;

	for (uint64_t round = 0; round < ROUNDS / 4; round++) {
		fill(out, MEGABYTE, n << 16 | round);
		faults += pwrite(disk_open(), out, MEGABYTE, (off_t)n * MEGABYTE) != MEGABYTE;
		faults += pread(disk_open(), in, MEGABYTE, (off_t)n * MEGABYTE) != MEGABYTE;
		faults += memcmp(in, out, MEGABYTE) != 0;
	}
	munmap(out, MEGABYTE);
	munmap(in, MEGABYTE);
	return (void *)faults;
}

TEST(threads_do_not_get_each_others_data)
{
	pthread_t thread[THREADS];
	void *faults;

	for (uint64_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, place_use, (void *)i), 0);
	for (uint64_t i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(thread[i], &faults), 0);
		CHECK_EQ((uint64_t)faults, 0);
	}
}

static void *unmapper(void *at)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(mmap(at, MEGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
		usleep(200);
	}
	return NULL;
}

/* Frames that were let go of come back from somewhere else and hold what is written there. */
TEST(memory_that_goes_away_meanwhile_harms_nobody)
{
	uint8_t *at = pages(MEGABYTE), *other = pages(MEGABYTE);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, unmapper, at), 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(pread(disk_open(), at, MEGABYTE, 0), MEGABYTE);
		fill(other, MEGABYTE, 10);
		madvise(other, MEGABYTE, MADV_DONTNEED);
		CHECK(other[0] == 0 && memcmp(other, other + 1, MEGABYTE - 1) == 0);
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	munmap(at, MEGABYTE);
	munmap(other, MEGABYTE);
}

TEST(who_is_killed_in_the_middle_leaves_no_trace)
{
	for (int i = 0; i < 10; i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			uint8_t *at = pages(BUFFER);
			for (;;)
				(void)!pread(disk_open(), at, BUFFER, 0);
		}
		usleep(1000 + i * 777);
		CHECK_EQ(kill(child, SIGKILL), 0);
		CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
		uint8_t *fresh = pages(BUFFER);
		CHECK(memcmp(fresh, fresh + 1, BUFFER - 1) == 0 && fresh[0] == 0);
		munmap(fresh, BUFFER);
	}
}

static void nothing(int number) { (void)number; }

TEST(a_signal_in_the_middle_means_all_or_nothing)
{
	const struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
	const struct sigaction act = { .sa_handler = nothing };
	uint8_t *out = pages(MEGABYTE), *in = pages(MEGABYTE);

	fill(out, MEGABYTE, 11);
	CHECK_EQ(pwrite(disk_open(), out, MEGABYTE, 0), MEGABYTE);
	CHECK_EQ(sigaction(SIGALRM, &act, NULL), 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		memset(in, 0, MEGABYTE);
		ssize_t n = pread(disk_open(), in, MEGABYTE, 0);
		CHECK(n == MEGABYTE || (n < 0 && errno == EINTR));
		if (n == MEGABYTE)
			CHECK(memcmp(in, out, MEGABYTE) == 0);
	}
	CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
	munmap(out, MEGABYTE);
	munmap(in, MEGABYTE);
}
