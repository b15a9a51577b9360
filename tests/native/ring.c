/* tests/native/ring.c - BULK, rings of the kernel, and rings between two processes, well-behaved and not; prints TAP.
 *
 * The program starts itself again as the server. The codes are the test's own.
 */
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
#include "lib/scheme/scheme.h"
#include "tests/native/tap.h"

enum test_code { ADD = 9100, ECHO, KEEP, ANSWER, DIE, GIVE, CALLS };
enum { STATUS_KILLED = 9, ENTRIES = 32 };

static handle_t image, endpoint, it, server_process;
static uint64_t image_bytes;

static uint64_t now_ns(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

static bool wait_reply(struct ring *r, struct reply *out)
{
	while (!ring_take(r, out))
		if (ring_wait(r, 0))
			return false;
	return true;
}

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

/* ---- Rings of the kernel ----------------------------------------------------------------------------------------------- */

static struct ring kernel_ring;
static handle_t ring_handle;

static void kernel_begin(uint32_t entries)
{
	CHECK(handle_open("ring", "", OPEN_READ | OPEN_WRITE, &ring_handle) == OK);
	CHECK(ring_open(&kernel_ring, ring_handle, entries, 0) == OK);
}

static void kernel_end(void)
{
	ring_close(&kernel_ring);
	handle_close(ring_handle);
}

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

/* ---- The server -------------------------------------------------------------------------------------------------------- */

static struct server server;
static struct scheme scheme;
static uint32_t called;

struct open { uint64_t sum; uint8_t content[65536]; struct scheme_deferred *kept[ENTRIES]; };

static int64_t server_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	return (r->opened = heap_new(struct open)) ? OK : ERR_NOMEM;
}

static int64_t server_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct open *o = r->open;
	size_t n = offset < sizeof o->content ? MIN_OF(sizeof o->content - offset, bytes) : 0;

	if (n > r->out_room)
		return scheme_put(r, 0, o->content + offset, n) ? ERR_FAULT : (int64_t)n;
	memcpy(r->out, o->content + offset, n);
	return (int64_t)n;
}

static int64_t server_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct open *o = r->open;

	if (!range_fits(offset, bytes, sizeof o->content))
		return ERR_NOSPC;
	err_t err = scheme_in(r, 0, o->content + offset, bytes);
	return err ? err : (int64_t)bytes;
}

static int64_t keep(struct scheme_request *r, struct open *o)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (!o->kept[i])
			return (o->kept[i] = heap_new(struct scheme_deferred)) ? scheme_defer(r, o->kept[i]) : ERR_NOMEM;
	return ERR_AGAIN;
}

/* The last one kept first: answers need not come in order. */
static int64_t answer(struct open *o, uint64_t word)
{
	for (uint32_t i = ENTRIES; i-- > 0;)
		if (o->kept[i]) {
			struct scheme_deferred *d = o->kept[i];
			o->kept[i] = NULL;
			scheme_answer_data(d, (int64_t)word, "late", MIN_OF((size_t)5, d->out_max));
			heap_delete(d);
			return 1;
		}
	return 0;
}

static int64_t server_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct open *o = r->open;

	called += r->ring == NULL;
	switch (code) {
	case ADD:
		return (int64_t)(o->sum += word);
	case ECHO:
		return scheme_out(r, r->in, r->in_here) ? ERR_INVAL : (int64_t)word;
	case KEEP:
		return keep(r, o);
	case ANSWER:
		return answer(o, word);
	case CALLS:
		return called;
	case GIVE:
		r->reply_handle = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
		r->reply_flags = REPLY_HANDLE;
		return 0;
	case DIE:
		program_exit(1);
	default:
		return ERR_NOTTY;
	}
}

static void server_close(struct scheme *s, void *open)
{
	(void)s;
	heap_delete((struct open *)open);
}

static void server_cancel(struct scheme_deferred *d)
{
	struct open *o = NULL, *each;

	for (uint32_t n = 0; n < scheme.ids.capacity && !o; n++)
		if ((each = scheme.ids.slots[n].value))
			for (uint32_t i = 0; i < ENTRIES; i++)
				if (each->kept[i] == d) {
					o = each;
					o->kept[i] = NULL;
				}
	scheme_answer(d, ERR_INTR);
	heap_delete(d);
}

