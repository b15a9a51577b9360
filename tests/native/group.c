/* tests/native/group.c - endpoints that share what is received, and events that come as messages; prints TAP.
 *
 * First bare (the kernel's own rules), then through lib/scheme, whose server is this program started again.
 */
#include "abi/ops.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/thread.h"
#include "lib/scheme/scheme.h"
#include "tests/native/child.h"

enum { ADD = 9000, WHICH, KEEP, CANCELS, CLOSES, WATCHED, FIRED, DROP, DIE };   /* CALL's codes */
enum { SOON_NS = 20000000 };

/* ---- What several tests need -------------------------------------------------------------------------------------------- */

static handle_t one, two;               /* endpoints of a group; ours to serve */
static handle_t queue, reader, writer;  /* queue: the group's events */
static struct message m;
static uint8_t buffer[1024];

static handle_t endpoint_beside(handle_t beside) { return (handle_t)sys_scheme(0, beside, 0); }
static int64_t number_of(handle_t endpoint, handle_t passed)
{
	return sys_call(0, endpoint, pack_handle(ENDPOINT_NUMBER, passed, false), NULL, 0, NULL, 0, 0);
}

static int64_t receive_until(handle_t endpoint, uint64_t deadline_ns)
{
	memset(&m, 0xee, sizeof m);
	m.offset = deadline_ns;
	return sys_receive(deadline_ns == DEADLINE_NOW ? REQUEST_NONBLOCK : 0, endpoint, &m, buffer, sizeof buffer);
}

static int64_t receive(handle_t endpoint) { return receive_until(endpoint, now_ns() + 2000000000); }
static int64_t receive_now(handle_t endpoint) { return receive_until(endpoint, DEADLINE_NOW); }
static void answer(handle_t endpoint, int64_t result)
{
	CHECK(sys_reply(0, endpoint, m.request.tag, result, NULL, 0, pack_handle(0, HANDLE_NONE, true)) >= 0);
}

static bool is_request(handle_t number, uint32_t op)
{
	return m.kind == MESSAGE_REQUEST && m.request.handle == number && m.request.op == op;
}

/* The first of the events in the last message; 0: it had none. */
static uint64_t event_cookie(void)
{
	struct event e;

	if (m.kind != MESSAGE_EVENT || m.copied_bytes < sizeof e)
		return 0;
	memcpy(&e, buffer, sizeof e);
	return e.cookie;
}

static err_t watch_as(handle_t q, handle_t h, uint32_t wanted, uint32_t mode, uint64_t cookie)
{
	struct event_interest i = { .handle = h, .wanted = wanted, .mode = mode, .cookie = cookie };

	return result_error(handle_call(q, EVENT_ADD, &i, sizeof i, NULL, 0, 0));
}

static void pipe_fill(void) { CHECK(handle_write(writer, "x", 1) == OK); }
static void pipe_drain(void) { CHECK(sys_read(0, reader, buffer, sizeof buffer, -1) > 0); }

static void pipe_open(void)
{
	CHECK(handle_open("pipe", "", OPEN_READ, &reader) == OK);
	CHECK(handle_open_at(reader, "write", OPEN_WRITE, &writer) == OK);
}

/* A group with a watched pipe, whose cookie is 77. */
static void group_open(void)
{
	one = endpoint_beside(HANDLE_NONE);
	two = endpoint_beside(one);
	pipe_open();
	CHECK(one >= 0 && two >= 0);
	CHECK(handle_call_get(one, ENDPOINT_EVENTS, NULL, 0, 0, &queue) == OK);
	CHECK(watch_as(queue, reader, READY_READ, EVENT_LEVEL, 77) == OK);
}

static void group_close(void)
{
	const handle_t all[] = { one, two, queue, reader, writer };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++)
		handle_close(all[i]);
}

/* A client in a thread: opens at an endpoint, calls once, closes. */
struct client { handle_t endpoint; int64_t opened, result; uint32_t done; };

