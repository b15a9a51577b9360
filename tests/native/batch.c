/* tests/native/batch.c - many requests in one entry of the kernel: BULK, and rings of the kernel; prints TAP. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/ringing.h"

/* ---- BULK ---------------------------------------------------------------------------------------------------------- */

static void a_batch_uses_its_own_results(void)
{
	char text[8] = "";
	struct request q[] = {
		{ .op = OP_OPEN, .handle = HANDLE_NONE, .arg = { (uint64_t)"zero", 4, (uint64_t)"", 0, OPEN_READ | OPEN_PRIVATE, 0 } },
		{ .op = OP_READ, .flags = request_link(REQUEST_LINK_HANDLE, 1, 0), .arg = { (uint64_t)text, sizeof text, -1 } },
		{ .op = OP_CLOCK, .flags = request_link(REQUEST_LINK_ARG, 2, 5), .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } },
		{ .op = OP_CLOSE, .flags = request_link(REQUEST_LINK_HANDLE, 3, 0) },
	};

	text[0] = 'x';
	CHECK(sys_bulk(0, HANDLE_NONE, q, 4) == 4);
	CHECK((int64_t)q[0].arg[0] >= HANDLE_PRIVATE && q[1].arg[0] == sizeof text && text[0] == 0);
	CHECK((int64_t)q[2].arg[0] > 0 && q[3].arg[0] == 0);
	CHECK(sys_read(0, (handle_t)q[0].arg[0], text, 1, -1) == ERR_BADF);
}

static void a_handle_that_a_call_gave_can_be_linked(void)
{
	struct mem_window w = { 0, 4096 };
	handle_t object;
	CHECK(handle_open("mem", "new/4096", OPEN_READ | OPEN_WRITE, &object) == OK);
	struct request q[] = {
		{ .op = OP_CALL, .handle = object, .arg = { pack_handle(MEM_CLONE, HANDLE_NONE, false), (uint64_t)&w, sizeof w } },
		{ .op = OP_WRITE, .flags = request_link(REQUEST_LINK_HANDLE, 1, 0), .arg = { (uint64_t)"abc", 3, 10 } },
		{ .op = OP_CLOSE, .flags = request_link(REQUEST_LINK_HANDLE, 2, 0) },
	};

	CHECK(sys_bulk(0, HANDLE_NONE, q, 3) == 3);
	CHECK(q[0].arg[0] == 0 && q[0].handle != HANDLE_NONE && q[1].arg[0] == 3 && q[2].arg[0] == 0);
	handle_close(object);
}

static void an_error_stops_a_batch_unless_it_may_go_on(void)
{
	struct request q[] = {
		{ .op = OP_CLOCK, .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } },
		{ .op = OP_CLOSE, .handle = 123456 },
		{ .op = OP_CLOCK, .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } },
	};

	CHECK(sys_bulk(0, HANDLE_NONE, q, 3) == 2);
	CHECK((int64_t)q[1].arg[0] == ERR_BADF && q[2].arg[0] == CLOCK_MONOTONIC_NS);
	q[0].arg[0] = CLOCK_MONOTONIC_NS;
	q[1].flags = REQUEST_GO_ON;
	CHECK(sys_bulk(0, HANDLE_NONE, q, 3) == 3);
	CHECK((int64_t)q[1].arg[0] == ERR_BADF && (int64_t)q[2].arg[0] > CLOCK_MONOTONIC_NS);
}

/* An error is no handle: -1 would stand for no object at all, and this for new memory. */
static void what_is_linked_to_an_error_is_cancelled(void)
{
	struct request q[] = {
		{ .op = OP_OPEN, .flags = REQUEST_GO_ON, .handle = HANDLE_NONE, .arg = { (uint64_t)"nowhere", 7, (uint64_t)"", 0, OPEN_READ } },
		{ .op = OP_MAP, .flags = request_link(REQUEST_LINK_HANDLE | REQUEST_GO_ON, 1, 0), .arg = { 0, 4096, MAP_READ } },
		{ .op = OP_CLOCK, .handle = HANDLE_NONE },
	};

	CHECK(sys_bulk(0, HANDLE_NONE, q, 3) == 3);
	CHECK((int64_t)q[0].arg[0] < 0 && (int64_t)q[1].arg[0] == ERR_CANCELED && (int64_t)q[2].arg[0] >= 0);
}