static int serve(void)
{
	static const struct scheme_ops ops = {
		.open = server_open, .read = server_read, .write = server_write, .call = server_call, .close = server_close,
		.cancel = server_cancel,
	};

	if (server_init(&server) || server_add_scheme(&server, &scheme, NULL, &ops, NULL))
		return 1;
	return server_run(&server) ? 2 : 0;
}

/* ---- Rings between processes -------------------------------------------------------------------------------------------- */

static bool image_open(void)
{
	struct file_stat st;

	if (handle_open("file", startup_argument(0), OPEN_READ | OPEN_EXEC, &image))
		return false;
	int64_t result = handle_call(image, FILE_STAT, NULL, 0, &st, sizeof st, 0);
	image_bytes = st.bytes;
	return result >= 0;
}

static handle_t start(const char *mode)
{
	const char *arguments[] = { "ring", mode };
	struct spawn_handle handles[] = {
		{ mode, endpoint, HANDLE_NONE }, { "log", startup_handle("log"), HANDLE_NONE },
	};
	struct spawn_options o = {
		.image = image, .image_bytes = image_bytes, .arguments = arguments, .argument_count = 2,
		.handles = handles, .handle_count = 2, .namespace = HANDLE_NONE, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};
	handle_t process = HANDLE_NONE;

	/* A server needs no names at all; a client makes the ring's memory. */
	if (strcmp(mode, "endpoint") == 0)
		CHECK(handle_open("sys", "self-namespace", OPEN_READ, &o.namespace) == OK);
	CHECK(spawn(&o, &process, NULL) == OK);
	handle_close(o.namespace);
	return process;
}

static void wait_end(handle_t process)
{
	struct poll_entry p = { .handle = process, .wanted = READY_READ };

	sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NONE);
	handle_close(process);
}

static struct ring ring;

static void begin(uint32_t entries, size_t data_bytes)
{
	CHECK(handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &it) == OK);
	CHECK(ring_open(&ring, it, entries, data_bytes) == OK);
}

static void end(void)
{
	ring_close(&ring);
	handle_close(it);
}

static struct request call_request(uint32_t tag, uint32_t code, uint64_t word)
{
	return (struct request){ .op = OP_CALL, .tag = tag, .handle = HANDLE_NONE, .arg = { code, [5] = word } };
}

static err_t put_call(uint32_t tag, uint32_t code, uint64_t word)
{
	struct request q = call_request(tag, code, word);
	return ring_put(&ring, &q);
}

static int64_t ask(uint32_t code, uint64_t word)
{
	return handle_call(it, (enum code)code, NULL, 0, NULL, 0, word);
}

static void the_same_functions_answer_what_is_called_and_what_is_ringed(void)
{
	struct reply reply;
	int64_t sum = 0;

	begin(ENTRIES, 0);
	for (uint32_t round = 0; round < 100; round++) {
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(put_call(i, ADD, i) == OK);
		CHECK(put_call(0, ADD, 1) == ERR_AGAIN);
		for (uint32_t i = 0; i < ENTRIES; i++) {
			CHECK(wait_reply(&ring, &reply) && reply.tag == i);
			CHECK(reply.result == (sum += i));
		}
	}
	CHECK(ask(ADD, 0) == sum);
	CHECK(ring_wait(&ring, 0) == ERR_NODATA && !ring_take(&ring, &reply));
	end();
}

