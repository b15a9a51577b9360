/* drivers/display/bochs/main.c - a Bochs display, served by the display protocol. */
#include "drivers/display/bochs/bochs.h"
#include "lib/base/try.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct bochs bochs;

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(bochs_open(&bochs, &device));
	return display_init(&bochs.frame.display, &server);
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("bochs: cannot start: error %d\n", -err);
		return 1;
	}
	print("bochs: %ux%u, %lu bytes\n", bochs.frame.size.width, bochs.frame.size.height, (unsigned long)bochs.bytes);
	err = server_run(&server);
	print("bochs: ended with error %d\n", -err);
	return 1;
}
