/* personality/linux/main.c - the image's first start, as a native program: it becomes the Linux program that argument 0 names.
 *
 * What the starter gives (abi/startup.h): "stdin" "stdout" "stderr" (or numbers 0, 1, 2 already), "posix" (procd),
 * "root" and "cwd" (directories), "self-image" (the object with this ELF file), and perhaps "strace" (where to print calls).
 * When argument 0 is the image's own path (/boot/linux, as a line of init.rc has it), argument 1 names the program.
 * With a handle "program" that file is executed, which has more rights than who asked for it (abi/startup.h).
 * A name without a slash is looked for in PATH. Ends with 127 when there is no such program, 126 when it cannot be run.
 */
#include "abi/proto/kernel.h"
#include "abi/proto/tty.h"
#include "abi/startup.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "personality/linux/area.h"
#include "personality/linux/call.h"
#include "personality/linux/cpurandom.h"
#include "personality/linux/entry.h"
#include "personality/linux/exec.h"
#include "personality/linux/fpu.h"
#include "personality/linux/path.h"
#include "personality/linux/signal.h"
#include "personality/linux/timer.h"

enum { STATUS_NOT_FOUND = 127, STATUS_CANNOT_RUN = 126, STATUS_BROKEN = 125, STDERR = 2, STANDARD_COUNT = 3 };

static const char own_path[] = "/boot/linux";

/* From entry.S. */
NORETURN void start_main(const struct startup *startup);
NORETURN void start_program(struct thread *t);

static NORETURN void give_up(const char *why, int64_t err, int status)
{
	char text[256];
	size_t bytes = fmt(text, sizeof(text), "linux: %s (error %d)\n", why, (int)-err);

	(void)native(OP_WRITE, 0, STDERR, (uint64_t)text, bytes, (uint64_t)-1, 0, 0, 0);
	for (;;)
		(void)native(OP_EXIT, 0, HANDLE_NONE, (uint64_t)status, 0, 0, 0, 0, 0);
}

static handle_t find_handle(const struct startup *s, const char *name)
{
	const struct startup_handle *h = (const struct startup_handle *)s->handles;

	for (uint32_t i = 0; i < s->handle_count; i++)
		if (strncmp(h[i].name, name, sizeof(h[i].name)) == 0)
			return h[i].handle;
	return HANDLE_NONE;
}

/* Descriptors 0 to 2 are what the starter called so. */
static void place_standard(const struct startup *s)
{
	static const char names[STANDARD_COUNT][8] = { "stdin", "stdout", "stderr" };

	for (handle_t i = 0; i < STANDARD_COUNT; i++) {
		handle_t h = find_handle(s, names[i]);
		if (h != HANDLE_NONE && h != i)
			(void)native(OP_DUP, 0, h, (uint64_t)i, DUP_EXACT, RIGHT_ALL, 0, 0, 0);
	}
}

static handle_t handle_or_open(const struct startup *s, const char *name, const char *scheme, const char *ref, uint64_t open_flags)
{
	handle_t h = find_handle(s, name);

	if (h != HANDLE_NONE)
		return h;
	int64_t opened = native_open(scheme, strlen(scheme), ref, strlen(ref), open_flags | OPEN_PRIVATE);
	return opened < 0 ? HANDLE_NONE : (handle_t)opened;
}

static handle_t counts_open(void)
{
	int64_t h = NATIVE_OPEN("mem", "new", OPEN_READ | OPEN_WRITE | OPEN_PRIVATE);

	if (h < 0)
		return HANDLE_NONE;
	(void)native_call((handle_t)h, MEM_RESIZE, 0, NULL, 0, NULL, 0, sizeof(struct missing_counts));
	return (handle_t)h;
}

static void kept_fill(struct process *p, const struct startup *s)
{
	struct process_kept *k = &p->kept;
	uint32_t bytes = fpu_bytes();

	k->handles.posix = handle_or_open(s, "posix", "posix", "self", OPEN_READ | OPEN_WRITE);
	k->handles.image = find_handle(s, "self-image");
	k->handles.time = handle_or_open(s, "time-page", "time", "page", OPEN_READ);
	k->handles.random = HANDLE_NONE;
	k->handles.info = HANDLE_NONE;
	k->handles.records = HANDLE_NONE;
	k->handles.strace = find_handle(s, "strace");
	k->handles.missing = counts_open();
	k->strace_first = p->pid;
	k->cpu_features = cpu_features();
	k->has_random = cpu_has_random();
	k->xsave_features = fpu_features();
	k->fpu_bytes = k->xsave_features ? bytes : LINUX_FXSAVE_BYTES;
	if (k->fpu_bytes > FPU_BYTES_MAX) {
		k->xsave_features = 0;
		k->fpu_bytes = LINUX_FXSAVE_BYTES;
	}
	file_start(p, handle_or_open(s, "root", "file", "/", OPEN_READ | OPEN_DIRECTORY), find_handle(s, "cwd"));
}

static struct thread *first_thread(const struct startup *s)
{
	uint64_t area_next = AREA_START;
	struct task_info info = { 0 };
	struct process *p;
	struct thread *t;
	void *memory;
	int64_t err;

