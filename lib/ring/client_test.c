/* lib/ring/client_test.c - the client's end against a well-behaved server, a lying one, and one in another thread. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include "abi/ops.h"
#include "lib/ring/client.h"
#include "lib/test/test.h"

enum { ENTRIES = 8, BYTES = 4096 };

static _Alignas(64) uint8_t memory[BYTES];
static bool busy[ENTRIES];
static struct ring ring;
static uint32_t server_taken, server_replied;

static void start(void)
{
	memset(memory, 0, sizeof memory);
	memset(busy, 0, sizeof busy);
	ring_init(&ring, memory, BYTES, ENTRIES, busy);
	server_taken = server_replied = 0;
}

static err_t put(uint32_t tag)
{
	struct request q = { .op = OP_CALL, .tag = tag, .handle = HANDLE_NONE, .arg = { tag * 3 } };
	return ring_put(&ring, &q);
}

static void reply(uint32_t tag, int64_t result)
{
	struct reply *replies = (struct reply *)ring.replies;

	replies[server_replied++ % ENTRIES] = (struct reply){ .tag = tag, .handle = HANDLE_NONE, .result = result };
	ring_publish(&ring.header->replies_put, server_replied);
}

static struct request server_take(void)
{
	struct request q;
	uint32_t count;

	CHECK_EQ(ring_count(&ring.header->requests_put, server_taken, ENTRIES, &count), OK);
	CHECK(count > 0);
	ring_request_copy(&q, &ring.requests[server_taken++ % ENTRIES]);
	return q;
}

TEST(limits_of_entries_and_bytes)
{
	CHECK(ring_entries_fit(4, 4096) && ring_entries_fit(1024, RING_BYTES_MAX));
	CHECK(!ring_entries_fit(0, 4096) && !ring_entries_fit(2, 4096) && !ring_entries_fit(6, 4096) && !ring_entries_fit(2048, RING_BYTES_MAX));
	CHECK(!ring_entries_fit(1ull << 32, RING_BYTES_MAX) && !ring_entries_fit(4, RING_BYTES_MAX + 1) && !ring_entries_fit(64, 4096));
	CHECK(ring_entries_fit(4, ring_data_offset(4)) && !ring_entries_fit(4, ring_data_offset(4) - 1));
}

TEST(requests_arrive_as_they_were_put_and_only_when_shown)
{
	struct reply r;
	uint32_t count;

	start();
	CHECK_EQ(put(5), OK);
	CHECK_EQ(ring_count(&ring.header->requests_put, 0, ENTRIES, &count), OK);
	CHECK_EQ(count, 0);
	CHECK(ring_show(&ring));
	struct request q = server_take();
	CHECK(q.op == OP_CALL && q.tag == 5 && q.arg[0] == 15);
	CHECK(!ring_take(&ring, &r));
	reply(5, 77);
	CHECK(ring_take(&ring, &r) && r.tag == 5 && r.result == 77);
	CHECK(!ring_take(&ring, &r) && ring_in_flight(&ring) == 0);
	CHECK(ring.header->replies_taken == 1);
}

TEST(a_full_ring_a_busy_tag_and_no_tag_are_told)
{
	struct reply r;

	start();
	CHECK_EQ(put(ENTRIES), ERR_INVAL);
	CHECK_EQ(put(0), OK);
	CHECK_EQ(put(0), ERR_BUSY);
	for (uint32_t tag = 1; tag < ENTRIES; tag++)
		CHECK_EQ(put(tag), OK);
	CHECK_EQ(put(0), ERR_AGAIN);
	ring_show(&ring);
	reply(3, 0);
	CHECK(ring_take(&ring, &r));
	CHECK_EQ(put(0), ERR_BUSY);
	CHECK_EQ(put(3), OK);
}

TEST(positions_go_round)
{
	struct reply r;

	start();
	server_taken = server_replied = ring.put = ring.taken = ring.shown = UINT32_MAX - 20;
	ring.header->requests_put = ring.header->replies_put = UINT32_MAX - 20;
	for (uint32_t i = 0; i < 100; i++) {
		CHECK_EQ(put(i % ENTRIES), OK);
		CHECK_EQ(put((i + 1) % ENTRIES), OK);
		ring_show(&ring);
		struct request one = server_take(), two = server_take();
		reply(two.tag, 2);
		reply(one.tag, 1);
		CHECK(ring_take(&ring, &r) && r.tag == two.tag && r.result == 2);
		CHECK(ring_take(&ring, &r) && r.tag == one.tag && r.result == 1);
	}
}

TEST(a_batch_is_the_same_as_one_by_one)
{
	struct reply r;

	start();
	server_taken = server_replied = ring.put = ring.taken = ring.shown = ENTRIES - 2;
	ring.header->requests_put = ring.header->replies_put = ENTRIES - 2;
	for (uint32_t round = 0; round < 5; round++) {
		struct ring_batch b = ring_batch_begin(&ring);
		for (uint32_t tag = 0; tag < 5; tag++)
			CHECK(tag == 2 ? ring_batch_put(&b, &(struct request){ .op = OP_WRITE, .tag = 2, .arg = { 1, 2, 3 } })
			               : ring_batch_put_call(&b, tag, 9000 + tag, tag * 7));
		CHECK(!ring_batch_put_call(&b, 4, 9000, 0) && !ring_batch_put_call(&b, ENTRIES, 9000, 0));
		CHECK(!ring_batch_take(&b, &r));
		ring_batch_end(&b);
		CHECK(ring_in_flight(&ring) == 5 && ring_show(&ring));
		for (uint32_t tag = 0; tag < 5; tag++) {
			struct request q = server_take();
			CHECK_EQ(q.tag, tag);
			CHECK_EQ(q.op, tag == 2 ? (uint32_t)OP_WRITE : (uint32_t)RING_BARE_CALL);
			CHECK(tag == 2 || (q.flags == 0 && (uint32_t)q.arg[0] == 9000 + tag && q.arg[5] == tag * 7));
			reply(tag, tag + round);
		}
		b = ring_batch_begin(&ring);
		for (uint32_t tag = 0; tag < 5; tag++)
			CHECK(ring_batch_take(&b, &r) && r.tag == tag && r.result == tag + round);
		CHECK(!ring_batch_take(&b, &r));
		ring_batch_end(&b);
		CHECK(ring.header->replies_taken == ring.header->replies_put);
	}
}

TEST(replies_that_come_while_a_batch_is_taken_are_taken_too)
{
	struct reply r;

	start();
	CHECK_EQ(put(0), OK);
	CHECK_EQ(put(1), OK);
	reply(1, 10);
	struct ring_batch b = ring_batch_begin(&ring);
	CHECK(ring_batch_take(&b, &r) && r.tag == 1);
	CHECK(!ring_batch_take(&b, &r));
	reply(0, 20);
	CHECK(ring_batch_take(&b, &r) && r.tag == 0 && r.result == 20);
	CHECK(!ring_batch_take(&b, &r));
	ring_batch_end(&b);
	CHECK_EQ(ring_in_flight(&ring), 0);
}

TEST(a_batch_of_a_ring_that_lies_ends_what_is_in_flight)
{
	struct reply r;

	start();
	for (uint32_t tag = 0; tag < 4; tag++)
		CHECK_EQ(put(tag), OK);
	reply(2, 0);
	reply(2, 0);
	struct ring_batch b = ring_batch_begin(&ring);
	CHECK(ring_batch_take(&b, &r) && r.tag == 2 && r.result == 0);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(ring_batch_take(&b, &r) && r.tag != 2 && r.result == ERR_PROTO);
	CHECK(!ring_batch_take(&b, &r) && !ring_batch_put_call(&b, 0, 9000, 0));
	ring_batch_end(&b);
	CHECK_EQ(put(0), ERR_PROTO);
	CHECK_EQ(ring_in_flight(&ring), 0);
}

static void check_lost(uint32_t count)
{
	struct reply r;
	bool seen[ENTRIES] = { false };

	for (uint32_t i = 0; i < count; i++) {
		CHECK(ring_take(&ring, &r));
		CHECK(r.tag < ENTRIES && !seen[r.tag] && r.result == ERR_PROTO);
		seen[r.tag] = true;
	}
	CHECK(!ring_take(&ring, &r) && ring_in_flight(&ring) == 0);
	CHECK_EQ(put(0), ERR_PROTO);
}

TEST(a_reply_to_what_was_not_asked_loses_the_ring)
{
	start();
	CHECK(put(1) == OK && put(2) == OK && put(6) == OK);
	reply(3, 0);
	check_lost(3);
	start();
	CHECK(put(1) == OK && put(2) == OK);
	reply(0xffffffff, 0);
	check_lost(2);
}

TEST(a_second_reply_to_one_request_loses_the_ring)
{
	struct reply r;

	start();
	CHECK(put(1) == OK && put(2) == OK);
	reply(1, 0);
	reply(1, 0);
	CHECK(ring_take(&ring, &r) && r.tag == 1 && r.result == 0);
	check_lost(1);
}

TEST(a_position_that_jumps_loses_the_ring)
{
	uint32_t jumps[] = { 3, 100, UINT32_MAX, 1u << 31 };

	for (uint32_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		start();
		CHECK(put(1) == OK && put(2) == OK);
		ring.header->replies_put = jumps[i];
		check_lost(2);
	}
}

TEST(who_is_asleep_must_be_called)
{
	start();
	CHECK(ring_show(&ring));
	ring_stay_awake(ring.header);
	CHECK(!ring_show(&ring));
	ring_fall_asleep(ring.header);
	CHECK(ring_show(&ring));
}

/* ---- Two threads ---- */