static void wild_links_and_batches_in_batches_are_refused(void)
{
	struct request inner = { .op = OP_YIELD };
	uint32_t flags[] = {
		request_link(REQUEST_LINK_HANDLE, 0, 0), request_link(REQUEST_LINK_HANDLE, 2, 0), request_link(REQUEST_LINK_ARG, 1, 6),
		request_link(REQUEST_LINK_ARG, 255, 0), request_link(REQUEST_LINK_ARG, REQUEST_LINK_BACK_MAX + 1, 0),
	};

	for (uint32_t i = 0; i < ARRAY_COUNT(flags); i++) {
		struct request q[] = { { .op = OP_YIELD }, { .op = OP_YIELD, .flags = flags[i] } };
		CHECK(sys_bulk(0, HANDLE_NONE, q, 2) == 2 && (int64_t)q[1].arg[0] == ERR_INVAL);
	}
	struct request refused[] = {
		{ .op = OP_BULK, .flags = REQUEST_GO_ON, .arg = { (uint64_t)&inner, 1 } }, { .op = OP_THREAD_EXIT, .flags = REQUEST_GO_ON },
		{ .op = OP_EXIT, .flags = REQUEST_GO_ON }, { .op = 39, .flags = REQUEST_GO_ON },
	};
	CHECK(sys_bulk(0, HANDLE_NONE, refused, 4) == 4);
	for (uint32_t i = 0; i < 4; i++)
		CHECK((int64_t)refused[i].arg[0] == (i < 3 ? ERR_INVAL : ERR_NOSYS));
	CHECK(sys_bulk(0, HANDLE_NONE, (void *)16, 1) == ERR_FAULT);
	CHECK(sys_bulk(0, HANDLE_NONE, &inner, 257) == ERR_INVAL);
}

static void a_long_batch_is_run_in_order(void)
{
	static struct request q[256];
	handle_t counter;
	uint64_t sum = 0, one = 1;

	CHECK(handle_open("event", "counter", OPEN_READ | OPEN_WRITE, &counter) == OK);
	for (uint32_t i = 0; i < 256; i++)
		q[i] = (struct request){ .op = OP_WRITE, .handle = counter, .arg = { (uint64_t)&one, 8, -1 } };
	CHECK(sys_bulk(0, HANDLE_NONE, q, 256) == 256);
	CHECK(sys_read(0, counter, &sum, 8, -1) == 8 && sum == 256);
	handle_close(counter);
}

static void links_reach_back_over_what_is_read_at_once(void)
{
	struct request q[40];

	for (uint32_t i = 0; i < ARRAY_COUNT(q); i++)
		q[i] = (struct request){ .op = OP_CLOCK, .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } };
	/* Each third sleeps until what the clock said REQUEST_LINK_BACK_MAX entries before, which is over. */
	for (uint32_t i = REQUEST_LINK_BACK_MAX; i < ARRAY_COUNT(q); i += 3)
		q[i] = (struct request){ .op = OP_SLEEP, .flags = request_link(REQUEST_LINK_ARG, REQUEST_LINK_BACK_MAX, 0), .handle = 5 };
	CHECK(sys_bulk(0, HANDLE_NONE, q, ARRAY_COUNT(q)) == ARRAY_COUNT(q));
	for (uint32_t i = 0; i < ARRAY_COUNT(q); i++)
		CHECK(i >= REQUEST_LINK_BACK_MAX && i % 3 == 0 ? q[i].arg[0] == OK : (int64_t)q[i].arg[0] > 0);
	for (uint32_t i = 0; i < ARRAY_COUNT(q); i++)
		CHECK(q[i].handle == HANDLE_NONE);
}