static void client_run(void *argument)
{
	struct client *c = argument;

	c->opened = sys_open(0, c->endpoint, NULL, 0, "", 0, OPEN_READ | OPEN_WRITE, 0);
	if (c->opened >= 0) {
		c->result = handle_call((handle_t)c->opened, (enum code)ADD, NULL, 0, NULL, 0, 5);
		handle_close((handle_t)c->opened);
	}
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

static void client_start(struct client *c, handle_t endpoint)
{
	uint32_t tid;

	*c = (struct client){ .endpoint = endpoint };
	CHECK(thread_create(client_run, c, &tid) == OK);
}

static void client_wait(struct client *c)
{
	while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE))
		sys_futex_wait(0, HANDLE_NONE, &c->done, 0, DEADLINE_NONE);
}

/* ---- Endpoints ---------------------------------------------------------------------------------------------------------- */

static void one_receives_what_comes_by_any(void)
{
	struct client c;

	group_open();
	client_start(&c, two);
	CHECK(receive(one) >= 0 && is_request(1, OP_OPEN));
	answer(one, 5);
	CHECK(receive(one) >= 0 && is_request(1, OP_CALL) && m.id == 5 && m.request.arg[5] == 5);
	answer(two, 6);
	CHECK(receive(two) >= 0 && m.kind == MESSAGE_CLOSE && m.request.handle == 1 && m.id == 5);
	client_wait(&c);
	CHECK(c.result == 6);
	client_start(&c, one);
	CHECK(receive(two) >= 0 && is_request(0, OP_OPEN));
	answer(one, ERR_NOENT);
	client_wait(&c);
	CHECK(c.opened == ERR_NOENT);
	group_close();
}

static void endpoints_have_numbers(void)
{
	handle_t three, other, weak;

	group_open();
	three = endpoint_beside(two);
	other = endpoint_beside(HANDLE_NONE);
	CHECK(number_of(one, HANDLE_NONE) == 0 && number_of(two, one) == 1 && number_of(three, two) == 2);
	CHECK(number_of(other, HANDLE_NONE) == 0 && number_of(other, one) == ERR_XDEV && number_of(one, reader) == ERR_XDEV);
	CHECK(handle_dup(one, RIGHT_ALL & ~(uint32_t)RIGHT_SERVE, &weak) == OK);
	CHECK(number_of(weak, HANDLE_NONE) == ERR_ACCES && endpoint_beside(weak) == ERR_ACCES);
	CHECK(handle_call(weak, ENDPOINT_EVENTS, NULL, 0, NULL, 0, 0) == ERR_ACCES);
	CHECK(handle_call(one, (enum code)ADD, NULL, 0, NULL, 0, 0) == ERR_NOTTY);
	handle_close(weak);
	handle_close(other);
	handle_close(three);
	group_close();
}

static void a_group_is_of_one_kind(void)
{
	group_open();
	CHECK(sys_scheme(0, one, SCHEME_REDELIVER) == ERR_INVAL && sys_scheme(0, HANDLE_NONE, 1 << 9) == ERR_INVAL);
	CHECK(sys_scheme(0, reader, 0) == ERR_ACCES && sys_scheme(0, 9999, 0) == ERR_BADF);
	group_close();
}

/* Each scheme counts its open things for itself. */
static void a_number_means_something_else_at_each_endpoint(void)
{
	struct client a, b;
	handle_t of_a = HANDLE_NONE, of_b = HANDLE_NONE;

	group_open();
	client_start(&a, one);
	client_start(&b, two);
	/* Both get the number 9; then they wait in their calls. */
	for (int n = 0; n < 4; n++) {
		CHECK(receive(one) >= 0 && m.kind == MESSAGE_REQUEST);
		if (m.request.op == OP_OPEN)
			CHECK(sys_reply(0, one, m.request.tag, 9, NULL, 0, pack_handle(REPLY_NOTIFIES, HANDLE_NONE, true)) >= 0);
		else
			*(m.request.handle == 0 ? &of_a : &of_b) = (handle_t)m.request.tag;
	}
	struct poll_entry p[2] = {
		{ .handle = (handle_t)a.opened, .wanted = READY_READ }, { .handle = (handle_t)b.opened, .wanted = READY_READ },
	};
	CHECK(sys_notify(0, two, 9, READY_READ, READY_READ) == 0);
	CHECK(sys_poll(0, HANDLE_NONE, p, 2, DEADLINE_NOW) == 1 && p[0].found == 0 && p[1].found == READY_READ);
	CHECK(sys_notify(0, one, 10, READY_READ, READY_READ) == ERR_SRCH);
	CHECK(sys_reply(0, one, (uint32_t)of_a, 1, NULL, 0, pack_handle(0, HANDLE_NONE, true)) >= 0);
	CHECK(sys_reply(0, one, (uint32_t)of_b, 2, NULL, 0, pack_handle(0, HANDLE_NONE, true)) >= 0);
	client_wait(&a);
	client_wait(&b);
	CHECK(a.result == 1 && b.result == 2);
	group_close();
}

