/* tests/linux/wild.c - wild pointers are EFAULT, unknown calls ENOSYS, and neither harms. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

static const uintptr_t wild[] = { 1, 8, 0xfff, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, 0xffffffff80000000, 0xffffffffffffffff };

enum { WILD = sizeof wild / sizeof wild[0], PAGE = 4096 };

/* Calls that read or write memory: which argument is the pointer. The others are good. */
static struct call {
	long number;
	int pointer;
	long argument[6];
} calls[] = {
	{ SYS_open, 0, { 0, O_RDONLY } }, { SYS_openat, 1, { AT_FDCWD, 0, O_RDONLY } }, { SYS_stat, 0, { 0, 0 } },
	{ SYS_fstat, 1, { 0, 0 } }, { SYS_access, 0, { 0, 0 } }, { SYS_pipe, 0, { 0 } }, { SYS_pipe2, 0, { 0, 0 } },
	{ SYS_getcwd, 0, { 0, 4096 } }, { SYS_chdir, 0, { 0 } }, { SYS_mkdir, 0, { 0, 0755 } }, { SYS_unlink, 0, { 0 } },
	{ SYS_readlink, 0, { 0, 0, 10 } }, { SYS_uname, 0, { 0 } }, { SYS_sysinfo, 0, { 0 } }, { SYS_getrlimit, 1, { 7, 0 } },
	{ SYS_nanosleep, 0, { 0, 0 } }, { SYS_clock_gettime, 1, { CLOCK_MONOTONIC, 0 } }, { SYS_gettimeofday, 0, { 0, 0 } },
	{ SYS_getrandom, 0, { 0, 16, 0 } }, { SYS_rt_sigaction, 1, { SIGUSR1, 0, 0, 8 } }, { SYS_rt_sigprocmask, 1, { SIG_BLOCK, 0, 0, 8 } },
	{ SYS_execve, 0, { 0, 0, 0 } }, { SYS_poll, 0, { 0, 1, 0 } }, { SYS_rename, 0, { 0, 0 } }, { SYS_symlink, 0, { 0, 0 } },
	{ SYS_times, 0, { 0 } }, { SYS_getrusage, 1, { 0, 0 } }, { SYS_utimensat, 1, { AT_FDCWD, 0, 0, 0 } },
};

TEST(every_wild_pointer_is_EFAULT)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		for (int j = 0; j < WILD; j++) {
			long a[6];
			memcpy(a, calls[i].argument, sizeof a);
			a[calls[i].pointer] = (long)wild[j];
			long result = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
			if (result != -1 || errno != EFAULT)
				test_fail(__FILE__, __LINE__, "call %ld with pointer %#lx: %ld, errno %d", calls[i].number, (long)wild[j], result, errno);
		}
}

TEST(wild_buffers_of_read_and_write_are_EFAULT)
{
	int ends[2], zero = open("/dev/zero", O_RDONLY), file = open("/etc/passwd", O_RDONLY);

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(write(ends[1], "1234", 4), 4);
	for (int j = 0; j < WILD; j++) {
		CHECK(syscall(SYS_read, zero, wild[j], 100) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_read, file, wild[j], 100) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_read, ends[0], wild[j], 2) == -1 && errno == EFAULT);
		CHECK(syscall(SYS_write, ends[1], wild[j], 100) == -1 && errno == EFAULT);
	}
	char back[4];
	CHECK_EQ(read(ends[0], back, 4), 4);
	CHECK_MEM(back, "1234", 4);
	close(zero);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_buffer_that_ends_in_nothing_is_EFAULT_or_short)
{
	char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);

	munmap(memory + PAGE, PAGE);
	ssize_t count = read(zero, memory + PAGE - 10, 100);
	CHECK((count == -1 && errno == EFAULT) || (count >= 0 && count <= 10));
	memset(memory + PAGE - 4, 'x', 4);
	CHECK(open(memory + PAGE - 4, O_RDONLY) == -1 && errno == EFAULT);
	memory[PAGE - 1] = 0;
	CHECK(open(memory + PAGE - 4, O_RDONLY) == -1 && errno == ENOENT);
	CHECK_EQ(mprotect(memory, PAGE, PROT_READ), 0);
	CHECK(read(zero, memory, 10) == -1 && errno == EFAULT);
	munmap(memory, PAGE);
	close(zero);
}

