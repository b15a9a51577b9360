/* tests/native/tap.h - what the native test programs share: rules are functions, what they find is TAP. */
#pragma once
#include <stdbool.h>
#include "lib/native/print.h"
#include "lib/native/sys.h"

static unsigned points, failures;
static bool current_ok;

#define CHECK(x) check((x), #x, __LINE__)

static void check(bool ok, const char *what, int line)
{
	if (ok)
		return;
	current_ok = false;
	print("# line %d: %s\n", line, what);
}

static void run(const char *rule, void (*test)(void))
{
	current_ok = true;
	test();
	failures += !current_ok;
	print("%s %u - %s\n", current_ok ? "ok" : "not ok", ++points, rule);
}

static inline uint64_t now_ns(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }
