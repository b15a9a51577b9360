/* servers/init/life.c - a service's life: when it can start, that it is ready, that it ended, and what then. */
#include "abi/startup.h"
#include "abi/proto/task.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/thread.h"
#include "servers/init/init.h"
#include "servers/init/order.h"

static void service_again(struct service *s);

/* ---- Finding ---------------------------------------------------------------------------------------------------- */

struct service *service_find(const char *name, size_t bytes)
{
	struct service *s;

	list_each(s, &init.services, link)
		if (string_is(name, bytes, s->name))
			return s;
	return NULL;
}

struct service *service_serving(const char *scheme)
{
	struct service *s;

	list_each(s, &init.services, link)
		for (uint32_t i = 0; s->state != SERVICE_OFF && s->state != SERVICE_ABSENT && i < s->m->scheme_count; i++)
			if (strcmp(s->scheme[i], scheme) == 0)
				return s;
	return NULL;
}

bool service_is_alive(const struct service *s)
{
	return s->process != HANDLE_NONE;
}

/* ---- Starting --------------------------------------------------------------------------------------------------- */

/* What is not there (in this mode) is not waited for. */
static bool is_settled(const struct service *s, const struct service *waiter)
{
	return !s || s == waiter || s->state == SERVICE_OFF || s->state == SERVICE_READY || s->state == SERVICE_DONE;
}

static bool after_is_settled(const struct service *s, const char *name)
{
	return strcmp(name, "@rc") == 0 ? files_are_read() : is_settled(service_find(name, strlen(name)), s);
}

static bool can_start(const struct service *s)
{
	if (s->m->is_session && !files_are_read())
		return false;
	if (s->is_instance && !is_settled(service_serving(init.world.devices), s))
		return false;
	for (uint32_t i = 0; i < s->m->after.count; i++)
		if (!after_is_settled(s, s->m->after.word[i]))
			return false;
	for (uint32_t i = 0; i < s->m->handle_count; i++)
		if (s->m->handle[i].scheme && !is_settled(service_serving(s->m->handle[i].scheme), s))
			return false;
	return true;
}

static void launch(void *argument)
{
	struct service *s = argument;

	s->start_error = service_launch(s, &init.world);
}

static void on_started(void *argument);

static void service_start(struct service *s)
{
	s->starts++;
	s->state = SERVICE_STARTING;
	s->started_ns = now_ns();
	backoff_start(&s->backoff, s->started_ns);
	attach_give(s);
	/* A name that is not there, or no memory for a thread: the start has failed like any other. */
	if ((s->start_error = namespace_make(s)))
		init_post(on_started, s);
	else
		init_work(launch, on_started, s, &s->start_error);
}

static bool is_due(const struct service *s)
{
	return s->state == SERVICE_WAITING && list_is_empty(&s->timer.link) && can_start(s);
}

static void say_up(void)
{
	struct service *s;

	if (init.is_up)
		return;
	list_each(s, &init.services, link)
		if (s->state > SERVICE_ABSENT && s->state != SERVICE_READY && s->state != SERVICE_DONE)
			return;
	init.is_up = true;
	print("init: all services are up after %llu ms\n", (unsigned long long)(now_ns() / 1000000));
}

void start_all(void)
{
	struct service *s;

	if (init.is_stopping)
		return;
	files_read_rest();
	list_each(s, &init.services, link)
		if (is_due(s))
			service_start(s);
	say_up();
}

static void service_set_ready(struct service *s)
{
	watchdog_reset(&s->watchdog);
	s->state = SERVICE_READY;
	attach_ready(s);
	devices_ready(s);
	start_all();
}

static void ready_forget(struct service *s)
{
	if (s->ready == HANDLE_NONE)
		return;
	server_remove_watch(&init.server, &s->ready_watch);
	handle_close(s->ready);
	s->ready = HANDLE_NONE;
}

/* Its byte, or an error. */
static int64_t ready_read(struct service *s)
{
	uint8_t byte;
	int64_t n = sys_read(REQUEST_NONBLOCK, s->ready, &byte, 1, -1);

	return n == 1 ? byte : n < 0 ? n : ERR_PIPE;
}

static void on_ready(struct server_watch *w, uint32_t found)
{
	struct service *s = container_of(w, struct service, ready_watch);

	(void)found;
	int64_t said = ready_read(s);
	if (said == ERR_AGAIN)
		return;
	ready_forget(s);
	if (said == STARTUP_NEEDLESS)
		s->is_needless = true;
	else if (said != STARTUP_READY)
		print("init: %s closed its ready handle without a word\n", s->name);
	else if (s->state == SERVICE_RUNNING)
		service_set_ready(s);
}

