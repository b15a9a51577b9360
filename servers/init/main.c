/* servers/init/main.c - the first process: starts what init.rc says, and starts it again when it ends.
 *
 * Init keeps every scheme's endpoint, so that clients of a server that died just wait for its next instance. Where things are: init.h.
 */
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/native/bootfs.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "servers/init/clock.h"
#include "servers/init/init.h"
#include "servers/init/machine.h"

#define TICK_NS 1000000000ull

enum { COMMAND_LINE_MAX = 2048 };

struct init init = { .services = LIST_INIT(init.services) };

static struct server_timer clock_tick;

uint64_t now_ns(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static void on_tick(struct server_timer *t)
{
	struct service *s, *next;

	list_each_safe(s, next, &init.services, link)
		service_tick(s);
	server_timer_set(&init.server, t, now_ns() + TICK_NS);
}

/* ---- Signals: what a shell's halt, poweroff and reboot send to process 1 -------------------------------------------------- */

enum { SIGNAL_HALT = 10, SIGNAL_POWER_OFF = 12, SIGNAL_RESTART = 15 };
#define SIGNAL_BIT(n) (1ull << ((n) - 1))

static enum power asked_off = POWER_OFF, asked_restart = POWER_RESTART;

static void on_signal(void *argument)
{
	machine_stop(*(enum power *)argument, STOP_EVERYBODY);
}

/* A thread of its own: procd, which posts them, has looked whether the sender may. */
static void signal_thread(void *argument)
{
	uint64_t wanted = SIGNAL_BIT(SIGNAL_HALT) | SIGNAL_BIT(SIGNAL_POWER_OFF) | SIGNAL_BIT(SIGNAL_RESTART);

	(void)argument;
	for (;;) {
		int64_t signal = sys_notice_take(0, HANDLE_NONE, wanted, DEADLINE_NONE);
		if (signal <= 0)
			continue;
		print("init: %s, as signal %u asks\n", signal == SIGNAL_RESTART ? "restart" : "power off", (uint32_t)signal);
		init_post(on_signal, signal == SIGNAL_RESTART ? &asked_restart : &asked_off);
	}
}

static err_t signals_take(void)
{
	uint32_t tid;

	/* Nobody else is to be woken by them. Threads begin with the mask that thread_create gives them: everything. */
	sys_notice_mask(0, HANDLE_NONE, UINT64_MAX, NULL);
	return thread_create(signal_thread, NULL, &tid);
}

/* ---- The beginning ---------------------------------------------------------------------------------------------------- */

static void mode_read(void)
{
	static char line[COMMAND_LINE_MAX];
	int64_t n = 0;
	handle_t env;

	if (handle_open_in(init.world.namespace, "env", "", OPEN_READ, &env) == OK) {
		n = sys_read(0, env, line, sizeof line, 0);
		handle_close(env);
	}
	words_option(line, n > 0 ? (size_t)n : 0, "mode", "run", init.mode, sizeof init.mode);
	init.world.mode = init.mode;
}

static err_t prepare(void)
{
	err_t err;

	if ((err = server_init(&init.server)))
		return err;
	if ((err = bootfs_map(HANDLE_BOOT_INITFS, &init.world.initfs)))
		return err;
	if ((err = init_post_prepare()))
		return err;
	if ((err = files_read_first()))
		return err;
	if ((err = control_prepare()))
		return err;
	if ((err = signals_take()))
		return err;
	init.world.has_log_server = service_serving("log");
	init.world.has_posix = service_serving("posix");
	devices_listen();
	server_timer_init(&clock_tick, on_tick);
	on_tick(&clock_tick);
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	init.world.admin = HANDLE_BOOT_ADMIN;
	init.world.namespace = HANDLE_BOOT_NAMESPACE;
	init.world.initfs_object = HANDLE_BOOT_INITFS;
	if (handle_open_in(init.world.namespace, "debug", "", OPEN_WRITE, &init.world.log))
		init.world.log = HANDLE_NONE;
	print_redirect(init.world.log);
	mode_read();
	machine_init(init.world.namespace);
	clock_set_from_hardware(init.world.namespace, machine_acpi()->century_index);
	if ((err = prepare()) == OK) {
		start_all();
		err = server_run(&init.server);
	}
	print("init: cannot go on: error %d\n", -err);
	machine_power(POWER_OFF);
	return 1;
}
