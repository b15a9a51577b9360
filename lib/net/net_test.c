/* lib/net/net_test.c - a card whose device is this test: clients' rings honest and hostile, sleeping and waking, takeovers, listeners, a device that hangs. */
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/ethernet/ethernet.h"
#include "lib/net/card.h"
#include "lib/test/test.h"

enum { ENTRIES = 16, BUFFERS = 40, DEVICE = 8, OPENS = 16, LOG = 4096 };

/* ---- What lib/net asks of the machine ---- */

static uint64_t now_ns;
static uint32_t notified, notified_mask, answers, fails;
static bool has_received;               /* the kernel takes a server's word from then on */
static int64_t answer;
static uint8_t answered[SCHEME_BUFFER_BYTES];
static struct scheme_deferred *kept;
static uint8_t *memory;                 /* the client's */
static size_t memory_bytes;
static uint32_t mapped;
static err_t map_error;
static struct ethernet client;

uint64_t net_now(void) { return now_ns; }
uint64_t net_time(void) { return 77; }
void print(const char *format, ...) { (void)format; }
void driver_fail(const char *why) { (void)why; fails++; }
void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *t)) { list_init(&t->link); t->fire = fire; }
static struct list_node timers;
void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns)
{
	(void)s;
	list_remove(&t->link);
	t->deadline_ns = deadline_ns;
	list_push_back(&timers, &t->link);
}
void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask)
{
	(void)s;
	CHECK(id != 0);
	if (!has_received)
		return;
	notified = (notified & ~mask) | ready;
	notified_mask |= mask;
}
int64_t scheme_defer(struct scheme_request *r, struct scheme_deferred *d)
{
	d->out_max = r->out_max;
	kept = d;
	return SCHEME_LATER;
}
err_t scheme_answer(struct scheme_deferred *d, int64_t result)
{
	CHECK_EQ(kept, d);
	kept = NULL;
	answers++;
	answer = result;
	return OK;
}
err_t scheme_answer_data(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes)
{
	memcpy(answered, data, bytes);
	return scheme_answer(d, result);
}
err_t scheme_in_struct(struct scheme_request *r, void *to, size_t bytes)
{
	if (r->in_bytes < bytes)
		return ERR_INVAL;
	memcpy(to, r->in, bytes);
	return OK;
}
err_t scheme_out(struct scheme_request *r, const void *from, size_t bytes)
{
	memcpy(r->out, from, bytes);
	r->out_bytes = bytes;
	return OK;
}
err_t net_memory_map(handle_t object, uint32_t entries, bool needs_device, struct net_memory *out)
{
	(void)object;
	if (map_error)
		return map_error;
	if (!ethernet_ring_fits(entries, memory_bytes))
		return ERR_INVAL;
	*out = (struct net_memory){ .at = memory, .bytes = memory_bytes };
	if (needs_device && !(out->page = heap_alloc(memory_bytes / 4096 * sizeof(*out->page))))
		return ERR_NOMEM;
	/* Scattered: page n is nowhere near page n + 1. */
	for (size_t i = 0; out->page && i < memory_bytes / 4096; i++)
		out->page[i] = (uint64_t)(i + 1) << 32;
	mapped++;
	return OK;
}
void net_memory_unmap(struct net_memory *m)
{
	heap_free(m->page, m->bytes / 4096 * sizeof(*m->page));
	mapped--;
}

/* ---- The device ---- */

static struct {
	bool is_on, is_silent, is_refusing;
	uint32_t starts, stops, kicks, arms, filters;
	struct net_frame out[DEVICE];           /* not yet sent */
	uint32_t out_count;
	uint64_t in[DEVICE];                    /* empty buffers: addresses */
	uint32_t in_count;
	uint8_t wire[LOG][64];                  /* what was sent: its beginning */
	uint32_t wire_bytes[LOG], sent;
	bool has_news, is_never_quiet, is_sending_armed;
	bool copies;
	struct { uint8_t first; uint32_t bytes; } come[DEVICE];        /* frames that have arrived */
	uint32_t come_count;
} device;

static uint8_t *at_address(uint64_t address, uint32_t bytes)
{
	uint64_t page = (address >> 32) - 1, offset = address & UINT32_MAX;

	CHECK(page < memory_bytes / 4096 && range_fits(offset, bytes, 4096));
	return memory + page * 4096 + offset;
}

static err_t device_start(void *driver, uint32_t queues)
{
	(void)driver, (void)queues;
	CHECK(!device.is_on);
	device.is_on = true;
	device.starts++;
	return OK;
}