/* A number that is none must not become another's by being cut short. */
static void operations_that_are_none_are_told_so(void)
{
	uint32_t none[] = { 0, 33, 63, 64, 64 + OP_CLOCK, 128 + OP_EXIT, UINT32_MAX, 1u << 31 | OP_CLOCK };
	struct request q[ARRAY_COUNT(none)];

	for (uint32_t i = 0; i < ARRAY_COUNT(none); i++)
		q[i] = (struct request){ .op = none[i], .flags = REQUEST_GO_ON, .handle = 7, .arg = { CLOCK_MONOTONIC_NS } };
	CHECK(sys_bulk(0, HANDLE_NONE, q, ARRAY_COUNT(none)) == ARRAY_COUNT(none));
	for (uint32_t i = 0; i < ARRAY_COUNT(none); i++)
		CHECK((int64_t)q[i].arg[0] == ERR_NOSYS && q[i].handle == HANDLE_NONE);
}

static void a_call_that_is_not_run_gives_no_handle(void)
{
	handle_t object;
	CHECK(handle_open("mem", "new/4096", OPEN_READ | OPEN_WRITE, &object) == OK);
	uint64_t exec = pack_handle(TASK_EXEC, HANDLE_NONE, false), clone = pack_handle(MEM_CLONE, HANDLE_NONE, false);
	struct request q[] = {
		{ .op = OP_CALL, .flags = REQUEST_GO_ON, .handle = object, .arg = { exec } },
		{ .op = OP_CALL, .flags = request_link(REQUEST_LINK_ARG | REQUEST_GO_ON, 1, 5), .handle = object, .arg = { clone } },
		{ .op = OP_CALL, .flags = REQUEST_GO_ON, .handle = object, .arg = { clone } },
	};

	CHECK(sys_bulk(0, HANDLE_NONE, q, 3) == 3);
	CHECK((int64_t)q[0].arg[0] == ERR_INVAL && (int64_t)q[1].arg[0] == ERR_CANCELED && (int64_t)q[2].arg[0] < 0);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(q[i].handle == HANDLE_NONE);
	handle_close(object);
}

/* A result is in the array before the next entry is run, which may send it on. */
static void results_are_told_one_by_one(void)
{
	handle_t reader, writer;
	uint64_t told = 0;

	CHECK(handle_open("pipe", "", OPEN_READ, &reader) == OK);
	CHECK(handle_open_at(reader, "write", OPEN_WRITE, &writer) == OK);
	struct request q[] = {
		{ .op = OP_CLOCK, .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } },
		{ .op = OP_WRITE, .handle = writer, .arg = { (uint64_t)&q[0].arg[0], 8, -1 } },
	};
	CHECK(sys_bulk(0, HANDLE_NONE, q, 2) == 2 && q[1].arg[0] == 8);
	CHECK(sys_read(0, reader, &told, 8, -1) == 8 && told == q[0].arg[0] && told > 1);
	handle_close(reader), handle_close(writer);
}

/* Entries of a page and those of the next, which may be missing or go away. */
static void an_array_that_ends_too_soon_is_run_as_far_as_it_goes(void)
{
	enum { PAGE = 4096, FIT = PAGE / sizeof(struct request) };
	int64_t pages = sys_map(0, HANDLE_NONE, 0, 2 * PAGE, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);
	CHECK(pages > 0);
	struct request *q = (struct request *)pages;

	for (uint32_t i = 0; i < 2 * FIT; i++)
		q[i] = (struct request){ .op = OP_CLOCK, .handle = HANDLE_NONE, .arg = { CLOCK_MONOTONIC_NS } };
	/* The page goes after it was read and before it is written: who asks is told. */
	q[FIT] = (struct request){ .op = OP_UNMAP, .handle = HANDLE_NONE, .arg = { (uint64_t)&q[FIT], PAGE } };
	CHECK(sys_bulk(0, HANDLE_NONE, q, 2 * FIT) == ERR_FAULT);
	CHECK(q[0].arg[0] > 1 && q[FIT - 1].arg[0] > 1);
	/* Now it is missing: its entries are not run, those before it are (but for a few that are read with it), and it is said how many. */
	for (uint32_t i = 0; i < FIT; i++)
		q[i].arg[0] = CLOCK_MONOTONIC_NS;
	int64_t ran = sys_bulk(0, HANDLE_NONE, q, 2 * FIT);
	CHECK(ran > FIT / 2 && ran <= FIT && q[ran - 1].arg[0] > 1 && (ran == FIT || q[ran].arg[0] == CLOCK_MONOTONIC_NS));
	CHECK(sys_protect(0, HANDLE_NONE, (uint64_t)q, PAGE, MAP_READ) == OK);
	CHECK(sys_bulk(0, HANDLE_NONE, q, 1) == ERR_FAULT);
	CHECK(sys_unmap(0, HANDLE_NONE, (uint64_t)q, PAGE) == OK);
	CHECK(sys_bulk(0, HANDLE_NONE, q, 1) == ERR_FAULT);
	CHECK(sys_bulk(0, HANDLE_NONE, (void *)(UINT64_MAX - 63), 2) == ERR_FAULT);
}

