/* lib/rtc/rtc.h - what the registers of a PC's battery-backed clock (MC146818) mean, and how they are read while it runs. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* As read, in the order of rtc_index; century is 0 where there is no such register. */
enum rtc_field { RTC_SECOND, RTC_MINUTE, RTC_HOUR, RTC_DAY, RTC_MONTH, RTC_YEAR, RTC_CENTURY, RTC_FIELDS };
/* Register numbers of all but the century, which the ACPI tables tell. */
extern const uint8_t rtc_index[RTC_CENTURY];
enum { RTC_STATUS_A = 10, RTC_STATUS_B = 11, RTC_A_UPDATING = 0x80 };

/* ns since 1970 of the fields, with status B telling their form; 0 when they are no date. */
uint64_t rtc_to_ns(const uint8_t field[RTC_FIELDS], uint8_t status_b) NONNULL;

/* How its registers are reached. False: they do not answer. */
struct rtc_registers {
	bool (*read)(void *context, uint8_t index, uint8_t *out);
	void *context;
};

/* The time it shows, ns since 1970; 0: there is no such clock, it never stops updating itself, or it shows no date. century_index 0: where nearly
 * all boards have the century. */
uint64_t rtc_read_ns(const struct rtc_registers *r, uint8_t century_index) NONNULL;
