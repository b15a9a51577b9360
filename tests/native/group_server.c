/* tests/native/group_server.c - groups of endpoints and events through lib/scheme; the server is this program started again; prints TAP. */
#include "abi/ops.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/thread.h"
#include "lib/scheme/scheme.h"
#include "tests/native/child.h"
#include "tests/native/grouping.h"

enum { ADD = 9000, WHICH, KEEP, CANCELS, CLOSES, WATCHED, FIRED, DROP, DIE };   /* CALL's codes */
enum { SOON_NS = 20000000 };

/* Three schemes: "a" and "b" of a group, "c" of another; a pipe that is watched; a timer. */
static struct server server;
static struct scheme schemes[3];
static struct server_watch watch;
static struct server_timer timer;
static uint32_t cancels, closes, watched, fired;

static int64_t lib_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags, (void)mode;
	r->opened = r->scheme;
	if (string_is(ref, bytes, "lazy"))
		r->reply_flags = REPLY_LAZY_CLOSE;
	return OK;
}

static int64_t lib_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct scheme_deferred *d;

	switch (code) {
	case ADD:
		return (int64_t)word + 1;
	case WHICH:
		return r->scheme == r->open ? r->scheme - schemes : ERR_PROTO;
	case KEEP:
		return (d = heap_new(struct scheme_deferred)) ? scheme_defer(r, d) : ERR_NOMEM;
	case CANCELS:
		return cancels;
	case CLOSES:
		return closes;
	case WATCHED:
		return watched;
	case FIRED:
		return fired;
	case DROP:              /* the pipe's handle before its watch, while another has the pipe too */
		if (handle_dup(watch.handle, RIGHT_ALL, &reader))
			return ERR_IO;
		handle_close(watch.handle);
		server_remove_watch(&server, &watch);
		return 0;
	case DIE:
		program_exit(3);
	default:
		return ERR_NOTTY;
	}
}

static void lib_close(struct scheme *s, void *open)
{
	closes += s == open;
}

static void lib_cancel(struct scheme_deferred *d)
{
	cancels++;
	scheme_answer(d, ERR_INTR);
	heap_delete(d);
}

static void lib_watched(struct server_watch *w, uint32_t found)
{
	char text[16];

	if (found & READY_READ && sys_read(REQUEST_NONBLOCK, w->handle, text, sizeof text, -1) > 0)
		watched++;
}

static void lib_fired(struct server_timer *t)
{
	fired++;
	server_timer_set(&server, t, now_ns() + SOON_NS);
}

static int serve(void)
{
	static const struct scheme_ops ops = { .open = lib_open, .call = lib_call, .close = lib_close, .cancel = lib_cancel };
	static const char *const names[] = { "scheme:a", "scheme:b", "scheme:c" };

	if (server_init(&server))
		return 1;
	for (int i = 0; i < 3; i++)
		if (server_add_scheme(&server, &schemes[i], names[i], &ops, NULL))
			return 2;
	server_add_watch(&server, &watch, startup_handle("pipe"), READY_READ, lib_watched);
	server_timer_init(&timer, lib_fired);
	server_timer_set(&server, &timer, now_ns() + SOON_NS);
	return server_run(&server) ? 3 : 0;
}

static handle_t third, things[3], server_process;

static handle_t server_start(void)
{
	const char *arguments[] = { "child", "server" };
	struct spawn_handle handles[] = {
		{ "scheme:a", one, HANDLE_NONE }, { "scheme:b", two, HANDLE_NONE }, { "scheme:c", third, HANDLE_NONE },
		{ "pipe", reader, HANDLE_NONE }, { "log", startup_handle("log"), HANDLE_NONE },
	};
	struct spawn_options o = {
		.image = child_image, .image_bytes = child_image_bytes, .arguments = arguments, .argument_count = 2,
		.handles = handles, .handle_count = ARRAY_COUNT(handles), .namespace = HANDLE_NONE, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};
	handle_t process = HANDLE_NONE;

	CHECK(spawn(&o, &process, NULL) == OK);
	return process;
}

static void library_open(void)
{
	one = (handle_t)sys_scheme(0, HANDLE_NONE, SCHEME_REDELIVER);
	two = (handle_t)sys_scheme(0, one, SCHEME_REDELIVER);
	third = (handle_t)sys_scheme(0, HANDLE_NONE, SCHEME_REDELIVER);
	pipe_open();
	server_process = server_start();
	const handle_t endpoints[] = { one, two, third };
	for (int i = 0; i < 3; i++)
		CHECK(handle_open_at(endpoints[i], "", OPEN_READ | OPEN_WRITE, &things[i]) == OK);
}

