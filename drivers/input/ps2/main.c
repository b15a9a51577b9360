/* drivers/input/ps2/main.c - the PC's keyboard and mouse, for inputd.
 *
 * Handles: data and status (I/O ports), keyboard-irq, mouse-irq; keyboard and mouse (each an input:device).
 */
#include "drivers/input/ps2/i8042.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { FIRST_PORT = 0x60, BYTES_AT_ONCE = 256 };

static struct server server;
static struct i8042 controller;
static struct server_watch keyboard_irq, mouse_irq, lights;
static handle_t ports, device[2];       /* by enum i8042_who */

static uint8_t port_in(uint32_t port)
{
	uint8_t value = 0xff;

	return sys_read(0, ports, &value, sizeof(value), port - FIRST_PORT) < 0 ? 0xff : value;
}

static void port_out(uint32_t port, uint8_t value)
{
	(void)!sys_write(0, ports, &value, sizeof(value), port - FIRST_PORT);
}

static const struct i8042_ports io = { .in = port_in, .out = port_out };

/* A controller that never runs dry is left until its next interrupt. */
static void bytes_take(void)
{
	struct input_raw reports[DECODE_REPORTS_MAX];
	enum i8042_who who;
	size_t count;

	for (uint32_t i = 0; i < BYTES_AT_ONCE && (who = i8042_next(&controller, reports, &count)) != I8042_NOBODY; i++)
		if (count)
			(void)!sys_write(0, device[who], reports, count * sizeof(*reports), -1);
}

/* The lines are edge-triggered: what came between the last look and the acknowledgement makes no new edge, so look again. */
static void interrupt(struct server_watch *w, uint32_t found)
{
	uint64_t count;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof(count), -1) != sizeof(count))
		return;
	bytes_take();
	(void)!sys_write(0, w->handle, &count, sizeof(count), -1);
	bytes_take();
}

static void lights_changed(struct server_watch *w, uint32_t found)
{
	uint32_t on;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &on, sizeof(on), -1) == sizeof(on))
		i8042_set_lights(&controller, on);
}

static err_t device_say(enum i8042_who who, const char *handle, uint32_t kind, const char *name)
{
	struct input_device d = { .kinds = kind };

	device[who] = startup_handle(handle);
	string_copy(d.name, name, sizeof(d.name));
	return result_error(handle_call(device[who], INPUT_DEVICE, &d, sizeof(d), NULL, 0, 0));
}

static err_t start(void)
{
	ports = startup_handle("ports");
	TRY(server_init(&server));
	TRY(i8042_start(&controller, &io));
	TRY(device_say(I8042_KEYBOARD, "keyboard", INPUT_IS_KEYBOARD, "PS/2 keyboard"));
	TRY(device_say(I8042_MOUSE, "mouse", INPUT_IS_MOUSE, controller.has_mouse ? "PS/2 mouse" : "PS/2 mouse (absent)"));
	server_add_watch(&server, &keyboard_irq, startup_handle("keyboard-irq"), READY_READ, interrupt);
	server_add_watch(&server, &mouse_irq, startup_handle("mouse-irq"), READY_READ, interrupt);
	server_add_watch(&server, &lights, device[I8042_KEYBOARD], READY_READ, lights_changed);
	bytes_take();
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	/* A machine without one needs nothing of us, but whoever ends is started again. */
	if ((err = start()) == ERR_NODEV)
		print("ps2: there is no keyboard controller\n");
	else if (err)
		print("ps2: cannot start: error %d\n", -err);
	return err && err != ERR_NODEV ? 1 : server_run(&server) ? 1 : 0;
}
