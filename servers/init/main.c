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
#include "servers/init/service.h"

enum { COMMAND_LINE_MAX = 2048, MODE_BYTES = 24, STATUS_BYTES = 8192 };

static struct {
	struct server server;
	struct scheme scheme;           /* init: */
	struct service_world world;
	struct rc rc;
	struct service *services;       /* rc.count of them */
	char mode[MODE_BYTES];
	handle_t started_reader, started_writer;        /* pointers of services whose start is over */
	struct server_watch started_watch;
	bool is_up;                     /* all that can be ready were once */
} init;

#define each_service(s) (struct service *s = init.services; s < init.services + init.rc.count; s++)

static uint64_t now_ns(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static NORETURN void power(enum power how)
{
	handle_t h;

	if (handle_open_in(init.world.namespace, "sys", "power", OPEN_READ | OPEN_WRITE, &h) == OK)
		handle_call(h, SYS_POWER, NULL, 0, NULL, 0, how);
	program_exit(1);
}

/* ---- The life of a service ----------------------------------------------------------------------------------------- */

static void start_all(void);

static struct service *service_of(const struct rc_service *rc)
{
	for each_service(s)
		if (s->rc == rc)
			return s;
	return NULL;
}

/* What is not there (in this mode) is not waited for. */
static bool is_settled(const struct rc_service *rc, const struct service *waiter)
{
	struct service *s = rc ? service_of(rc) : NULL;

	return !s || s == waiter || s->state == SERVICE_OFF || s->state == SERVICE_READY || s->state == SERVICE_DONE;
}

static bool can_start(const struct service *s)
{
	for (uint32_t i = 0; i < s->rc->after.count; i++)
		if (!is_settled(rc_find(&init.rc, s->rc->after.word[i]), s))
			return false;
	for (uint32_t i = 0; i < s->rc->handle_count; i++)
		if (s->rc->handle[i].scheme && !is_settled(rc_find_scheme(&init.rc, s->rc->handle[i].scheme), s))
			return false;
	return true;
}

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
	/* Without memory for a thread the start has failed like any other. */
	s->start_error = thread_create(start_thread, s, &tid);
	if (s->start_error)
		(void)!handle_write(init.started_writer, &s, sizeof s);
}

static void service_set_ready(struct service *s)
{
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
	} else if (backoff_end(&s->backoff, now_ns(), s->rc->limit, &at)) {
		s->state = SERVICE_WAITING;
		server_timer_set(&init.server, &s->timer, at);
	} else {
		s->state = SERVICE_FAILED;
		print("init: %s failed %u times in a row: given up\n", s->rc->name, s->backoff.failures);
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

static void on_started(struct server_watch *w, uint32_t found)
{
	struct service *s;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &s, sizeof s, -1) == sizeof s)
		service_started(s);
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

static void start_all(void)
{
	for each_service(s)
		if (is_due(s))
			service_start(s);
	say_up();
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
	rc_option(line, n > 0 ? (size_t)n : 0, "mode", "run", init.mode, sizeof init.mode);
}

static err_t rc_read(void)
{
	static const char path[] = "/boot/init.rc";
	struct rc_error error = { 0 };
	struct initfs_entry e;
	err_t err;

	if ((err = initfs_find(&init.world.initfs, INITFS_ROOT, path, strlen(path), &e)))
		return err;
	char *text = heap_alloc(e.content_bytes + 1);
	if (!text)
		return ERR_NOMEM;
	memcpy(text, e.content, e.content_bytes);
	if ((err = rc_parse(&init.rc, text, e.content_bytes, &error)))
		print("init: %s, line %u: %s\n", path, error.line, error.what);
	return err;
}

static err_t services_make(void)
{
	if (!(init.services = heap_alloc(init.rc.count * sizeof *init.services)))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < init.rc.count; i++) {
		struct service *s = &init.services[i];
		s->rc = init.rc.service[i];
		s->state = rc_is_in_mode(s->rc, init.mode) ? SERVICE_WAITING : SERVICE_OFF;
		s->process = s->ready = s->namespace = HANDLE_NONE;
		server_timer_init(&s->timer, on_timer);
	}
	for each_service(s) {
		err_t err = s->state == SERVICE_OFF ? OK : service_make_endpoints(s, &init.world);
		if (err)
			return err;
	}
	return OK;
}

/* A name that does not exist spoils only the service that wants it. */
static void namespaces_make(void)
{
	for each_service(s) {
		err_t err = s->state == SERVICE_OFF ? OK : service_make_namespace(s, &init.world);
		if (err) {
			print("init: %s uses a scheme that is not there: error %d\n", s->rc->name, -err);
			s->state = SERVICE_FAILED;
		}
	}
}

static bool is_off(const char *scheme)
{
	struct rc_service *rc = rc_find_scheme(&init.rc, scheme);

	return rc && service_of(rc)->state == SERVICE_OFF;
}

static bool is_served(const char *scheme)
{
	struct rc_service *rc = rc_find_scheme(&init.rc, scheme);

	return rc && service_of(rc)->state != SERVICE_OFF;
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
	if ((err = services_make()))
		return err;
	if ((err = serve_init()))
		return err;
	if ((err = signals_take()))
		return err;
	init.world.mode = init.mode;
	init.world.is_off = is_off;
	namespaces_make();
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
	if ((err = prepare()) == OK) {
		start_all();
		err = server_run(&init.server);
	}
	print("init: cannot go on: error %d\n", -err);
	power(POWER_OFF);
}