/* ---- Rings of the kernel ----------------------------------------------------------------------------------------------- */

static uint32_t ready_of(handle_t h, uint64_t wait_ns)
{
	struct poll_entry p = { .handle = h, .wanted = READY_READ };

	sys_poll(0, HANDLE_NONE, &p, 1, wait_ns ? now_ns() + wait_ns : DEADLINE_NOW);
	return p.found;
}

static void pipe_make(handle_t *reader, handle_t *writer)
{
	CHECK(handle_open("pipe", "", OPEN_READ, reader) == OK);
	CHECK(handle_open_at(*reader, "write", OPEN_WRITE, writer) == OK);
}

static void the_kernel_runs_what_lies_on_a_ring(void)
{
	struct reply reply;

	kernel_begin(ENTRIES);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CLOCK, .tag = i, .handle = HANDLE_NONE,
			                                                .arg = { CLOCK_MONOTONIC_NS } }) == OK);
		CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CLOCK }) == ERR_AGAIN);
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == i && reply.result > 0);
		CHECK(ring_wait(&kernel_ring, 0) == ERR_NODATA);
	}
	kernel_end();
}

static void ringed_requests_link_and_stop_as_bulk_ones(void)
{
	struct reply reply[6];
	char text[4];

	kernel_begin(8);
	struct request q[] = {
		{ .op = OP_OPEN, .tag = 0, .handle = HANDLE_NONE, .arg = { (uint64_t)"zero", 4, (uint64_t)"", 0, OPEN_READ | OPEN_PRIVATE, 0 } },
		{ .op = OP_READ, .tag = 1, .flags = request_link(REQUEST_LINK_HANDLE, 1, 0), .arg = { (uint64_t)text, sizeof text, -1 } },
		{ .op = OP_CLOSE, .tag = 2, .flags = request_link(REQUEST_LINK_HANDLE, 2, 0) },
		{ .op = OP_CLOSE, .tag = 3, .flags = REQUEST_GO_ON, .handle = 123456 },
		{ .op = OP_CLOSE, .tag = 4, .handle = 123456 },
		{ .op = OP_CLOCK, .tag = 5, .handle = HANDLE_NONE },
	};
	for (uint32_t i = 0; i < 6; i++)
		CHECK(ring_put(&kernel_ring, &q[i]) == OK);
	for (uint32_t i = 0; i < 6; i++)
		CHECK(wait_reply(&kernel_ring, &reply[i]) && reply[i].tag == i);
	CHECK(reply[0].result >= HANDLE_PRIVATE && reply[1].result == sizeof text && reply[2].result == 0);
	CHECK(reply[3].result == ERR_BADF && reply[4].result == ERR_BADF && reply[5].result == ERR_CANCELED);
	/* The next ones are run again. */
	CHECK(ring_put(&kernel_ring, &q[5]) == OK && wait_reply(&kernel_ring, &reply[5]) && reply[5].result > 0);
	kernel_end();
}

