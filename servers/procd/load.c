/* servers/procd/load.c - exponentially decaying averages in steps of 5 s. */
#include "servers/procd/load.h"
#include "lib/base/bits.h"

#define STEP_NS 5000000000ull
/* So many bring even the slowest to what is running now. */
enum { STEPS_MAX = 3000 };
/* exp(-5 s / 1, 5, 15 min) with 16 fractional bits. */
static const uint64_t decay[3] = { 60296, 64453, 65173 };

void load_update(struct load *l, uint64_t now_ns, uint32_t running)
{
	uint64_t steps = now_ns > l->until_ns ? (now_ns - l->until_ns) / STEP_NS : 0;

	l->until_ns += steps * STEP_NS;
	for (uint64_t n = 0; n < MIN_OF(steps, (uint64_t)STEPS_MAX); n++)
		for (int i = 0; i < 3; i++)
			l->average[i] = (l->average[i] * decay[i] + ((uint64_t)running << 16) * (65536 - decay[i])) >> 16;
}
