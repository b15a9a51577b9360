/* drivers/acpid/pace.c - see pace.h. */
#include "drivers/acpid/pace.h"
#include "lib/base/bits.h"

#define NS_PER_S 1000000000ull
enum { PPM = 1000000 };

void pace_init(struct pace *p, uint32_t timer_bits)
{
	*p = (struct pace){ .timer_bits = timer_bits == 32 ? 32 : 24 };
}

static uint64_t middle_ns(const struct pace_sample *s) { return s->before_ns + (s->after_ns - s->before_ns) / 2; }
static uint64_t width_ns(const struct pace_sample *s) { return s->after_ns - s->before_ns; }

static enum pace_news judge(struct pace *p, int64_t doubt_ppm)
{
	bool is_off = p->error_ppm > PACE_WARN_PPM + doubt_ppm || p->error_ppm < -(PACE_WARN_PPM + doubt_ppm);

	p->off = is_off ? p->off + 1 : 0;
	return p->off == PACE_AGREE ? PACE_IS_OFF : PACE_MEASURED;
}

enum pace_news pace_take(struct pace *p, const struct pace_sample *s)
{
	const struct pace_sample first = p->first;

	/* We were stopped in between: when it was read is not known. */
	if (s->after_ns < s->before_ns || width_ns(s) > PACE_SAMPLE_NS_MAX)
		return PACE_NOTHING;
	uint64_t span_ns = p->has_first && middle_ns(s) > middle_ns(&first) ? middle_ns(s) - middle_ns(&first) : 0;
	if (p->has_first && span_ns > 0 && span_ns < PACE_SPAN_NS_MIN)
		return PACE_NOTHING;
	bool had_first = p->has_first;
	p->first = *s;
	p->has_first = true;
	if (!had_first || span_ns == 0 || span_ns > PACE_SPAN_NS_MAX)
		return PACE_NOTHING;
	uint64_t mask = p->timer_bits == 32 ? UINT32_MAX : 0xffffff, ticks = ((uint64_t)s->ticks - first.ticks) & mask;
	int64_t timer_ns = (int64_t)(ticks * NS_PER_S / PACE_TIMER_HZ);
	p->error_ppm = (timer_ns - (int64_t)span_ns) * PPM / (int64_t)span_ns;
	p->span_ns = span_ns;
	p->measured++;
	return judge(p, (int64_t)((width_ns(s) + width_ns(&first)) * PPM / span_ns));
}
