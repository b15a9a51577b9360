/* tests/native/hostile.c - what a program might do to the kernel on purpose: each of these once broke or drained it. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/ring.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/tap.h"


static struct ring kernel_ring;
static handle_t ring_handle;

/* A linked WRITE that goes aside is run on the raw handle, whose rights nobody looked at. */
static void a_linked_aside_write_needs_the_right(void)
{
	handle_t object, ro, counter;
	uint64_t big = UINT64_MAX - 1, evil = 0x4141414141414141;
	char text[8] = {0};

	CHECK(handle_open("mem", "new/4096", OPEN_READ | OPEN_WRITE, &object) == OK);
	CHECK(handle_dup(object, RIGHT_READ | RIGHT_DUP, &ro) == OK);
	CHECK(sys_write(0, ro, &evil, 8, 0) == ERR_BADF);
	CHECK(handle_open("event", "counter", OPEN_READ | OPEN_WRITE, &counter) == OK);
	CHECK(sys_write(0, counter, &big, 8, -1) == 8);
	CHECK(handle_open("ring", "", OPEN_READ | OPEN_WRITE, &ring_handle) == OK);
	CHECK(ring_open(&kernel_ring, ring_handle, 8, 0) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_DUP, .tag = 1, .handle = counter, .arg = { HANDLE_PRIVATE, 0, ~0ull } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_WRITE, .tag = 2, .handle = ro, .flags = REQUEST_ASIDE | request_link(REQUEST_LINK_HANDLE, 1, 0),
	                                               .arg = { (uint64_t)&evil, 8, -1 } }) == OK);
	ring_submit(&kernel_ring);
	struct reply reply;
	while (ring_take(&kernel_ring, &reply))
		;
	CHECK(handle_read_at(object, text, 8, 0) == OK);
	CHECK(text[0] == 0);
	ring_close(&kernel_ring);
	handle_close(ring_handle);
	handle_close(counter);
	handle_close(ro);
	handle_close(object);
}

static uint64_t kernel_bytes(void)
{
	static struct system_info info;
	handle_t h;
	CHECK(handle_open("sys", "info", OPEN_READ, &h) == OK);
	CHECK(handle_call(h, SYS_INFO, NULL, 0, &info, sizeof info, 0) == 0);
	handle_close(h);
	return info.memory_bytes - info.free_bytes;
}

static void a_socket_connected_to_itself_goes(void)
{
	static char data[60000];
	for (int round = 0; round < 2; round++) {
		uint64_t before = kernel_bytes();
		for (int i = 0; i < 200; i++) {
			handle_t s, name;
			CHECK(handle_open("pipe", "datagram", OPEN_READ | OPEN_WRITE, &s) == OK);
			CHECK(handle_open_at(s, "write", OPEN_WRITE, &name) == OK);
			CHECK(handle_call_pass(s, PIPE_CONNECT, name, 0) == 0);
			CHECK(sys_write(0, s, data, sizeof data, -1) == sizeof data);
			handle_close(name);
			handle_close(s);
		}
		uint64_t after = kernel_bytes();
		CHECK(round == 0 || after < before + (2 << 20));        /* the first round fills the allocator's own stock */
	}
}

static handle_t victim;
static _Atomic int go, stop;

static void shutter(void *arg)
{
	(void)arg;
	for (;;) {
		while (atomic_load(&go) == 0)
			if (atomic_load(&stop)) {
				atomic_store(&stop, 2);
				return;
			}
		for (volatile int i = 0; i < atomic_load(&go); i++)
			;
		handle_call(victim, PIPE_SHUTDOWN, NULL, 0, NULL, 0, 1);
		atomic_store(&go, 0);
	}
}

/* Shutting the reading side down while a packet of it is being copied. */
static void a_packet_that_is_read_outlives_shutdown(void)
{
	static char data[60000];
	uint32_t tid;
	CHECK(thread_create(shutter, NULL, &tid) == OK);
	for (int i = 0; i < 300; i++) {
		handle_t s, peer;
		int64_t buffer = sys_map(0, HANDLE_NONE, 0, 65536, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);
		CHECK(handle_open("pipe", "sequence", OPEN_READ | OPEN_WRITE, &s) == OK);
		CHECK(handle_open_at(s, "peer", OPEN_READ | OPEN_WRITE, &peer) == OK);
		CHECK(sys_write(0, peer, data, sizeof data, -1) == sizeof data);
		victim = s;
		atomic_store(&go, 1 + i * 7 % 20000);
		sys_read(0, s, (void *)buffer, sizeof data, -1);
		while (atomic_load(&go))
			;
		int64_t pending = handle_call(s, PIPE_PENDING, NULL, 0, NULL, 0, 0);
		CHECK(pending == 0);
		handle_close(peer);
		handle_close(s);
		sys_unmap(0, HANDLE_NONE, (uint64_t)buffer, 65536);
	}
	atomic_store(&stop, 1);
	while (atomic_load(&stop) != 2)
		;
}

