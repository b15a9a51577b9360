/* drivers/audio/hda/main.c - an Intel High Definition Audio controller, for audiod. */
#include "drivers/audio/hda/hda.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct hda hda;
static struct driver_interrupt interrupt;

static void came(void *driver)
{
	(void)driver;
	hda_interrupt(&hda);
	sink_notify(&hda.sink);
	if (hda.is_gone)
		server_stop(&server);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(hda_open(&hda, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &hda));
	return sink_serve(&hda.sink, &server, "HDA");
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err)
		print("hda: cannot start: error %d\n", -err);
	else
		err = server_run(&server);
	return err ? 1 : 0;
}
