/* servers/screend/worker.c - pipes between the threads: pointers to calls in both directions, events in one. */
#include "servers/screend/worker.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"

enum { EVENTS = 32 };
#define INPUT_WAIT_NS 300000000

struct job { struct output *output; struct driver_call *call; };
struct ends { handle_t read, write; };

static struct ends asked, done, events;
static struct server_watch done_watch, event_watch;
static void (*on_answer)(struct output *o, struct driver_call *c);
static void (*on_event)(const struct input_event *e);

static err_t ends_make(struct ends *e)
{
	TRY(handle_open("pipe", "", OPEN_READ, &e->read));
	return handle_open_at(e->read, "write", OPEN_WRITE, &e->write);
}

/* ---- Calls of drivers --------------------------------------------------------------------------------------------------- */

static void call_drivers(void *unused)
{
	struct job j;

	(void)unused;
	while (sys_read(0, asked.read, &j, sizeof(j), -1) == sizeof(j)) {
		struct driver_call *c = j.call;
		handle_t received;

		c->result = sys_call_handle(0, c->root, c->code, c->pass, c->in, c->in_bytes, c->out, c->out_bytes, c->word, &received);
		handle_close(received);
		if (handle_write(done.write, &j, sizeof(j)))
			break;
	}
	print("screend: calls of drivers ended\n");
	program_exit(1);
}

void worker_call(struct output *o, struct driver_call *c)
{
	struct job j = { o, c };

	if (handle_write(asked.write, &j, sizeof(j)))
		print("screend: a call is lost\n");
}

static void done_ready(struct server_watch *w, uint32_t found)
{
	struct job j;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &j, sizeof(j), -1) == sizeof(j))
		on_answer(j.output, j.call);
}

/* ---- Input ---------------------------------------------------------------------------------------------------------------- */

/* inputd may come later, or be started again: then it is opened anew. */
static void read_input(void *unused)
{
	struct input_event some[EVENTS];
	handle_t h;
	int64_t n;

	(void)unused;
	for (;; sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + INPUT_WAIT_NS)) {
		if (handle_open("input", "events", OPEN_READ, &h))
			continue;
		while ((n = sys_read(0, h, some, sizeof(some), -1)) > 0)
			if (handle_write(events.write, some, (size_t)n))
				break;
		handle_close(h);
	}
}

static void event_ready(struct server_watch *w, uint32_t found)
{
	struct input_event some[EVENTS];
	int64_t n = sys_read(REQUEST_NONBLOCK, w->handle, some, sizeof(some), -1);

	(void)found;
	for (int64_t i = 0; i < n / (int64_t)sizeof(*some); i++)
		on_event(&some[i]);
}

err_t worker_start(struct server *server, void (*answered)(struct output *o, struct driver_call *c), void (*event)(const struct input_event *e))
{
	uint32_t tid;

	on_answer = answered;
	on_event = event;
	TRY(ends_make(&asked));
	TRY(ends_make(&done));
	TRY(ends_make(&events));
	server_add_watch(server, &done_watch, done.read, READY_READ, done_ready);
	server_add_watch(server, &event_watch, events.read, READY_READ, event_ready);
	return thread_create(call_drivers, NULL, &tid);
}

void worker_listen(void)
{
	static bool is_listening;
	uint32_t tid;

	if (!is_listening)
		is_listening = thread_create(read_input, NULL, &tid) == OK;
}