static void library_close(void)
{
	child_stop(server_process);
	for (int i = 0; i < 3; i++)
		handle_close(things[i]);
	handle_close(one);
	handle_close(two);
	handle_close(third);
	handle_close(reader);
	handle_close(writer);
}

static int64_t ask(int thing, int code, uint64_t word)
{
	return handle_call(things[thing], (enum code)code, NULL, 0, NULL, 0, word);
}

static bool comes_to(int code, int64_t at_least)
{
	for (int n = 0; n < 100; n++) {
		if (ask(0, code, 0) >= at_least)
			return true;
		sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS / 4);
	}
	return false;
}

static void a_server_serves_all_its_schemes(void)
{
	handle_t h;

	library_open();
	for (uint64_t n = 0; n < 50; n++)
		for (int i = 0; i < 3; i++)
			CHECK(ask(i, ADD, n) == (int64_t)n + 1 && ask(i, WHICH, 0) == i);
	CHECK(ask(1, CLOSES, 0) == 0);
	CHECK(handle_open_at(two, "", OPEN_READ, &h) == OK);
	handle_close(h);
	CHECK(handle_open_at(third, "", OPEN_READ, &h) == OK);
	handle_close(h);
	CHECK(comes_to(CLOSES, 2) && ask(0, CLOSES, 0) == 2);
	library_close();
}

static void watches_and_timers_go_on_beside_requests(void)
{
	library_open();
	for (int n = 1; n <= 20; n++) {
		pipe_fill();
		CHECK(comes_to(WATCHED, n) && ask(1, ADD, 1) == 2);
	}
	CHECK(comes_to(FIRED, 3));
	library_close();
}

static void a_watch_that_cannot_be_removed_is_dropped(void)
{
	library_open();
	CHECK(ask(0, DROP, 0) == 0);
	pipe_fill();
	for (int i = 0; i < 3; i++)
		CHECK(ask(i, ADD, 1) == 2);
	int64_t before = ask(0, FIRED, 0);
	CHECK(comes_to(FIRED, before + 2) && ask(0, WATCHED, 0) == 0);
	/* It does not run all the time, either. */
	struct task_info a, b;
	handle_call(server_process, TASK_INFO, NULL, 0, &a, sizeof a, 0);
	sys_sleep(0, HANDLE_NONE, now_ns() + 10 * SOON_NS);
	handle_call(server_process, TASK_INFO, NULL, 0, &b, sizeof b, 0);
	CHECK(b.user_ns + b.system_ns - a.user_ns - a.system_ns < 5 * SOON_NS);
	library_close();
}

struct keeper { handle_t thing; int code; int64_t result; uint32_t done; };

static void keep_run(void *argument)
{
	struct keeper *k = argument;

	k->result = handle_call(k->thing, (enum code)k->code, NULL, 0, NULL, 0, 1);
	__atomic_store_n(&k->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &k->done, 1, 0);
}

static int client(void)
{
	return (int)handle_call(startup_handle("thing"), (enum code)KEEP, NULL, 0, NULL, 0, 0);
}

static void a_cancel_finds_its_scheme(void)
{
	library_open();
	for (int i = 0; i < 3; i++) {
		handle_t process = child_start("client", "", "thing", things[i]);
		sys_sleep(0, HANDLE_NONE, now_ns() + 3 * SOON_NS);
		child_stop(process);
		CHECK(comes_to(CANCELS, i + 1));
	}
	CHECK(ask(0, CANCELS, 0) == 3);
	library_close();
}

static void the_next_server_gets_what_the_group_waits_for(void)
{
	struct keeper k[3];
	uint32_t tid;

	library_open();
	for (int i = 0; i < 3; i++) {
		k[i] = (struct keeper){ .thing = things[i], .code = KEEP };
		CHECK(thread_create(keep_run, &k[i], &tid) == OK);
	}
	sys_sleep(0, HANDLE_NONE, now_ns() + 3 * SOON_NS);
	child_stop(server_process);
	server_process = server_start();
	for (int i = 0; i < 3; i++) {
		handle_t h;
		while (!__atomic_load_n(&k[i].done, __ATOMIC_ACQUIRE))
			sys_futex_wait(0, HANDLE_NONE, &k[i].done, 0, DEADLINE_NONE);
		/* The number is the dead one's; that it came is what counts. */
		CHECK(k[i].result == ERR_CONNRESET);
		CHECK(handle_open_at(i == 0 ? one : i == 1 ? two : third, "", OPEN_READ | OPEN_WRITE, &h) == OK);
		handle_close(things[i]);
		things[i] = h;
		CHECK(ask(i, WHICH, 0) == i);
	}
	pipe_fill();
	CHECK(comes_to(WATCHED, 1));
	library_close();
}

