/* servers/init/backoff.h - when something that ended is started again, and when no more. Pure.
 *
 * The first time it starts again at once. What keeps failing waits, twice as long each time, up to a most, and is given up when its
 * limit of failures is reached. Each BACKOFF_FORGIVE_NS of a life forgives one of those before it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* What is usual. */
#define BACKOFF_FIRST_NS 50000000ull            /* 50 ms */
#define BACKOFF_MAX_NS   5000000000ull          /* 5 s */
#define BACKOFF_FORGIVE_NS 1000000000ull

struct backoff_policy {
	uint32_t limit;                 /* of failures; 0: none */
	uint64_t wait_ns, most_ns;
};

struct backoff {
	uint32_t failures;              /* that are not forgiven */
	uint64_t started_ns;
};

void backoff_start(struct backoff *b, uint64_t now_ns) NONNULL;
/* It has ended. True: start it again at *at_ns. False: the limit is reached. */
bool backoff_end(struct backoff *b, uint64_t now_ns, const struct backoff_policy *policy, uint64_t *at_ns) NONNULL;