static void data_goes_both_ways_through_the_shared_memory(void)
{
	enum { BIG = 65536, SMALL = 512 };
	struct reply reply;

	begin(8, 3 * BIG);
	for (uint32_t i = 0; i < BIG; i++)
		ring.data[i] = (uint8_t)(i * 7 + i / 256);
	CHECK(ring_put(&ring, &(struct request){ .op = OP_WRITE, .tag = 1, .arg = { 0, BIG, 0 } }) == OK);
	CHECK(ring_put(&ring, &(struct request){ .op = OP_READ, .tag = 2, .arg = { BIG, BIG, 0 } }) == OK);
	CHECK(ring_put(&ring, &(struct request){ .op = OP_READ, .tag = 3, .arg = { 2 * BIG, SMALL, 1000 } }) == OK);
	CHECK(ring_put(&ring, &(struct request){ .op = OP_CALL, .tag = 4, .arg = { ECHO, 100, 50, 2 * BIG + SMALL, 50, 9 } }) == OK);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 1 && reply.result == BIG);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 2 && reply.result == BIG);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 3 && reply.result == SMALL);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 4 && reply.result == 9);
	CHECK(memcmp(ring.data, ring.data + BIG, BIG) == 0 && memcmp(ring.data + 1000, ring.data + 2 * BIG, SMALL) == 0);
	CHECK(memcmp(ring.data + 100, ring.data + 2 * BIG + SMALL, 50) == 0);
	end();
}

static void what_a_ring_cannot_do_is_an_error(void)
{
	struct reply reply;
	uint64_t all = ring_data_offset(8), rest = 4096 - all % 4096;

	begin(8, 1);
	CHECK(ring.data_bytes == rest);
	struct { struct request request; int64_t result; } tries[] = {
		{ { .op = OP_READ, .arg = { rest, 1, 0 } }, ERR_FAULT }, { { .op = OP_READ, .arg = { 0, rest + 1, 0 } }, ERR_FAULT },
		{ { .op = OP_READ, .arg = { UINT64_MAX, 1, 0 } }, ERR_FAULT }, { { .op = OP_WRITE, .arg = { 1, UINT64_MAX, 0 } }, ERR_FAULT },
		{ { .op = OP_CALL, .arg = { ECHO, rest - 1, 2, 0, 2 } }, ERR_FAULT }, { { .op = OP_CALL, .arg = { ECHO, 0, 2, rest - 1, 2 } }, ERR_FAULT },
		{ { .op = OP_CALL, .arg = { ECHO, 0, 2, 0, 1 } }, ERR_INVAL }, { { .op = OP_CALL, .arg = { 1 } }, ERR_NOTTY },
		{ { .op = OP_OPEN }, ERR_OPNOTSUPP }, { { .op = OP_CLOSE }, ERR_OPNOTSUPP }, { { .op = 0xffffffff }, ERR_OPNOTSUPP },
		{ { .op = OP_MAP }, ERR_OPNOTSUPP }, { { .op = OP_SEEK, .arg = { 0, SEEK_FROM_END } }, ERR_SPIPE },
		{ { .op = OP_READ, .flags = REQUEST_LINK_HANDLE }, ERR_INVAL }, { { .op = OP_CALL, .arg = { GIVE } }, ERR_OPNOTSUPP },
		{ { .op = OP_CALL, .arg = { RING_WAIT } }, ERR_NOTTY }, { { .op = OP_CALL, .arg = { RING_OPEN } }, ERR_NOTTY },
		{ { .op = OP_CALL, .arg = { RING_CANCEL, [5] = 5 } }, ERR_NOTTY }, { { .op = OP_CALL, .arg = { ADD, [5] = 4 } }, 4 },
	};
	for (uint32_t i = 0; i < ARRAY_COUNT(tries); i++) {
		CHECK(ring_put(&ring, &tries[i].request) == OK && wait_reply(&ring, &reply));
		CHECK(reply.result == tries[i].result);
	}
	CHECK(ring_put(&ring, &(struct request){ .tag = 8 }) == ERR_INVAL);
	end();
}

static void rights_bound_a_ring(void)
{
	struct ring other;
	struct reply reply;
	handle_t weak, reader;

	begin(8, 100);
	CHECK(handle_dup(it, RIGHT_CALL | RIGHT_READ, &weak) == OK);
	CHECK(ring_open(&other, weak, 8, 100) == ERR_ACCES);
	handle_close(weak);
	CHECK(handle_open_at(endpoint, "it", OPEN_READ, &reader) == OK);
	CHECK(ring_open(&other, reader, 8, 100) == OK);
	CHECK(ring_put(&other, &(struct request){ .op = OP_WRITE, .tag = 1, .arg = { 0, 4, 0 } }) == OK);
	CHECK(ring_put(&other, &(struct request){ .op = OP_READ, .tag = 2, .arg = { 0, 4, 0 } }) == OK);
	CHECK(wait_reply(&other, &reply) && reply.tag == 1 && reply.result == ERR_BADF);
	CHECK(wait_reply(&other, &reply) && reply.tag == 2 && reply.result == 4);
	ring_close(&other);
	handle_close(reader);
	end();
}

