/* tests/linux/rules.h - TAP for Linux programs that run on Linux and on Cathode alike.
 *
 * A test is a function that calls CHECK; main lists them with RUN and ends with FINISH.
 */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed, tap_bad;

#define CHECK(x) do {                                                                           \
	if (!(x)) {                                                                             \
		tap_bad = 1;                                                                    \
		printf("# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #x, errno);                \
	}                                                                                       \
} while (0)

#define RUN(test) do {                                                                          \
	tap_bad = 0;                                                                            \
	test();                                                                                 \
	printf("%sok %d - %s\n", tap_bad ? "not " : "", ++tap_count, #test);                      \
	tap_failed += tap_bad;                                                                  \
	fflush(stdout);                                                                         \
} while (0)

#define FINISH() do { printf("1..%d\n", tap_count); return tap_failed != 0; } while (0)
