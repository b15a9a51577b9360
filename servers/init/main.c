/* servers/init/main.c - the first process: starts what init.rc says, and starts it again when it ends.
 *
 * Init keeps every scheme's endpoint, so that clients of a server that died just wait for its next instance. Nothing
 * in the main thread waits for another process: what might (opening a handle of a user scheme, telling procd) is
 * done by a thread per start, which ends in a message through a pipe. init.rc: see rc.h.
 */
#include "abi/proto/init.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/bootfs.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "servers/init/clock.h"
#include "servers/init/machine.h"
#include "servers/init/service.h"

enum { COMMAND_LINE_MAX = 2048, MODE_BYTES = 24, STATUS_BYTES = 8192, RC_FILE_MAX = 64 * 1024, NAMES_MAX = 2048 };

static struct {
	struct server server;
	struct scheme scheme;           /* init: */
	struct service_world world;
	struct rc rc;
	struct service *services[RC_SERVICES_MAX];
	uint32_t count;                 /* of services: the first of rc's */
	/* The rest of init.rc, which a server has. */
	struct {
		const char *scheme, *ref;
		bool is_started, is_over;
		char *text;
		size_t bytes;
		err_t err;
	} rest;
	char mode[MODE_BYTES];
	handle_t started_reader, started_writer;        /* pointers of services whose start is over */
	struct server_watch started_watch;
	bool is_up;                     /* all that can be ready were once */
	struct server_timer watchdog;
} init;

#define each_service(s) (struct service *s, **at_##s = init.services; at_##s < init.services + init.count && (s = *at_##s); at_##s++)

