/* servers/init/clock.c - a PC's battery-backed clock is read once: two ports, an index and its register. */
#include "servers/init/clock.h"
#include "abi/proto/kernel.h"
#include "lib/native/handle.h"
#include "lib/rtc/rtc.h"

#define RTC_PORTS "port:70+2"

/* False: the ports do not answer. */
static bool register_read(void *context, uint8_t index, uint8_t *out)
{
	handle_t ports = *(const handle_t *)context;

	return handle_write_at(ports, &index, 1, 0) == OK && handle_read_at(ports, out, 1, 1) == OK;
}

void clock_set_from_hardware(handle_t namespace, uint8_t century_index)
{
	handle_t ports, clock;

	if (handle_open_in(namespace, "mem", RTC_PORTS, OPEN_READ | OPEN_WRITE, &ports))
		return;
	struct rtc_registers registers = { .read = register_read, .context = &ports };
	uint64_t ns = rtc_read_ns(&registers, century_index);
	handle_close(ports);
	if (!ns || handle_open_in(namespace, "time", "realtime", OPEN_READ | OPEN_WRITE, &clock))
		return;
	handle_call(clock, CLOCK_SET, NULL, 0, NULL, 0, ns);
	handle_close(clock);
}
