/* lib/test/host/lib/driver/ports.h - I/O ports on the host: every access is a question to the test's mock device, which defines these. */
#pragma once
#include "lib/driver/driver.h"

uint32_t port_read(const struct device_bar *b, uint32_t offset, uint32_t bytes);
void port_write(const struct device_bar *b, uint32_t offset, uint32_t bytes, uint32_t value);
