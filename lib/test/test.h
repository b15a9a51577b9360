/* lib/test/test.h - the host test framework: rules as sentences, TAP as output.
 *
 * TEST(a_rule_in_words) { CHECK(x); CHECK_EQ(got, wanted); } in x_test.c is all it takes. A failed CHECK ends
 * its test and the run goes on with the next. The program takes words that select tests by part of
 * their name. CHECK_DIES runs an expression in a child that must not survive it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
/* Ends the running test as failed. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Ends the running test as skipped. */
_Noreturn void test_skip(const char *why);
/* Runs the function in a child process: true when a signal, a sanitizer or assert_failed ended it. */
bool test_dies(void (*run)(void *), void *argument);
/* Waits for a child; its wait status. Fails the test when there is no such child. */
int test_wait(int child);
/* A fixed sequence of pseudo-random numbers, the same in every run; each test starts at its beginning. */
uint64_t test_random(void);

#define TEST(sentence)                                                                          \
	static void sentence(void);                                                             \
	__attribute__((constructor)) static void sentence##_register(void)                      \
	{                                                                                       \
		static struct test test = { #sentence, sentence, NULL };                        \
		test_register(&test);                                                           \
	}                                                                                       \
	static void sentence(void)

#define CHECK(x) do {                                                                           \
	if (!(x))                                                                               \
		test_fail(__FILE__, __LINE__, "%s", #x);                                        \
} while (0)

/* Integers and pointers. */
#define CHECK_EQ(got, wanted) do {                                                              \
	__auto_type check_got = (got);                                                          \
	__typeof__(check_got) check_wanted = (__typeof__(check_got))(wanted);                   \
	if (check_got != check_wanted)                                                          \
		test_fail(__FILE__, __LINE__, "%s is %lld (0x%llx), not %lld (0x%llx): %s", #got,      \
		          (long long)check_got, (unsigned long long)check_got,                  \
		          (long long)check_wanted, (unsigned long long)check_wanted, #wanted);  \
} while (0)

#define CHECK_STR(got, wanted) do {                                                             \
	const char *check_got = (got), *check_wanted = (wanted);                                \
	if (!check_got || strcmp(check_got, check_wanted))                                      \
		test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got,                 \
		          check_got ? check_got : "(null)", check_wanted);                      \
} while (0)

#define CHECK_MEM(got, wanted, bytes) do {                                                      \
	if (memcmp((got), (wanted), (bytes)))                                                   \
		test_fail(__FILE__, __LINE__, "%s differs from %s within %s bytes", #got, #wanted, #bytes);    \
} while (0)

#define CHECK_DIES(function, argument) CHECK(test_dies((function), (argument)))
#define SKIP(why) test_skip(why)