static void endpoints_of_a_group_end_one_by_one(void)
{
	struct client c;

	for (int round = 0; round < 2; round++) {
		group_open();
		handle_t first = round ? two : one, last = round ? one : two;
		handle_close(first);
		client_start(&c, last);
		CHECK(receive(last) >= 0 && is_request(round ? 0 : 1, OP_OPEN));
		answer(last, ERR_NOENT);
		client_wait(&c);
		pipe_fill();
		CHECK(receive(last) >= 0 && event_cookie() == 77);
		handle_t third = endpoint_beside(last);
		CHECK(number_of(third, last) == 2);     /* numbers are not given again */
		handle_close(third);
		if (round)
			two = third;
		else
			one = third;
		group_close();
	}
}

static void an_endpoint_of_a_group_can_be_polled(void)
{
	struct client c;

	group_open();
	client_start(&c, one);
	struct poll_entry p = { .handle = two, .wanted = READY_READ };
	CHECK(sys_poll(0, HANDLE_NONE, &p, 1, now_ns() + 2000000000) == 1 && p.found == READY_READ);
	CHECK(receive_now(two) >= 0);
	answer(two, ERR_NOENT);
	client_wait(&c);
	CHECK(sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW) == 0);
	group_close();
}

/* ---- Events ------------------------------------------------------------------------------------------------------------- */

static void an_event_is_a_message(void)
{
	group_open();
	CHECK(receive_now(one) == ERR_AGAIN);
	pipe_fill();
	CHECK(receive_now(one) == 0 && m.kind == MESSAGE_EVENT && m.copied_bytes == sizeof(struct event));
	CHECK(m.request.handle == HANDLE_NONE && m.handle == HANDLE_NONE && m.request.tag == 0);
	CHECK(event_cookie() == 77 && ((struct event *)buffer)->found == READY_READ);
	group_close();
}

static void a_level_is_told_until_it_is_gone(void)
{
	group_open();
	pipe_fill();
	for (int n = 0; n < 5; n++)
		CHECK(receive_now(two) == 0 && event_cookie() == 77);
	pipe_drain();
	CHECK(receive_now(one) == ERR_AGAIN && receive_now(one) == ERR_AGAIN);
	pipe_fill();
	CHECK(receive_now(one) == 0 && event_cookie() == 77);
	group_close();
}

static void a_one_shot_is_told_once(void)
{
	group_open();
	struct event_interest i = { .handle = reader, .wanted = READY_READ, .mode = EVENT_ONE_SHOT, .cookie = 78 };
	CHECK(handle_call(queue, EVENT_CHANGE, &i, sizeof i, NULL, 0, 0) == 0);
	pipe_fill();
	CHECK(receive_now(one) == 0 && event_cookie() == 78);
	CHECK(receive_now(one) == ERR_AGAIN);
	CHECK(handle_call(queue, EVENT_CHANGE, &i, sizeof i, NULL, 0, 0) == 0);
	CHECK(receive_now(one) == 0 && event_cookie() == 78);
	group_close();
}

static void fill_soon(void *argument)
{
	(void)argument;
	sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS);
	(void)!handle_write(writer, "x", 1);
}

static void an_event_ends_the_wait(void)
{
	uint32_t tid;

	group_open();
	CHECK(thread_create(fill_soon, NULL, &tid) == OK);
	CHECK(receive(one) == 0 && event_cookie() == 77);
	group_close();
}

/* The wait that begins with giving the CPU to the client. */
static void an_event_ends_the_wait_after_an_answer(void)
{
	struct client c;
	uint32_t tid;

	group_open();
	client_start(&c, one);
	CHECK(receive(one) >= 0 && is_request(0, OP_OPEN));
	CHECK(thread_create(fill_soon, NULL, &tid) == OK);
	struct serve s = {
		.tag = m.request.tag, .result = ERR_NOENT, .handle_and_flags = pack_handle(0, HANDLE_NONE, true), .message = &m,
		.buffer = buffer, .buffer_bytes = sizeof buffer, .deadline_ns = DEADLINE_NONE,
	};
	CHECK(sys_reply_receive(0, one, &s) == 0 && event_cookie() == 77);
	client_wait(&c);
	CHECK(c.opened == ERR_NOENT);
	group_close();
}

