/* tests/native/scheme.c - user schemes between two processes, well-behaved and not; prints TAP.
 *
 * The program starts itself again as server or as client. The codes are the test's own.
 */
#include "abi/proto/dma.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/child.h"
#include "tests/native/serving.h"

enum test_code {
	ECHO = 9000, GARBAGE, TWICE, NEVER, DIE, PASS, GIVE_BACK, MAKE_READY, CANCELS, DIE_ONCE, WILD_COPY, KEEP, CLOSES, LATER,
};
enum { BIG = 300000 };

/* ---- The server --------------------------------------------------------------------------------------------------- */

static uint32_t cancels, closes;
static struct scheme_deferred *later, *stubborn;

struct open { uint64_t sum; };

static int64_t server_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags, (void)mode;
	if (!string_is(ref, bytes, "it"))
		return ERR_NOENT;
	if (!(r->opened = heap_new(struct open)))
		return ERR_NOMEM;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

/* The sum of what was written, piece by piece from the client's memory. */
static int64_t server_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static uint8_t piece[4096];
	struct open *o = r->open;

	(void)offset;
	for (size_t at = 0; at < bytes; at += sizeof piece) {
		size_t n = MIN_OF(sizeof piece, bytes - at);
		err_t err = scheme_in(r, at, piece, n);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++)
			o->sum += piece[i];
	}
	return (int64_t)bytes;
}

static int64_t server_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static uint8_t piece[4096];

	(void)offset;
	for (size_t at = 0; at < bytes; at += sizeof piece) {
		size_t n = MIN_OF(sizeof piece, bytes - at);
		memset(piece, (int)(at / sizeof piece), n);
		err_t err = scheme_put(r, at, piece, n);
		if (err)
			return err;
	}
	return (int64_t)bytes;
}

static int64_t defer(struct scheme_request *r)
{
	struct scheme_deferred *d = heap_new(struct scheme_deferred);

	return d ? scheme_defer(r, d) : ERR_NOMEM;
}

static int64_t wild_copy(struct scheme_request *r)
{
	uint8_t byte[64] = { 0 };
	uint32_t tag = r->message->request.tag;

	/* Beyond the client's buffer nothing is reached; other tags are nobody's. */
	if (sys_copy(0, scheme.handle, tag, COPY_TO_CLIENT, 1 << 20, byte, sizeof byte, 0) > 0)
		return 1;
	if (sys_copy(0, scheme.handle, tag, COPY_TO_CLIENT, UINT64_MAX, byte, sizeof byte, 0) > 0)
		return 2;
	if (sys_copy(0, scheme.handle, tag + 1, COPY_TO_CLIENT, 0, byte, sizeof byte, 0) != ERR_SRCH)
		return 3;
	if (sys_copy(0, scheme.handle, tag, COPY_TO_CLIENT, 0, (void *)0xffff800000000000, 8, 0) != ERR_FAULT)
		return 4;
	if (sys_reply(0, scheme.handle, tag ^ 0x70000, 0, NULL, 0, 0) != ERR_SRCH)
		return 5;
	return 0;
}

enum { KEPT_PAGES = 5, KEPT_AT = 700, KEEP_NONE = 2 };

static int64_t keep(uint32_t tag, handle_t keeper, uint64_t offset, uint64_t bytes, struct dma_piece *piece, uint64_t number)
{
	return sys_copy(0, scheme.handle, tag, COPY_KEEP | COPY_TO_CLIENT | (uint64_t)keeper << 32, offset, piece, bytes, number);
}