TEST(unknown_calls_are_ENOSYS)
{
	static const long unknown[] = { 600, 1000, 100000, 0x43440000 >> 4, 0x7fffffff, -1, -4096 };

	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		if (syscall(unknown[i], 1, 2, 3, 4, 5, 6) != -1 || errno != ENOSYS)
			test_fail(__FILE__, __LINE__, "call %ld: errno %d", unknown[i], errno);
}

TEST(bad_descriptors_are_EBADF)
{
	static const int bad[] = { -1, 500, 1 << 20, 0x7fffffff, (int)0x80000000 };
	char byte;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(read(bad[i], &byte, 1) == -1 && errno == EBADF);
		CHECK(write(bad[i], &byte, 1) == -1 && errno == EBADF);
		CHECK(close(bad[i]) == -1 && errno == EBADF);
		CHECK(dup(bad[i]) == -1 && errno == EBADF);
		CHECK(fcntl(bad[i], F_GETFL) == -1 && errno == EBADF);
		CHECK(lseek(bad[i], 0, SEEK_SET) == -1 && errno == EBADF);
	}
}

/* A wild stack pointer when a signal comes ends the process, and just it. */
TEST(a_signal_without_a_stack_ends_the_process)
{
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, (void (*)(int))_exit);
		__asm__ volatile("mov $8, %%rsp; movq $0, (%%rsp)" : : : "memory");
	}
	CHECK_EQ(test_wait(child) & 0x7f, SIGSEGV);
}

TEST(wild_jumps_and_privileged_instructions_are_signals)
{
	pid_t child = fork();
	if (child == 0)
		((void (*)(void))0xffffffff80000000)();
	CHECK_EQ(test_wait(child) & 0x7f, SIGSEGV);
	child = fork();
	if (child == 0)
		__asm__ volatile("hlt");
	CHECK_EQ(test_wait(child) & 0x7f, SIGSEGV);
	child = fork();
	if (child == 0)
		__asm__ volatile("ud2");
	CHECK_EQ(test_wait(child) & 0x7f, SIGILL);
	child = fork();
	if (child == 0)
		__asm__ volatile("int3");
	CHECK_EQ(test_wait(child) & 0x7f, SIGTRAP);
	child = fork();
	if (child == 0)
		__asm__ volatile("mov $0x8000000000000000, %%rax; jmp *%%rax" : : : "rax");
	CHECK_EQ(test_wait(child) & 0x7f, SIGSEGV);
}

/* One of our own kernel's operations (abi/ops.def), as its private handles could be used by a program that means harm. */
static long native(unsigned operation, long handle, long a0, long a1, long a2, long a3, long a4, long a5)
{
	register long rax __asm__("rax") = 0x43440000l + operation;
	register long rdx __asm__("rdx") = a1;
	register long r10 __asm__("r10") = a2;
	register long r8 __asm__("r8") = a3;
	register long r9 __asm__("r9") = a4;
	register long r12 __asm__("r12") = a5;

	__asm__ volatile("syscall" : "+r"(rax), "+r"(rdx) : "D"(handle), "S"(a0), "r"(r10), "r"(r8), "r"(r9), "r"(r12) : "rcx", "r11", "memory");
	return rax;
}

/* Writing it would be writing every process's. (The least that asks for the right: no bytes.) */
TEST(the_image_that_all_share_cannot_be_written)
{
	enum { OP_WRITE = 6, OP_CALL = 8, MEM_INFO = 201, PRIVATE = 1 << 20, IMAGE_AT_LEAST = 1 << 16 };
	uint64_t info[8];
	int found = 0;

	for (long h = PRIVATE; h < PRIVATE + 256; h++) {
		memset(info, 0, sizeof info);
		if (native(OP_CALL, h, (long)(0xffffffff00000000ull | MEM_INFO), 0, 0, (long)info, sizeof info, 0) < 0 || info[0] < IMAGE_AT_LEAST)
			continue;
		found++;
		CHECK(native(OP_WRITE, h, (long)info, 0, 0, 0, 0, 0) < 0);
	}
	CHECK(found > 0 || native(OP_CALL, -1, 0, 0, 0, 0, 0, 0) == -ENOSYS);    /* (on Linux there is none) */
}
