/* tests/native/ring.c - rings between two processes, well-behaved and not; prints TAP.
 *
 * The program starts itself again as the server. The codes are the test's own.
 */
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/thread.h"
#include "tests/native/child.h"
#include "tests/native/ringing.h"
#include "tests/native/serving.h"

enum test_code { ADD = 9100, ECHO, KEEP, ANSWER, DIE, GIVE, CALLS, WHO };

/* ---- The server -------------------------------------------------------------------------------------------------------- */

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
	case WHO:
		return scheme_out(r, &r->message->sender, sizeof(struct sender));
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

static const struct scheme_ops server_ops = {
	.open = server_open, .read = server_read, .write = server_write, .call = server_call, .close = server_close, .cancel = server_cancel,
};

/* ---- Rings between processes -------------------------------------------------------------------------------------------- */

static handle_t endpoint, it, server_process;

static handle_t server_start(void) { return child_start("scheme", "", "scheme", endpoint); }

/* A server needs no names at all; a client makes the ring's memory. */
static handle_t client_start(void)
{
	handle_t namespace;

	CHECK(handle_open("sys", "self-namespace", OPEN_READ, &namespace) == OK);
	handle_t process = child_start_in(namespace, "client", "", "endpoint", endpoint);
	handle_close(namespace);
	return process;
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

/* Whoever writes to a ring's memory could be another, or no more who opened it: it speaks for nobody. */
static void a_ring_asks_in_nobodys_name(void)
{
	struct sender called, ringed;
	struct reply reply;

	begin(8, 100);
	CHECK(handle_call(it, (enum code)WHO, NULL, 0, &called, sizeof called, 0) == OK && called.uid == 0 && called.pid != 0);
	CHECK(ring_put(&ring, &(struct request){ .op = OP_CALL, .tag = 1, .arg = { WHO, 0, 0, 0, sizeof ringed } }) == OK);
	CHECK(wait_reply(&ring, &reply) && reply.result == OK);
	memcpy(&ringed, ring.data, sizeof ringed);
	CHECK(ringed.uid == UINT32_MAX && ringed.gid == UINT32_MAX && ringed.pid == 0 && ringed.tid == 0 && ringed.group == 0 && ringed.session == 0);
	end();
}

/* Where each request is judged by its sender there are no rings. */
static void servers_that_must_know_who_asks_refuse_rings(void)
{
	static const struct { const char *scheme, *ref; } things[] = { { "file", "/tmp" }, { "procfs", "/" }, { "posix", "" }, { "pty", "ptmx" } };
	struct ring refused;
	uint32_t opened = 0;
	handle_t h;

	for (uint32_t i = 0; i < ARRAY_COUNT(things); i++) {
		if (handle_open(things[i].scheme, things[i].ref, OPEN_READ, &h))
			continue;
		opened++;
		CHECK(ring_open(&refused, h, 8, 100) == ERR_NOTTY);
		handle_close(h);
	}
	CHECK(opened >= 2);
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

/* The handle of a thing that tells nothing of itself tells of its ring. */
static void poll_and_event_queues_tell_of_replies(void)
{
	struct poll_entry p;
	struct event event;
	struct reply reply;
	handle_t queue;
	uint32_t tid;
	int64_t result = 0;

	begin(4, 0);
	p = (struct poll_entry){ .handle = it, .wanted = READY_PRIORITY };
	struct event_interest interest = { .handle = it, .wanted = READY_PRIORITY, .cookie = 7 };
	CHECK(handle_open("event", "", OPEN_READ | OPEN_WRITE, &queue) == OK);
	CHECK(handle_call(queue, EVENT_ADD, &interest, sizeof interest, NULL, 0, 0) == OK);
	for (uint32_t round = 0; round < 20; round++) {
		CHECK(put_call(0, KEEP, 0) == OK);
		CHECK(ring_arm(&ring) == OK);
		CHECK(sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW) == 0);
		CHECK(round ? ask(ANSWER, 5) == 1 : thread_create(answer_soon, &result, &tid) == OK);
		CHECK(handle_call(queue, EVENT_WAIT, NULL, 0, &event, sizeof event, now_ns() + 2000000000) == 1);
		CHECK(event.cookie == 7 && event.found == READY_PRIORITY);
		CHECK(sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW) == 1 && p.found == READY_PRIORITY);
		CHECK(ring_take(&ring, &reply) && reply.result == (round ? 5 : 99) && !ring_take(&ring, &reply));
	}
	CHECK(ring_arm(&ring) == OK && sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW) == 0);
	/* What is answered at once need not be waited for. */
	CHECK(put_call(0, ADD, 0) == OK && ring_arm(&ring) == ERR_AGAIN && ring_take(&ring, &reply));
	p.wanted = READY_READ;
	CHECK(sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW) == 1 && p.found == READY_READ);
	handle_close(queue);
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
		handle_t client = client_start();
		sys_sleep(0, HANDLE_NONE, now_ns() + 100000000);
		child_stop(client);
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
			child_wait(server_process);
			handle_close(server_process);
			server_process = server_start();
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
		return strcmp(startup_argument(1), "scheme") == 0 ? serve(&server_ops) : client();

	int64_t h = sys_scheme(0, HANDLE_NONE, 0);
	endpoint = (handle_t)h;
	if (h < 0 || !child_image_open()) {
		print("not ok %u - the test can begin\n1..%u\n", points + 1, points + 1);
		return 1;
	}
	server_process = server_start();
	run("the same functions answer what is called and what is ringed", the_same_functions_answer_what_is_called_and_what_is_ringed);
	run("data goes both ways through the shared memory", data_goes_both_ways_through_the_shared_memory);
	run("what a ring cannot do is an error", what_a_ring_cannot_do_is_an_error);
	run("rights bound a ring", rights_bound_a_ring);
	run("a ring asks in nobody's name", a_ring_asks_in_nobodys_name);
	run("servers that must know who asks refuse rings", servers_that_must_know_who_asks_refuse_rings);
	run("kept requests are answered out of order", kept_requests_are_answered_out_of_order);
	run("who waits is woken by a late answer", who_waits_is_woken_by_a_late_answer);
	run("poll and event queues tell of replies", poll_and_event_queues_tell_of_replies);
	run("batches of calls reach a server", batches_of_calls_reach_a_server);
	run("a batch costs one call at most", a_batch_costs_one_call_at_most);
	run("a ring's memory cannot be taken away", a_rings_memory_cannot_be_taken_away);
	run("a hostile client harms itself only", a_hostile_client_harms_itself_only);
	run("a hostile server loses its ring", a_hostile_server_loses_its_ring);
	run("many rings have a limit", many_rings_have_a_limit);
	run("streams of several clients arrive whole", streams_of_several_clients_arrive_whole);
	run("a killed client leaves no ring", a_killed_client_leaves_no_ring);
	run("a server that dies ends what is in flight", a_server_that_dies_ends_what_is_in_flight);
	child_stop(server_process);
	print("1..%u\n", points);
	return failures != 0;
}