/* The client's pages stay with an object, under its numbers, until it lets go of them. word: the client's buffer does not begin on a page. */
static int64_t keep_pages(struct scheme_request *r, bool is_odd)
{
	const struct mem_keep all = { .number = KEPT_AT, .pages = KEPT_PAGES };
	uint64_t bytes = KEPT_PAGES * 4096, sum = 0;
	struct dma_piece piece[KEPT_PAGES] = { { 0 } };
	uint32_t tag = r->message->request.tag;
	handle_t keeper = scheme_take_handle(r);
	int n = 0;

	if (keeper == HANDLE_NONE)
		return 1;
	if (is_odd)
		return keep(tag, keeper, 0, bytes, piece, KEPT_AT) == ERR_INVAL ? 0 : 2;
	if (keep(tag, HANDLE_NONE, 0, bytes, piece, 0) != ERR_BADF || keep(tag, scheme.handle, 0, bytes, piece, 0) != ERR_INVAL)
		return 3;
	if (keep(tag, keeper, 0, 4095, piece, 0) != ERR_INVAL || keep(tag, keeper, 0, bytes, piece, 1ull << 48) != ERR_INVAL)
		return 4;
	if (keep(tag, keeper, 0, bytes, (struct dma_piece *)8, KEPT_AT) != ERR_FAULT || handle_call(keeper, MEM_KEEP, &all, sizeof all, NULL, 0, 0))
		return 5;
	if (keep(tag, keeper, 0, bytes * 2, piece, KEPT_AT) != (int64_t)bytes)
		return 6;
	for (; sum < bytes && n < KEPT_PAGES; sum += piece[n++].bytes)
		if (!piece[n].address || piece[n].address % 4096 || !piece[n].bytes || piece[n].bytes % 4096)
			return 7;
	if (sum != bytes || keep(tag, keeper, 4096, 4096, piece, KEPT_AT + 2) != ERR_EXIST)
		return 8;
	if (handle_call(keeper, MEM_KEEP, &all, sizeof all, NULL, 0, 0) || keep(tag, keeper, 4096, 4096, piece, KEPT_AT) != 4096)
		return 9;
	handle_close(keeper);
	return 0;
}

/* Keeps nothing, and never answers. */
static int64_t keep_none(struct scheme_request *r)
{
	struct dma_piece piece;

	if (!(stubborn = heap_new(struct scheme_deferred)))
		return ERR_NOMEM;
	return keep(r->message->request.tag, scheme.handle, 0, 4096, &piece, 0) == ERR_INVAL ? scheme_defer(r, stubborn) : 1;
}

static int64_t server_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	handle_t h;

	switch (code) {
	case ECHO:
		return scheme_out(r, r->in, r->in_here) ? ERR_INVAL : (int64_t)word;
	case GARBAGE:
		sys_reply(0, scheme.handle, r->message->request.tag, INT64_MIN + 5, (void *)8, SIZE_MAX, UINT64_MAX);
		return INT64_MIN + 7;
	case TWICE:
		sys_reply(0, scheme.handle, r->message->request.tag, 1, NULL, 0, pack_handle(0, HANDLE_NONE, true));
		return 2;
	case NEVER:
		return defer(r);
	case DIE:
		*(volatile int *)8 = 1;
		return 0;
	case PASS:
		h = scheme_take_handle(r);
		word = handle_write(h, "passed", 6) == OK;
		handle_close(h);
		return (int64_t)word;
	case GIVE_BACK:
		r->reply_handle = scheme_take_handle(r);
		r->reply_flags = REPLY_HANDLE;
		return 0;
	case MAKE_READY:
		scheme_notify(&scheme, r->id, (uint32_t)word, READY_READ | READY_WRITE);
		return 0;
	case CANCELS:
		return cancels;
	case CLOSES:
		return closes;
	case DIE_ONCE:
		if (strcmp(startup_argument(2), "first") == 0)
			program_exit(1);
		return 77;
	case WILD_COPY:
		return wild_copy(r);
	case KEEP:
		return word == KEEP_NONE ? keep_none(r) : keep_pages(r, word);
	case LATER:
		if (later) {
			struct scheme_deferred *d = later;
			later = NULL;
			scheme_answer(d, (int64_t)word);
			heap_delete(d);
			return 0;
		}
		later = heap_new(struct scheme_deferred);
		return scheme_defer(r, later);
	default:
		return ((struct open *)r->open)->sum == word ? 0 : ERR_NOTTY;
	}
}