/* ---- Ending ------------------------------------------------------------------------------------------------------- */

static void say_end(const struct service *s)
{
	struct task_info info;

	if (handle_call(s->process, TASK_INFO, NULL, 0, &info, sizeof info, 0) < 0)
		print("init: %s (pid %u) ended\n", s->name, s->pid);
	else if (info.end == TASK_FAULTED)
		print("init: %s (pid %u) crashed: exception %llu at %#llx, address %#llx\n", s->name, s->pid,
		      (unsigned long long)info.status, (unsigned long long)info.fault_ip, (unsigned long long)info.fault_address);
	else if (info.end == TASK_KILLED)
		print("init: %s (pid %u) was killed (%llu)\n", s->name, s->pid, (unsigned long long)info.status);
	else if (!s->m->is_session)
		print("init: %s (pid %u) ended with status %llu\n", s->name, s->pid, (unsigned long long)info.status);
}

static void set_over(struct service *s, enum service_state state)
{
	s->state = state;
	service_give_up(s);
}

static void set_failed(struct service *s, const char *why, uint32_t times)
{
	set_over(s, SERVICE_FAILED);
	print("init: %s %s %u times: given up\n", s->name, why, times);
	if (s->m->is_essential) {
		print("init: no use without it: power off\n");
		machine_stop(POWER_OFF, STOP_EVERYBODY);
	}
}

/* It has ended or could not be started, and nobody had asked for that. */
static void service_again(struct service *s)
{
	uint64_t at;

	if (!s->m->is_restarted || s->is_needless) {
		set_over(s, SERVICE_DONE);
		start_all();
	} else if (backoff_end(&s->backoff, now_ns(), &s->m->restart, &at)) {
		s->state = SERVICE_WAITING;
		server_timer_set(&init.server, &s->timer, at);
	} else {
		set_failed(s, "failed", s->backoff.failures);
	}
}

static void service_ended(struct service *s)
{
	enum service_wish wish = s->wish;

	s->wish = WISH_NONE;
	if (wish == WISH_STOP || init.is_stopping) {
		set_over(s, SERVICE_STOPPED);
	} else if (wish == WISH_RESTART) {
		service_begin(s);
	} else if (wish == WISH_DISABLE) {
		set_failed(s, "had a device that faulted", s->device_faults);
	} else {
		service_again(s);
	}
	machine_stop_go_on();
}

static void on_end(struct server_watch *w, uint32_t found)
{
	struct service *s = container_of(w, struct service, process_watch);

	(void)found;
	/* Which of the two is seen first is chance. */
	s->is_needless |= s->ready != HANDLE_NONE && ready_read(s) == STARTUP_NEEDLESS;
	if (s->wish == WISH_NONE && !s->is_needless)
		say_end(s);
	server_remove_watch(&init.server, &s->process_watch);
	server_timer_clear(&s->timer);
	handle_close(s->process);
	s->process = HANDLE_NONE;
	s->pid = 0;
	ready_forget(s);
	service_ended(s);
}

err_t service_kill(struct service *s)
{
	return service_is_alive(s) ? result_error(handle_call(s->process, TASK_KILL, NULL, 0, NULL, 0, 0)) : ERR_SRCH;
}

/* Asked first, if it has something to bring to an end. */
static void end_it(void *argument)
{
	struct service *s = argument;

	if (s->state != SERVICE_STOPPING || !service_is_alive(s))
		return;
	if (s->m->stop_ns > 0 && handle_call(s->process, TASK_POST, NULL, 0, NULL, 0, SERVICE_STOP_NOTICE) >= 0)
		server_timer_set(&init.server, &s->timer, now_ns() + s->m->stop_ns);
	else
		(void)!service_kill(s);
}

void service_stop(struct service *s, enum service_wish wish)
{
	if (s->state == SERVICE_OFF || s->state == SERVICE_ABSENT)
		return;
	s->wish = wish;
	switch (s->state) {
	case SERVICE_STARTING:          /* when that is over */
	case SERVICE_STOPPING:
		break;
	case SERVICE_RUNNING:
	case SERVICE_READY:
		s->state = SERVICE_STOPPING;
		attach_flush(s, end_it);
		break;
	default:
		server_timer_clear(&s->timer);
		service_ended(s);
	}
}

void service_disable(struct service *s)
{
	s->wish = WISH_DISABLE;
	if (service_kill(s) && s->state != SERVICE_STARTING)
		service_stop(s, WISH_DISABLE);
}

