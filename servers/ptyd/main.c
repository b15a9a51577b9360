/* servers/ptyd/main.c - serves pty:, the pseudo-terminals. Handles: scheme, posix, ready, log. */
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/tty/posix.h"
#include "servers/ptyd/pty.h"

static struct server server;
static struct scheme scheme;
static struct ptys ptys;

int program_main(const struct startup *startup)
{
	uint64_t realtime_ns = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_REALTIME_NS);
	uint64_t monotonic_ns = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
	err_t err;

	(void)startup;
	ptys_init(&ptys, &scheme, tty_posix_init(startup_handle("posix")), realtime_ns - monotonic_ns);
	if (!(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &pty_ops, &ptys)))
		err = server_run(&server);
	print("ptyd: ended with error %d\n", err);
	return 1;
}