static void device_stop(void *driver)
{
	(void)driver;
	CHECK(device.is_on);
	device.is_on = false;
	device.stops++;
	device.out_count = device.in_count = 0;
}

static err_t device_send(void *driver, uint32_t queue, const struct net_frame *f)
{
	(void)driver, (void)queue;
	CHECK(device.is_on && f->count > 0);
	if (device.is_refusing)
		return ERR_INVAL;
	if (device.out_count == DEVICE)
		return ERR_AGAIN;
	device.out[device.out_count++] = *f;
	return OK;
}

static bool device_give(void *driver, uint32_t queue, uint64_t address, const uint8_t *at)
{
	(void)driver, (void)queue;
	CHECK(device.is_on);
	if (device.in_count == DEVICE)
		return false;
	CHECK_EQ(at_address(address, ETHERNET_BUFFER_BYTES), at);
	device.in[device.in_count++] = address;
	return true;
}

static void device_kick(void *driver, uint32_t queue) { (void)driver, (void)queue; device.kicks++; }

static void wire_put(const struct net_frame *f)
{
	uint32_t n = device.sent++ % LOG, at = 0;

	device.wire_bytes[n] = f->bytes;
	for (uint32_t i = 0; i < f->count && at < 64; at += f->piece[i++].bytes)
		memcpy(device.wire[n] + at, device.copies ? f->piece[i].at : at_address(f->piece[i].address, f->piece[i].bytes), MIN_OF(f->piece[i].bytes, 64 - at));
}

static void frame_come(uint32_t queue, uint8_t first, uint32_t bytes)
{
	static const struct ethernet_entry plain;
	uint8_t copy[ETHERNET_BUFFER_BYTES];

	if (device.copies) {
		memset(copy, first, sizeof(copy));
		net_receive_copy(queue, copy, bytes);
		return;
	}
	CHECK(device.in_count > 0);
	memset(at_address(device.in[0], ETHERNET_BUFFER_BYTES) + NET_HEADROOM, first, bytes);
	memmove(device.in, device.in + 1, --device.in_count * sizeof(device.in[0]));
	net_received(queue, NET_HEADROOM, bytes, &plain);
}

static void device_poll(void *driver, uint32_t queue)
{
	(void)driver;
	for (uint32_t i = 0; i < device.come_count; i++)
		frame_come(queue, device.come[i].first, device.come[i].bytes);
	device.come_count = 0;
	while (!device.is_silent && device.out_count > 0) {
		wire_put(&device.out[0]);
		net_sent(queue, device.out[0].slot);
		memmove(device.out, device.out + 1, --device.out_count * sizeof(device.out[0]));
	}
}

static bool device_arm(void *driver, uint32_t queue, bool is_sending)
{
	bool had = device.has_news;

	(void)driver, (void)queue;
	device.arms++;
	device.has_news = false;
	device.is_sending_armed = is_sending;
	return !had && !device.is_never_quiet;
}

static void device_filter(void *driver) { (void)driver; device.filters++; }

static const struct net_ops ops = {
	.start = device_start, .stop = device_stop, .send = device_send, .give = device_give, .kick = device_kick, .poll = device_poll, .arm = device_arm, .filter = device_filter,
};
static const struct net_ops copying_ops = {
	.start = device_start, .stop = device_stop, .send = device_send, .kick = device_kick, .poll = device_poll, .arm = device_arm, .filter = device_filter,
};

/* A frame arrives: found at the next poll. */
static void arrive(uint8_t first, uint32_t bytes)
{
	CHECK(device.come_count < DEVICE);
	device.come[device.come_count].first = first;
	device.come[device.come_count++].bytes = bytes;
}

/* ---- The client and its requests ---- */

static struct server server;
static struct device pci;
static struct net_card card;
static struct net_state *state;
static struct net_open *opened[OPENS];
static uint32_t opened_count;
static uint8_t out[SCHEME_BUFFER_BYTES];

static int64_t request(void *open, uint32_t code, const void *in, size_t bytes, handle_t passed, uint64_t word)
{
	struct message m = { 0 };
	struct scheme_request r = { .scheme = &net.scheme, .message = &m, .open = open, .in = in, .in_here = bytes, .in_bytes = bytes, .out = out, .out_room = sizeof(out),
	                            .out_max = sizeof(out), .passed = passed };

	return net_scheme_ops.call(&r, code, word);
}

static int64_t open_at(void *at, const char *ref, uint32_t open_flags, struct net_open **o)
{
	static uint64_t next_id = 100;
	struct message m = { 0 };
	struct scheme_request r = { .scheme = &net.scheme, .message = &m, .open = at, .passed = HANDLE_NONE };
	int64_t result = net_scheme_ops.open(&r, ref, strlen(ref), open_flags, 0);

	if (result == OK) {
		*o = opened[opened_count++] = r.opened;
		net_scheme_ops.named(&net.scheme, *o, next_id++);
	}
	return result;
}

