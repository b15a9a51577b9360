/* drivers/acpid/status.c - asks the firmware for the state of what it looks after. */
#include "abi/proto/power.h"
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/text.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"

enum { BATTERY_PRESENT = 1 << 4, INFO_UNIT = 0, INFO_DESIGN = 1, INFO_FULL = 2, STATE_STATE = 0, STATE_RATE = 1, STATE_REMAINING = 2 };

struct text {
	char *to;
	size_t bytes, used;
};

static char *room(const struct text *t) { return t->to + t->used; }
static size_t left(const struct text *t) { return t->bytes - t->used; }
static void grown(struct text *t, size_t by) { t->used = MIN_OF(t->used + by, t->bytes - 1); }

static acpi_status supply_found(acpi_handle object, u32 depth UNUSED, void *context, void **result UNUSED)
{
	char name[ACPI_NAMESEG_SIZE + 1];
	struct text *t = context;
	u64 is_online;

	object_name(object, name);
	if (evaluate_integer(object, "_PSR", &is_online))
		grown(t, fmt(room(t), left(t), "ac %s online=%u\n", name, is_online == 1));
	return AE_OK;
}

/* _BIX is _BIF with a revision in front of it. */
static void battery_info(acpi_handle object, struct battery *b)
{
	union acpi_object *info = evaluate_package(object, "_BIX");
	u32 first = info ? 1 : 0;

	if (!info && !(info = evaluate_package(object, "_BIF")))
		return;
	b->unit = package_number(info, first + INFO_UNIT);
	b->capacity_design = package_number(info, first + INFO_DESIGN);
	b->capacity_full = package_number(info, first + INFO_FULL);
	ACPI_FREE(info);
}

static acpi_status battery_found(acpi_handle object, u32 depth UNUSED, void *context, void **result UNUSED)
{
	struct battery b = { .is_present = true, .rate = BATTERY_UNKNOWN, .remaining = BATTERY_UNKNOWN };
	char name[ACPI_NAMESEG_SIZE + 1];
	struct text *t = context;
	union acpi_object *state;
	u64 present;

	object_name(object, name);
	if (evaluate_integer(object, "_STA", &present))
		b.is_present = present & BATTERY_PRESENT;
	if (b.is_present)
		battery_info(object, &b);
	if (b.is_present && (state = evaluate_package(object, "_BST"))) {
		b.state = package_number(state, STATE_STATE);
		b.rate = package_number(state, STATE_RATE);
		b.remaining = package_number(state, STATE_REMAINING);
		ACPI_FREE(state);
	}
	grown(t, battery_text(name, &b, room(t), left(t)));
	return AE_OK;
}

static acpi_status zone_found(acpi_handle object, u32 depth UNUSED, void *context, void **result UNUSED)
{
	char name[ACPI_NAMESEG_SIZE + 1];
	struct text *t = context;
	struct heat h;

	object_name(object, name);
	if (!evaluate_integer(object, "_TMP", &h.now))
		return AE_OK;
	if (!evaluate_integer(object, "_CRT", &h.critical))
		h.critical = 0;
	grown(t, heat_text(name, &h, room(t), left(t)));
	return AE_OK;
}

static acpi_status lid_found(acpi_handle object, u32 depth UNUSED, void *context, void **result UNUSED)
{
	char name[ACPI_NAMESEG_SIZE + 1];
	struct text *t = context;
	u64 is_open;

	object_name(object, name);
	if (evaluate_integer(object, "_LID", &is_open))
		grown(t, fmt(room(t), left(t), "lid %s open=%u\n", name, is_open != 0));
	return AE_OK;
}

size_t status_text(char *to, size_t bytes)
{
	struct text t = { .to = to, .bytes = bytes };

	(void)acpi_get_devices("ACPI0003", supply_found, &t, NULL);
	(void)acpi_get_devices("PNP0C0A", battery_found, &t, NULL);
	(void)acpi_get_devices("PNP0C0D", lid_found, &t, NULL);
	(void)acpi_walk_namespace(ACPI_TYPE_THERMAL, ACPI_ROOT_OBJECT, ACPI_UINT32_MAX, zone_found, NULL, &t, NULL);
	grown(&t, buttons_text(room(&t), left(&t)));
	grown(&t, clock_text(room(&t), left(&t)));
	return t.used;
}
