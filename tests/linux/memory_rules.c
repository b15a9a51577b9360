/* tests/linux/memory_rules.c - mmap and its family, and wild pointers in calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PAGE = 4096 };

static sigjmp_buf back;
static void jump(int signal)
{
	siglongjmp(back, signal);
}

/* The signal that touching the byte gives, 0 for none. */
static int touch(volatile char *at, int write)
{
	signal(SIGSEGV, jump);
	signal(SIGBUS, jump);
	int caught = sigsetjmp(back, 1);
	if (!caught) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return caught;
}

static char *map(size_t bytes, int prot)
{
	char *at = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

TEST(anonymous_memory_is_zero_and_ours)
{
	char *at = map(16 * PAGE, PROT_READ | PROT_WRITE);
	int sum = 0;
	for (int i = 0; i < 16 * PAGE; i++)
		sum |= at[i];
	CHECK(sum == 0);
	memset(at, 7, 16 * PAGE);
	CHECK(munmap(at, 16 * PAGE) == 0);
	CHECK(touch(at, 0) == SIGSEGV);
}

TEST(a_hole_can_be_cut)
{
	char *at = map(5 * PAGE, PROT_READ | PROT_WRITE);
	memset(at, 1, 5 * PAGE);
	CHECK(munmap(at + 2 * PAGE, PAGE) == 0);
	CHECK(touch(at + PAGE, 1) == 0 && touch(at + 2 * PAGE, 0) == SIGSEGV && touch(at + 3 * PAGE, 1) == 0);
	CHECK(mmap(at + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at + 2 * PAGE);
	CHECK(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
	CHECK(at[2 * PAGE] == 0 && at[3 * PAGE] == 1);
	CHECK(munmap(at, 5 * PAGE) == 0);
}

TEST(protection_is_enforced)
{
	char *at = map(2 * PAGE, PROT_READ | PROT_WRITE);
	CHECK(mprotect(at, PAGE, PROT_READ) == 0);
	CHECK(touch(at, 0) == 0 && touch(at, 1) == SIGSEGV && touch(at + PAGE, 1) == 0);
	CHECK(mprotect(at, PAGE, PROT_NONE) == 0 && touch(at, 0) == SIGSEGV);
	CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0 && touch(at, 1) == 0);
	CHECK(syscall(SYS_mprotect, at + 1, PAGE, PROT_READ) == -1 && errno == EINVAL);
	munmap(at, 2 * PAGE);
	CHECK(mprotect(at, PAGE, PROT_READ) == -1 && errno == ENOMEM);
}

TEST(code_can_be_written_and_run)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };        /* mov $42, %eax; ret */
	char *at = map(PAGE, PROT_READ | PROT_WRITE);
	memcpy(at, code, sizeof(code));
	CHECK(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0);
	CHECK(((int (*)(void))(uintptr_t)at)() == 42);
	munmap(at, PAGE);
}

TEST(mremap_grows_shrinks_and_moves)
{
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE), *wall, *moved, *fixed;
	memset(at, 3, 4 * PAGE);
	CHECK(mremap(at, 4 * PAGE, 2 * PAGE, 0) == at && touch(at + 2 * PAGE, 0) == SIGSEGV);
	wall = mmap(at + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(wall == at + 2 * PAGE);
	CHECK(mremap(at, 2 * PAGE, 8 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
	moved = mremap(at, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved != at && moved[PAGE] == 3 && moved[2 * PAGE] == 0 && touch(at, 0) == SIGSEGV);
	fixed = map(8 * PAGE, PROT_READ);
	CHECK(mremap(moved, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed) == fixed && fixed[0] == 3);
	munmap(fixed, 8 * PAGE);
	munmap(wall, PAGE);
}

TEST(the_heap_moves_with_brk)
{
	char *start = sbrk(0);
	CHECK(start != (char *)-1);
	CHECK(syscall(SYS_brk, start + 3 * PAGE) == (long)(start + 3 * PAGE));
	CHECK(touch(start + 2 * PAGE, 1) == 0);
	CHECK(syscall(SYS_brk, start) == (long)start);
	CHECK(syscall(SYS_brk, 1L << 46) == (long)start);
}

TEST(dontneed_forgets)
{
	char *at = map(2 * PAGE, PROT_READ | PROT_WRITE);
	memset(at, 9, 2 * PAGE);
	CHECK(madvise(at, PAGE, MADV_DONTNEED) == 0);
	CHECK(at[0] == 0 && at[PAGE] == 9);
	CHECK(madvise(at, PAGE, 12345) == -1 && errno == EINVAL);
	munmap(at, 2 * PAGE);
}

TEST(private_memory_is_copied_by_fork)
{
	int status;
	char *at = map(64 * PAGE, PROT_READ | PROT_WRITE);
	memset(at, 1, 64 * PAGE);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < 64; i++)
			at[i * PAGE] += 1;
		_exit(at[5 * PAGE] == 2 && at[5 * PAGE + 1] == 1 ? 0 : 1);
	}
	at[3 * PAGE] = 50;
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
	CHECK(at[5 * PAGE] == 1 && at[3 * PAGE] == 50);
	munmap(at, 64 * PAGE);
}