static void close_open(struct net_open *o)
{
	for (uint32_t i = 0; i < opened_count; i++)
		if (opened[i] == o)
			opened[i] = opened[--opened_count];
	net_scheme_ops.close(&net.scheme, o);
}

static int64_t pass(struct net_open *o)
{
	struct ethernet_setup setup = { .entries = ENTRIES };

	return request(o, ETHERNET_RING, &setup, sizeof(setup), 5, 0);
}

static int64_t call(struct net_open *o, uint64_t flags)
{
	return request(o, ETHERNET_CALL, NULL, 0, HANDLE_NONE, client.taken | flags | (uint64_t)net.link << ETHERNET_LINK_SHIFT);
}

static void fire_timers(void)
{
	struct list_node due = LIST_INIT(due);

	has_received = true;
	list_move_all(&due, &timers);
	while (!list_is_empty(&due)) {
		struct server_timer *t = list_first(&due, struct server_timer, link);
		list_remove(&t->link);
		t->fire(t);
	}
}

static void forget(void)
{
	while (opened_count > 0)
		close_open(opened[0]);
	if (memory)
		CHECK_EQ(mapped, 0);
	ids_fini(&net.scheme.ids);
	free(memory);
	memory = NULL;
	free(state);
	state = NULL;
}

static void driver_begin(bool copies)
{
	net = (struct net){ 0 };
	has_received = false;
	device.is_on = device.has_news = false;
	device.out_count = device.in_count = 0;
	device.copies = copies;
	list_init(&timers);
	ids_init(&net.scheme.ids, (uint32_t)test_random());
	card = (struct net_card){ .ops = copies ? &copying_ops : &ops, .info = { .queues = 1, .mtu = ETHERNET_MTU, .is_up = 1 } };
	net_setup(&server, &pci, &card, state);
	net_restart();
	net_adopt();
}

static struct net_open *setup_with(bool copies)
{
	struct net_open *o;

	opened_count = 0;
	memset(&device, 0, sizeof(device));
	memory_bytes = round_up(ethernet_buffers_offset(ENTRIES) + BUFFERS * ETHERNET_BUFFER_BYTES, 4096);
	memory = aligned_alloc(4096, memory_bytes);
	memset(memory, 0, memory_bytes);
	state = calloc(1, sizeof(*state));
	notified = answers = fails = 0;
	kept = NULL;
	map_error = OK;
	driver_begin(copies);
	ethernet_init(&client, memory, memory_bytes, ENTRIES);
	CHECK_EQ(open_at(NULL, "", OPEN_READ | OPEN_WRITE, &o), OK);
	CHECK_EQ(pass(o), OK);
	fire_timers();
	return o;
}

static struct net_open *setup(void) { return setup_with(false); }

static bool put_bytes(uint8_t first, uint32_t bytes, uint16_t flags)
{
	uint32_t offset = ethernet_buffer(&client, ENTRIES + client.put % ENTRIES);

	memset(client.base + offset, first, bytes);
	return ethernet_put(&client, &(struct ethernet_entry){ .offset = offset, .bytes = (uint16_t)bytes, .entry_flags = flags });
}

static void give(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		CHECK(ethernet_give(&client, ethernet_buffer(&client, client.given % ENTRIES)));
}

/* ---- Rules ---- */

TEST(what_is_put_is_sent_in_order)
{
	struct net_open *o = setup();

	for (uint32_t n = 0; n < 1000; n++) {
		CHECK(put_bytes((uint8_t)n, 60 + n % 1400, 0));
		if (n % 5 == 4 || n == 999)
			if (ethernet_publish(&client))
				CHECK_EQ(call(o, 0), OK);
	}
	CHECK_EQ(device.sent, 1000);
	for (uint32_t n = 0; n < 1000; n++) {
		CHECK_EQ(device.wire[n][0], (uint8_t)n);
		CHECK_EQ(device.wire_bytes[n], 60 + n % 1400);
	}
	CHECK_EQ(ethernet_sent(&client), 1000);
	CHECK_EQ(state->statistics.sent, 1000);
	forget();
}

