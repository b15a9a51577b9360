/* lib/rtc/rtc.h - what the registers of a PC's battery-backed clock (MC146818) mean. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

/* As read, in the order of rtc_index; century is 0 where there is no such register. */
enum rtc_field { RTC_SECOND, RTC_MINUTE, RTC_HOUR, RTC_DAY, RTC_MONTH, RTC_YEAR, RTC_CENTURY, RTC_FIELDS };
/* Register numbers of all but the century, which the ACPI tables tell. */
extern const uint8_t rtc_index[RTC_CENTURY];
enum { RTC_STATUS_A = 10, RTC_STATUS_B = 11, RTC_A_UPDATING = 0x80 };

/* ns since 1970 of the fields, with status B telling their form; 0 when they are no date. */
uint64_t rtc_to_ns(const uint8_t field[RTC_FIELDS], uint8_t status_b) NONNULL;