/* Whose next time, reckoned from its period, would lie before the last. */
static void a_timer_with_the_longest_period_rings_once(void)
{
	struct timer_setting s = { now_ns() + 1000000, UINT64_MAX, 0 };
	uint64_t count = 0;
	handle_t h;

	CHECK(handle_open("time", "monotonic", OPEN_READ, &h) == OK);
	CHECK(handle_call(h, TIMER_SET, &s, sizeof s, NULL, 0, 0) == 0);
	sys_sleep(0, HANDLE_NONE, now_ns() + 20000000);
	CHECK(sys_read(0, h, &count, sizeof count, -1) == sizeof count && count == 1);
	handle_close(h);
}

static handle_t endpoint;

static void server(void *arg)
{
	struct message m;
	char buffer[64];
	handle_t object = (handle_t)(int64_t)arg;
	uint64_t id = 1;

	for (;;) {
		m.offset = DEADLINE_NONE;
		if (sys_receive(0, endpoint, &m, buffer, sizeof buffer) < 0)
			return;
		if (m.kind != MESSAGE_REQUEST)
			continue;
		if (m.request.op == OP_OPEN)
			sys_reply(0, endpoint, m.request.tag, (int64_t)id++, NULL, 0, pack_handle(0, HANDLE_NONE, true));
		else
			sys_reply(0, endpoint, m.request.tag, 0, NULL, 0, pack_handle(REPLY_HANDLE | REPLY_COPY_HANDLE, object, true));
	}
}

/* READ answered with a handle. */
static void a_handle_that_answers_read_goes(void)
{
	handle_t r, w, it;
	uint32_t tid;
	char c;
	CHECK(handle_open("pipe", "", OPEN_READ, &r) == OK);
	CHECK(handle_open_at(r, "write", OPEN_WRITE, &w) == OK);
	endpoint = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
	CHECK(thread_create(server, (void *)(int64_t)w, &tid) == OK);
	sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	it = (handle_t)sys_open(0, endpoint, NULL, 0, "", 0, OPEN_READ, 0);
	CHECK(it >= 0);
	CHECK(sys_read(0, it, &c, 1, -1) == 0);
	handle_close(w);
	/* the server's number is w itself: all write ends are closed */
	CHECK(handle_call(r, PIPE_ENDS, NULL, 0, NULL, 0, 0) >> 32 == 0);
}

static _Atomic int closer_go;
static void open_server(void *arg)
{
	struct message m;
	char buffer[64];
	(void)arg;
	m.offset = DEADLINE_NONE;
	if (sys_receive(0, endpoint, &m, buffer, sizeof buffer) >= 0)
		sys_reply(0, endpoint, m.request.tag, 7, NULL, 0, pack_handle(0, HANDLE_NONE, true));
	atomic_store(&closer_go, 1);
}

/* An endpoint goes although closes were not taken. */
static void an_endpoint_with_closes_goes(void)
{
	for (int round = 0; round < 2; round++) {
		uint64_t before = kernel_bytes();
		for (int i = 0; i < 1000; i++) {
			uint32_t tid;
			endpoint = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
			atomic_store(&closer_go, 0);
			CHECK(thread_create(open_server, NULL, &tid) == OK);
			int64_t it = sys_open(0, endpoint, NULL, 0, "", 0, OPEN_READ, 0);
			while (!atomic_load(&closer_go))
				sys_yield(0, HANDLE_NONE);
			CHECK(it >= 0);
			handle_close((handle_t)it);
			handle_close(endpoint);
		}
		uint64_t after = kernel_bytes();
		CHECK(round == 0 || after < before + (200 << 10));
	}
}

