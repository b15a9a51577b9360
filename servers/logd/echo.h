/* servers/logd/echo.h - what we passed to the kernel's log comes back when that is read: knows it again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

enum { ECHO_COUNT = 256 };

/* Zeroed is the beginning. */
struct echo {
	uint32_t hash[ECHO_COUNT];      /* of lines sent and not yet seen, in order */
	uint32_t sent, seen;
};

void echo_sent(struct echo *e, const char *line, size_t bytes) NONNULL;
/* Is this line one of those? Then it and all before it are done with. */
bool echo_is_ours(struct echo *e, const char *line, size_t bytes) NONNULL;