static void a_deadline_ends_the_wait(void)
{
	group_open();
	uint64_t start = now_ns();
	CHECK(receive_until(one, start + SOON_NS) == ERR_TIMEDOUT && now_ns() >= start + SOON_NS);
	group_close();
}

/* Neither does a watch that is always ready keep requests out, nor the other way round. */
static void requests_and_events_take_turns(void)
{
	struct client c[8];
	int events = 0, requests = 0;

	group_open();
	pipe_fill();
	for (size_t i = 0; i < ARRAY_COUNT(c); i++)
		client_start(&c[i], i & 1 ? one : two);
	sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS);
	while (requests < (int)ARRAY_COUNT(c) && events < 100) {
		CHECK(receive(one) >= 0);
		if (m.kind == MESSAGE_EVENT) {
			events++;
		} else {
			requests++;
			answer(one, ERR_NOENT);
		}
	}
	CHECK(requests == (int)ARRAY_COUNT(c) && events >= requests - 1 && events <= requests + 8);
	for (size_t i = 0; i < ARRAY_COUNT(c); i++)
		client_wait(&c[i]);
	group_close();
}

static void many_events_come_in_one_message(void)
{
	enum { PIPES = 20 };
	handle_t r[PIPES], w[PIPES];
	uint64_t seen = 0;
	uint32_t n = 0;

	group_open();
	for (int i = 0; i < PIPES; i++) {
		CHECK(handle_open("pipe", "", OPEN_READ, &r[i]) == OK && handle_open_at(r[i], "write", OPEN_WRITE, &w[i]) == OK);
		CHECK(watch_as(queue, r[i], READY_READ, EVENT_EDGE, (uint64_t)i) == OK && handle_write(w[i], "x", 1) == OK);
	}
	for (; receive_now(one) == 0 && m.kind == MESSAGE_EVENT && n < 10; n++)
		for (uint32_t at = 0; at < m.copied_bytes / sizeof(struct event); at++) {
			struct event *e = (struct event *)buffer + at;
			CHECK(e->cookie < PIPES && !(seen >> e->cookie & 1));
			seen |= 1ull << e->cookie;
		}
	CHECK(seen == (1ull << PIPES) - 1 && n == 2);
	for (int i = 0; i < PIPES; i++) {
		handle_close(r[i]);
		handle_close(w[i]);
	}
	CHECK(receive_now(one) == ERR_AGAIN);
	group_close();
}

/* ---- Who has no good intentions, or no luck ------------------------------------------------------------------------------ */

static void a_server_with_wild_pointers_loses_nothing(void)
{
	struct serve s = { .message = (struct message *)8, .buffer = buffer, .buffer_bytes = sizeof buffer, .deadline_ns = DEADLINE_NONE };

	group_open();
	pipe_fill();
	CHECK(sys_reply_receive(0, one, &s) == ERR_FAULT);
	s.message = &m;
	s.buffer = (void *)8;
	CHECK(sys_reply_receive(0, one, &s) == ERR_FAULT);
	s.buffer = (void *)0xffff800000000000;
	CHECK(sys_reply_receive(0, one, &s) == ERR_FAULT);
	CHECK(receive_now(one) == 0 && event_cookie() == 77);
	group_close();
}

static void a_buffer_too_small_for_events_gets_requests(void)
{
	struct client c;

	group_open();
	pipe_fill();
	m.offset = now_ns() + SOON_NS;
	CHECK(sys_receive(0, one, &m, buffer, sizeof(struct event) - 1) == ERR_TIMEDOUT);
	client_start(&c, two);
	m.offset = DEADLINE_NONE;
	CHECK(sys_receive(0, one, &m, buffer, 0) == 0 && is_request(1, OP_OPEN));
	answer(one, ERR_NOENT);
	client_wait(&c);
	group_close();
}