void service_begin(struct service *s)
{
	s->backoff.failures = 0;
	s->device_faults = 0;
	s->is_needless = false;
	service_expect(s);
	s->state = SERVICE_WAITING;
	start_all();
}

/* The start's thread is done. */
static void on_started(void *argument)
{
	struct service *s = argument;
	enum service_wish wish = s->wish;

	handle_close(s->namespace);
	s->namespace = HANDLE_NONE;
	attach_given(s);
	if (s->start_error) {
		print("init: %s cannot be started: error %d\n", s->name, -s->start_error);
		service_ended(s);
		return;
	}
	s->state = SERVICE_RUNNING;
	watchdog_reset(&s->watchdog);
	server_add_watch(&init.server, &s->process_watch, s->process, READY_READ, on_end);
	if (s->ready != HANDLE_NONE)
		server_add_watch(&init.server, &s->ready_watch, s->ready, READY_READ, on_ready);
	if (wish != WISH_NONE)
		service_stop(s, wish);
	else if (s->ready == HANDLE_NONE)
		service_set_ready(s);
}

static void on_timer(struct server_timer *t)
{
	struct service *s = container_of(t, struct service, timer);

	if (s->state != SERVICE_STOPPING) {
		start_all();
		return;
	}
	print("init: %s (pid %u) does not end though it was asked to: killed\n", s->name, s->pid);
	(void)!service_kill(s);
}

/* ---- Coming and going ---------------------------------------------------------------------------------------------- */

err_t service_enter(struct service *s)
{
	err_t err = OK;

	if (init.count == SERVICES_MAX)
		return ERR_2BIG;
	s->state = !manifest_is_in_mode(s->m, init.mode) ? SERVICE_OFF : s->m->match_count > 0 && !s->is_instance ? SERVICE_ABSENT : SERVICE_WAITING;
	server_timer_init(&s->timer, on_timer);
	if (s->state != SERVICE_OFF && (err = service_make_kept(s, &init.world))) {
		service_drop_kept(s);
		return err;
	}
	if (s->state == SERVICE_ABSENT)
		service_give_up(s);
	list_push_back(&init.services, &s->link);
	init.count++;
	return OK;
}

err_t service_add(const struct manifest *m)
{
	struct service *s = heap_new(struct service);
	err_t err;

	if (!s)
		return ERR_NOMEM;
	service_init(s, m->name, m);
	if ((err = service_enter(s)))
		heap_delete(s);
	return err;
}

/* No thread is at it any more, and its process has ended. */
static bool is_reapable(struct service *s)
{
	return s->has_gone && s->state == SERVICE_STOPPED && !s->is_attaching && !__atomic_load_n(&s->is_asked, __ATOMIC_ACQUIRE);
}

static void service_reap(struct service *s)
{
	list_remove(&s->link);
	init.count--;
	service_drop_kept(s);
	heap_delete(s);
}

/* ---- Watchdogs ------------------------------------------------------------------------------------------------------- */

/* Any answer will do. It may never come, so this is a thread's. */
static void ask_thread(void *argument)
{
	struct service *s = argument;
	handle_t h;

	if (handle_open_at(s->endpoint[s->asked_scheme], "", OPEN_READ | OPEN_NOCTTY, &h) == OK)
		handle_close(h);
	__atomic_store_n(&s->is_asked, false, __ATOMIC_RELEASE);
}

static void ask(struct service *s)
{
	uint32_t tid;

	s->asked_scheme = (s->asked_scheme + 1) % s->m->scheme_count;
	__atomic_store_n(&s->is_asked, true, __ATOMIC_RELEASE);
	if (thread_create(ask_thread, s, &tid))
		__atomic_store_n(&s->is_asked, false, __ATOMIC_RELEASE);
}

static void watch_over(struct service *s)
{
	/* One that is not ready yet owes us that, and is taken for busy. */
	bool is_ready = s->state == SERVICE_READY, owes = !is_ready || __atomic_load_n(&s->is_asked, __ATOMIC_ACQUIRE);
	uint64_t finished = is_ready && s->life ? s->life->finished : s->watchdog.finished + 1;

	if ((!is_ready && s->state != SERVICE_RUNNING) || s->m->scheme_count == 0)
		return;
	switch (watchdog_tick(&s->watchdog, s->m->watchdog_s, owes, finished)) {
	case WATCHDOG_ASK:
		ask(s);
		break;
	case WATCHDOG_STUCK:
		print("init: %s (pid %u) does not answer: killed\n", s->name, s->pid);
		(void)!service_kill(s);
		break;
	default:
		break;
	}
}

void service_tick(struct service *s)
{
	if (is_reapable(s))
		service_reap(s);
	else
		watch_over(s);
}