static uint64_t now_ns(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static NORETURN void power(enum power how)
{
	machine_power(how);
	program_exit(1);
}

/* ---- The life of a service ----------------------------------------------------------------------------------------- */

static void start_all(void);

static struct service *service_of(const struct manifest *rc)
{
	for each_service(s)
		if (s->rc == rc)
			return s;
	return NULL;
}

/* What is not there (in this mode) is not waited for. */
static bool is_settled(const struct manifest *rc, const struct service *waiter)
{
	struct service *s = rc ? service_of(rc) : NULL;

	return !s || s == waiter || s->state == SERVICE_OFF || s->state == SERVICE_READY || s->state == SERVICE_DONE;
}

static bool after_is_settled(const struct service *s, const char *name)
{
	return strcmp(name, "@rc") == 0 ? init.rest.is_over : is_settled(rc_find(&init.rc, name), s);
}

static bool can_start(const struct service *s)
{
	if (s->rc->is_session && !init.rest.is_over)
		return false;
	for (uint32_t i = 0; i < s->rc->after.count; i++)
		if (!after_is_settled(s, s->rc->after.word[i]))
			return false;
	for (uint32_t i = 0; i < s->rc->handle_count; i++)
		if (s->rc->handle[i].scheme && !is_settled(rc_find_scheme(&init.rc, s->rc->handle[i].scheme), s))
			return false;
	return true;
}

/* ---- Namespaces ---- */

struct names {
	char text[NAMES_MAX];
	size_t used;
};

static err_t names_add(struct names *n, const char *name)
{
	size_t bytes = strlen(name) + 1;

	if (!range_fits(n->used, bytes, sizeof n->text))
		return ERR_2BIG;
	memcpy(n->text + n->used, name, bytes);
	n->used += bytes;
	return OK;
}

static err_t names_add_public(struct names *n)
{
	err_t err;

	for each_service(s)
		for (uint32_t i = 0; s->state != SERVICE_OFF && i < s->rc->scheme_count; i++)
			if (s->rc->scheme[i].is_public && (err = names_add(n, s->rc->scheme[i].name)))
				return err;
	return OK;
}

static bool is_off(const char *scheme)
{
	struct manifest *rc = rc_find_scheme(&init.rc, scheme);
	struct service *s = rc ? service_of(rc) : NULL;

	return s && s->state == SERVICE_OFF;
}

/* What is not served in this mode is left out. */
static err_t namespace_make(struct service *s)
{
	static struct names names;
	err_t err;

	names.used = 0;
	for (uint32_t i = 0; i < s->rc->uses.count; i++) {
		const char *name = s->rc->uses.word[i];
		err = strcmp(name, "@public") == 0 ? names_add_public(&names) : is_off(name) ? OK : names_add(&names, name);
		if (err)
			return err;
	}
	return service_make_namespace(s, &init.world, names.text, names.used);
}

static void namespace_drop(struct service *s)
{
	handle_close(s->namespace);
	s->namespace = HANDLE_NONE;
}

/* ---- Starts ---- */

static void start_thread(void *argument)
{
	struct service *s = argument;

	s->start_error = service_launch(s, &init.world);
	(void)!handle_write(init.started_writer, &s, sizeof s);
}

static void service_start(struct service *s)
{
	uint32_t tid;

	s->starts++;
	s->state = SERVICE_STARTING;
	backoff_start(&s->backoff, now_ns());
	/* A name that is not there, or no memory for a thread: the start has failed like any other. */
	if (!(s->start_error = namespace_make(s)))
		s->start_error = thread_create(start_thread, s, &tid);
	if (s->start_error)
		(void)!handle_write(init.started_writer, &s, sizeof s);
}

static void service_set_ready(struct service *s)
{
	s->ticks = 0;
	s->state = SERVICE_READY;
	start_all();
}

/* It has ended or could not be started: now what? */
static void service_again(struct service *s)
{
	uint64_t at;

	if (!s->rc->is_restarted) {
		s->state = SERVICE_DONE;
		start_all();
	} else if (backoff_end(&s->backoff, now_ns(), &s->rc->restart, &at)) {
		s->state = SERVICE_WAITING;
		server_timer_set(&init.server, &s->timer, at);
	} else {
		s->state = SERVICE_FAILED;
		print("init: %s failed %u times in a row: given up\n", s->rc->name, s->backoff.failures);
		if (s->rc->is_essential) {
			print("init: no use without it: power off\n");
			power(POWER_OFF);
		}
	}
}

static void ready_forget(struct service *s)
{
	if (s->ready == HANDLE_NONE)
		return;
	server_remove_watch(&init.server, &s->ready_watch);
	handle_close(s->ready);
	s->ready = HANDLE_NONE;
}

static void on_ready(struct server_watch *w, uint32_t found)
{
	struct service *s = container_of(w, struct service, ready_watch);
	char byte;

	(void)found;
	int64_t n = sys_read(REQUEST_NONBLOCK, s->ready, &byte, 1, -1);
	if (n == ERR_AGAIN)
		return;
	ready_forget(s);
	if (n == 1)
		service_set_ready(s);
	else
		print("init: %s closed its ready handle without a word\n", s->rc->name);
}

static void say_end(const struct service *s)
{
	struct task_info info;

	if (handle_call(s->process, TASK_INFO, NULL, 0, &info, sizeof info, 0) < 0)
		print("init: %s (pid %u) ended\n", s->rc->name, s->pid);
	else if (info.end == TASK_FAULTED)
		print("init: %s (pid %u) crashed: exception %llu at %#llx, address %#llx\n", s->rc->name, s->pid,
		      (unsigned long long)info.status, (unsigned long long)info.fault_ip, (unsigned long long)info.fault_address);
	else if (info.end == TASK_KILLED)
		print("init: %s (pid %u) was killed (%llu)\n", s->rc->name, s->pid, (unsigned long long)info.status);
	else if (!s->rc->is_session)
		print("init: %s (pid %u) ended with status %llu\n", s->rc->name, s->pid, (unsigned long long)info.status);
}

static void on_end(struct server_watch *w, uint32_t found)
{
	struct service *s = container_of(w, struct service, process_watch);

	(void)found;
	say_end(s);
	server_remove_watch(&init.server, &s->process_watch);
	handle_close(s->process);
	s->process = HANDLE_NONE;
	s->pid = 0;
	ready_forget(s);
	service_again(s);
}

static void service_started(struct service *s)
{
	namespace_drop(s);
	if (s->start_error) {
		print("init: %s cannot be started: error %d\n", s->rc->name, -s->start_error);
		service_again(s);
		return;
	}
	s->state = SERVICE_RUNNING;
	server_add_watch(&init.server, &s->process_watch, s->process, READY_READ, on_end);
	if (s->ready != HANDLE_NONE)
		server_add_watch(&init.server, &s->ready_watch, s->ready, READY_READ, on_ready);
	else
		service_set_ready(s);
}

static void rest_arrived(void);

/* A pointer comes from each thread that is done; NULL: the one that read the rest of init.rc. */
static void on_started(struct server_watch *w, uint32_t found)
{
	struct service *s;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &s, sizeof s, -1) != sizeof s)
		return;
	if (s)
		service_started(s);
	else
		rest_arrived();
}

