/* drivers/acpid/clock.c - looks now and then whether the system's clock keeps pace with the firmware's timer, and says in the log when it does not. */
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/pace.h"
#include "lib/base/fmt.h"
#include "lib/native/print.h"
#include "lib/native/sys.h"

/* Several times at the start, then once in a while: a reading every two seconds would keep an idle machine awake. */
#define LOOK_NS  2000000000ull
#define LATER_NS 1800000000000ull
enum { LOOKS_MAX = 16, TRIES = 5 };

static struct {
	struct pace pace;
	struct server *server;
	struct server_timer timer;
	u32 looks;
} clock;

static uint64_t now_ns(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

/* The best of a few. False: the timer cannot be read. */
static bool sample(struct pace_sample *best)
{
	for (int i = 0; i < TRIES; i++) {
		struct pace_sample s = { .before_ns = now_ns() };

		if (ACPI_FAILURE(acpi_get_timer(&s.ticks)))
			return false;
		s.after_ns = now_ns();
		if (i == 0 || s.after_ns - s.before_ns < best->after_ns - best->before_ns)
			*best = s;
	}
	return true;
}

static void look(struct server_timer *t)
{
	struct pace_sample s;

	if (!sample(&s))
		return;
	enum pace_news news = pace_take(&clock.pace, &s);
	if (news == PACE_IS_OFF)
		print("acpid: the system's clock is %s: %lld ppm by the firmware's timer\n", clock.pace.error_ppm > 0 ? "slow" : "fast", (long long)clock.pace.error_ppm);
	bool is_enough = ++clock.looks % LOOKS_MAX == 0 || (news == PACE_MEASURED && clock.pace.measured >= PACE_AGREE && clock.pace.off == 0);
	server_timer_set(clock.server, t, now_ns() + (is_enough ? LATER_NS : LOOK_NS));
}

void clock_start(struct server *s)
{
	u32 bits;

	clock.server = s;
	if (ACPI_FAILURE(acpi_get_timer_resolution(&bits)))
		return;
	pace_init(&clock.pace, bits);
	server_timer_init(&clock.timer, look);
	server_timer_set(s, &clock.timer, now_ns() + LOOK_NS);
}

size_t clock_text(char *to, size_t bytes)
{
	if (!clock.pace.measured)
		return 0;
	return fmt(to, bytes, "clock timer=acpi error_ppm=%lld measured_ms=%llu\n", (long long)clock.pace.error_ppm,
	           (unsigned long long)(clock.pace.span_ns / 1000000));
}
