/* cmd/svc.c - the services that init keeps: `svc` lists them; start, stop, restart, kill and log are root's. */
#include "abi/proto/init.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, LINE_MAX = 512, FIELDS = 7 };

/* What goes through a text line by line. */
struct lines {
	handle_t from;
	bool has_offset;                /* read by offset; else what comes next */
	char text[4096];
	size_t start, end;
	uint64_t offset;
};

static void say(const char *text)
{
	(void)!handle_write(startup_handle("stdout"), text, strlen(text));
}

static int complain(const char *name, const char *what, int64_t result)
{
	print_to(startup_handle("stderr"), "svc: %s: %s (error %d)\n", name, what, -(int)result);
	return STATUS_TROUBLE;
}

/* The next line, without its end; NULL: no more. A line longer than the buffer comes in pieces. */
static char *line_next(struct lines *l)
{
	for (;;) {
		char *line = l->text + l->start, *newline = memchr(line, '\n', l->end - l->start);
		bool is_full = l->start == 0 && l->end == sizeof l->text - 1;
		if (newline || is_full) {
			l->start = newline ? (size_t)(newline - l->text) + 1 : l->end;
			*(newline ? newline : l->text + l->end) = 0;
			return line;
		}
		memmove(l->text, line, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
		int64_t n = sys_read(0, l->from, l->text + l->end, sizeof l->text - 1 - l->end, l->has_offset ? (int64_t)l->offset : -1);
		if (n <= 0)
			return NULL;
		l->end += (size_t)n;
		l->offset += (uint64_t)n;
	}
}

/* ---- list ---- */

static uint32_t fields_cut(char *line, char *field[FIELDS])
{
	uint32_t n = 0;

	for (char *at = line; at && n < FIELDS; n++) {
		field[n] = at;
		if ((at = strchr(at, ' ')))
			*at++ = 0;
	}
	return n;
}

static uint64_t number(const char *word)
{
	uint64_t n;

	return number_parse(word, strlen(word), 10, &n) ? 0 : n;
}

static void list_line(char *line)
{
	char out[LINE_MAX], uptime[24], *f[FIELDS];

	if (fields_cut(line, f) < FIELDS)
		return;
	uint64_t ms = number(f[4]), starts = number(f[3]);
	fmt(uptime, sizeof uptime, "%llu.%03llu", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
	fmt(out, sizeof out, "%-24s %-9s %6s %11s %9llu %8lluK %10s\n", f[0], f[1], strcmp(f[2], "0") ? f[2] : "-",
	    strcmp(f[2], "0") ? uptime : "-", (unsigned long long)(starts ? starts - 1 : 0), (unsigned long long)(number(f[5]) / 1024), f[6]);
	say(out);
}

static int list(handle_t init)
{
	static struct lines l;
	char head[LINE_MAX], *line;

	l = (struct lines){ .from = init, .has_offset = true };
	fmt(head, sizeof head, "%-24s %-9s %6s %11s %9s %9s %10s\n", "NAME", "STATE", "PID", "UPTIME", "RESTARTS", "MEMORY", "REQUESTS");
	say(head);
	while ((line = line_next(&l)))
		list_line(line);
	return 0;
}

/* ---- log ---- */

/* "[time] name: text" of the service, and what init says of it. */
static bool is_about(const char *line, const char *name)
{
	const char *who = strchr(line, ']');
	size_t bytes = strlen(name);

	if (!who || who[1] != ' ')
		return false;
	who += 2;
	if (string_starts_with(who, "kernel: "))
		who += strlen("kernel: ");
	if (string_starts_with(who, "init: "))
		who += strlen("init: ");
	return string_starts_with(who, name) && (who[bytes] == ':' || who[bytes] == ' ');
}

static int log_show(const char *name)
{
	static struct lines l;
	handle_t log;
	char *line;
	err_t err;

	if ((err = handle_open("log", "", OPEN_READ, &log)))
		return complain(name, "no log to read", err);
	l = (struct lines){ .from = log };
	while ((line = line_next(&l)))
		if (is_about(line, name)) {
			say(line);
			say("\n");
		}
	handle_close(log);
	return 0;
}

/* ---- changes ---- */

static const char *why(int64_t result)
{
	return result == ERR_NOENT ? "no such service" : result == ERR_PERM ? "only root may" : result == ERR_BUSY ? "the system needs it" :
	       result == ERR_SRCH ? "it does not run" : result == ERR_NODEV ? "it is not for now" : "cannot be done";
}

static int change(handle_t init, enum code code, const struct startup *startup)
{
	int status = 0;

	for (uint32_t i = 2; i < startup->argument_count; i++) {
		const char *name = startup_argument(i);
		int64_t result = handle_call(init, code, name, strlen(name), NULL, 0, 0);
		if (result < 0)
			status = complain(name, why(result), result);
	}
	return status;
}

static int run(handle_t init, const struct startup *startup)
{
	static const struct { const char *name; enum code code; } changes[] = {
		{ "start", INIT_START }, { "stop", INIT_STOP }, { "restart", INIT_RESTART }, { "kill", INIT_KILL },
	};
	const char *command = startup->argument_count > 1 ? startup_argument(1) : "list";

	if (strcmp(command, "list") == 0 && startup->argument_count <= 2)
		return list(init);
	if (strcmp(command, "log") == 0 && startup->argument_count == 3)
		return log_show(startup_argument(2));
	for (size_t i = 0; i < ARRAY_COUNT(changes); i++)
		if (strcmp(command, changes[i].name) == 0 && startup->argument_count > 2)
			return change(init, changes[i].code, startup);
	print_to(startup_handle("stderr"), "usage: svc [list]\n       svc start|stop|restart|kill NAME...\n       svc log NAME\n");
	return STATUS_USAGE;
}

int program_main(const struct startup *startup)
{
	handle_t init;
	err_t err;

	if ((err = handle_open("init", "services", OPEN_READ | OPEN_WRITE, &init)))
		return complain("init", "is not here", err);
	return run(init, startup);
}