TEST(bad_arguments_are_refused)
{
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(munmap((void *)1, PAGE) == -1 && errno == EINVAL);
	CHECK(munmap((void *)(1ul << 63), PAGE) == -1 && errno == EINVAL);
}

static const uintptr_t wild[] = { 8, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xfffffffffffffff8 };

TEST(wild_pointers_in_calls_are_efault)
{
	for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		void *p = (void *)wild[i];
		CHECK(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, p) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_nanosleep, p, NULL) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_uname, p) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_getrandom, p, 16, 0) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_write, 1, p, 16) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_sysinfo, p) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_getrlimit, RLIMIT_NOFILE, p) == -1 && errno == EFAULT);
	}
}

TEST(clocks_go_forward_and_agree)
{
	struct timespec a, b, raw;
	struct timeval tv;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 1000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec)) {
			CHECK(!"backwards");
			break;
		}
		a = b;
	}
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &raw) == 0);
	CHECK((raw.tv_sec - b.tv_sec) * 1000000000L + raw.tv_nsec - b.tv_nsec < 100000000 && raw.tv_sec >= b.tv_sec);
	clock_gettime(CLOCK_REALTIME, &a);
	gettimeofday(&tv, NULL);
	CHECK(tv.tv_sec - a.tv_sec <= 1 && time(NULL) - a.tv_sec <= 1 && a.tv_sec > 1700000000);
	CHECK(clock_gettime(12345, &a) == -1 && errno == EINVAL);
	CHECK(clock_getres(CLOCK_MONOTONIC, &a) == 0 && a.tv_sec == 0);
}

TEST(facts_can_be_had)
{
	struct utsname name;
	struct sysinfo info;
	struct rusage usage;
	struct rlimit limit;
	struct tms tms;
	unsigned char random[2][32];
	CHECK(uname(&name) == 0 && !strcmp(name.sysname, "Linux") && !strcmp(name.machine, "x86_64"));
	CHECK(sysinfo(&info) == 0 && info.totalram > info.freeram && info.freeram > 0 && info.mem_unit == 1);
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 0);
	CHECK(getrlimit(999, &limit) == -1 && errno == EINVAL);
	CHECK(times(&tms) > 0);
	CHECK(getrandom(random[0], 32, 0) == 32 && getrandom(random[1], 32, 0) == 32 && memcmp(random[0], random[1], 32));
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

TEST(a_memfd_is_a_file_without_a_name)
{
	int fd = (int)syscall(SYS_memfd_create, "test", 0);
	CHECK(fd >= 0);
	CHECK(ftruncate(fd, 3 * PAGE) == 0);
	char *one = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *two = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK(one != MAP_FAILED && two != MAP_FAILED);
	one[PAGE] = 77;
	CHECK(two[0] == 77);
	CHECK(pwrite(fd, "x", 1, PAGE) == 1 && one[PAGE] == 'x');
	munmap(one, 3 * PAGE);
	munmap(two, PAGE);
	close(fd);
	CHECK(syscall(SYS_memfd_create, "test", 0x1000) == -1 && errno == EINVAL);
}

TEST(a_private_mapping_of_a_file_keeps_its_changes_to_itself)
{
	char name[] = "/tmp/rulesXXXXXX", byte = 0;
	int fd = mkstemp(name);
	CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(at != MAP_FAILED && !memcmp(at, "hello", 5) && at[5] == 0);
	at[0] = 'H';
	CHECK(pread(fd, &byte, 1, 0) == 1 && byte == 'h');
	munmap(at, PAGE);
	at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && touch(at + PAGE - 1, 0) == 0 && touch(at + PAGE, 0) == SIGBUS);
	munmap(at, 2 * PAGE);
	close(fd);
	unlink(name);
}