static void server_close(struct scheme *s, void *open)
{
	(void)s;
	closes++;
	heap_delete((struct open *)open);
}

static void server_cancel(struct scheme_deferred *d)
{
	cancels++;
	if (d == stubborn)
		return;
	scheme_answer(d, ERR_INTR);
	heap_delete(d);
}

static const struct scheme_ops server_ops = {
	.open = server_open, .read = server_read, .write = server_write, .call = server_call, .close = server_close, .cancel = server_cancel,
};

/* ---- The test ------------------------------------------------------------------------------------------------------- */

static handle_t endpoint, it, server_process;

static handle_t start(const char *mode, const char *word, const char *name, handle_t given) { return child_start(mode, word, name, given); }

static void wait_end(handle_t process)
{
	child_wait(process);
	handle_close(process);
}

static void stop(handle_t process) { child_stop(process); }

static int64_t ask(enum test_code code, uint64_t word)
{
	return handle_call(it, (enum code)code, NULL, 0, NULL, 0, word);
}

static void data_goes_both_ways(void)
{
	char text[6] = "";
	uint64_t sum = 0;
	uint8_t *big = heap_alloc(BIG);

	CHECK(handle_call(it, (enum code)ECHO, "hello", 6, text, 6, 42) == 42 && strcmp(text, "hello") == 0);
	CHECK(handle_call(it, (enum code)ECHO, "hello", 6, text, 5, 42) == ERR_INVAL);
	for (uint32_t i = 0; i < BIG; i++)
		sum += big[i] = (uint8_t)(i * 7);
	CHECK(sys_write(0, it, big, BIG, -1) == BIG);
	CHECK(ask(0, sum) == 0);
	CHECK(sys_read(0, it, big, BIG, -1) == BIG);
	for (uint32_t i = 0; i < BIG && current_ok; i++)
		CHECK(big[i] == (uint8_t)(i / 4096));
	heap_free(big, BIG);
}

static void wild_pointers_of_a_client_are_its_own_trouble(void)
{
	int64_t edge = sys_map(0, HANDLE_NONE, 0, 8192, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0) + 4096;
	handle_t other;

	sys_unmap(0, HANDLE_NONE, (uint64_t)edge, 4096);
	memcpy((char *)edge - 2, "it", 2);
	CHECK(handle_call(it, (enum code)ECHO, (void *)16, 6, NULL, 0, 0) == ERR_FAULT);
	/* The first bytes of a string that goes on into nothing are no string. */
	CHECK(handle_call(it, (enum code)ECHO, (char *)edge - 2, 6, NULL, 0, 0) == ERR_FAULT);
	CHECK(sys_open(0, endpoint, NULL, 0, (char *)edge - 2, 3, OPEN_READ, 0) == ERR_FAULT);
	CHECK(handle_open_at(endpoint, "it", OPEN_READ, &other) == OK);
	handle_close(other);
	CHECK(sys_write(0, it, (void *)0xffff800000000000, 100, -1) == ERR_FAULT);
	CHECK(sys_write(0, it, (void *)16, 100000, -1) == ERR_FAULT);
	CHECK(sys_read(0, it, (void *)16, 100000, -1) == ERR_FAULT);
	CHECK(ask(ECHO, 5) == 5);
}

static void a_server_reaches_no_further_than_the_request(void)
{
	char out[64];

	CHECK(handle_call(it, (enum code)WILD_COPY, NULL, 0, out, sizeof out, 0) == 0);
}