/* However often the ring was entered in between. */
static void ringed_requests_link_to_what_was_run_before(void)
{
	struct reply reply;
	char text[4];

	kernel_begin(4);
	struct request q[] = {
		{ .op = OP_OPEN, .tag = 0, .handle = HANDLE_NONE, .arg = { (uint64_t)"zero", 4, (uint64_t)"", 0, OPEN_READ | OPEN_PRIVATE, 0 } },
		{ .op = OP_READ, .tag = 1, .flags = request_link(REQUEST_LINK_HANDLE, 1, 0), .arg = { (uint64_t)text, sizeof text, -1 } },
		{ .op = OP_READ, .tag = 2, .flags = request_link(REQUEST_LINK_HANDLE | REQUEST_ASIDE, 2, 0), .arg = { (uint64_t)text, sizeof text, -1 } },
		{ .op = OP_CLOSE, .tag = 3, .flags = request_link(REQUEST_LINK_HANDLE, 3, 0) },
	};
	for (uint32_t i = 0; i < 4; i++) {
		CHECK(ring_put(&kernel_ring, &q[i]) == OK && wait_reply(&kernel_ring, &reply) && reply.tag == i && reply.handle == HANDLE_NONE);
		CHECK(i == 0 ? reply.result >= HANDLE_PRIVATE : reply.result == (i < 3 ? 4 : 0));
	}
	/* The ring is new: nothing was run on it. */
	CHECK(ring_resize(&kernel_ring, 8, 0) == OK);
	CHECK(ring_put(&kernel_ring, &q[1]) == OK && wait_reply(&kernel_ring, &reply) && reply.result == ERR_INVAL);
	kernel_end();
}

static void an_entry_that_waits_does_not_hold_up_the_others(void)
{
	handle_t reader, writer;
	struct reply reply;
	char text[8] = "";

	pipe_make(&reader, &writer);
	kernel_begin(8);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 7, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CLOCK, .tag = 1, .handle = HANDLE_NONE }) == OK);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 1 && !ring_take(&kernel_ring, &reply));
	CHECK(ready_of(ring_handle, 0) == 0);
	/* Its number may go and come to stand for something else: it reads what it was asked to read. */
	handle_close(reader);
	CHECK(handle_write(writer, "hello", 5) == OK);
	CHECK(ready_of(ring_handle, 0) == READY_READ);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 7 && reply.result == 5 && memcmp(text, "hello", 5) == 0);
	CHECK(!ring_take(&kernel_ring, &reply) && ready_of(ring_handle, 0) == 0);
	/* Now nobody reads any more. */
	CHECK(handle_write(writer, "x", 1) == ERR_PIPE);
	handle_close(writer);
	kernel_end();
}

static void write_soon(void *argument)
{
	sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	(void)!handle_write(*(handle_t *)argument, "soon", 4);
}

static void an_entry_waits_in_its_place_unless_it_may_go_aside(void)
{
	handle_t reader, writer, out_reader, out_writer;
	struct reply first, second, third;
	char text[8] = "", got[8] = "";
	uint32_t tid;

	pipe_make(&reader, &writer);
	pipe_make(&out_reader, &out_writer);
	kernel_begin(8);
	CHECK(thread_create(write_soon, &writer, &tid) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 0, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_WRITE, .tag = 1, .flags = request_link(REQUEST_LINK_ARG, 1, 1),
	                                                .handle = out_writer, .arg = { (uint64_t)text, 0, -1 } }) == OK);
	CHECK(wait_reply(&kernel_ring, &first) && first.tag == 0 && first.result == 4);
	CHECK(wait_reply(&kernel_ring, &second) && second.tag == 1 && second.result == 4);
	CHECK(sys_read(0, out_reader, got, 8, -1) == 4 && memcmp(got, "soon", 4) == 0);
	/* What is aside has no result to be linked to. */
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 0, .flags = REQUEST_ASIDE, .handle = reader,
	                                                .arg = { (uint64_t)text, 8, -1 } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_WRITE, .tag = 1, .flags = request_link(REQUEST_LINK_ARG | REQUEST_GO_ON, 1, 1),
	                                                .handle = out_writer, .arg = { (uint64_t)text, 0, -1 } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_WRITE, .tag = 2, .handle = writer, .arg = { (uint64_t)"x", 1, -1 } }) == OK);
	CHECK(wait_reply(&kernel_ring, &first) && first.tag == 1 && first.result == ERR_CANCELED);
	CHECK(wait_reply(&kernel_ring, &second) && second.tag == 2 && second.result == 1);
	CHECK(wait_reply(&kernel_ring, &third) && third.tag == 0 && third.result == 1);
	handle_close(reader), handle_close(writer), handle_close(out_reader), handle_close(out_writer);
	kernel_end();
}

