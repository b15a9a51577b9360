/* drivers/audio/ac97/main.c - an AC '97 controller, for audiod. */
#include "drivers/audio/ac97/ac97.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct ac97 ac97;
static struct driver_interrupt interrupt;

static void came(void *driver)
{
	(void)driver;
	ac97_interrupt(&ac97);
	sink_notify(&ac97.sink);
	if (ac97.is_gone)
		server_stop(&server);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(ac97_open(&ac97, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &ac97));
	return sink_serve(&ac97.sink, &server, "AC97");
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err)
		print("ac97: cannot start: error %d\n", -err);
	else
		err = server_run(&server);
	return err ? 1 : 0;
}