static void pages_of_a_client_are_kept_for_devices(void)
{
	uint64_t room = (KEPT_PAGES + 1) * 4096;
	handle_t keeper = HANDLE_NONE, none;
	int64_t at = sys_map(0, HANDLE_NONE, 0, room, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);

	CHECK(at > 0 && handle_open("mem", "new", OPEN_READ | OPEN_WRITE, &keeper) == OK);
	CHECK(sys_call_handle(0, it, (enum code)KEEP, keeper, NULL, 0, (void *)at, KEPT_PAGES * 4096, 0, &none) == 0);
	CHECK(sys_call_handle(0, it, (enum code)KEEP, keeper, NULL, 0, (void *)(at + 64), KEPT_PAGES * 4096, 1, &none) == 0);
	handle_close(keeper);
	CHECK(sys_unmap(0, HANDLE_NONE, (uint64_t)at, room) == 0);
}

static void ask_interruptibly(void *argument)
{
	struct { int64_t result; uint32_t done; } *a = argument;
	handle_t none;

	(void)!sys_notice_mask(0, HANDLE_NONE, ~1ull, NULL);
	a->result = sys_call_handle(REQUEST_INTERRUPTIBLE, it, (enum code)KEEP, HANDLE_NONE, NULL, 0, NULL, 0, KEEP_NONE, &none);
	(void)!sys_notice_mask(0, HANDLE_NONE, UINT64_MAX, NULL);
	__atomic_store_n(&a->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &a->done, 1, 0);
}

/* Only pages that are kept for a device make an interrupted client wait for the server, however long. */
static void a_server_that_keeps_nothing_holds_up_nobody(void)
{
	static struct { int64_t result; uint32_t done; } answer;
	uint64_t end = now_ns() + 10000000000;
	uint32_t tid;

	CHECK(thread_create(ask_interruptibly, &answer, &tid) == OK);
	sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
	CHECK(handle_call(startup_self(), TASK_POST, NULL, 0, NULL, 0, 1 | (uint64_t)tid << 32) == OK);
	while (__atomic_load_n(&answer.done, __ATOMIC_ACQUIRE) == 0 && now_ns() < end)
		sys_futex_wait(0, HANDLE_NONE, &answer.done, 0, end);
	CHECK(answer.done == 1 && answer.result == ERR_INTR);
}

static void a_garbage_answer_is_an_error(void)
{
	CHECK(ask(GARBAGE, 0) < 0);
	CHECK(ask(ECHO, 6) == 6);
}

static void a_second_answer_is_refused(void)
{
	for (int i = 0; i < 100; i++) {
		CHECK(ask(TWICE, 0) == 1);
		CHECK(ask(ECHO, 7) == 7);
	}
}

static void handles_pass_both_ways(void)
{
	handle_t reader, writer, back;
	char text[8];

	CHECK(handle_open("pipe", "", OPEN_READ, &reader) == OK);
	CHECK(handle_open_at(reader, "write", OPEN_WRITE, &writer) == OK);
	CHECK(handle_call_pass(it, (enum code)PASS, writer, 0) == 1);
	CHECK(sys_read(0, reader, text, sizeof text, -1) == 6 && memcmp(text, "passed", 6) == 0);
	CHECK(sys_call_handle(0, it, (uint32_t)GIVE_BACK, writer, NULL, 0, NULL, 0, 0, &back) == 0 && back != HANDLE_NONE);
	handle_close(writer);
	CHECK(handle_write(back, "back", 4) == OK);
	handle_close(back);
	CHECK(sys_read(0, reader, text, sizeof text, -1) == 4);
	/* No copy is left anywhere: the pipe has ended. */
	CHECK(sys_read(0, reader, text, sizeof text, -1) == 0);
	handle_close(reader);
}

static uint32_t found_now(uint64_t wait_ns)
{
	struct poll_entry p = { .handle = it, .wanted = READY_READ };

	sys_poll(0, HANDLE_NONE, &p, 1, wait_ns ? now_ns() + wait_ns : DEADLINE_NOW);
	return p.found;
}

static void readiness_is_told(void)
{
	CHECK(found_now(0) == 0);
	CHECK(ask(MAKE_READY, READY_READ) == 0);
	CHECK(found_now(1000000000) == READY_READ);
	CHECK(ask(MAKE_READY, 0) == 0);
	CHECK(found_now(0) == 0);
}

