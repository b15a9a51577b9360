/* servers/init/clock.c - a PC's battery-backed clock is read once: two ports, an index and its register. */
#include "servers/init/clock.h"
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/rtc/rtc.h"

#define RTC_PORTS "port:70+2"
enum { RTC_PATIENCE = 10000, RTC_TRIES = 10, CENTURY_USUAL = 0x32 /* where nearly all boards have it */ };

/* False: the ports do not answer. */
static bool register_read(handle_t ports, uint8_t index, uint8_t *out)
{
	return handle_write_at(ports, &index, 1, 0) == OK && handle_read_at(ports, out, 1, 1) == OK;
}

static bool sample(handle_t ports, uint8_t century_index, uint8_t f[RTC_FIELDS])
{
	int patience = RTC_PATIENCE;
	uint8_t status;

	do
		if (--patience == 0 || !register_read(ports, RTC_STATUS_A, &status))
			return false;
	while (status & RTC_A_UPDATING);
	for (int i = 0; i < RTC_CENTURY; i++)
		if (!register_read(ports, rtc_index[i], &f[i]))
			return false;
	return register_read(ports, century_index, &f[RTC_CENTURY]);
}

/* Read until two samples agree: an update may have come between. 0: no date. */
static uint64_t read_ns(handle_t ports, uint8_t century_index)
{
	uint8_t f[2][RTC_FIELDS], status_b;

	if (!register_read(ports, RTC_STATUS_B, &status_b) || !sample(ports, century_index, f[0]))
		return 0;
	for (int i = 1; i <= RTC_TRIES && sample(ports, century_index, f[i % 2]); i++)
		if (memcmp(f[0], f[1], sizeof(f[0])) == 0)
			return rtc_to_ns(f[0], status_b);
	return 0;
}

void clock_set_from_hardware(handle_t namespace, uint8_t century_index)
{
	handle_t ports, clock;

	if (handle_open_in(namespace, "mem", RTC_PORTS, OPEN_READ | OPEN_WRITE, &ports))
		return;
	uint64_t ns = read_ns(ports, century_index ? century_index : CENTURY_USUAL);
	handle_close(ports);
	if (!ns || handle_open_in(namespace, "time", "realtime", OPEN_READ | OPEN_WRITE, &clock))
		return;
	handle_call(clock, CLOCK_SET, NULL, 0, NULL, 0, ns);
	handle_close(clock);
}
