/* lib/driver/interrupt.h - an interrupt of the device as a function that the server's loop calls. */
#pragma once
#include "lib/driver/driver.h"
#include "lib/scheme/scheme.h"

struct driver_interrupt {
	struct server_watch watch;
	void (*came)(void *driver);
	void *driver;
};

/* From now on came(driver) runs in the loop after interrupt `number`; the next is let through when it returns. i stays the caller's, for good.
 * Errors of device_interrupt. */
err_t driver_interrupt_add(struct driver_interrupt *i, struct server *s, struct device *d, uint32_t number, void (*came)(void *driver), void *driver)
	NONNULL MUST_CHECK;