static void ask_later(void *argument)
{
	*(int64_t *)argument = ask(LATER, 0);
	__atomic_add_fetch((uint32_t *)((int64_t *)argument + 1), 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, (uint32_t *)((int64_t *)argument + 1), 1, 0);
}

static void a_kept_request_is_answered_later(void)
{
	struct { int64_t result; uint32_t done; } answer = { 0, 0 };
	uint32_t tid;

	CHECK(thread_create(ask_later, &answer, &tid) == OK);
	sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	CHECK(answer.done == 0 && ask(ECHO, 1) == 1);
	CHECK(ask(LATER, 123) == 0);
	while (__atomic_load_n(&answer.done, __ATOMIC_ACQUIRE) == 0)
		sys_futex_wait(0, HANDLE_NONE, &answer.done, 0, DEADLINE_NONE);
	CHECK(answer.result == 123);
}

static void a_killed_client_leaves_nothing(void)
{
	int64_t before = ask(CLOSES, 0);

	for (int i = 0; i < 5; i++) {
		handle_t client = start("client", "", "endpoint", endpoint);
		sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
		CHECK(ask(ECHO, 9) == 9);
		stop(client);
		CHECK(ask(ECHO, 10) == 10);
	}
	/* Each had the thing open, with a request on it. */
	for (int i = 0; i < 50 && ask(CLOSES, 0) != before + 5; i++)
		sys_sleep(0, HANDLE_NONE, now_ns() + 20000000);
	CHECK(ask(CLOSES, 0) == before + 5);
	CHECK(ask(CANCELS, 0) >= 5);
}

/* Its handle lives on in us: no close tells the server. */
static void a_killed_clients_request_is_cancelled(void)
{
	int64_t closes_before = ask(CLOSES, 0), cancels_before = ask(CANCELS, 0);

	handle_t client = start("client", "", "it", it);
	sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
	stop(client);
	CHECK(ask(CANCELS, 0) == cancels_before + 1 && ask(CLOSES, 0) == closes_before);
}

/* The server answered, but there is no number for what it opened. */
static void an_open_that_fails_late_is_closed(void)
{
	int64_t before = ask(CLOSES, 0), last = it, first = HANDLE_NONE, result;

	for (int n = 0; n < 70000 && (result = sys_dup(0, it, 0, 0, RIGHT_ALL)) >= 0; n++) {
		first = first == HANDLE_NONE ? result : first;
		last = result;
	}
	CHECK(sys_open(0, endpoint, NULL, 0, "it", 2, OPEN_READ, 0) < 0);
	CHECK(ask(CLOSES, 0) == before + 1);
	for (int64_t h = first; h <= last; h++)
		handle_close((handle_t)h);
	CHECK(ask(ECHO, 8) == 8);
}

static void a_server_that_dies_fails_what_it_had(void)
{
	handle_t again;

	CHECK(ask(DIE, 0) == ERR_CONNRESET);
	wait_end(server_process);
	server_process = start("server", "second", "scheme", endpoint);
	/* What was open meant something to the dead one only; what is opened now works. */
	CHECK(ask(ECHO, 1) == ERR_CONNRESET);
	CHECK(handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &again) == OK);
	handle_close(it);
	it = again;
	CHECK(ask(ECHO, 2) == 2);
}

struct opening { handle_t at; uint32_t done; err_t err; handle_t handle; };

static void open_it(void *argument)
{
	struct opening *o = argument;

	o->err = handle_open_at(o->at, "it", OPEN_READ | OPEN_WRITE, &o->handle);
	__atomic_store_n(&o->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &o->done, 1, 0);
}

