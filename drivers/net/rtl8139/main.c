/* drivers/net/rtl8139/main.c - Realtek's 8139, served by the ethernet protocol. */
#include "drivers/net/rtl8139/rtl.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct rtl rtl;
static struct driver_interrupt interrupt;

static void came(void *driver)
{
	rtl_interrupt(driver);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(rtl_open(&rtl, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &rtl));
	TRY(net_init(&server, &device, &rtl.card));
	return net_serve();
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("rtl8139: cannot start: error %d\n", -err);
		return 1;
	}
	err = server_run(&server);
	print("rtl8139: ended with error %d\n", -err);
	return 1;
}