TEST(what_arrives_is_taken_in_order_out_of_the_clients_own_buffers)
{
	struct net_open *o = setup();
	struct ethernet_entry e;

	give(ENTRIES);
	for (uint32_t n = 0; n < 1000; n++) {
		if (ethernet_publish(&client) || n % 4 == 0)
			CHECK_EQ(call(o, 0), OK);
		arrive((uint8_t)n, 60 + n % 1400);
		net_interrupt(0);
		CHECK(ethernet_take(&client, &e));
		CHECK_EQ(e.bytes, 60 + n % 1400);
		CHECK_EQ(client.base[e.offset], (uint8_t)n);
		CHECK(!ethernet_take(&client, &e));
		CHECK(ethernet_give(&client, (uint32_t)round_down(e.offset, ETHERNET_BUFFER_BYTES)));
	}
	CHECK_EQ(state->statistics.received, 1000);
	forget();
}

TEST(an_awake_driver_is_not_called)
{
	struct net_open *o = setup();

	device.is_silent = true;
	CHECK(put_bytes(1, 60, 0));
	CHECK(ethernet_publish(&client));       /* it sleeps */
	CHECK_EQ(call(o, 0), OK);
	/* While it works its line says that it wants nothing. */
	atomic_store(&client.ring->wants, 0);
	CHECK(put_bytes(2, 60, 0));
	CHECK(!ethernet_publish(&client));
	net_interrupt(0);
	CHECK_EQ(device.out_count, 2);
	CHECK(put_bytes(3, 60, 0));
	CHECK(ethernet_publish(&client));
	forget();
}

TEST(what_came_at_the_last_moment_is_looked_at_again_though_nobody_tells)
{
	struct net_open *o = setup();

	device.is_never_quiet = true;
	CHECK_EQ(call(o, 0), OK);
	/* Put while the driver works, so without a call; it has had its turns. */
	atomic_store(&client.ring->wants, 0);
	CHECK(put_bytes(1, 60, 0));
	CHECK(!ethernet_publish(&client));
	device.is_never_quiet = false;
	fire_timers();
	CHECK_EQ(device.sent, 1);
	forget();
}

TEST(who_is_short_of_buffers_asks_for_them)
{
	struct net_open *o = setup();

	give(2);
	CHECK(ethernet_publish(&client));       /* it had none */
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.in_count, 2);
	give(8);
	CHECK(ethernet_publish(&client));       /* two are not many */
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.in_count, DEVICE);
	give(1);
	CHECK(!ethernet_publish(&client));
	forget();
}

TEST(who_waits_is_answered_when_something_comes)
{
	struct net_open *o = setup();

	give(4);
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, ETHERNET_WAIT), SCHEME_LATER);
	CHECK_EQ(call(o, ETHERNET_WAIT), ERR_BUSY);
	net_interrupt(0);
	CHECK_EQ(answers, 0);
	arrive(9, 60);
	net_interrupt(0);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer, OK);
	CHECK_EQ(call(o, ETHERNET_WAIT), OK);   /* not taken yet */
	forget();
}

TEST(who_is_to_be_told_is_told_once_and_again_when_he_asked)
{
	struct net_open *o = setup();
	struct ethernet_entry e;

	give(8);
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, ETHERNET_TELL), OK);
	CHECK_EQ(notified, 0);
	arrive(1, 60);
	net_interrupt(0);
	CHECK_EQ(notified, READY_READ);
	CHECK(ethernet_take(&client, &e));
	CHECK_EQ(call(o, ETHERNET_TELL), OK);
	CHECK_EQ(notified, 0);
	net_link(false, 0);
	CHECK_EQ(notified, READY_READ);
	CHECK_EQ(atomic_load(&client.ring->link) & 1, 0);
	forget();
}

TEST(room_is_told_when_half_is_done)
{
	struct net_open *o = setup();

	device.is_silent = true;
	for (uint32_t i = 0; i < ENTRIES; i++)
		CHECK(put_bytes(1, 60, 0));
	CHECK(!put_bytes(1, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, ETHERNET_WAIT | ETHERNET_ROOM), SCHEME_LATER);
	CHECK(device.is_sending_armed);
	device.is_silent = false;
	net_interrupt(0);
	CHECK_EQ(answers, 1);
	CHECK_EQ(device.sent, ENTRIES);
	CHECK(put_bytes(1, 60, 0));
	forget();
}

TEST(a_frame_of_many_pieces_is_one_frame)
{
	struct net_open *o = setup();

	CHECK(put_bytes(1, 14, ETHERNET_MORE));
	CHECK(put_bytes(2, 20, ETHERNET_MORE));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.sent, 0);
	CHECK(put_bytes(3, 30, 0));
	CHECK(put_bytes(4, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.sent, 2);
	CHECK_EQ(device.wire_bytes[0], 64);
	CHECK_EQ(device.wire[0][13], 1);
	CHECK_EQ(device.wire[0][14], 2);
	CHECK_EQ(device.wire[0][34], 3);
	CHECK_EQ(device.wire_bytes[1], 60);
	forget();
}