static void servers_that_die_again_and_again_lose_nothing(void)
{
	struct keeper k;
	uint32_t tid;

	library_open();
	for (int n = 0; n < 10; n++) {
		k = (struct keeper){ .thing = things[n & 1], .code = DIE };
		CHECK(thread_create(keep_run, &k, &tid) == OK);
		pipe_fill();
		child_wait(server_process);
		handle_close(server_process);
		server_process = server_start();
		while (!__atomic_load_n(&k.done, __ATOMIC_ACQUIRE))
			sys_futex_wait(0, HANDLE_NONE, &k.done, 0, DEADLINE_NONE);
		CHECK(k.result == ERR_CONNRESET);
		handle_close(things[n & 1]);
		handle_close(things[!(n & 1)]);
		for (int i = 0; i < 2; i++)
			CHECK(handle_open_at(i ? two : one, "", OPEN_READ | OPEN_WRITE, &things[i]) == OK && ask(i, WHICH, 0) == i);
	}
	library_close();
}

/* The next one must not count what waits wrongly. */
static void lazy_closes_outlive_a_server(void)
{
	struct keeper k[2];
	uint32_t tid;
	handle_t h;

	library_open();
	for (int n = 0; n < 4; n++) {
		for (int i = 0; i < 2; i++) {
			k[i] = (struct keeper){ .thing = things[i], .code = KEEP };
			CHECK(thread_create(keep_run, &k[i], &tid) == OK);
		}
		sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS);
		if (handle_open_at(one, "lazy", OPEN_READ, &h) == OK)
			handle_close(h);
		child_stop(server_process);
		server_process = server_start();
		for (int i = 0; i < 2; i++) {
			while (!__atomic_load_n(&k[i].done, __ATOMIC_ACQUIRE))
				sys_futex_wait(0, HANDLE_NONE, &k[i].done, 0, DEADLINE_NONE);
			CHECK(k[i].result == ERR_CONNRESET);
			handle_close(things[i]);
			CHECK(handle_open_at(i ? two : one, "", OPEN_READ | OPEN_WRITE, &things[i]) == OK && ask(i, WHICH, 0) == i);
		}
	}
	int64_t before = ask(0, CLOSES, 0);
	for (int i = 0; i < 20; i++) {
		CHECK(handle_open_at(one, "lazy", OPEN_READ, &h) == OK);
		handle_close(h);
		CHECK(ask(0, CLOSES, 0) == before + i + 1);
	}
	library_close();
}

/* Callers at every endpoint and a pipe that never rests, on all CPUs. */
enum { STRESS_THREADS = 6, STRESS_CALLS = 400 };

struct stressed { handle_t thing; int64_t wrong; uint32_t done; };

static void stress_run(void *argument)
{
	struct stressed *s = argument;

	for (uint64_t n = 0; n < STRESS_CALLS; n++) {
		s->wrong += handle_call(s->thing, (enum code)ADD, NULL, 0, NULL, 0, n) != (int64_t)n + 1;
		if (n % 8 == 0)
			s->wrong += handle_write(writer, "x", 1) != OK;
	}
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &s->done, 1, 0);
}

static void all_at_once(void)
{
	struct stressed s[STRESS_THREADS];
	uint32_t tid;

	library_open();
	for (int i = 0; i < STRESS_THREADS; i++) {
		s[i] = (struct stressed){ .thing = things[i % 3] };
		CHECK(thread_create(stress_run, &s[i], &tid) == OK);
	}
	for (int i = 0; i < STRESS_THREADS; i++) {
		while (!__atomic_load_n(&s[i].done, __ATOMIC_ACQUIRE))
			sys_futex_wait(0, HANDLE_NONE, &s[i].done, 0, DEADLINE_NONE);
		CHECK(s[i].wrong == 0);
	}
	CHECK(comes_to(WATCHED, 1) && handle_call(reader, PIPE_PENDING, NULL, 0, NULL, 0, 0) == 0);
	library_close();
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return strcmp(startup_argument(1), "server") == 0 ? serve() : client();
	if (!child_image_open()) {
		print("not ok 1 - the test can begin\n1..1\n");
		return 1;
	}
	run("a server serves all its schemes", a_server_serves_all_its_schemes);
	run("watches and timers go on beside requests", watches_and_timers_go_on_beside_requests);
	run("a watch that cannot be removed is dropped", a_watch_that_cannot_be_removed_is_dropped);
	run("a cancel finds its scheme", a_cancel_finds_its_scheme);
	run("the next server gets what the group waits for", the_next_server_gets_what_the_group_waits_for);
	run("servers that die again and again lose nothing", servers_that_die_again_and_again_lose_nothing);
	run("lazy closes outlive a server", lazy_closes_outlive_a_server);
	run("all at once", all_at_once);
	print("1..%u\n", points);
	return failures != 0;
}
