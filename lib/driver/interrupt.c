/* lib/driver/interrupt.c - takes an interrupt, has it handled, lets the next one through. */
#include "lib/driver/interrupt.h"
#include "lib/base/try.h"
#include "lib/native/sys.h"

static void ready(struct server_watch *w, uint32_t found)
{
	struct driver_interrupt *i = container_of(w, struct driver_interrupt, watch);
	uint64_t count;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof(count), -1) != sizeof(count))
		return;
	i->came(i->driver);
	sys_write(0, w->handle, &count, sizeof(count), -1);
}

err_t driver_interrupt_add(struct driver_interrupt *i, struct server *s, struct device *d, uint32_t number, void (*came)(void *driver), void *driver)
{
	handle_t h;

	TRY(device_interrupt(d, number, &h));
	i->came = came;
	i->driver = driver;
	server_add_watch(s, &i->watch, h, READY_READ, ready);
	return OK;
}