static void kept_requests_are_answered_out_of_order(void)
{
	struct reply reply;

	begin(4, 100);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(ring_put(&ring, &(struct request){ .op = OP_CALL, .tag = i, .arg = { KEEP, [3] = i * 8, [4] = 8 } }) == OK);
	ring_submit(&ring);
	CHECK(!ring_take(&ring, &reply) && ring_in_flight(&ring) == 3);
	CHECK(ask(ANSWER, 55) == 1);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 2 && reply.result == 55 && memcmp(ring.data + 16, "late", 5) == 0);
	/* A ring with kept ones goes on: these slots are reused. */
	for (uint32_t i = 0; i < 50; i++)
		CHECK(put_call(3, ADD, 1) == OK && wait_reply(&ring, &reply) && reply.tag == 3);
	/* One answered by another that came over the ring. */
	CHECK(put_call(3, ANSWER, 66) == OK && wait_reply(&ring, &reply) && reply.tag == 1 && reply.result == 66);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 3 && reply.result == 1);
	CHECK(ring_resize(&ring, 8, 0) == ERR_BUSY);
	CHECK(ring_cancel(&ring, 1) == ERR_SRCH && ring_cancel(&ring, 0) == OK);
	CHECK(wait_reply(&ring, &reply) && reply.tag == 0 && reply.result == ERR_INTR);
	CHECK(ring_resize(&ring, 64, 100000) == OK);
	for (uint32_t i = 0; i < 64; i++)
		CHECK(put_call(i, ADD, 1) == OK);
	for (uint32_t i = 0; i < 64; i++)
		CHECK(wait_reply(&ring, &reply) && reply.tag == i);
	end();
}

static void answer_soon(void *argument)
{
	sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	*(int64_t *)argument = ask(ANSWER, 99);
}

static void who_waits_is_woken_by_a_late_answer(void)
{
	struct reply reply;
	int64_t result = 0;
	uint32_t tid;

	begin(4, 0);
	CHECK(put_call(0, KEEP, 0) == OK);
	CHECK(thread_create(answer_soon, &result, &tid) == OK);
	CHECK(wait_reply(&ring, &reply) && reply.result == 99);
	end();
}

/* A server that looks where nothing is any more would end: so nothing goes. */
static void a_rings_memory_cannot_be_taken_away(void)
{
	struct mem_window window = { 0, 4096 };
	handle_t clone, paged, empty;
	struct reply reply;

	begin(8, 10000);
	CHECK(handle_call(ring.object, MEM_RESIZE, NULL, 0, NULL, 0, 0) == ERR_PERM);
	CHECK(handle_call(ring.object, MEM_PUNCH, &window, sizeof window, NULL, 0, 0) == ERR_PERM);
	CHECK(handle_call_get(ring.object, MEM_CLONE, &window, sizeof window, 0, &clone) == ERR_PERM);
	CHECK(put_call(0, ADD, 5) == OK && wait_reply(&ring, &reply) && reply.result == 5);
	/* Nor is memory accepted whose pages somebody else has, and might not bring, or that is too short. */
	int64_t pager = sys_scheme(0, HANDLE_NONE, 0);
	CHECK(handle_open("mem", "new/65536", OPEN_READ | OPEN_WRITE, &empty) == OK);
	int64_t result = sys_call_handle(0, empty, MEM_PAGER, (handle_t)pager, NULL, 0, NULL, 0, 1, &paged);
	CHECK(result == 0 && handle_call_pass(it, RING_OPEN, paged, 8) == ERR_INVAL);
	CHECK(handle_call_pass(it, RING_OPEN, empty, 1024) == ERR_INVAL);
	CHECK(handle_call_pass(it, RING_OPEN, it, 8) < 0 && handle_call_pass(it, RING_OPEN, HANDLE_NONE, 8) == ERR_INVAL);
	handle_close(paged), handle_close(empty), handle_close((handle_t)pager);
	/* The old ring is still there. */
	CHECK(put_call(0, ADD, 5) == OK && wait_reply(&ring, &reply) && reply.result == 10);
	end();
}

