/* tests/native/group.c - endpoints that share what is received, and events that come as messages: the kernel's own rules; prints TAP. */
#include "abi/ops.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/grouping.h"

enum { ADD = 9000 };    /* CALL's code */
enum { SOON_NS = 20000000 };

/* ---- What several tests need -------------------------------------------------------------------------------------------- */

static handle_t queue;                  /* the events of the group of one and two */
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

static void pipe_drain(void) { CHECK(sys_read(0, reader, buffer, sizeof buffer, -1) > 0); }

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

enum { WATCHED_MANY = 100, PATIENCE = 100000 };
static handle_t many_readers[WATCHED_MANY], many_writers[WATCHED_MANY];

static void fill_from_the_last(void *argument)
{
	struct client *c = argument;

	__atomic_store_n(&c->result, 1, __ATOMIC_RELEASE);
	for (int i = WATCHED_MANY; i-- > 0;)
		(void)!handle_write(many_writers[i], "x", 1);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

/* What is watched becomes ready while the queue goes, which has the last reference of the thread that its events wake. */
static void a_queue_that_goes_wakes_no_thread_that_is_gone(void)
{
	uint32_t tid;

	for (int round = 0; round < 30; round++) {
		struct client bound = { 0 }, filler = { 0 };
		one = endpoint_beside(HANDLE_NONE);
		CHECK(thread_create(bind_events, &bound, &tid) == OK);
		client_wait(&bound);
		for (int i = 0; i < WATCHED_MANY; i++) {
			CHECK(handle_open("pipe", "", OPEN_READ, &many_readers[i]) == OK);
			CHECK(handle_open_at(many_readers[i], "write", OPEN_WRITE, &many_writers[i]) == OK);
			CHECK(watch_as(queue, many_readers[i], READY_READ, EVENT_LEVEL, 77) == OK);
		}
		handle_close(one);
		CHECK(thread_create(fill_from_the_last, &filler, &tid) == OK);
		for (int n = 0; n < PATIENCE && !__atomic_load_n(&filler.result, __ATOMIC_ACQUIRE); n++)
			__asm__ volatile("" ::: "memory");      /* awake, so that both work at the same time where there are CPUs for it */
		handle_close(queue);
		client_wait(&filler);
		for (int i = 0; i < WATCHED_MANY; i++) {
			handle_close(many_readers[i]);
			handle_close(many_writers[i]);
		}
	}
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

int program_main(const struct startup *startup)
{
	(void)startup;
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
	run("a queue that goes wakes no thread that is gone", a_queue_that_goes_wakes_no_thread_that_is_gone);
	run("groups leave nothing", groups_leave_nothing);
	run("a lazy close goes along with a request", a_lazy_close_goes_along_with_a_request);
	run("many lazy closes are told", many_lazy_closes_are_told);
	run("a lazy close goes along with what waits", a_lazy_close_goes_along_with_what_waits);
	run("laziness can be taken back", laziness_can_be_taken_back);
	run("lazy closes leave nothing", lazy_closes_leave_nothing);
	run("an answer that must be sure says when it is not", an_answer_that_must_be_sure_says_when_it_is_not);
	print("1..%u\n", points);
	return failures != 0;
}
