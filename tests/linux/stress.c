/* tests/linux/stress.c - random system calls of an unprivileged user: nothing may come of it but errors.
 *
 * Each round a child calls random numbers with random arguments until an alarm ends it; what it does to itself is
 * its own fault. The rounds repeat with the seed of the round, which STRESS_SEED and STRESS_ROUNDS choose..
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { ROUNDS = 30, CALLS = 3000, LIMIT_S = 2, USER = 1000, ARENA = 64 * 4096 };

static uint64_t state;
static char *arena;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static long argument(void)
{
	static const long special[] = { 0, 1, -1, 4096, 0x7fffffff, -4096, LONG_MAX, LONG_MIN, 0x7ffffffff000, 0x800000000000 };

	switch (next() % 6) {
	case 0: return (long)(next() % 16);
	case 1: return special[next() % (sizeof special / sizeof special[0])];
	case 2: return (long)(arena + next() % ARENA);
	case 3: return (long)(arena + (next() % ARENA & ~4095ul));
	case 4: return (long)(next() % 70000);
	default: return (long)(next() >> next() % 64);
	}
}

/* Calls that would end the test instead of testing: they stop, kill or wait by their meaning. */
static bool is_spared(long number)
{
	static const long spared[] = { SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
	                               SYS_pause, SYS_vfork, SYS_fork, SYS_clone, 435 /* clone3 */, SYS_rt_sigreturn, SYS_alarm, SYS_setitimer };

	for (size_t i = 0; i < sizeof spared / sizeof spared[0]; i++)
		if (number == spared[i])
			return true;
	return false;
}

static void arena_fill(void)
{
	for (size_t i = 0; i < ARENA / 8; i++)
		((uint64_t *)arena)[i] = next() % 4 ? next() % 300 : (uint64_t)argument();
}

static void go_wild(void)
{
	if (setgid(USER) || setuid(USER) || chdir("/tmp"))
		_exit(1);
	/* What it writes, truncates and extends at random must not be what our results go to. */
	int nowhere = open("/dev/null", O_RDWR);
	if (nowhere < 0 || dup2(nowhere, 0) || dup2(nowhere, 1) != 1 || dup2(nowhere, 2) != 2)
		_exit(1);
	struct rlimit few = { 64, 64 };
	setrlimit(RLIMIT_NPROC, &few);
	signal(SIGALRM, SIG_DFL);
	alarm(LIMIT_S);
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		_exit(1);
	arena_fill();
	for (int i = 0; i < CALLS; i++) {
		long number = (long)(next() % 8 ? next() % 460 : next() & 0xffffffff);
		long a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
		if (!is_spared(number))
			syscall(number, a, b, c, d, e, f);
	}
	_exit(0);
}

static unsigned long environment_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

TEST(random_calls_of_a_user_harm_only_himself)
{
	unsigned long rounds = environment_number("STRESS_ROUNDS", ROUNDS), seed = environment_number("STRESS_SEED", 1);

	if (geteuid() != 0)
		SKIP("not root");
	for (unsigned long round = seed; round < seed + rounds; round++) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			setsid();
			state = round;
			go_wild();
		}
		int status = test_wait(child);
		kill(-child, SIGKILL);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
			test_fail(__FILE__, __LINE__, "round %lu could not start", round);
	}
}

TEST(the_system_still_works)
{
	CHECK_EQ(system("echo alive >/dev/null && ls / >/dev/null && (exit 0) && test $(echo a | tr a b) = b"), 0);
	CHECK_EQ(kill(1, 0), 0);
}
