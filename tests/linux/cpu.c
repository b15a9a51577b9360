/* tests/linux/cpu.c - what user code may do to the CPU and what not, and that its registers are its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

/* ---- What is forbidden ends the process, by the right signal ---- */

#define KERNEL_HALF "0xffff800000000000"
#define NOT_CANONICAL "0x0000800000000000"

static const struct { const char *text; void (*run)(void); int signal; } forbidden[] = {
#define OP(signal, text) { text, NULL, signal },
#include "tests/linux/cpu_forbidden.def"
#undef OP
};

/* The instructions themselves, in the table's order. */
#define OP(signal, text) static void CONCAT(run_, __LINE__)(void) { __asm__ volatile(text : : : "rax", "rcx", "rdx", "rbx", "memory"); }
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#include "tests/linux/cpu_forbidden.def"
#undef OP

static void (*const forbidden_run[])(void) = {
#define OP(signal, text) CONCAT(run_, __LINE__),
#include "tests/linux/cpu_forbidden.def"
#undef OP
};

/* The signal that ends a child which does this; 0: none. */
static int signal_of(void (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		run();
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(forbidden_instructions_and_addresses_end_by_the_right_signal)
{
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		int got = signal_of(forbidden_run[i]);
		if (got != forbidden[i].signal)
			test_fail(__FILE__, __LINE__, "`%s`: signal %d, not %d", forbidden[i].text, got, forbidden[i].signal);
	}
}

/* ---- A system call with strange registers ---- */

static long getpid_with_stack(uint64_t sp)
{
	long result = SYS_getpid;

	__asm__ volatile("mov %%rsp, %%rbx\n\tmov %1, %%rsp\n\tsyscall\n\tmov %%rbx, %%rsp"
	                 : "+a"(result) : "r"(sp) : "rbx", "rcx", "r11", "memory");
	return result;
}

TEST(a_system_call_does_not_need_a_stack)
{
	static const uint64_t wild[] = { 0, 1, 8, 0x800000000000, 0xffff800000000000, 0xfffffffffffffff8, 0xffffffffffffffff };

	for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
		CHECK_EQ(getpid_with_stack(wild[i]), getpid());
}

static long getpid_with_flags(uint64_t flags)
{
	long result = SYS_getpid;

	__asm__ volatile("pushf\n\tor %1, (%%rsp)\n\tpopf\n\tsyscall\n\tpushf\n\tandq $~0x54500, (%%rsp)\n\tpopf"
	                 : "+a"(result) : "r"(flags) : "rcx", "r11", "memory", "cc");
	return result;
}

TEST(a_system_call_works_with_any_flags)
{
	enum { DIRECTION = 1 << 10, NESTED = 1 << 14, ALIGNMENT = 1 << 18 };

	CHECK_EQ(getpid_with_flags(DIRECTION), getpid());
	CHECK_EQ(getpid_with_flags(NESTED), getpid());
	CHECK_EQ(getpid_with_flags(ALIGNMENT), getpid());
	CHECK_EQ(getpid_with_flags(DIRECTION | NESTED | ALIGNMENT), getpid());
}

static volatile sig_atomic_t traps;

static void count_trap(int number)
{
	(void)number;
	traps++;
}

TEST(single_stepping_over_system_calls_is_harmless)
{
	signal(SIGTRAP, count_trap);
	CHECK_EQ(getpid_with_flags(1 << 8), getpid());
	CHECK(traps > 0);
	signal(SIGTRAP, SIG_DFL);
}

TEST(a_system_call_keeps_all_registers_but_three)
{
	uint64_t r[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	__asm__ volatile(
		"mov %0, %%r15\n\t"
		"mov 0(%%r15), %%rbx\n\tmov 8(%%r15), %%rdx\n\tmov 16(%%r15), %%rsi\n\tmov 24(%%r15), %%rdi\n\t"
		"mov 32(%%r15), %%r8\n\tmov 40(%%r15), %%r9\n\tmov 48(%%r15), %%r10\n\tmov 56(%%r15), %%r12\n\t"
		"mov 64(%%r15), %%r13\n\tmov 72(%%r15), %%r14\n\tmov $39, %%eax\n\tsyscall\n\t"
		"add %%rbx, 0(%%r15)\n\tadd %%rdx, 8(%%r15)\n\tadd %%rsi, 16(%%r15)\n\tadd %%rdi, 24(%%r15)\n\t"
		"add %%r8, 32(%%r15)\n\tadd %%r9, 40(%%r15)\n\tadd %%r10, 48(%%r15)\n\tadd %%r12, 56(%%r15)\n\t"
		"add %%r13, 64(%%r15)\n\tadd %%r14, 72(%%r15)"
		: : "r"(r) : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	for (uint64_t i = 0; i < 10; i++)
		CHECK_EQ(r[i], 2 * (i + 1));
}

/* ---- FPU and vector registers ---- */

static void set_vectors(uint64_t v)
{
	__asm__ volatile("movq %0, %%xmm3\n\tmovq %0, %%xmm15\n\tfninit\n\tfildll %1" : : "r"(v), "m"(v) : "xmm3", "xmm15");
}

static int vectors_are(uint64_t v)
{
	uint64_t a, b, c;

	__asm__ volatile("movq %%xmm3, %0\n\tmovq %%xmm15, %1\n\tfld %%st(0)\n\tfistpll %2" : "=r"(a), "=r"(b), "=m"(c));
	return a == v && b == v && c == v;
}

static void *hold_vectors(void *argument)
{
	uint64_t v = (uint64_t)argument * 0x0102030405060708;
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	do {
		set_vectors(v);
		for (int i = 0; i < 200; i++) {
			if (i % 7 == 0)
				syscall(SYS_sched_yield);
			for (int j = 0; j < 100; j++)
				__asm__ volatile("");
			if (!vectors_are(v))
				return argument;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return NULL;
}

TEST(threads_keep_their_own_vector_registers)
{
	pthread_t thread[6];
	void *failed;

	for (uint64_t i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, hold_vectors, (void *)(i + 1)), 0);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(pthread_join(thread[i], &failed), 0);
		CHECK(failed == NULL);
	}
}

/* pread() of many bytes while two wide registers hold a pattern; what they hold after it goes to out. */
static long read_with_wide_registers(int fd, void *to, size_t bytes, const uint8_t pattern[32], uint8_t out[2][32])
{
	register long offset __asm__("r10") = 0;
	long result = SYS_pread64;

	__asm__ volatile("vmovdqu (%[p]), %%ymm0\n\tvmovdqu (%[p]), %%ymm15\n\tsyscall\n\tvmovdqu %%ymm0, (%[o])\n\tvmovdqu %%ymm15, 32(%[o])\n\tvzeroupper"
	                 : "+a"(result), "+r"(offset) : "D"(fd), "S"(to), "d"(bytes), [p] "r"(pattern), [o] "r"(out)
	                 : "rcx", "r11", "xmm0", "xmm15", "memory");
	return result;
}

enum { LARGE = 65536, PAGE = 4096 };

TEST(large_copies_leave_wide_registers_alone)
{
	uint8_t pattern[32], seen[2][32];
	int fd = memfd_create("large", 0);
	uint8_t *bytes = malloc(LARGE);

	if (!__builtin_cpu_supports("avx"))
		return;
	for (int i = 0; i < 32; i++)
		pattern[i] = (uint8_t)(i * 7 + 1);
	for (int i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 13 + (i >> 8));
	CHECK_EQ(write(fd, bytes, LARGE), LARGE);
	/* To pages that are not there yet, whole and at odd addresses; to some that must not be written. */
	for (int shift = 0; shift < 4; shift++) {
		uint8_t *to = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(seen, 0, sizeof seen);
		CHECK_EQ(read_with_wide_registers(fd, to + shift * 5, LARGE - shift * 77, pattern, seen), LARGE - shift * 77);
		CHECK(memcmp(to + shift * 5, bytes, (size_t)(LARGE - shift * 77)) == 0);
		CHECK(memcmp(seen[0], pattern, 32) == 0 && memcmp(seen[1], pattern, 32) == 0);
		CHECK_EQ(to[shift * 5 + LARGE - shift * 77], 0);
		CHECK_EQ(mprotect(to + 2 * PAGE, LARGE, PROT_NONE), 0);
		memset(to, 0, 2 * PAGE);
		memset(seen, 0, sizeof seen);
		long got = read_with_wide_registers(fd, to + PAGE - 300, LARGE, pattern, seen);
		CHECK(got == -14 || (got > 0 && got <= PAGE + 300));
		CHECK(memcmp(to + PAGE - 300, bytes, got > 0 ? (size_t)got : 0) == 0);
		CHECK(memcmp(seen[0], pattern, 32) == 0 && memcmp(seen[1], pattern, 32) == 0);
		munmap(to, 2 * LARGE);
	}
	free(bytes);
	close(fd);
}

TEST(fork_copies_vector_registers)
{
	uint64_t mark = 0x1122334455667788, a, b;
	long child = SYS_fork;
	int status;

	__asm__ volatile("movq %3, %%xmm7\n\tsyscall\n\tmovq %%xmm7, %1\n\tmovq %%xmm7, %2"
	                 : "+a"(child), "=r"(a), "=r"(b) : "r"(mark) : "rcx", "r11", "xmm7", "memory");
	if (child == 0)
		_exit(a != mark || b != mark);
	CHECK(child > 0);
	CHECK_EQ(a, mark);
	CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
	CHECK_EQ(status, 0);
}

/* Before main, in the program that the next test starts: what the registers are. */
__attribute__((constructor)) static void report_fresh_registers(void)
{
	uint32_t mxcsr;
	uint16_t control;
	uint64_t vector;

	if (!getenv("CPU_TEST_FRESH"))
		return;
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tmovq %%xmm15, %2" : "=m"(mxcsr), "=m"(control), "=r"(vector));
	_exit((mxcsr != 0x1f80) | (control != 0x37f) << 1 | (vector != 0) << 2);
}

TEST(exec_starts_with_fresh_vector_registers)
{
	uint32_t mxcsr = 0x9fc0;
	uint16_t control = 0x27f;
	int status;
	pid_t child = fork();

	if (child == 0) {
		char *arguments[] = { "cpu", NULL }, *environment[] = { "CPU_TEST_FRESH=1", NULL };

		__asm__ volatile("ldmxcsr %0\n\tfldcw %1\n\tpcmpeqd %%xmm15, %%xmm15" : : "m"(mxcsr), "m"(control) : "xmm15");
		execve("/proc/self/exe", arguments, environment);
		_exit(99);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static volatile sig_atomic_t alarms;

static void clobber_vectors(int number)
{
	(void)number;
	alarms++;
	__asm__ volatile("pcmpeqd %%xmm3, %%xmm3\n\tpcmpeqd %%xmm15, %%xmm15\n\tfninit\n\tfldpi" : : : "xmm3", "xmm15");
}

TEST(a_signal_handler_leaves_vector_registers_alone)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = {0};
	int kept = 1;

	signal(SIGALRM, clobber_vectors);
	setitimer(ITIMER_REAL, &often, NULL);
	set_vectors(0x5566778899aabbcc);
	while (alarms < 300 && kept)
		kept = vectors_are(0x5566778899aabbcc);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	CHECK(kept);
}

/* ---- Time ---- */

static _Atomic uint64_t latest;

static void *watch_clock(void *argument)
{
	for (int i = 0; i < 20000; i++) {
		uint64_t before = latest;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		uint64_t now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		if (now < before)
			return argument;
		/* Only ever raised, so that what was read before is a lower bound. */
		while (before < now && !__atomic_compare_exchange_n(&latest, &before, now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
	return NULL;
}

TEST(the_clock_never_goes_back_between_threads)
{
	pthread_t thread[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, watch_clock, thread), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(thread[i], &failed), 0);
		CHECK(failed == NULL);
	}
}