static void what_waits_can_be_cancelled(void)
{
	handle_t reader, writer;
	struct reply reply;
	char text[8];

	pipe_make(&reader, &writer);
	kernel_begin(8);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 3, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	ring_submit(&kernel_ring);
	CHECK(ring_cancel(&kernel_ring, 2) == ERR_SRCH && ring_cancel(&kernel_ring, 3) == OK && ring_cancel(&kernel_ring, 3) == ERR_SRCH);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 3 && reply.result == ERR_CANCELED);
	/* Rings are not entered from within. */
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CALL, .tag = 4, .handle = ring_handle,
	                                                .arg = { pack_handle(RING_CANCEL, HANDLE_NONE, false), [5] = 3 } }) == OK);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 4 && reply.result == ERR_INVAL);
	/* What does not want to wait does not. */
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 5, .flags = REQUEST_NONBLOCK, .handle = reader,
	                                                .arg = { (uint64_t)text, 8, -1 } }) == OK);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 5 && reply.result == ERR_AGAIN);
	handle_close(reader), handle_close(writer);
	kernel_end();
}

static void event_queues_tell_of_a_ring(void)
{
	handle_t reader, writer, queue;
	struct event event;
	struct reply reply;
	char text[8];
	uint32_t tid;

	pipe_make(&reader, &writer);
	kernel_begin(8);
	CHECK(handle_open("event", "", OPEN_READ, &queue) == OK);
	struct event_interest interest = { .handle = ring_handle, .wanted = READY_READ, .cookie = 77 };
	CHECK(handle_call(queue, EVENT_ADD, &interest, sizeof interest, NULL, 0, 0) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 3, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	ring_submit(&kernel_ring);
	CHECK(handle_call(queue, EVENT_WAIT, NULL, 0, &event, sizeof event, DEADLINE_NOW) == 0);
	CHECK(thread_create(write_soon, &writer, &tid) == OK);
	CHECK(handle_call(queue, EVENT_WAIT, NULL, 0, &event, sizeof event, now_ns() + 20000000000) == 1 && event.cookie == 77);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.result == 4 && !ring_take(&kernel_ring, &reply));
	CHECK(handle_call(queue, EVENT_WAIT, NULL, 0, &event, sizeof event, DEADLINE_NOW) == 0);
	/* And a wait in the ring itself is woken. */
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 3, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	CHECK(thread_create(write_soon, &writer, &tid) == OK);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 3 && reply.result == 4);
	handle_close(queue), handle_close(reader), handle_close(writer);
	kernel_end();
}

static void a_ring_can_be_resized_at_rest_and_goes_with_its_handle(void)
{
	handle_t reader, writer;
	struct reply reply;
	char text[8];

	pipe_make(&reader, &writer);
	kernel_begin(4);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = 3, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 8, -1 } }) == OK);
	ring_submit(&kernel_ring);
	CHECK(ring_resize(&kernel_ring, 256, 0) == ERR_BUSY);
	CHECK(handle_call_pass(ring_handle, RING_OPEN, kernel_ring.object, 4) == ERR_BUSY);
	CHECK(ring_cancel(&kernel_ring, 3) == OK && wait_reply(&kernel_ring, &reply));
	CHECK(ring_resize(&kernel_ring, 256, 0) == OK);
	for (uint32_t i = 0; i < 256; i++)
		CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_READ, .tag = i, .flags = REQUEST_ASIDE, .handle = reader, .arg = { (uint64_t)text, 1, -1 } }) == OK);
	ring_submit(&kernel_ring);
	CHECK(handle_write(writer, text, 8) == OK);
	for (uint32_t i = 0; i < 8; i++)
		CHECK(wait_reply(&kernel_ring, &reply) && reply.result == 1);
	/* The rest is in flight when it is closed: no copy of the pipe's end is left. */
	kernel_end();
	handle_close(reader);
	CHECK(handle_write(writer, "x", 1) == ERR_PIPE);
	handle_close(writer);
}