static void on_timer(struct server_timer *t)
{
	(void)t;
	start_all();
}

static bool is_due(const struct service *s)
{
	return s->state == SERVICE_WAITING && list_is_empty(&s->timer.link) && can_start(s);
}

static void say_up(void)
{
	if (init.is_up)
		return;
	for each_service(s)
		if (s->state != SERVICE_OFF && s->state != SERVICE_READY && s->state != SERVICE_DONE)
			return;
	init.is_up = true;
	print("init: all services are up after %llu ms\n", (unsigned long long)(now_ns() / 1000000));
}

static void rest_start(void);

static void start_all(void)
{
	rest_start();
	for each_service(s)
		if (is_due(s))
			service_start(s);
	say_up();
}

/* ---- The rest of init.rc: read by a thread, from a server that is ready ----------------------------------------------- */

static err_t rest_read(void)
{
	handle_t h;
	int64_t n;
	err_t err;

	if ((err = handle_open_in(init.world.namespace, init.rest.scheme, init.rest.ref, OPEN_READ, &h)))
		return err;
	if (!(init.rest.text = heap_alloc(RC_FILE_MAX)))
		err = ERR_NOMEM;
	for (n = 1; !err && n > 0 && init.rest.bytes < RC_FILE_MAX; init.rest.bytes += n > 0 ? (size_t)n : 0) {
		n = sys_read(0, h, init.rest.text + init.rest.bytes, RC_FILE_MAX - init.rest.bytes, (int64_t)init.rest.bytes);
		err = result_error(n);
	}
	handle_close(h);
	return err;
}

static void rest_thread(void *argument)
{
	void *nothing = NULL;

	(void)argument;
	init.rest.err = rest_read();
	(void)!handle_write(init.started_writer, &nothing, sizeof nothing);
}

static void rest_start(void)
{
	uint32_t tid;

	if (init.rest.is_started || init.rest.is_over || !is_settled(rc_find_scheme(&init.rc, init.rest.scheme), NULL))
		return;
	init.rest.is_started = true;
	if ((init.rest.err = thread_create(rest_thread, NULL, &tid)))
		rest_arrived();
}

static void rc_take(const char *file, char *text, size_t bytes);
static err_t services_add(void);

/* Without it the system is what the first file made it. */
static void rest_arrived(void)
{
	err_t err = init.rest.err;

	if (!err)
		rc_take(init.rest.ref, init.rest.text, init.rest.bytes);
	else if (err != ERR_NOENT)
		print("init: %s:%s: error %d\n", init.rest.scheme, init.rest.ref, -err);
	if ((err = services_add()))
		print("init: no services of %s:%s: error %d\n", init.rest.scheme, init.rest.ref, -err);
	init.rest.is_over = true;
	start_all();
}

/* ---- Watchdogs: a server that answers nobody is as good as dead ---------------------------------------------------------- */

#define TICK_NS 1000000000ull

/* Any answer will do. It may never come, so this is a thread's. */
static void ask_thread(void *argument)
{
	struct service *s = argument;
	handle_t h;

	if (handle_open_at(s->endpoint[0], "", OPEN_READ | OPEN_NOCTTY, &h) == OK)
		handle_close(h);
	__atomic_store_n(&s->is_asked, false, __ATOMIC_RELEASE);
}

static void ask(struct service *s)
{
	uint32_t tid;

	s->ticks = 0;
	__atomic_store_n(&s->is_asked, true, __ATOMIC_RELEASE);
	if (thread_create(ask_thread, s, &tid))
		__atomic_store_n(&s->is_asked, false, __ATOMIC_RELEASE);
}