static void a_second_queue_replaces_the_first(void)
{
	handle_t second;

	group_open();
	CHECK(handle_call_get(two, ENDPOINT_EVENTS, NULL, 0, 0, &second) == OK);
	pipe_fill();
	CHECK(receive_now(one) == ERR_AGAIN);
	CHECK(watch_as(second, reader, READY_READ, EVENT_LEVEL, 79) == OK);
	CHECK(receive_now(one) == 0 && event_cookie() == 79);
	handle_close(second);           /* the endpoint keeps it */
	CHECK(receive_now(one) == 0 && event_cookie() == 79);
	group_close();
}

/* Queues of a group that watch one another, and the endpoints themselves. */
static void queues_may_watch_what_they_like(void)
{
	handle_t other_queue, other;
	struct client c;

	group_open();
	other = endpoint_beside(HANDLE_NONE);
	CHECK(handle_call_get(other, ENDPOINT_EVENTS, NULL, 0, 0, &other_queue) == OK);
	CHECK(watch_as(other_queue, one, READY_READ, EVENT_LEVEL, 1) == OK);
	CHECK(watch_as(queue, other, READY_READ, EVENT_LEVEL, 2) == OK);
	CHECK(watch_as(queue, one, READY_READ, EVENT_LEVEL, 3) == OK && watch_as(queue, two, READY_READ, EVENT_LEVEL, 4) == OK);
	client_start(&c, other);
	CHECK(receive(one) == 0 && event_cookie() == 2);
	CHECK(receive(other) >= 0);
	if (m.kind == MESSAGE_EVENT)
		CHECK(receive(other) >= 0);
	CHECK(is_request(0, OP_OPEN));
	answer(other, ERR_NOENT);
	client_wait(&c);
	client_start(&c, two);
	for (int n = 0; n < 4 && (receive(one) || m.kind == MESSAGE_EVENT); n++)
		;
	CHECK(is_request(1, OP_OPEN));
	answer(two, ERR_NOENT);
	client_wait(&c);
	handle_close(other_queue);
	handle_close(other);
	group_close();
}

static void bind_events(void *argument)
{
	struct client *c = argument;

	c->result = handle_call_get(one, ENDPOINT_EVENTS, NULL, 0, 0, &queue);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

static void events_outlive_the_thread_that_asked_for_them(void)
{
	struct client c = { 0 };
	uint32_t tid;

	one = endpoint_beside(HANDLE_NONE);
	two = endpoint_beside(one);
	pipe_open();
	CHECK(thread_create(bind_events, &c, &tid) == OK);
	client_wait(&c);
	sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS);
	CHECK(c.result == OK && watch_as(queue, reader, READY_READ, EVENT_LEVEL, 77) == OK);
	pipe_fill();
	CHECK(receive_now(one) == 0 && event_cookie() == 77);
	group_close();
}

static int64_t count_of(int64_t kernel_bytes)
{
	static struct system_info info;
	handle_t h;

	CHECK(handle_open("sys", "info", OPEN_READ, &h) == OK);
	CHECK(handle_call(h, SYS_INFO, NULL, 0, &info, sizeof info, 0) >= 0);
	handle_close(h);
	return (int64_t)info.kernel_bytes - kernel_bytes;
}

static void groups_leave_nothing(void)
{
	int64_t before = 0;

	for (int round = 0; round < 2; round++) {
		before = count_of(0);
		for (int n = 0; n < 300; n++) {
			group_open();
			if (n & 1)
				pipe_fill();
			group_close();
		}
	}
	CHECK(count_of(before) < 100 << 10);
}

/* ---- Closes that are told late ----------------------------------------------------------------------------------------------- */

enum { OPENED_FIRST = 100 };