static void requests_wait_for_the_next_server(void)
{
	struct opening o = { .at = endpoint };
	uint32_t tid;

	stop(server_process);
	CHECK(thread_create(open_it, &o, &tid) == OK);
	sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
	CHECK(__atomic_load_n(&o.done, __ATOMIC_ACQUIRE) == 0);
	server_process = start("server", "third", "scheme", endpoint);
	while (__atomic_load_n(&o.done, __ATOMIC_ACQUIRE) == 0)
		sys_futex_wait(0, HANDLE_NONE, &o.done, 0, DEADLINE_NONE);
	CHECK(o.err == OK);
	handle_close(it);
	it = o.handle;
	CHECK(ask(ECHO, 3) == 3);
}

/* A server of its own for one test. */
static void with_flags(uint64_t scheme_flags, void (*test)(handle_t endpoint, handle_t thing, handle_t process))
{
	int64_t h = sys_scheme(0, HANDLE_NONE, scheme_flags);
	handle_t thing = HANDLE_NONE;

	CHECK(h >= 0);
	handle_t process = start("server", "first", "scheme", (handle_t)h);
	CHECK(handle_open_at((handle_t)h, "it", OPEN_READ | OPEN_WRITE, &thing) == OK);
	test((handle_t)h, thing, process);
	handle_close(thing);
	handle_close((handle_t)h);
}

static void check_failing(handle_t h, handle_t thing, handle_t process)
{
	handle_t other;

	stop(process);
	CHECK(handle_call(thing, (enum code)ECHO, NULL, 0, NULL, 0, 1) == ERR_CONNRESET);
	CHECK(handle_open_at(h, "it", OPEN_READ, &other) == ERR_CONNRESET);
}

static void a_scheme_may_fail_without_its_server(void)
{
	with_flags(SCHEME_FAIL_WITHOUT_SERVER, check_failing);
}

struct call_of { handle_t thing; uint32_t done; int64_t result; };