/* Ticks are counted, not seconds: when init itself did not run for long, nobody else can be blamed. */
static void service_tick(struct service *s)
{
	if (s->state != SERVICE_READY || s->rc->watchdog_s == 0 || s->rc->scheme_count == 0)
		return;
	if (++s->ticks < s->rc->watchdog_s)
		return;
	if (!__atomic_load_n(&s->is_asked, __ATOMIC_ACQUIRE)) {
		ask(s);
		return;
	}
	print("init: %s (pid %u) has not answered for %u s\n", s->rc->name, s->pid, s->ticks);
	s->ticks = 0;
	handle_call(s->process, TASK_KILL, NULL, 0, NULL, 0, 0);
}

static void on_tick(struct server_timer *t)
{
	for each_service(s)
		service_tick(s);
	server_timer_set(&init.server, t, now_ns() + TICK_NS);
}

/* ---- init: ---------------------------------------------------------------------------------------------------------- */

static int64_t init_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags;
	(void)mode;
	if (r->open || (ref_bytes > 0 && !string_is(ref, ref_bytes, "services")))
		return ERR_NOENT;
	r->opened = &init;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static size_t status_write(char *to, size_t bytes)
{
	static const char *const states[] = { "off", "waiting", "starting", "running", "ready", "done", "failed" };
	size_t used = 0;

	for each_service(s)
		if (s->state != SERVICE_OFF && used < bytes)
			used += fmt(to + used, bytes - used, "%s %s %u %u\n", s->rc->name, states[s->state], s->pid, s->starts);
	return MIN_OF(used, bytes - 1);
}

static int64_t init_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static char text[STATUS_BYTES];
	size_t length = status_write(text, sizeof text);

	if (offset >= length)
		return 0;
	size_t n = MIN_OF(MIN_OF(bytes, r->out_room), length - (size_t)offset);
	memcpy(r->out, text + offset, n);
	return (int64_t)n;
}

static int64_t service_restart(const char *name, size_t bytes)
{
	for each_service(s) {
		if (!string_is(name, bytes, s->rc->name))
			continue;
		s->backoff.failures = 0;
		if (s->process != HANDLE_NONE)
			return result_error(handle_call(s->process, TASK_KILL, NULL, 0, NULL, 0, 0));
		if (s->state == SERVICE_FAILED || s->state == SERVICE_DONE) {
			s->state = SERVICE_WAITING;
			start_all();
		}
		return OK;
	}
	return ERR_NOENT;
}

static int64_t init_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code != INIT_POWER && code != INIT_RESTART)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (code == INIT_RESTART)
		return service_restart((const char *)r->in, r->in_here);
	if (word != POWER_OFF && word != POWER_RESTART)
		return ERR_INVAL;
	print("init: %s, as process %u asks\n", word == POWER_OFF ? "power off" : "restart", r->message->sender.pid);
	power((enum power)word);
}

static const struct scheme_ops init_ops = { .open = init_open, .read = init_read, .call = init_call };

static err_t serve_init(void)
{
	int64_t h = sys_scheme(0, HANDLE_NONE, 0);

	if (h < 0)
		return (err_t)h;
	server_add_endpoint(&init.server, &init.scheme, (handle_t)h, &init_ops, NULL);
	return result_error(sys_call(0, init.world.namespace, pack_handle(NS_BIND, (handle_t)h, false), "init", 4, NULL, 0, 0));
}

/* ---- Signals: what a shell's halt, poweroff and reboot send to process 1 -------------------------------------------------- */

enum { SIGNAL_HALT = 10, SIGNAL_POWER_OFF = 12, SIGNAL_RESTART = 15 };
#define SIGNAL_BIT(n) (1ull << ((n) - 1))

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
		power(signal == SIGNAL_RESTART ? POWER_RESTART : POWER_OFF);
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
}

/* ---- What is to run: init.rc and manifests ---- */

static void mistake_tell(const struct words_error *e)
{
	print("init: %s:%u: %s%s%s\n", e->file, e->line, e->what, e->word ? ": " : "", e->word ? e->word : "");
}

