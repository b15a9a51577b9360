/* lib/native/startup.c - from the first instruction to program_main. */
#include "lib/native/startup.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"

enum { STDIN, STDOUT, STDERR };

/* What a shell of Linux programs gives: descriptors. The log is what others would print to standard output. */
static const struct startup_handle shell_handles[] = {
	{ .name = "stdin", .handle = STDIN }, { .name = "stdout", .handle = STDOUT },
	{ .name = "stderr", .handle = STDERR }, { .name = "log", .handle = STDOUT },
};
static struct startup shell_startup;
static const struct startup *given = &shell_startup;
static bool is_ready_told;

NORETURN void native_main(const struct startup *startup, const uint64_t *stack);

/* A stack as a Linux program finds it: count, arguments, 0, environment, 0 (System V ABI, AMD64, 3.4.1). */
static const struct startup *shell_start(const uint64_t *stack)
{
	struct startup *s = &shell_startup;

	s->argument_count = (uint32_t)stack[0];
	s->arguments = (uint64_t)(stack + 1);
	s->environment = (uint64_t)(stack + 1 + stack[0] + 1);
	while (((const uint64_t *)s->environment)[s->environment_count])
		s->environment_count++;
	s->handles = (uint64_t)shell_handles;
	s->handle_count = ARRAY_COUNT(shell_handles);
	return s;
}

/* Called by start.S. Started by spawn there is a block; executed by a Linux program, or the first of all, there is not. */
NORETURN void native_main(const struct startup *startup, const uint64_t *stack)
{
	given = startup ? startup : shell_start(stack);
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

static void ready_tell(char how)
{
	handle_t ready = startup_handle("ready");

	if (ready == HANDLE_NONE || is_ready_told)
		return;
	is_ready_told = true;
	sys_write(0, ready, &how, 1, -1);
	sys_close(0, ready);
}

void startup_ready(void) { ready_tell(STARTUP_READY); }
void startup_needless(void) { ready_tell(STARTUP_NEEDLESS); }

NORETURN void program_exit(int status)
{
	for (;;)
		sys_exit(0, HANDLE_NONE, (uint64_t)(uint32_t)status);
}