/* A client as hostile as it can be reaches nobody but itself. */
static void a_hostile_client_harms_itself_only(void)
{
	struct ring bad;
	handle_t other;
	struct reply reply;
	uint64_t random = 88172645463325252ull;

	begin(8, 100);
	for (uint32_t round = 0; round < 200; round++) {
		CHECK(handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &other) == OK);
		CHECK(ring_open(&bad, other, 8, 1000) == OK);
		for (uint32_t i = 0; i < bad.bytes / 8; i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			((uint64_t *)bad.header)[i] = random;
		}
		for (uint32_t i = 0; i < 8 * 3; i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			struct request *q = &bad.requests[i % 8];
			q->op = (uint32_t)(random % 3 == 0 ? OP_READ : random % 3 == 1 ? OP_WRITE : OP_CALL);
			if (random & 8)
				q->arg[0] = q->op == OP_CALL ? ECHO + (random >> 8) % 3 : random >> 50;
			if (random & 16)
				q->arg[1] = random >> 54;
		}
		atomic_store(&bad.header->requests_put, round % 10);
		handle_call(other, RING_WAIT, NULL, 0, NULL, 0, round | RING_NO_WAIT);
		sys_unmap(0, HANDLE_NONE, (uint64_t)bad.header, bad.bytes);
		handle_close(bad.object);
		heap_free(bad.is_busy, 8);
		handle_close(other);
		CHECK(put_call(1, ADD, 1) == OK && wait_reply(&ring, &reply) && reply.result == round + 1);
	}
	end();
}

/* A server that answers what was not asked, or more than there can be. */
static void a_hostile_server_loses_its_ring(void)
{
	struct reply reply;

	begin(8, 100);
	CHECK(put_call(1, KEEP, 0) == OK && put_call(2, KEEP, 0) == OK);
	ring_submit(&ring);
	((struct reply *)ring.replies)[0] = (struct reply){ .tag = 5 };
	atomic_store(&ring.header->replies_put, 1);
	CHECK(ring_take(&ring, &reply) && reply.tag == 1 && reply.result == ERR_PROTO);
	CHECK(ring_take(&ring, &reply) && reply.tag == 2 && reply.result == ERR_PROTO);
	CHECK(!ring_take(&ring, &reply) && put_call(3, ADD, 0) == ERR_PROTO);
	end();
	begin(8, 100);
	CHECK(put_call(1, KEEP, 0) == OK);
	ring_submit(&ring);
	atomic_store(&ring.header->replies_put, 2);
	CHECK(ring_take(&ring, &reply) && reply.result == ERR_PROTO);
	end();
}

static void many_rings_have_a_limit(void)
{
	enum { MANY = 80 };
	static struct ring rings[MANY];
	static handle_t things[MANY];
	struct reply reply;
	uint32_t count = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		CHECK(handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &things[i]) == OK);
		err_t err = ring_open(&rings[i], things[i], 4, 0);
		CHECK(err == OK || err == ERR_NFILE);
		count += err == OK;
	}
	CHECK(count == 64);
	for (uint32_t i = 0; i < count; i++) {
		struct request q = call_request(0, ADD, i);
		CHECK(ring_put(&rings[i], &q) == OK && wait_reply(&rings[i], &reply) && reply.result == i);
	}
	/* Closing the thing is enough. */
	for (uint32_t i = 0; i < MANY; i++)
		handle_close(things[i]);
	begin(4, 0);
	CHECK(put_call(0, ADD, 7) == OK && wait_reply(&ring, &reply) && reply.result == 7);
	end();
}