/* A copy of a file of the initfs, to be cut into words. It stays: what was read points into it. */
static err_t boot_file_read(const char *path, char **text, size_t *bytes)
{
	struct initfs_entry e;
	err_t err;

	if ((err = initfs_find(&init.world.initfs, INITFS_ROOT, path, strlen(path), &e)))
		return err;
	if (!(*text = heap_alloc(e.content_bytes + 1)))
		return ERR_NOMEM;
	memcpy(*text, e.content, e.content_bytes);
	*bytes = e.content_bytes;
	return OK;
}

static err_t manifest_read(const char *name, struct manifest *m, struct words_error *error)
{
	static char path[MANIFEST_PATH_BYTES + 16];
	size_t bytes;
	char *text;
	err_t err;

	fmt(path, sizeof path, "/boot/manifest/%s", name);
	*error = (struct words_error){ .file = path, .what = "it cannot be read" };
	if ((err = boot_file_read(path, &text, &bytes)))
		return err;
	err = manifest_parse(m, name, text, bytes, error);
	error->file = path;
	return err;
}

/* A broken manifest loses its service and nothing else. */
static void start_take(const struct rc_start *start)
{
	struct manifest *m = heap_new(struct manifest);
	struct words_error error = { .file = start->name };

	error.what = m ? NULL : "no memory";
	if (!m || manifest_read(start->name, m, &error))
		goto tell;
	if (start->mode)
		m->modes.word[m->modes.count++] = (char *)(uintptr_t)start->mode;
	error.line = 0;
	if ((error.what = rc_add(&init.rc, m)))
		goto tell;
	return;

tell:
	mistake_tell(&error);
	if (m)
		heap_delete(m);
}

static void rc_take(const char *file, char *text, size_t bytes)
{
	rc_parse(&init.rc, file, text, bytes, mistake_tell);
	for (uint32_t i = 0; i < init.rc.start_count; i++)
		start_take(&init.rc.start[i]);
}

static err_t rc_read(void)
{
	static const char path[] = "/boot/init.rc";
	size_t bytes;
	char *text;
	err_t err;

	if ((err = boot_file_read(path, &text, &bytes)))
		return err;
	rc_take(path, text, bytes);
	return OK;
}

static err_t service_add(const struct manifest *rc)
{
	struct service *s = heap_new(struct service);

	if (!s)
		return ERR_NOMEM;
	s->rc = rc;
	s->state = manifest_is_in_mode(rc, init.mode) ? SERVICE_WAITING : SERVICE_OFF;
	s->process = s->ready = s->namespace = HANDLE_NONE;
	server_timer_init(&s->timer, on_timer);
	init.services[init.count++] = s;
	return s->state == SERVICE_OFF ? OK : service_make_endpoints(s, &init.world);
}

/* Those that rc has and we have not yet. */
static err_t services_add(void)
{
	err_t err = OK;

	while (!err && init.count < init.rc.count)
		err = service_add(init.rc.service[init.count]);
	return err;
}

static bool is_served(const char *scheme)
{
	struct manifest *rc = rc_find_scheme(&init.rc, scheme);

	return rc && !is_off(scheme);
}

static err_t started_pipe_make(void)
{
	err_t err;

	if ((err = handle_open_in(init.world.namespace, "pipe", "", OPEN_READ, &init.started_reader)))
		return err;
	if ((err = handle_open_at(init.started_reader, "write", OPEN_WRITE, &init.started_writer)))
		return err;
	server_add_watch(&init.server, &init.started_watch, init.started_reader, READY_READ, on_started);
	return OK;
}

static err_t prepare(void)
{
	err_t err;

	if ((err = server_init(&init.server)))
		return err;
	if ((err = bootfs_map(HANDLE_BOOT_INITFS, &init.world.initfs)))
		return err;
	if ((err = rc_read()))
		return err;
	if ((err = started_pipe_make()))
		return err;
	if ((err = services_add()))
		return err;
	if ((err = serve_init()))
		return err;
	if ((err = signals_take()))
		return err;
	init.world.mode = init.mode;
	server_timer_init(&init.watchdog, on_tick);
	on_tick(&init.watchdog);
	init.rest.scheme = init.rc.next_scheme;
	init.rest.ref = init.rc.next_ref;
	init.rest.is_over = !init.rest.scheme;
	init.world.has_log_server = is_served("log");
	init.world.has_posix = is_served("posix");
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
	power(POWER_OFF);
}
