/* lib/driver/ports.h - device registers in I/O ports: one access each.
 *
 * On the host lib/test/host/lib/driver/ports.h stands in for this file and asks the mock device of the test.
 */
#pragma once
#include "lib/driver/driver.h"
#include "lib/native/sys.h"

/* bytes: 1, 2 or 4. What cannot be read is all ones, as on the bus. */
static inline uint32_t port_read(const struct device_bar *b, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	return sys_read(0, b->ports, &value, bytes, offset) < 0 ? UINT32_MAX : value;
}

static inline void port_write(const struct device_bar *b, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)!sys_write(0, b->ports, &value, bytes, offset);
}
