/* drivers/acpid/pace.h - does the system's clock run as fast as the firmware's timer? Pure.
 *
 * The timer counts 3,579,545 a second in 24 or 32 bits. It is read between two looks at the clock: how far these are apart says how well the reading
 * is known. A busy host may stop us anywhere: what is known badly, or may have wrapped round meanwhile, counts for nothing and is done again, and
 * what is left over only ever becomes a line in the log.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

enum { PACE_TIMER_HZ = 3579545, PACE_SAMPLE_NS_MAX = 100000, PACE_WARN_PPM = 1000, PACE_AGREE = 3 };
#define PACE_SPAN_NS_MIN 1500000000ull
#define PACE_SPAN_NS_MAX 4000000000ull          /* 24 bits last 4.6 s */

struct pace_sample { uint64_t before_ns, after_ns; uint32_t ticks; };

enum pace_news { PACE_NOTHING, PACE_MEASURED, PACE_IS_OFF };

struct pace {
	uint32_t timer_bits;            /* 24 or 32 */
	bool has_first;
	struct pace_sample first;
	uint32_t measured;              /* how often */
	uint32_t off;                   /* how often in a row it was off, the same way */
	int64_t error_ppm;              /* of the last measurement: > 0, the clock is too slow */
	uint64_t span_ns;
};

void pace_init(struct pace *p, uint32_t timer_bits) NONNULL;
/* A reading. IS_OFF: now PACE_AGREE measurements in a row say so; told once for that. */
enum pace_news pace_take(struct pace *p, const struct pace_sample *s) NONNULL MUST_CHECK;
