/* lib/test/test_main.c - runs the registered tests of one program and prints TAP. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/base/assert.h"
#include "lib/test/test.h"

enum outcome { PASSED, FAILED, SKIPPED };

static struct test *first, **last = &first;
static jmp_buf leave;
static const char *skip_reason;
static uint64_t random_state;

void test_register(struct test *test)
{
	*last = test;
	last = &test->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("# %s:%d: ", file, line);
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
	longjmp(leave, FAILED);
}

void test_skip(const char *why)
{
	skip_reason = why;
	longjmp(leave, SKIPPED);
}

void assert_failed(const char *expression, const char *file, int line)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
	abort();
}

bool test_dies(void (*run)(void *), void *argument)
{
	int status;

	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		test_fail(__FILE__, __LINE__, "fork failed");
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		run(argument);
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && status != 0;
}

int test_wait(int child)
{
	int status;
	pid_t found;

	do
		found = waitpid(child, &status, 0);
	while (found < 0 && errno == EINTR);
	if (found != child)
		test_fail(__FILE__, __LINE__, "no child %d to wait for", child);
	return status;
}

/* SplitMix64. */
uint64_t test_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static enum outcome test_run(const struct test *test)
{
	int outcome = setjmp(leave);

	if (outcome != PASSED)
		return outcome;
	random_state = 0;
	test->run();
	return PASSED;
}

static void print_outcome(const struct test *test, int number, enum outcome outcome)
{
	printf("%s %d - ", outcome == FAILED ? "not ok" : "ok", number);
	for (const char *c = test->name; *c; c++)
		putchar(*c == '_' ? ' ' : *c);
	if (outcome == SKIPPED)
		printf(" # SKIP %s", skip_reason);
	printf("\n");
	fflush(stdout);
}

static bool is_selected(const struct test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(test->name, argv[i]))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	int number = 0, failed = 0;

	for (struct test *test = first; test; test = test->next) {
		if (!is_selected(test, argc, argv))
			continue;
		enum outcome outcome = test_run(test);
		print_outcome(test, ++number, outcome);
		failed += outcome == FAILED;
	}
	printf("1..%d\n", number);
	return failed != 0;
}

/* A test that runs away must not take the machine with it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "hard_rss_limit_mb=2000:detect_stack_use_after_return=1";
}
