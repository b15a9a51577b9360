/* lib/native/startup.c - from the first instruction to program_main. */
#include "lib/native/startup.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"

static const struct startup empty_startup;
static const struct startup *given = &empty_startup;
static bool is_ready_told;

NORETURN void native_main(const struct startup *startup);

/* Called by start.S. The kernel starts the first process without a block. */
NORETURN void native_main(const struct startup *startup)
{
	given = startup ? startup : &empty_startup;
	program_exit(program_main(given));
}

const struct startup *startup_get(void)
{
	return given;
}

handle_t startup_handle(const char *name)
{
	const struct startup_handle *h = (const struct startup_handle *)given->handles;

	for (uint32_t i = 0; i < given->handle_count; i++)
		if (strncmp(h[i].name, name, sizeof h[i].name) == 0)
			return h[i].handle;
	return HANDLE_NONE;
}

const char *startup_argument(uint32_t index)
{
	return index < given->argument_count ? ((const char *const *)given->arguments)[index] : NULL;
}

const char *startup_environment(const char *name)
{
	const char *const *e = (const char *const *)given->environment;
	size_t bytes = strlen(name);

	for (uint32_t i = 0; i < given->environment_count; i++)
		if (strncmp(e[i], name, bytes) == 0 && e[i][bytes] == '=')
			return e[i] + bytes + 1;
	return NULL;
}

handle_t startup_self(void)
{
	static handle_t self = HANDLE_NONE;

	if (self == HANDLE_NONE)
		self = startup_handle("self");
	if (self == HANDLE_NONE && handle_open("proc", "self", OPEN_READ | OPEN_WRITE, &self))
		self = HANDLE_NONE;
	return self;
}

void startup_ready(void)
{
	handle_t ready = startup_handle("ready");

	if (ready == HANDLE_NONE || is_ready_told)
		return;
	is_ready_told = true;
	sys_write(0, ready, "R", 1, -1);
	sys_close(0, ready);
}

NORETURN void program_exit(int status)
{
	for (;;)
		sys_exit(0, HANDLE_NONE, (uint64_t)(uint32_t)status);
}