TEST(what_makes_no_sense_is_refused_and_the_rest_is_sent)
{
	struct net_open *o = setup();
	struct ethernet_entry bad[] = {
		{ .offset = 0, .bytes = 60 }, { .offset = client.buffers - 1, .bytes = 60 }, { .offset = (uint32_t)memory_bytes, .bytes = 60 },
		{ .offset = UINT32_MAX, .bytes = 60 }, { .offset = (uint32_t)memory_bytes - 10, .bytes = 60 }, { .offset = client.buffers + 4000, .bytes = 200 },
		{ .offset = client.buffers, .bytes = 0 }, { .offset = client.buffers, .bytes = 13 }, { .offset = client.buffers, .bytes = ETHERNET_FRAME_MAX + 1 },
		{ .offset = client.buffers, .bytes = 60, .entry_flags = ETHERNET_CHECKSUM, .checksum_start = 14 }, { .offset = client.buffers, .bytes = 60, .entry_flags = 1 << 9 | ETHERNET_CHECKED },
		{ .offset = client.buffers, .bytes = 60, .entry_flags = ETHERNET_SEGMENT_TCP4, .segment_bytes = 10, .header_bytes = 50 },
	};

	for (uint32_t i = 0; i < ARRAY_COUNT(bad); i++) {
		CHECK(ethernet_put(&client, &bad[i]));
		CHECK(put_bytes((uint8_t)i, 60, 0));
		(void)ethernet_publish(&client);
		CHECK_EQ(call(o, 0), OK);
		CHECK_EQ(device.sent, i + 1);
		CHECK_EQ(device.wire[i][0], i);
		CHECK_EQ(state->statistics.refused, i + 1);
		CHECK_EQ(ethernet_sent(&client), client.put);
	}
	forget();
}

TEST(offloads_that_the_card_has_are_checked)
{
	struct net_open *o = setup();
	struct ethernet_entry good = { .offset = client.buffers, .bytes = 100, .entry_flags = ETHERNET_CHECKSUM, .checksum_start = 34, .checksum_offset = 16 };
	struct ethernet_entry cut = good, bad;

	net.queue[0].ring.offloads = ETHERNET_CAN_CHECKSUM | ETHERNET_CAN_SEGMENT_TCP4;
	cut.entry_flags |= ETHERNET_SEGMENT_TCP4;
	cut.segment_bytes = 20;
	cut.header_bytes = 54;
	CHECK(ethernet_put(&client, &good) && ethernet_put(&client, &cut));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.sent, 2);
	for (uint32_t i = 0; i < 6; i++) {
		bad = i < 2 ? good : cut;
		bad.checksum_start = i == 0 ? 90 : i == 5 ? 60 : 34;
		bad.checksum_offset = i == 1 ? UINT16_MAX : 16;
		bad.segment_bytes = i == 2 ? 0 : 20;
		bad.header_bytes = i == 3 ? 100 : 54;
		if (i == 4)
			bad.entry_flags |= ETHERNET_SEGMENT_TCP6;
		CHECK(ethernet_put(&client, &bad));
		(void)ethernet_publish(&client);
		CHECK_EQ(call(o, 0), OK);
	}
	CHECK_EQ(device.sent, 2);
	CHECK_EQ(state->statistics.refused, 6);
	forget();
}

TEST(counts_that_make_no_sense_end_the_ring_not_the_driver)
{
	static const uint32_t counts[] = { ENTRIES + 1, 1u << 31, UINT32_MAX };

	for (uint32_t i = 0; i < 6; i++) {
		struct net_open *o = setup();
		atomic_store(i % 2 ? &client.ring->sent_put : &client.ring->empty_put, counts[i / 2]);
		CHECK_EQ(call(o, ETHERNET_WAIT), ERR_PROTO);
		net_interrupt(0);
		CHECK_EQ(device.out_count + device.in_count + device.sent, 0);
		forget();
	}
}

TEST(empty_buffers_that_are_none_end_the_ring)
{
	uint32_t offsets[] = { 0, 2048, 1, UINT32_MAX, UINT32_MAX - 2047, 1u << 30 };

	for (uint32_t i = 0; i < ARRAY_COUNT(offsets); i++) {
		struct net_open *o = setup();
		CHECK(ethernet_give(&client, offsets[i] == 1 ? client.buffers + 1 : offsets[i]));
		(void)ethernet_publish(&client);
		CHECK_EQ(call(o, 0), ERR_PROTO);
		CHECK_EQ(device.in_count, 0);
		forget();
	}
}

