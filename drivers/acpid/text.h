/* drivers/acpid/text.h - what firmware says of batteries and heat, as lines of power: (abi/proto/power.h). Pure: its numbers are a stranger's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* ACPI 6.5, 10.2.2: what a number that is not known is. */
#define BATTERY_UNKNOWN 0xffffffffu

struct battery {
	bool is_present;
	uint64_t unit;                  /* 0: mW and mWh; 1: mA and mAh */
	uint64_t capacity_design, capacity_full;
	uint64_t state;                 /* bit 0: discharging, 1: charging, 2: critical */
	uint64_t rate, remaining;
};

struct heat {
	uint64_t now, critical;         /* tenths of a Kelvin; critical 0: unknown */
};

/* A line each, ended by a newline; what does not fit is cut. How long it is. */
size_t battery_text(const char *name, const struct battery *b, char *to, size_t bytes) NONNULL;
size_t heat_text(const char *name, const struct heat *h, char *to, size_t bytes) NONNULL;
