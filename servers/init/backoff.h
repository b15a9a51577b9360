/* servers/init/backoff.h - when something that ended is started again, and when no more. Pure.
 *
 * What ran well for a while starts again at once. What keeps failing waits twice as long each time, up to
 * BACKOFF_MAX_NS, and is given up after its limit of failures in a row.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

#define BACKOFF_FIRST_NS 50000000ull            /* 50 ms */
#define BACKOFF_MAX_NS   5000000000ull          /* 5 s */
#define BACKOFF_WELL_NS  10000000000ull         /* so long a life is no failure */

struct backoff {
	uint32_t failures;              /* in a row */
	uint64_t started_ns;
};

void backoff_start(struct backoff *b, uint64_t now_ns) NONNULL;
/* It has ended. True: start it again at *at_ns. False: limit (0: none) failures in a row. */
bool backoff_end(struct backoff *b, uint64_t now_ns, uint32_t limit, uint64_t *at_ns) NONNULL;