enum { STREAM = 200000 };
static pthread_mutex_t bell_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
static bool is_called, is_answered, is_over;

/* RING_WAIT: the call, its answer. */
static void call_server(void)
{
	pthread_mutex_lock(&bell_lock);
	is_called = true;
	is_answered = false;
	pthread_cond_broadcast(&bell);
	while (!is_answered)
		pthread_cond_wait(&bell, &bell_lock);
	pthread_mutex_unlock(&bell_lock);
}

static bool wait_for_call(void)
{
	pthread_mutex_lock(&bell_lock);
	while (!is_called && !is_over)
		pthread_cond_wait(&bell, &bell_lock);
	bool was_called = is_called;
	is_called = false;
	pthread_mutex_unlock(&bell_lock);
	return was_called;
}

static void answer_call(void)
{
	pthread_mutex_lock(&bell_lock);
	is_answered = true;
	pthread_cond_broadcast(&bell);
	pthread_mutex_unlock(&bell_lock);
}

static uint32_t serve_what_is_there(void)
{
	uint32_t count, n;

	if (ring_count(&ring.header->requests_put, server_taken, ENTRIES, &count))
		abort();
	for (n = 0; n < count; n++) {
		struct request q;
		ring_request_copy(&q, &ring.requests[server_taken++ % ENTRIES]);
		reply(q.tag, (int64_t)q.arg[0] + 1);
	}
	return n;
}