/* Opens at an endpoint; the server (we) answers with the number and these flags. */
static void open_soon(void *argument)
{
	struct client *c = argument;

	c->opened = sys_open(0, c->endpoint, NULL, 0, "", 0, OPEN_READ | OPEN_WRITE, 0);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

/* The closes we were told of, oldest first, since somebody last set the count to 0. */
static struct { handle_t endpoint; uint64_t id; } told[16];
static uint32_t told_count;

static void note_close(handle_t endpoint, uint64_t id)
{
	if (id == 0 || told_count == ARRAY_COUNT(told))
		return;
	told[told_count].endpoint = endpoint;
	told[told_count++].id = id;
}

static bool was_told(uint32_t index, handle_t endpoint, uint64_t id)
{
	return index < told_count && told[index].endpoint == endpoint && told[index].id == id;
}

/* Answered by us. */
static handle_t open_as(handle_t endpoint, int64_t number, uint32_t reply_flags)
{
	struct client c = { .endpoint = endpoint };
	uint32_t tid;

	CHECK(thread_create(open_soon, &c, &tid) == OK);
	while (receive(one) >= 0 && m.kind == MESSAGE_CLOSE)
		note_close(m.request.handle, m.id);
	CHECK(m.kind == MESSAGE_REQUEST && m.request.op == OP_OPEN);
	note_close(m.request.handle, m.request.arg[2]);
	CHECK(sys_reply(0, one, m.request.tag, number, NULL, 0, pack_handle(reply_flags, HANDLE_NONE, true)) >= 0);
	client_wait(&c);
	return (handle_t)c.opened;
}

static bool is_close(handle_t number, uint64_t id)
{
	return receive_now(one) >= 0 && m.kind == MESSAGE_CLOSE && m.request.handle == number && m.id == id;
}

static void a_lazy_close_goes_along_with_a_request(void)
{
	group_open();
	told_count = 0;
	handle_t a = open_as(one, 1, REPLY_LAZY_CLOSE), b = open_as(one, 2, REPLY_LAZY_CLOSE), c = open_as(two, 3, REPLY_LAZY_CLOSE);
	CHECK(told_count == 0);
	handle_close(a);
	CHECK(receive_now(one) == ERR_AGAIN);
	/* Not with what comes by another endpoint, where the number says something else. */
	handle_t d = open_as(two, 4, 0), e = open_as(one, 5, REPLY_LAZY_CLOSE);
	CHECK(was_told(0, 0, 1) && told_count == 1);
	/* Nor is that one's ever late. */
	handle_close(c);
	CHECK(is_close(1, 3));
	handle_close(d);
	CHECK(is_close(1, 4));
	/* One waits, and no more. */
	handle_close(e);
	CHECK(receive_now(one) == ERR_AGAIN);
	handle_close(b);
	CHECK(is_close(0, 2) && receive_now(one) == ERR_AGAIN);
	handle_close(open_as(one, 6, 0));
	CHECK(was_told(1, 0, 5) && told_count == 2 && is_close(0, 6) && receive_now(one) == ERR_AGAIN);
	group_close();
}

static void many_lazy_closes_are_told(void)
{
	enum { OPENS = 10 };
	handle_t h[OPENS];

	group_open();
	for (int i = 0; i < OPENS; i++)
		h[i] = open_as(one, OPENED_FIRST + i, REPLY_LAZY_CLOSE);
	for (int i = 0; i < OPENS; i++)
		handle_close(h[i]);
	/* None are lost: all but one come, that one with the next request. */
	for (int i = 1; i < OPENS; i++)
		CHECK(is_close(0, OPENED_FIRST + (uint64_t)i));
	CHECK(receive_now(one) == ERR_AGAIN);
	told_count = 0;
	handle_close(open_as(one, 1, 0));
	CHECK(was_told(0, 0, OPENED_FIRST) && told_count == 1 && is_close(0, 1));
	group_close();
}

static void a_lazy_close_goes_along_with_what_waits(void)
{
	struct client c;

	group_open();
	handle_t a = open_as(one, 1, REPLY_LAZY_CLOSE);
	handle_close(a);
	client_start(&c, one);
	sys_sleep(0, HANDLE_NONE, now_ns() + SOON_NS);  /* nobody receives: it is queued */
	CHECK(receive(one) >= 0 && is_request(0, OP_OPEN) && m.request.arg[2] == 1);
	answer(one, ERR_NOENT);
	client_wait(&c);
	group_close();
}

static void laziness_can_be_taken_back(void)
{
	group_open();
	handle_t a = open_as(one, 1, REPLY_LAZY_CLOSE), b = open_as(one, 2, REPLY_LAZY_CLOSE);
	CHECK(sys_notify(0, one, 1, 0, NOTIFY_CLOSE_SOON) == 0);
	handle_close(a);
	CHECK(is_close(0, 1) && receive_now(one) == ERR_AGAIN);
	/* Too late: it is closed already, and told now. */
	handle_close(b);
	CHECK(receive_now(one) == ERR_AGAIN);
	CHECK(sys_notify(0, two, 2, 0, NOTIFY_CLOSE_SOON) == ERR_SRCH);
	CHECK(sys_notify(0, one, 2, 0, NOTIFY_CLOSE_SOON) == 1 && sys_notify(0, one, 2, 0, NOTIFY_CLOSE_SOON) == ERR_SRCH);
	told_count = 0;
	handle_close(open_as(one, 3, 0));
	CHECK(told_count == 0 && is_close(0, 3) && receive_now(one) == ERR_AGAIN);
	group_close();
}

static void lazy_closes_leave_nothing(void)
{
	int64_t before = 0;

	told_count = 0;
	for (int round = 0; round < 2; round++) {
		before = count_of(0);
		for (int n = 0; n < 100; n++) {
			group_open();
			handle_t a = open_as(one, 1, REPLY_LAZY_CLOSE), b = open_as(one, 2, REPLY_LAZY_CLOSE);
			handle_close(b);
			if (n & 1)
				handle_close(a);
			group_close();
			if (!(n & 1))
				handle_close(a);
		}
	}
	CHECK(count_of(before) < 100 << 10);
}

static void an_answer_that_must_be_sure_says_when_it_is_not(void)
{
	struct serve s = {
		.tag = 0x50003, .result = 1, .handle_and_flags = pack_handle(REPLY_SURE, HANDLE_NONE, true), .message = &m,
		.buffer = buffer, .buffer_bytes = sizeof buffer, .deadline_ns = now_ns() + 2000000000,
	};
	struct client c = { .endpoint = 0 };
	uint32_t tid;

	group_open();
	handle_t a = open_as(one, 1, 0);
	CHECK(sys_reply_receive(0, one, &s) == ERR_SRCH);
	/* Its number is in use: the client has an error, and so have we. */
	c.endpoint = one;
	CHECK(thread_create(open_soon, &c, &tid) == OK);
	CHECK(receive(one) >= 0 && is_request(0, OP_OPEN));
	s.tag = m.request.tag;
	CHECK(sys_reply_receive(0, one, &s) == ERR_SRCH);
	client_wait(&c);
	CHECK(c.opened == ERR_PROTO);
	s.tag = 0;
	s.deadline_ns = now_ns() + SOON_NS;
	CHECK(sys_reply_receive(0, one, &s) == ERR_TIMEDOUT);
	handle_close(a);
	group_close();
}

/* ---- Through the library -------------------------------------------------------------------------------------------------- */

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
	run("one receives what comes by any endpoint of its group", one_receives_what_comes_by_any);
	run("endpoints have numbers", endpoints_have_numbers);
	run("a group is of one kind", a_group_is_of_one_kind);
	run("a number means something else at each endpoint", a_number_means_something_else_at_each_endpoint);
	run("endpoints of a group end one by one", endpoints_of_a_group_end_one_by_one);
	run("an endpoint of a group can be polled", an_endpoint_of_a_group_can_be_polled);
	run("an event is a message", an_event_is_a_message);
	run("a level is told until it is gone", a_level_is_told_until_it_is_gone);
	run("a one-shot is told once", a_one_shot_is_told_once);
	run("an event ends the wait", an_event_ends_the_wait);
	run("an event ends the wait after an answer", an_event_ends_the_wait_after_an_answer);
	run("a deadline ends the wait", a_deadline_ends_the_wait);
	run("requests and events take turns", requests_and_events_take_turns);
	run("many events come in one message", many_events_come_in_one_message);
	run("a server with wild pointers loses nothing", a_server_with_wild_pointers_loses_nothing);
	run("a buffer too small for events gets requests", a_buffer_too_small_for_events_gets_requests);
	run("a second queue replaces the first", a_second_queue_replaces_the_first);
	run("queues may watch what they like", queues_may_watch_what_they_like);
	run("events outlive the thread that asked for them", events_outlive_the_thread_that_asked_for_them);
	run("groups leave nothing", groups_leave_nothing);
	run("a lazy close goes along with a request", a_lazy_close_goes_along_with_a_request);
	run("many lazy closes are told", many_lazy_closes_are_told);
	run("a lazy close goes along with what waits", a_lazy_close_goes_along_with_what_waits);
	run("laziness can be taken back", laziness_can_be_taken_back);
	run("lazy closes leave nothing", lazy_closes_leave_nothing);
	run("an answer that must be sure says when it is not", an_answer_that_must_be_sure_says_when_it_is_not);
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