static void wild_rings_are_refused(void)
{
	handle_t object, h, read_only;

	CHECK(handle_open("ring", "", OPEN_READ | OPEN_WRITE, &h) == OK);
	CHECK(handle_call(h, RING_WAIT, NULL, 0, NULL, 0, RING_NO_WAIT) == ERR_INVAL);
	CHECK(handle_open("mem", "new/65536", OPEN_READ | OPEN_WRITE, &object) == OK);
	CHECK(handle_dup(object, RIGHT_ALL & ~(uint64_t)RIGHT_WRITE, &read_only) == OK);
	CHECK(handle_call_pass(h, RING_OPEN, read_only, 32) == ERR_BADF && handle_call_pass(h, RING_OPEN, h, 32) == ERR_BADF);
	uint64_t wild[] = { 1, 3, 33, 1024, 2048, 1ull << 32, (1ull << 32) + 32, UINT64_MAX };
	for (uint32_t i = 0; i < ARRAY_COUNT(wild); i++)
		CHECK(handle_call_pass(h, RING_OPEN, object, wild[i]) == ERR_INVAL);
	/* Counts that jump, and memory that was to be taken away. */
	CHECK(handle_call_pass(h, RING_OPEN, object, 32) == OK);
	CHECK(handle_call(object, MEM_RESIZE, NULL, 0, NULL, 0, 0) == ERR_PERM);
	uint32_t wild_count = 33;
	CHECK(sys_write(0, object, &wild_count, 4, 0) == 4);
	CHECK(handle_call(h, RING_WAIT, NULL, 0, NULL, 0, RING_NO_WAIT) == ERR_PROTO);
	wild_count = 32;
	CHECK(sys_write(0, object, &wild_count, 4, 0) == 4);
	CHECK(handle_call(h, RING_WAIT, NULL, 0, NULL, 0, RING_NO_WAIT) == OK);
	handle_close(object), handle_close(read_only), handle_close(h);
}

int program_main(const struct startup *startup)
{
	(void)startup;
	run("a batch uses its own results", a_batch_uses_its_own_results);
	run("a handle that a call gave can be linked", a_handle_that_a_call_gave_can_be_linked);
	run("an error stops a batch unless it may go on", an_error_stops_a_batch_unless_it_may_go_on);
	run("what is linked to an error is cancelled", what_is_linked_to_an_error_is_cancelled);
	run("wild links and batches in batches are refused", wild_links_and_batches_in_batches_are_refused);
	run("a long batch is run in order", a_long_batch_is_run_in_order);
	run("links reach back over what is read at once", links_reach_back_over_what_is_read_at_once);
	run("operations that are none are told so", operations_that_are_none_are_told_so);
	run("a CALL that is not run gives no handle", a_call_that_is_not_run_gives_no_handle);
	run("results are told one by one", results_are_told_one_by_one);
	run("an array that ends too soon is run as far as it goes", an_array_that_ends_too_soon_is_run_as_far_as_it_goes);
	run("the kernel runs what lies on a ring", the_kernel_runs_what_lies_on_a_ring);
	run("ringed requests link and stop as those of BULK", ringed_requests_link_and_stop_as_bulk_ones);
	run("ringed requests link to what was run before", ringed_requests_link_to_what_was_run_before);
	run("an entry that waits does not hold up the others", an_entry_that_waits_does_not_hold_up_the_others);
	run("an entry waits in its place unless it may go aside", an_entry_waits_in_its_place_unless_it_may_go_aside);
	run("what waits can be cancelled", what_waits_can_be_cancelled);
	run("event queues tell of a ring", event_queues_tell_of_a_ring);
	run("a ring can be resized at rest and goes with its handle", a_ring_can_be_resized_at_rest_and_goes_with_its_handle);
	run("wild rings are refused", wild_rings_are_refused);
	print("1..%u\n", points);
	return failures != 0;
}
