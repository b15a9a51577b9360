/* drivers/input/virtio_input/main.c - a virtio keyboard, mouse or tablet, for inputd. */
#include "drivers/input/virtio_input/input.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { REPORTS = 64 };

static struct server server;
static struct driver_interrupt interrupt;
static struct server_watch lights;
static struct device device;
static struct input input;
static handle_t to;

static void came(void *driver)
{
	struct input_raw reports[REPORTS];
	size_t n;

	do {
		if ((n = input_take(driver, reports, REPORTS)) > 0)
			(void)!sys_write(0, to, reports, n * sizeof(*reports), -1);
	} while (n == REPORTS);
	if (input.is_gone)
		server_stop(&server);
}

static void lights_changed(struct server_watch *w, uint32_t found)
{
	uint32_t on;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &on, sizeof(on), -1) == sizeof(on))
		input_set_lights(&input, on);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(input_open(&input, &device));
	TRY(result_error(handle_call(to, INPUT_DEVICE, &input.info, sizeof(input.info), NULL, 0, 0)));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &input));
	if (input.info.kinds & INPUT_IS_KEYBOARD)
		server_add_watch(&server, &lights, to, READY_READ, lights_changed);
	came(&input);
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	to = startup_handle("input");
	if ((err = start()))
		print("virtio_input: cannot start: error %d\n", -err);
	else
		err = server_run(&server);
	return err ? 1 : 0;
}