/* Whoever calls a handle that a client passed may wait for that client for ever. */
static void a_handle_of_my_own_scheme_holds_no_server_up(void)
{
	handle_t random = HANDLE_NONE;
	uint32_t tid;
	char byte;

	endpoint = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
	CHECK(thread_create(open_server, NULL, &tid) == OK);
	int64_t it = sys_open(0, endpoint, NULL, 0, "", 0, OPEN_READ | OPEN_WRITE, 0);
	CHECK(it >= 0 && handle_open("rand", "", OPEN_READ | OPEN_WRITE, &random) == OK);
	CHECK(handle_call_pass(random, RING_OPEN, (handle_t)it, 8) < 0);
	CHECK(sys_read(0, random, &byte, 1, -1) == 1);
	handle_close(random);
	handle_close((handle_t)it);
	handle_close(endpoint);
}

/* An OPEN, then a CALL that is answered with 0. */
static void answer_zero(void *arg)
{
	struct message m;
	char buffer[64];

	(void)arg;
	for (int64_t result = 7; result >= 0; result -= 7) {
		m.offset = DEADLINE_NONE;
		if (sys_receive(0, endpoint, &m, buffer, sizeof buffer) >= 0)
			sys_reply(0, endpoint, m.request.tag, result, NULL, 0, pack_handle(0, HANDLE_NONE, true));
	}
}

/* The code of EXEC is the kernel's only where a process is called. */
static void a_scheme_may_have_any_code(void)
{
	uint32_t tid;

	endpoint = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
	CHECK(thread_create(answer_zero, NULL, &tid) == OK);
	int64_t it = sys_open(0, endpoint, NULL, 0, "", 0, OPEN_READ | OPEN_WRITE, 0);
	CHECK(it >= 0);
	CHECK(handle_call((handle_t)it, TASK_EXEC, NULL, 0, NULL, 0, 0) == 0);
	handle_close((handle_t)it);
	handle_close(endpoint);
}

static _Atomic uint64_t wakes;
static _Atomic bool is_over;

static void sleep_again_and_again(void *arg)
{
	(void)arg;
	for (; !atomic_load(&is_over); atomic_fetch_add(&wakes, 1))
		sys_sleep(0, HANDLE_NONE, now_ns() + 5000000);
}

/* 64 MiB in one READ, into the same MiB over and over. */
static void a_huge_read_lets_others_run(void)
{
	enum { PIECES = 64, PIECE_BYTES = 1 << 20 };
	handle_t zero, object;
	uint32_t tid;

	CHECK(handle_open("zero", "", OPEN_READ, &zero) == OK && handle_open("mem", "new/1048576", OPEN_READ | OPEN_WRITE, &object) == OK);
	int64_t base = sys_map(0, HANDLE_NONE, 0, (uint64_t)PIECES * PIECE_BYTES, MAP_READ, 0, HANDLE_NONE, 0);
	CHECK(base > 0);
	for (uint64_t i = 0; i < PIECES; i++)
		CHECK(sys_map(0, object, (uint64_t)base + i * PIECE_BYTES, PIECE_BYTES, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_FIXED, 0, HANDLE_NONE, 0) > 0);
	CHECK(thread_create(sleep_again_and_again, NULL, &tid) == OK);
	while (!atomic_load(&wakes))
		sys_yield(0, HANDLE_NONE);
	uint64_t before = atomic_load(&wakes), start = now_ns();
	CHECK(sys_read(0, zero, (void *)base, (uint64_t)PIECES * PIECE_BYTES, -1) == (int64_t)PIECES * PIECE_BYTES);
	uint64_t took = now_ns() - start;
	/* One comes at its end in any case. */
	CHECK(took < 50000000 || atomic_load(&wakes) > before + 2);
	atomic_store(&is_over, true);
	sys_unmap(0, HANDLE_NONE, (uint64_t)base, (uint64_t)PIECES * PIECE_BYTES);
	handle_close(object);
	handle_close(zero);
}

int program_main(const struct startup *startup)
{
	(void)startup;
	run("an entry that goes aside needs the right to what it is linked to", a_linked_aside_write_needs_the_right);
	run("a socket connected to itself goes", a_socket_connected_to_itself_goes);
	run("a packet that is read outlives a shutdown", a_packet_that_is_read_outlives_shutdown);
	run("a timer with the longest period rings once", a_timer_with_the_longest_period_rings_once);
	run("a handle that answers a READ goes", a_handle_that_answers_read_goes);
	run("an endpoint with closes that nobody took goes", an_endpoint_with_closes_goes);
	run("a handle of my own scheme holds no server up", a_handle_of_my_own_scheme_holds_no_server_up);
	run("a scheme may have any code", a_scheme_may_have_any_code);
	run("a huge READ lets others run", a_huge_read_lets_others_run);
	print("1..%u\n", points);
	return failures != 0;
}