static void call_die_once(void *argument)
{
	struct call_of *c = argument;

	/* An OPEN that is under way knows no number of the dead one. */
	handle_t h;
	c->result = handle_open_at(c->thing, "it", OPEN_READ, &h) == ERR_NOENT ? 1 : 0;
	c->result = handle_call(c->thing, (enum code)DIE_ONCE, NULL, 0, NULL, 0, 0);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

static void check_redelivery(handle_t h, handle_t thing, handle_t process)
{
	struct call_of c = { .thing = thing };
	uint32_t tid;

	CHECK(thread_create(call_die_once, &c, &tid) == OK);
	wait_end(process);
	process = start("server", "second", "scheme", h);
	while (__atomic_load_n(&c.done, __ATOMIC_ACQUIRE) == 0)
		sys_futex_wait(0, HANDLE_NONE, &c.done, 0, DEADLINE_NONE);
	/* It reached the second one, which does not know the number: an answer, and not the end of all. */
	CHECK(c.result == ERR_CONNRESET);
	stop(process);
}

static void requests_can_be_delivered_again(void)
{
	with_flags(SCHEME_REDELIVER, check_redelivery);
}

static int64_t set_flags(handle_t h, uint64_t flags)
{
	return handle_call(h, ENDPOINT_SET, NULL, 0, NULL, 0, flags);
}

static void check_giving_up(handle_t h, handle_t thing, handle_t process)
{
	struct opening o = { .at = h };
	handle_t clients, other;
	uint32_t tid;

	CHECK(handle_dup(h, RIGHT_CALL, &clients) == OK && set_flags(clients, SCHEME_FAIL_WITHOUT_SERVER) == ERR_ACCES);
	handle_close(clients);
	CHECK(set_flags(h, UINT64_MAX) == ERR_INVAL && handle_call(h, (enum code)ECHO, NULL, 0, NULL, 0, 0) == ERR_NOTTY);
	stop(process);
	CHECK(thread_create(open_it, &o, &tid) == OK);
	sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	CHECK(__atomic_load_n(&o.done, __ATOMIC_ACQUIRE) == 0);
	CHECK(set_flags(h, SCHEME_FAIL_WITHOUT_SERVER | SCHEME_GONE) == OK);
	while (__atomic_load_n(&o.done, __ATOMIC_ACQUIRE) == 0)
		sys_futex_wait(0, HANDLE_NONE, &o.done, 0, DEADLINE_NONE);
	/* What had been asked, and what is asked from now on. */
	CHECK(o.err == ERR_NODEV);
	CHECK(handle_call(thing, (enum code)ECHO, NULL, 0, NULL, 0, 1) == ERR_NODEV);
	CHECK(handle_open_at(h, "it", OPEN_READ, &other) == ERR_NODEV);
	/* It can be taken back. */
	CHECK(set_flags(h, 0) == OK);
	process = start("server", "second", "scheme", h);
	CHECK(handle_open_at(h, "it", OPEN_READ, &other) == OK);
	handle_close(other);
	stop(process);
}

static void who_waits_is_told_when_no_server_will_come(void)
{
	with_flags(0, check_giving_up);
}

static void only_the_server_answers(void)
{
	struct message m = { .offset = 0 };
	char buffer[16];

	CHECK(sys_receive(REQUEST_NONBLOCK, endpoint, &m, buffer, sizeof buffer) == ERR_BUSY);
	CHECK(sys_reply(0, endpoint, 1, 0, NULL, 0, 0) == ERR_SRCH);
	CHECK(sys_notify(0, endpoint, 1, READY_READ, READY_READ) == ERR_ACCES);
	CHECK(sys_receive(REQUEST_NONBLOCK, it, &m, buffer, sizeof buffer) < 0);
	CHECK(ask(ECHO, 4) == 4);
}

static int client(void)
{
	it = startup_handle("it");
	if (it == HANDLE_NONE && handle_open_at(startup_handle("endpoint"), "it", OPEN_READ | OPEN_WRITE, &it))
		return 1;
	ask(NEVER, 0);
	return 2;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return strcmp(startup_argument(1), "server") == 0 ? serve(&server_ops) : client();
	int64_t h = sys_scheme(0, HANDLE_NONE, 0);
	endpoint = (handle_t)h;
	if (h < 0 || !child_image_open()) {
		print("not ok 1 - the test can begin\n1..1\n");
		return 1;
	}
	server_process = start("server", "first", "scheme", endpoint);
	if (handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &it)) {
		print("not ok 1 - the server serves\n1..1\n");
		return 1;
	}
	run("data goes both ways, also much of it", data_goes_both_ways);
	run("pages of a client are kept for devices", pages_of_a_client_are_kept_for_devices);
	run("wild pointers of a client are its own trouble", wild_pointers_of_a_client_are_its_own_trouble);
	run("a server reaches no further than the request", a_server_reaches_no_further_than_the_request);
	run("a garbage answer is an error", a_garbage_answer_is_an_error);
	run("a second answer is refused", a_second_answer_is_refused);
	run("handles pass both ways", handles_pass_both_ways);
	run("readiness is told", readiness_is_told);
	run("a kept request is answered later", a_kept_request_is_answered_later);
	run("only the server answers", only_the_server_answers);
	run("a server that keeps nothing holds up nobody", a_server_that_keeps_nothing_holds_up_nobody);
	run("a killed client leaves nothing behind", a_killed_client_leaves_nothing);
	run("a killed client's request is cancelled at once", a_killed_clients_request_is_cancelled);
	run("an open that fails after the server's answer is closed", an_open_that_fails_late_is_closed);
	run("a server that dies fails what it had taken", a_server_that_dies_fails_what_it_had);
	run("requests wait for the next server", requests_wait_for_the_next_server);
	run("a scheme may fail without its server instead", a_scheme_may_fail_without_its_server);
	run("who waits is told when no server will come", who_waits_is_told_when_no_server_will_come);
	run("requests can be delivered again", requests_can_be_delivered_again);
	print("1..%u\n", points);
	return failures != 0;
}
