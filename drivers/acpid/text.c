/* drivers/acpid/text.c - see text.h. */
#include "drivers/acpid/text.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"

enum { DISCHARGING = 1, CHARGING = 2, CRITICAL = 4, UNIT_CURRENT = 1, PERCENT = 100, FREEZING = 2732 /* 0 degrees Celsius, in tenths of a Kelvin */ };

static const char *state_name(const struct battery *b, uint32_t percent)
{
	if (b->state & CHARGING)
		return "charging";
	if (b->state & DISCHARGING)
		return b->state & CRITICAL ? "critical" : "discharging";
	return percent >= PERCENT ? "full" : "idle";
}

/* Out of what it could hold when it was last full; 0 and more, never more than all. */
static uint32_t percent_of(const struct battery *b)
{
	uint64_t full = b->capacity_full && b->capacity_full < BATTERY_UNKNOWN ? b->capacity_full : b->capacity_design;

	if (!full || full >= BATTERY_UNKNOWN || b->remaining >= BATTERY_UNKNOWN)
		return 0;
	return (uint32_t)(MIN_OF(b->remaining, full) * PERCENT / full);
}

/* " name=value", or nothing if it is not known. */
static size_t known_text(const char *name, uint64_t value, char *to, size_t bytes)
{
	return value < BATTERY_UNKNOWN ? fmt(to, bytes, " %s=%llu", name, (unsigned long long)value) : 0;
}

size_t battery_text(const char *name, const struct battery *b, char *to, size_t bytes)
{
	char rate[40] = "", remaining[40] = "";
	uint32_t percent = percent_of(b);

	if (!b->is_present)
		return fmt(to, bytes, "battery %s state=absent\n", name);
	known_text("rate", b->rate, rate, sizeof rate);
	known_text("remaining", b->remaining, remaining, sizeof remaining);
	return fmt(to, bytes, "battery %s state=%s left=%u%s%s unit=%s\n", name, state_name(b, percent), percent, rate, remaining,
	           b->unit == UNIT_CURRENT ? "mA" : "mW");
}

/* As "-3.5". */
static size_t celsius_text(uint64_t tenths_kelvin, char *to, size_t bytes)
{
	int64_t tenths = (int64_t)MIN_OF(tenths_kelvin, (uint64_t)UINT32_MAX) - FREEZING, size = tenths < 0 ? -tenths : tenths;

	return fmt(to, bytes, "%s%lld.%lld", tenths < 0 ? "-" : "", (long long)(size / 10), (long long)(size % 10));
}

size_t heat_text(const char *name, const struct heat *h, char *to, size_t bytes)
{
	char now[24], critical[24];

	celsius_text(h->now, now, sizeof now);
	if (!h->critical)
		return fmt(to, bytes, "thermal %s celsius=%s\n", name, now);
	celsius_text(h->critical, critical, sizeof critical);
	return fmt(to, bytes, "thermal %s celsius=%s critical=%s\n", name, now, critical);
}
