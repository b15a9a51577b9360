/* lib/rtc/rtc.c - see rtc.h. */
#include "lib/rtc/rtc.h"
#include "lib/base/string.h"

enum { B_BINARY = 4, B_24_HOURS = 2, HOUR_PM = 0x80 };

const uint8_t rtc_index[RTC_CENTURY] = { 0, 2, 4, 7, 8, 9 };

static uint32_t number(uint8_t raw, uint8_t status_b)
{
	return status_b & B_BINARY ? raw : (raw >> 4) * 10u + (raw & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, years counted from March. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
	uint64_t y = month <= 2 ? year - 1 : year;
	uint64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

uint64_t rtc_to_ns(const uint8_t f[RTC_FIELDS], uint8_t status_b)
{
	uint32_t hour = number(f[RTC_HOUR] & (uint8_t)~HOUR_PM, status_b), minute = number(f[RTC_MINUTE], status_b);
	uint32_t second = number(f[RTC_SECOND], status_b), century = number(f[RTC_CENTURY], status_b);
	uint32_t year = number(f[RTC_YEAR], status_b), month = number(f[RTC_MONTH], status_b), day = number(f[RTC_DAY], status_b);

	if (!(status_b & B_24_HOURS))
		hour = hour % 12 + (f[RTC_HOUR] & HOUR_PM ? 12 : 0);
	year += century >= 19 && century <= 99 ? century * 100 : 2000;
	if (year < 1970 || year > 2500 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
		return 0;
	return ((days_since_1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second) * 1000000000;
}

/* ---- Reading ---- */

enum { PATIENCE = 10000, SAMPLES_MAX = 10, CENTURY_USUAL = 0x32 };

static bool sample(const struct rtc_registers *r, uint8_t century_index, uint8_t f[RTC_FIELDS])
{
	int patience = PATIENCE;
	uint8_t status;

	do
		if (--patience == 0 || !r->read(r->context, RTC_STATUS_A, &status))
			return false;
	while (status & RTC_A_UPDATING);
	for (int i = 0; i < RTC_CENTURY; i++)
		if (!r->read(r->context, rtc_index[i], &f[i]))
			return false;
	return r->read(r->context, century_index, &f[RTC_CENTURY]);
}

/* Until two samples agree: an update may have come between two registers. */
uint64_t rtc_read_ns(const struct rtc_registers *r, uint8_t century_index)
{
	uint8_t century = century_index ? century_index : CENTURY_USUAL, f[2][RTC_FIELDS], status_b;

	if (!r->read(r->context, RTC_STATUS_B, &status_b) || !sample(r, century, f[0]))
		return 0;
	for (int i = 1; i <= SAMPLES_MAX && sample(r, century, f[i % 2]); i++)
		if (memcmp(f[0], f[1], sizeof(f[0])) == 0)
			return rtc_to_ns(f[0], status_b);
	return 0;
}
