/* servers/console/main.c - serves tty:console.
 *
 * Handles: scheme, posix, ready, log; state (a page that outlives us); env; and of devices those that are given: uart, uart-data (one port, repeating),
 * uart-irq; quiet (keeps the kernel off the serial line).
 */
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/tty/posix.h"
#include "servers/console/console.h"

enum { COMMAND_LINE_MAX = 2048, PAGE = 4096 };

static struct server server;
static struct scheme scheme;
static struct console console;
static struct server_watch uart_watch;

/* ---- Ports ----------------------------------------------------------------------------------------------------------- */

static uint32_t port_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	return sys_read(0, p->handle, &value, bytes, offset) < 0 ? UINT32_MAX : value;
}

static void port_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)sys_write(0, p->handle, &value, bytes, offset);
}

static void port_out_many(const struct ports *p, uint32_t offset, const uint8_t *bytes, size_t count)
{
	(void)sys_write(0, p->repeat_handle, bytes, count, offset);
}

static bool ports_get(struct ports *p, const char *name)
{
	*p = (struct ports){
		.in = port_in, .out = port_out, .out_many = port_out_many, .handle = startup_handle(name), .repeat_handle = HANDLE_NONE,
	};
	return p->handle != HANDLE_NONE;
}

/* ---- Interrupts ------------------------------------------------------------------------------------------------------ */

/* The line is edge-triggered: what came between the service and the acknowledgement makes no new edge, so look again. */
static void uart_interrupt(struct server_watch *w, uint32_t found)
{
	uint64_t count;
	int64_t got = sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof(count), -1);

	(void)found;
	if (got == ERR_AGAIN)
		return;
	if (got != sizeof(count)) {
		print("console: an interrupt is lost: error %d\n", (int)-got);
		server_remove_watch(&server, w);
		return;
	}
	console_serial_service(&console);
	(void)sys_write(0, w->handle, &count, sizeof(count), -1);
	console_serial_service(&console);
}

/* ---- Devices --------------------------------------------------------------------------------------------------------- */

static void add_serial(void)
{
	handle_t irq = startup_handle("uart-irq");
	struct ports ports;

	if (!ports_get(&ports, "uart") || irq == HANDLE_NONE)
		return;
	ports.repeat_handle = startup_handle("uart-data");
	/* The interrupt must be ours before the device may use it. */
	server_add_watch(&server, &uart_watch, irq, READY_READ, uart_interrupt);
	console_add_serial(&console, &ports);
	if (console.uart.is_present && startup_handle("quiet") != HANDLE_NONE)
		(void)!handle_write(startup_handle("quiet"), "1", 1);
}

static void read_options(struct options *o)
{
	static char line[COMMAND_LINE_MAX];
	handle_t h = startup_handle("env");
	int64_t bytes = h == HANDLE_NONE ? 0 : sys_read(0, h, line, sizeof(line), 0);

	options_parse(o, line, bytes < 0 ? 0 : (size_t)bytes);
}

/* The supervisor's memory for what must outlive us. */
static void keep_state(void)
{
	handle_t h = startup_handle("state");
	int64_t address;

	if (h == HANDLE_NONE)
		return;
	address = sys_map(0, h, 0, PAGE, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (address > 0)
		console_keep_state(&console, (struct console_state *)(uintptr_t)address);
}

int program_main(const struct startup *startup)
{
	struct options options;
	err_t err;

	(void)startup;
	if ((err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &console_ops, &console))) {
		print("console: cannot serve: error %d\n", err);
		return 1;
	}
	read_options(&options);
	console_init(&console, &scheme, tty_posix_init(startup_handle("posix")));
	add_serial();
	console_set_size(&console, &options);
	keep_state();
	err = server_run(&server);
	print("console: ended with error %d\n", err);
	return 1;
}
