/* servers/init/backoff.c */
#include "servers/init/backoff.h"
#include "lib/base/bits.h"

void backoff_start(struct backoff *b, uint64_t now_ns)
{
	b->started_ns = now_ns;
}

/* wait doubled so many times, never above most. */
static uint64_t doubled(uint64_t wait, uint32_t times, uint64_t most)
{
	while (times-- > 0 && wait < most)
		wait = wait > UINT64_MAX / 2 ? UINT64_MAX : wait * 2;
	return MIN_OF(wait, most);
}

bool backoff_end(struct backoff *b, uint64_t now_ns, const struct backoff_policy *policy, uint64_t *at_ns)
{
	uint64_t forgiven = (now_ns - b->started_ns) / BACKOFF_FORGIVE_NS;

	b->failures = (uint32_t)(b->failures - MIN_OF((uint64_t)b->failures, forgiven)) + 1;
	if (policy->limit > 0 && b->failures >= policy->limit)
		return false;
	*at_ns = now_ns + (b->failures == 1 ? 0 : doubled(policy->wait_ns, MIN_OF(b->failures - 2, 64u), policy->most_ns));
	return true;
}