TEST(random_memory_harms_nobody_else)
{
	for (uint32_t round = 0; round < 300; round++) {
		struct net_open *o = setup();
		for (size_t i = 0; i < ethernet_buffers_offset(ENTRIES); i++)
			if (test_random() % 2)
				memory[i] = (uint8_t)test_random();
		for (uint32_t i = 0; i < 8; i++) {
			atomic_store(&client.ring->sent_put, net.queue[0].ring.sent_taken + (uint32_t)test_random() % (ENTRIES + 1));
			atomic_store(&client.ring->empty_put, net.queue[0].ring.empty_taken + (uint32_t)test_random() % 3);
			(void)call(o, test_random() & (ETHERNET_TELL | ETHERNET_ROOM));
			net_interrupt(0);
		}
		forget();
	}
}

TEST(a_successor_goes_on_and_sends_nothing_twice)
{
	struct net_open *o = setup();

	give(6);
	device.is_silent = true;
	for (uint32_t i = 0; i < 12; i++)
		CHECK(put_bytes((uint8_t)i, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.out_count, DEVICE);     /* eight are begun, four wait */
	arrive(50, 60);
	net_interrupt(0);

	/* The driver dies: nothing of its own memory is left but the state. Nobody frees what is the test's: so the old ring is taken out by hand. */
	net_ring_fini(&net.queue[0].ring);
	net_memory_unmap(&net.queue[0].ring.memory);
	heap_free(o, sizeof(*o));
	opened_count = 0;
	notified = 0;
	device.is_silent = false;
	driver_begin(false);
	fire_timers();
	CHECK_EQ(notified, READY_READ | READY_PRIORITY);
	o = opened[opened_count++] = list_first(&net.opens, struct net_open, link);
	CHECK_EQ(call(o, ETHERNET_WAIT), ERR_CONNRESET);
	CHECK_EQ(pass(o), OK);
	CHECK_EQ(notified, 0);
	fire_timers();
	CHECK_EQ(device.sent, 4);
	CHECK_EQ(device.wire[0][0], 8);
	CHECK_EQ(state->statistics.lost, 8);
	CHECK_EQ(ethernet_sent(&client), 12);
	CHECK_EQ(device.in_count, 5);
	struct ethernet_entry e;
	arrive(51, 60);
	net_interrupt(0);
	CHECK(ethernet_take(&client, &e));
	CHECK_EQ(client.base[e.offset], 50);
	CHECK(ethernet_take(&client, &e));
	CHECK_EQ(client.base[e.offset], 51);
	CHECK(!ethernet_take(&client, &e));
	forget();
}

TEST(positions_of_a_predecessor_that_make_no_sense_are_refused)
{
	struct net_open *o = setup();

	atomic_store(&client.ring->sent_taken, 1000);
	CHECK_EQ(pass(o), ERR_PROTO);
	CHECK_EQ(call(o, 0), ERR_CONNRESET);
	forget();
}

TEST(a_queue_has_one_owner)
{
	struct net_open *o = setup(), *other, *reader, *nobody;

	CHECK_EQ(open_at(NULL, "", OPEN_READ | OPEN_WRITE, &other), OK);
	CHECK_EQ(pass(other), ERR_BUSY);
	CHECK_EQ(call(other, 0), ERR_CONNRESET);
	CHECK_EQ(open_at(NULL, "", OPEN_READ, &reader), OK);
	CHECK_EQ(pass(reader), ERR_ACCES);
	CHECK_EQ(open_at(reader, "", OPEN_READ | OPEN_WRITE, &nobody), ERR_ACCES);
	close_open(o);
	CHECK_EQ(mapped, 0);
	CHECK_EQ(pass(other), OK);
	forget();
}

TEST(a_device_that_sends_nothing_is_reset_and_its_frames_are_lost)
{
	struct net_open *o = setup();

	device.is_silent = true;
	CHECK(put_bytes(1, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	uint32_t stops = device.stops, link = atomic_load(&client.ring->link);
	now_ns += 3000000000ull;
	fire_timers();
	CHECK_EQ(device.stops, stops + 1);
	CHECK_EQ(state->statistics.resets, 1);
	CHECK_EQ(state->statistics.lost, 1);
	CHECK_EQ(atomic_load(&client.ring->link), link + 2);
	device.is_silent = false;
	CHECK(put_bytes(2, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.sent, 1);
	CHECK_EQ(device.wire[0][0], 2);
	forget();
}

TEST(a_device_that_no_reset_helps_ends_the_driver)
{
	setup();
	for (uint32_t i = 0; i < 8; i++)
		net_reset("test");
	CHECK_EQ(fails, 0);
	net_reset("test");
	CHECK_EQ(fails, 1);
	forget();
}

TEST(a_device_that_is_gone_is_an_error_for_all)
{
	struct net_open *o = setup();

	CHECK_EQ(call(o, ETHERNET_WAIT), SCHEME_LATER);
	net_gone();
	CHECK_EQ(answer, ERR_NODEV);
	CHECK_EQ(call(o, 0), ERR_NODEV);
	CHECK_EQ(pass(o), ERR_NODEV);
	forget();
}

TEST(a_listener_gets_what_goes_by_cut_to_its_length)
{
	struct net_open *o = setup(), *tap;
	struct ethernet_record record;
	struct message m = { 0 };

	CHECK_EQ(open_at(o, "capture/20", OPEN_READ, &tap), OK);
	struct scheme_request r = { .scheme = &net.scheme, .message = &m, .open = tap, .out = out, .out_room = sizeof(out), .out_max = sizeof(out) };
	CHECK_EQ(net_scheme_ops.read(&r, sizeof(out), 0), SCHEME_LATER);
	give(2);
	CHECK(put_bytes(5, 100, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(answer, (int64_t)sizeof(record) + 24);
	memcpy(&record, answered, sizeof(record));
	CHECK_EQ(record.frame_bytes, 100);
	CHECK_EQ(record.bytes, 20);
	CHECK_EQ(record.is_sent, 1);
	CHECK_EQ(answered[sizeof(record) + 19], 5);
	CHECK_EQ(answered[sizeof(record) + 20], 0);
	arrive(6, 70);
	net_interrupt(0);
	CHECK_EQ(notified, READY_READ);
	CHECK_EQ(net_scheme_ops.read(&r, sizeof(record) + 10, 0), ERR_INVAL);
	CHECK_EQ(net_scheme_ops.read(&r, sizeof(out), 0), (int64_t)sizeof(record) + 24);
	memcpy(&record, out, sizeof(record));
	CHECK_EQ(record.is_sent, 0);
	CHECK_EQ(out[sizeof(record)], 6);
	CHECK_EQ(notified, 0);
	forget();
}

TEST(a_slow_listener_loses_records_and_is_told_how_many)
{
	struct net_open *o = setup(), *tap;
	struct ethernet_record record;
	struct message m = { 0 };
	uint64_t records = 0, lost = 0;

	CHECK_EQ(open_at(o, "capture/65472", OPEN_READ, &tap), OK);
	struct scheme_request r = { .scheme = &net.scheme, .message = &m, .open = tap, .out = out, .out_room = sizeof(out), .out_max = sizeof(out), .is_nonblock = true };
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 400; i++) {
			CHECK(put_bytes(5, 1514, 0));
			(void)ethernet_publish(&client);
			CHECK_EQ(call(o, 0), OK);
		}
		for (int64_t n; (n = net_scheme_ops.read(&r, sizeof(out), 0)) != ERR_AGAIN;) {
			CHECK(n > 0);
			for (int64_t at = 0; at < n; at += (int64_t)(sizeof(record) + round_up(record.bytes, 8)), records++) {
				memcpy(&record, out + at, sizeof(record));
				CHECK_EQ(record.bytes, 1514);
				lost += record.lost;
			}
		}
	}
	CHECK_EQ(state->statistics.captured, records);
	CHECK(lost > 0 && lost <= state->statistics.capture_dropped);
	CHECK_EQ(records + state->statistics.capture_dropped, 1200);
	forget();
}

TEST(nobody_listens_who_may_not)
{
	struct net_open *o = setup(), *asking, *none;

	(void)o;
	CHECK_EQ(open_at(NULL, "", 0, &asking), OK);
	CHECK_EQ(open_at(asking, "capture/96", OPEN_READ, &none), ERR_ACCES);
	CHECK_EQ(open_at(NULL, "capture/", OPEN_READ, &none), ERR_NOENT);
	CHECK_EQ(open_at(NULL, "capture/0", OPEN_READ, &none), ERR_NOENT);
	CHECK_EQ(open_at(NULL, "capture/65473", OPEN_READ, &none), ERR_NOENT);
	CHECK_EQ(open_at(NULL, "eth0", OPEN_READ, &none), ERR_NOENT);
	CHECK_EQ(request(asking, ETHERNET_INFO, NULL, 0, HANDLE_NONE, 0), OK);
	CHECK_EQ(request(asking, ETHERNET_STATISTICS, NULL, 0, HANDLE_NONE, 0), OK);
	struct ethernet_filter f = { .filter_flags = ETHERNET_PROMISCUOUS };
	CHECK_EQ(request(asking, ETHERNET_FILTER, &f, sizeof(f), HANDLE_NONE, 0), ERR_ACCES);
	forget();
}

TEST(a_filter_is_checked_and_outlives_the_driver)
{
	struct net_open *o = setup();
	struct ethernet_filter f = { .filter_flags = ETHERNET_PROMISCUOUS, .count = 1, .group = { { 1, 0, 0x5e } } };

	CHECK_EQ(request(o, ETHERNET_FILTER, &f, sizeof(f), HANDLE_NONE, 0), OK);
	CHECK_EQ(device.filters, 1);
	CHECK_EQ(card.filter.count, 1);
	f.group[0][0] = 2;
	CHECK_EQ(request(o, ETHERNET_FILTER, &f, sizeof(f), HANDLE_NONE, 0), ERR_INVAL);
	f.count = ETHERNET_GROUPS_MAX + 1;
	CHECK_EQ(request(o, ETHERNET_FILTER, &f, sizeof(f), HANDLE_NONE, 0), ERR_INVAL);
	CHECK_EQ(request(o, ETHERNET_FILTER, &f, 4, HANDLE_NONE, 0), ERR_INVAL);
	CHECK_EQ(state->filter.count, 1);
	forget();
}

TEST(a_card_that_copies_needs_no_mapping)
{
	struct net_open *o = setup_with(true);
	struct ethernet_entry e;

	arrive(3, 100);
	net_interrupt(0);
	CHECK_EQ(state->statistics.dropped, 1); /* no buffer */
	give(2);
	CHECK(put_bytes(4, 60, 0));
	(void)ethernet_publish(&client);
	CHECK_EQ(call(o, 0), OK);
	CHECK_EQ(device.sent, 1);
	CHECK_EQ(device.wire[0][0], 4);
	arrive(3, 100);
	arrive(3, NET_ROOM + 1);
	net_interrupt(0);
	CHECK(ethernet_take(&client, &e));
	CHECK_EQ(e.bytes, 100);
	CHECK_EQ(client.base[e.offset], 3);
	CHECK(!ethernet_take(&client, &e));
	CHECK_EQ(state->statistics.received, 1);
	CHECK_EQ(state->statistics.dropped, 2);
	forget();
}

TEST(no_memory_is_an_error)
{
	struct net_open *o = setup(), *other;

	close_open(o);
	CHECK_EQ(open_at(NULL, "", OPEN_READ | OPEN_WRITE, &o), OK);
	for (uint32_t n = 1; n <= 3; n++) {
		heap_fail_after(n);
		CHECK_EQ(pass(o), ERR_NOMEM);
		CHECK_EQ(mapped, 0);
	}
	heap_fail_after(0);
	CHECK_EQ(pass(o), OK);
	heap_fail_after(1);
	CHECK_EQ(open_at(NULL, "", OPEN_READ, &other), ERR_NFILE);
	for (uint32_t n = 1; n <= 3; n++) {
		heap_fail_after(n);
		CHECK_EQ(open_at(NULL, "capture/9", OPEN_READ, &other), ERR_NFILE);
	}
	heap_fail_after(0);
	forget();
}

TEST(a_state_that_makes_no_sense_is_emptied)
{
	struct net_state *s = calloc(1, sizeof(*s));

	memset(s, 0xff, sizeof(*s));
	net_state_init(s);
	CHECK_EQ(s->opens.entry[0].id, 0);
	s->filter.count = 1000;
	s->statistics.sent = 5;
	net_state_init(s);
	CHECK_EQ(s->filter.count, 0);
	CHECK_EQ(s->statistics.sent, 5);
	free(s);
}

TEST(who_may_only_ask_never_takes_all_places)
{
	struct net_open *asking[NET_OPENS_MAX];
	struct message m = { 0 };
	uint32_t count = 0;

	(void)setup();
	for (; count < NET_OPENS_MAX; count++) {
		struct scheme_request r = { .scheme = &net.scheme, .message = &m, .passed = HANDLE_NONE };
		if (net_scheme_ops.open(&r, "", 0, 0, 0) != OK)
			break;
		asking[count] = r.opened;
	}
	CHECK(count > 0 && count < NET_OPENS_MAX);
	struct net_open *o;
	CHECK_EQ(open_at(NULL, "", OPEN_READ | OPEN_WRITE, &o), OK);
	close_open(o);
	while (count > 0)
		net_scheme_ops.close(&net.scheme, asking[--count]);
	forget();
}