static void *server_run(void *unused)
{
	while (wait_for_call()) {
		serve_what_is_there();
		answer_call();
		ring_stay_awake(ring.header);
		for (;;) {
			for (uint32_t idle = 0; idle < 4; idle++) {
				if (serve_what_is_there())
					idle = 0;
				sched_yield();
			}
			ring_fall_asleep(ring.header);
			if (!serve_what_is_there())
				break;
			ring_stay_awake(ring.header);
		}
	}
	return unused;
}

TEST(a_stream_between_two_threads_arrives_whole_and_loses_no_wake_up)
{
	pthread_t server;
	uint64_t put_count = 0, taken = 0, expected[ENTRIES];
	struct reply r;

	start();
	is_called = is_over = false;
	CHECK_EQ(pthread_create(&server, NULL, server_run, NULL), 0);
	while (taken < STREAM) {
		struct request q = { .op = OP_CALL, .tag = (uint32_t)(put_count % ENTRIES), .arg = { put_count } };
		while (put_count < STREAM && ring_put(&ring, &q) == OK) {
			expected[q.tag] = put_count + 1;
			put_count++;
			q.tag = (uint32_t)(put_count % ENTRIES);
			q.arg[0] = put_count;
		}
		if (ring_show(&ring))
			call_server();
		while (!ring_take(&ring, &r))
			sched_yield();
		do {
			CHECK_EQ((uint64_t)r.result, expected[r.tag]);
			taken++;
		} while (ring_take(&ring, &r));
		CHECK_EQ(ring.lost, OK);
	}
	pthread_mutex_lock(&bell_lock);
	is_over = true;
	pthread_cond_broadcast(&bell);
	pthread_mutex_unlock(&bell_lock);
	pthread_join(server, NULL);
}