static void stream(void *argument)
{
	uint32_t *done = argument;
	struct ring mine;
	struct reply reply;
	handle_t thing;
	uint64_t sum = 0, asked = 0, answered = 0;

	if (handle_open_at(endpoint, "it", OPEN_READ | OPEN_WRITE, &thing) || ring_open(&mine, thing, 16, 0))
		return;
	while (answered < 20000) {
		struct request q = call_request((uint32_t)(asked % 16), ADD, 1);
		while (asked < 20000 && ring_put(&mine, &q) == OK)
			q = call_request((uint32_t)(++asked % 16), ADD, 1);
		if (ring_wait(&mine, 0))
			break;
		while (ring_take(&mine, &reply)) {
			answered++;
			sum += (uint64_t)reply.result == answered;
		}
	}
	ring_close(&mine);
	handle_close(thing);
	__atomic_store_n(done, sum == 20000 ? 1 : 2, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, done, 1, 0);
}

/* No wake-up is lost, whoever runs when: this ends. */
static void streams_of_several_clients_arrive_whole(void)
{
	uint32_t done[3] = { 0 }, tid;

	for (uint32_t i = 0; i < 3; i++)
		CHECK(thread_create(stream, &done[i], &tid) == OK);
	for (uint32_t i = 0; i < 3; i++) {
		while (__atomic_load_n(&done[i], __ATOMIC_ACQUIRE) == 0)
			sys_futex_wait(0, HANDLE_NONE, &done[i], 0, DEADLINE_NONE);
		CHECK(done[i] == 1);
	}
}

/* A server may be asked from a batch, too. */
static void batches_of_calls_reach_a_server(void)
{
	struct request q[ENTRIES];
	struct reply reply;
	handle_t thing;

	begin(4, 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		q[i] = (struct request){ .op = OP_CALL, .handle = it, .arg = { pack_handle(ADD, HANDLE_NONE, false), [5] = 1 } };
	CHECK(sys_bulk(0, HANDLE_NONE, q, ENTRIES) == ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++)
		CHECK(q[i].arg[0] == i + 1 && q[i].handle == HANDLE_NONE);
	kernel_begin(8);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_OPEN, .tag = 0, .handle = endpoint,
	                                                .arg = { 0, 0, (uint64_t)"it", 2, OPEN_READ | OPEN_PRIVATE } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CALL, .tag = 1, .flags = request_link(REQUEST_LINK_HANDLE, 1, 0),
	                                                .arg = { pack_handle(ADD, HANDLE_NONE, false), [5] = 5 } }) == OK);
	CHECK(ring_put(&kernel_ring, &(struct request){ .op = OP_CALL, .tag = 2, .handle = it,
	                                                .arg = { pack_handle(ADD, HANDLE_NONE, false), [5] = 5 } }) == OK);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 0 && reply.result >= HANDLE_PRIVATE);
	thing = (handle_t)reply.result;
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 1 && reply.result == 5);
	CHECK(wait_reply(&kernel_ring, &reply) && reply.tag == 2 && reply.result == ENTRIES + 5);
	handle_close(thing);
	kernel_end();
	end();
}

/* While the server looks by itself it is not called. */
static void a_batch_costs_one_call_at_most(void)
{
	struct reply reply;

	begin(ENTRIES, 0);
	int64_t before = ask(CALLS, 0);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(put_call(i, ADD, 1) == OK);
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(wait_reply(&ring, &reply));
	}
	/* Not one of them reached the server as a call. */
	CHECK(ask(CALLS, 0) == before + 1);
	end();
}

static void a_killed_client_leaves_no_ring(void)
{
	struct reply reply;

	for (uint32_t i = 0; i < 3; i++) {
		handle_t client = start("endpoint");
		sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
		handle_call(client, TASK_KILL, NULL, 0, NULL, 0, STATUS_KILLED);
		wait_end(client);
	}
	begin(8, 0);
	CHECK(put_call(0, ADD, 7) == OK && wait_reply(&ring, &reply) && reply.result == 7);
	end();
}

