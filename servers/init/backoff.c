/* servers/init/backoff.c */
#include "servers/init/backoff.h"
#include "lib/base/bits.h"

void backoff_start(struct backoff *b, uint64_t now_ns)
{
	b->started_ns = now_ns;
}

bool backoff_end(struct backoff *b, uint64_t now_ns, uint32_t limit, uint64_t *at_ns)
{
	if (now_ns - b->started_ns >= BACKOFF_WELL_NS)
		b->failures = 0;
	b->failures++;
	if (limit > 0 && b->failures >= limit)
		return false;
	uint32_t doublings = MIN_OF(b->failures - 1, 20u);
	*at_ns = now_ns + MIN_OF(BACKOFF_FIRST_NS << doublings, BACKOFF_MAX_NS);
	return true;
}
