/* cmd/services.c - what init keeps running: `services` lists, `services restart NAME...` starts them anew (root only). */
#include "abi/proto/init.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2 };

static int list(handle_t init)
{
	char text[4096];
	int64_t n;

	for (uint64_t offset = 0; (n = sys_read(0, init, text, sizeof text, (int64_t)offset)) > 0; offset += (uint64_t)n)
		if (handle_write(startup_handle("stdout"), text, (size_t)n))
			return STATUS_TROUBLE;
	return n < 0 ? STATUS_TROUBLE : 0;
}

static int restart(handle_t init, const struct startup *startup)
{
	int status = 0;

	for (uint32_t i = 2; i < startup->argument_count; i++) {
		const char *name = startup_argument(i);
		int64_t result = handle_call(init, INIT_RESTART, name, strlen(name), NULL, 0, 0);
		if (result < 0) {
			print_to(startup_handle("stderr"), "services: %s: error %d\n", name, -(int)result);
			status = STATUS_TROUBLE;
		}
	}
	return status;
}

int program_main(const struct startup *startup)
{
	handle_t init;

	if (handle_open("init", "services", OPEN_READ | OPEN_WRITE, &init)) {
		print_to(startup_handle("stderr"), "services: no init: here\n");
		return STATUS_TROUBLE;
	}
	if (startup->argument_count < 2)
		return list(init);
	if (startup->argument_count > 2 && strcmp(startup_argument(1), "restart") == 0)
		return restart(init, startup);
	print_to(startup_handle("stderr"), "usage: services [restart NAME...]\n");
	return STATUS_USAGE;
}
