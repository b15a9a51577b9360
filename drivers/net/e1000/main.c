/* drivers/net/e1000/main.c - Intel's gigabit cards, served by the ethernet protocol. */
#include "drivers/net/e1000/e1000.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct e1000 e1000;
static struct driver_interrupt interrupt;

static void came(void *driver)
{
	e1000_interrupt(driver);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(e1000_open(&e1000, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &e1000));
	e1000_set_interrupt(&e1000, device.interrupt_kind == DEVICE_MSI_X);
	TRY(net_init(&server, &device, &e1000.card));
	return net_serve();
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("e1000: cannot start: error %d\n", -err);
		return 1;
	}
	err = server_run(&server);
	print("e1000: ended with error %d\n", -err);
	return 1;
}