static void a_server_that_dies_ends_what_is_in_flight(void)
{
	struct reply reply;
	bool seen[4] = { false };

	begin(8, 100);
	CHECK(put_call(0, KEEP, 0) == OK && put_call(1, KEEP, 0) == OK && put_call(2, DIE, 0) == OK && put_call(3, ADD, 0) == OK);
	for (uint32_t i = 0; i < 4; i++) {
		CHECK(wait_reply(&ring, &reply) && reply.tag < 4 && !seen[reply.tag] && reply.result == ERR_CONNRESET);
		seen[reply.tag % 4] = true;
		if (i == 0) {
			wait_end(server_process);
			server_process = start("scheme");
		}
	}
	CHECK(put_call(0, ADD, 0) == ERR_CONNRESET);
	end();
	/* The next server serves the next ring. */
	begin(8, 100);
	CHECK(put_call(0, ADD, 3) == OK && wait_reply(&ring, &reply) && reply.result == 3);
	end();
}

/* In a process of its own, to be killed: with kept requests and a wait. */
static int client(void)
{
	struct reply reply;

	endpoint = startup_handle("endpoint");
	begin(8, 100);
	for (uint32_t i = 0; i < 5; i++)
		CHECK(put_call(i, KEEP, 0) == OK);
	wait_reply(&ring, &reply);
	return 2;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return strcmp(startup_argument(1), "scheme") == 0 ? serve() : client();
	run("a batch uses its own results", a_batch_uses_its_own_results);
	run("a handle that a call gave can be linked", a_handle_that_a_call_gave_can_be_linked);
	run("an error stops a batch unless it may go on", an_error_stops_a_batch_unless_it_may_go_on);
	run("what is linked to an error is cancelled", what_is_linked_to_an_error_is_cancelled);
	run("wild links and batches in batches are refused", wild_links_and_batches_in_batches_are_refused);
	run("a long batch is run in order", a_long_batch_is_run_in_order);
	run("the kernel runs what lies on a ring", the_kernel_runs_what_lies_on_a_ring);
	run("ringed requests link and stop as those of BULK", ringed_requests_link_and_stop_as_bulk_ones);
	run("an entry that waits does not hold up the others", an_entry_that_waits_does_not_hold_up_the_others);
	run("an entry waits in its place unless it may go aside", an_entry_waits_in_its_place_unless_it_may_go_aside);
	run("what waits can be cancelled", what_waits_can_be_cancelled);
	run("event queues tell of a ring", event_queues_tell_of_a_ring);
	run("a ring can be resized at rest and goes with its handle", a_ring_can_be_resized_at_rest_and_goes_with_its_handle);
	run("wild rings are refused", wild_rings_are_refused);

	int64_t h = sys_scheme(0, HANDLE_NONE, 0);
	endpoint = (handle_t)h;
	if (h < 0 || !image_open()) {
		print("not ok %u - the test can begin\n1..%u\n", points + 1, points + 1);
		return 1;
	}
	server_process = start("scheme");
	run("the same functions answer what is called and what is ringed", the_same_functions_answer_what_is_called_and_what_is_ringed);
	run("data goes both ways through the shared memory", data_goes_both_ways_through_the_shared_memory);
	run("what a ring cannot do is an error", what_a_ring_cannot_do_is_an_error);
	run("rights bound a ring", rights_bound_a_ring);
	run("kept requests are answered out of order", kept_requests_are_answered_out_of_order);
	run("who waits is woken by a late answer", who_waits_is_woken_by_a_late_answer);
	run("batches of calls reach a server", batches_of_calls_reach_a_server);
	run("a batch costs one call at most", a_batch_costs_one_call_at_most);
	run("a ring's memory cannot be taken away", a_rings_memory_cannot_be_taken_away);
	run("a hostile client harms itself only", a_hostile_client_harms_itself_only);
	run("a hostile server loses its ring", a_hostile_server_loses_its_ring);
	run("many rings have a limit", many_rings_have_a_limit);
	run("streams of several clients arrive whole", streams_of_several_clients_arrive_whole);
	run("a killed client leaves no ring", a_killed_client_leaves_no_ring);
	run("a server that dies ends what is in flight", a_server_that_dies_ends_what_is_in_flight);
	handle_call(server_process, TASK_KILL, NULL, 0, NULL, 0, STATUS_KILLED);
	print("1..%u\n", points);
	return failures != 0;
}