	if ((err = area_map_at(&area_next, PROCESS_BLOCK_BYTES, &memory)))
		give_up("no memory", err, STATUS_BROKEN);
	p = process_in(memory);
	process_init(p, p);
	p->area_next = area_next;
	p->start_ns = native_clock(CLOCK_MONOTONIC_NS);
	if ((err = process_open_self(p)) || (err = native_call(process_self(p), TASK_INFO, 0, NULL, 0, &info, sizeof(info), 0)) < 0)
		give_up("no handle for its own process", err, STATUS_BROKEN);
	p->pid = info.pid;
	kept_fill(p, s);
	if (find_handle(s, "self") != HANDLE_NONE)
		(void)native_close(find_handle(s, "self"));
	if (p->kept.handles.image == HANDLE_NONE)
		give_up("no handle for its own image", ERR_NOENT, STATUS_BROKEN);
	t = &p->first;
	t->tid = p->pid;
	path_tell_places(p);
	t->frame.argument[0] = (uint64_t)s;
	return t;
}

/* A session's first program gets the terminal that is its stdin as controlling terminal, when that has no
 * session yet. For anything else, and for who leads no session, this does nothing. */
static void acquire_terminal(void)
{
	(void)native_call(0, TTY_ACQUIRE, 0, NULL, 0, NULL, 0, 0);
}

void start_main(const struct startup *startup)
{
	/* Those of the process that this one succeeds are where they belong, and are not to be trusted. */
	if (find_handle(startup, "program") == HANDLE_NONE) {
		place_standard(startup);
		acquire_terminal();
	}
	start_run(first_thread(startup));
}

/* Runs plan->path, or the first in PATH that is there. Returns why it did not. */
static int64_t run_found(struct thread *t, struct exec_plan *plan, const char *name, const char *search)
{
	char path[LINUX_PATH_MAX];
	int64_t found = ERR_NOENT;

	if (strchr(name, '/')) {
		plan->path = name;
		return exec_run(t, plan, HANDLE_NONE);
	}
	for (const char *at = search; ; at++) {
		const char *end = strchr(at, ':');
		size_t bytes = end ? (size_t)(end - at) : strlen(at);
		(void)fmt(path, sizeof(path), "%.*s/%s", (int)bytes, bytes ? at : ".", name);
		plan->path = path;
		plan->text_bytes = 0;
		int64_t err = exec_run(t, plan, HANDLE_NONE);
		/* As execvp: go on past what is not there, remember what may not be run. */
		if (err != ERR_NOENT && err != ERR_NOTDIR && err != ERR_ACCES)
			return err;
		if (err == ERR_ACCES)
			found = err;
		at += bytes;
		if (!*at)
			return found;
	}
}

/* What of the starter's goes on in a set-uid program. */
static void take_over(struct thread *t, const char *text, uint64_t words[STARTUP_WORDS])
{
	struct process *p = t->process;
	const char *end = text + strlen(text);

	for (int i = 0; i < STARTUP_WORDS; i++) {
		text += number_scan(text, (size_t)(end - text), 16, &words[i]);
		if (*text++ != ' ')
			give_up("broken words of its start", ERR_INVAL, STATUS_BROKEN);
	}
	p->kept.file.umask = words[STARTUP_UMASK] & 0777;
	signal_ignore(&p->signal, words[STARTUP_SIGNALS_IGNORED]);
	thread_set_mask(t, words[STARTUP_SIGNAL_MASK] & ~SIGNAL_UNBLOCKABLE);
	if (words[STARTUP_ALARM_DUE_NS])
		timer_restore_real(t, words[STARTUP_ALARM_DUE_NS], words[STARTUP_ALARM_PERIOD_NS]);
}

void start_program(struct thread *t)
{
	const struct startup *s = (const struct startup *)t->frame.argument[0];
	handle_t program = find_handle(s, "program");
	const char *const *arguments = (const char *const *)s->arguments, *const *environment = (const char *const *)s->environment;
	uint32_t first = program != HANDLE_NONE ? 2 : s->argument_count > 1 && strcmp(arguments[0], own_path) == 0;
	const char *search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	uint64_t words[STARTUP_WORDS];
	struct exec_plan *plan;
	int64_t err = OK;

	thread_set_mask(t, 0);
	if ((err = thread_set_upcall(t)) || (err = exec_plan_create(t->process, &plan)))
		give_up("cannot start", err, STATUS_BROKEN);
	if (s->argument_count <= first)
		give_up("no program named", ERR_INVAL, STATUS_NOT_FOUND);
	for (uint32_t i = first; !err && i < s->argument_count; i++)
		err = exec_add(t->process, plan, false, arguments[i]);
	for (uint32_t i = 0; !err && i < s->environment_count; i++) {
		err = exec_add(t->process, plan, true, environment[i]);
		if (string_starts_with(environment[i], "PATH="))
			search = environment[i] + 5;
	}
	if (!err && program != HANDLE_NONE) {
		take_over(t, arguments[0], words);
		plan->elevated = words;
		plan->path = arguments[1];
		err = exec_run(t, plan, program);
	} else if (!err)
		err = run_found(t, plan, arguments[first], search);
	give_up(arguments[first], err, err == ERR_NOENT || err == ERR_NOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}
