/* drivers/net/e1000/e1000_test.c - the driver against a mock card: honest, lying, dumb, gone. */
#include <stdlib.h>
#include "drivers/net/e1000/e1000.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"

enum { LOG = 1200 };
#define REGISTERS 0x7000000000ull

static struct e1000 *e1000;
static struct device device = { .info = { .device = 0x100e } };
static struct dma_memory buffers;

/* ---- The card ---- */

static struct {
	uint32_t at[E1000_REGISTERS_BYTES / 4];
	uint32_t cause, mask, resets, tail_writes;
	uint32_t received;              /* frames put into the ring: a position */
	bool is_gone, never_resets, is_silent;
} mock;
static uint8_t wire[LOG][2048];
static uint32_t wire_bytes[LOG], sent_count, checksum_at[LOG], checksum_from[LOG];

static uint64_t base_of(uint32_t at) { return mock.at[at / 4] | (uint64_t)mock.at[at / 4 + 1] << 32; }

static void mock_send(void)
{
	struct e1000_sent *ring = test_dma_at(base_of(E1000_SEND_BASE), mock.at[E1000_SEND_BYTES / 4]);
	uint32_t size = mock.at[E1000_SEND_BYTES / 4] / sizeof(*ring), *head = &mock.at[E1000_SEND_HEAD / 4], start = 0, put = 0;

	CHECK(mock.at[E1000_SEND_TAIL / 4] < size);
	for (; *head != mock.at[E1000_SEND_TAIL / 4]; *head = (*head + 1) % size) {
		struct e1000_sent *d = &ring[*head];
		uint32_t bytes = d->command & 0xfffff;
		CHECK(d->command & SENT_EXTENDED);
		if (!(d->command & SENT_DATA)) {
			start = d->address >> 32 & 0xff;
			put = d->address >> 40 & 0xff;
			continue;
		}
		CHECK(sent_count < LOG && bytes > 0 && wire_bytes[sent_count] + bytes <= sizeof(wire[0]));
		memcpy(wire[sent_count] + wire_bytes[sent_count], test_dma_at(d->address, bytes), bytes);
		wire_bytes[sent_count] += bytes;
		checksum_from[sent_count] = d->options & SENT_OPTION_CHECKSUM ? start : 0;
		checksum_at[sent_count] = d->options & SENT_OPTION_CHECKSUM ? put : 0;
		if (d->command & SENT_END) {
			sent_count++;
			if (sent_count < LOG)
				wire_bytes[sent_count] = 0;
		}
		if (d->command & SENT_REPORT)
			d->status |= SENT_DONE;
	}
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	CHECK(bytes == 4 && at >= REGISTERS && at - REGISTERS < E1000_REGISTERS_BYTES);
	at -= REGISTERS;
	if (mock.is_gone)
		return UINT32_MAX;
	if (at == E1000_CAUSE) {
		uint32_t cause = mock.cause;
		mock.cause = 0;
		return cause;
	}
	return mock.at[at / 4];
}

static void mock_reset(void)
{
	uint32_t status = mock.at[E1000_STATUS / 4], low = mock.at[E1000_ADDRESS_LOW / 4], high = mock.at[E1000_ADDRESS_HIGH / 4];

	memset(mock.at, 0, sizeof(mock.at));
	mock.at[E1000_STATUS / 4] = status;
	mock.at[E1000_ADDRESS_LOW / 4] = low;
	mock.at[E1000_ADDRESS_HIGH / 4] = high;
	mock.mask = mock.received = 0;
	mock.resets++;
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	CHECK(bytes == 4 && at >= REGISTERS && at - REGISTERS < E1000_REGISTERS_BYTES);
	at -= REGISTERS;
	if (mock.is_gone)
		return;
	mock.at[at / 4] = (uint32_t)value;
	switch (at) {
	case E1000_CONTROL:
		if (value & CONTROL_RESET && !mock.never_resets)
			mock_reset();
		break;
	case E1000_MASK_SET:
		mock.mask |= (uint32_t)value;
		break;
	case E1000_MASK_CLEAR:
		mock.mask &= ~(uint32_t)value;
		break;
	case E1000_CAUSE:
		mock.cause &= ~(uint32_t)value;
		break;
	case E1000_SEND_TAIL:
		mock.tail_writes++;
		if (!mock.is_silent && mock.at[E1000_SEND_BYTES / 4])
			mock_send();
		break;
	}
}

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	CHECK_EQ(bar, 0);
	*out = (struct device_bar){ .at = (volatile uint8_t *)REGISTERS, .ports = HANDLE_NONE, .bytes = 128 * 1024 };
	return OK;
}

static struct e1000_received *next_received(void)
{
	struct e1000_received *ring = test_dma_at(base_of(E1000_RECEIVE_BASE), mock.at[E1000_RECEIVE_BYTES / 4]);

	return &ring[mock.received++ % E1000_ENTRIES];
}

static void arrive(const uint8_t *from, uint32_t bytes, uint8_t status, uint8_t errors)
{
	CHECK(mock.received % E1000_ENTRIES != mock.at[E1000_RECEIVE_TAIL / 4]);
	struct e1000_received *d = next_received();

	if (bytes <= 1522)
		memcpy(test_dma_at(d->address, bytes), from, bytes);
	d->bytes = (uint16_t)bytes;
	d->errors = errors;
	d->status = status;
	mock.cause |= CAUSE_RECEIVED;
}

/* ---- lib/net ---- */

static uint32_t done[LOG], done_count, came_bytes[LOG], came_flags[LOG], came_count, fails, gones, interrupts, naps;
static bool is_up;

void net_sent(uint32_t queue, uint32_t slot) { (void)queue; CHECK(done_count < LOG); done[done_count++] = slot; }
void net_received(uint32_t queue, uint32_t at, uint32_t bytes, const struct ethernet_entry *how)
{
	(void)queue;
	CHECK(came_count < LOG && at == NET_HEADROOM && at + bytes <= ETHERNET_BUFFER_BYTES);
	came_flags[came_count] = how->entry_flags;
	came_bytes[came_count++] = bytes;
}
void net_link(bool up, uint32_t speed_mbps) { (void)speed_mbps; is_up = up; }
void net_interrupt(uint32_t queue) { CHECK_EQ(queue, 0); interrupts++; }
void net_gone(void) { gones++; }
void net_sleep(uint64_t ns) { (void)ns; naps++; }
void driver_fail(const char *why) { (void)why; fails++; }

static void setup_device(void)
{
	test_dma_forget();
	memset(&mock, 0, sizeof(mock));
	mock.at[E1000_STATUS / 4] = STATUS_LINK | 2 << STATUS_SPEED_SHIFT;
	mock.at[E1000_ADDRESS_LOW / 4] = 0x03020152;
	mock.at[E1000_ADDRESS_HIGH / 4] = 0x80000504;
	done_count = came_count = fails = gones = interrupts = sent_count = naps = 0;
	wire_bytes[0] = 0;
	free(e1000);
	e1000 = calloc(1, sizeof(*e1000));
}

static void setup(void)
{
	setup_device();
	CHECK_EQ(e1000_open(e1000, &device), OK);
	CHECK_EQ(dma_allocate(&device, 256 * ETHERNET_BUFFER_BYTES, 0, 0, &buffers), OK);
	CHECK_EQ(e1000->card.ops->start(e1000, 1), OK);
}

__attribute__((destructor)) static void forget(void) { free(e1000); }

static struct net_frame frame_of(uint32_t slot, uint32_t bytes, uint32_t pieces)
{
	struct net_frame f = { .slot = slot, .bytes = bytes, .count = pieces };
	size_t at = slot % 256 * ETHERNET_BUFFER_BYTES;

	for (uint32_t i = 0; i < pieces; i++, at += bytes / pieces)
		f.piece[i] = (struct net_piece){ dma_address(&buffers, at, NULL), buffers.at + at, i + 1 < pieces ? bytes / pieces : bytes - bytes / pieces * (pieces - 1) };
	return f;
}

static err_t send(const struct net_frame *f) { return e1000->card.ops->send(e1000, 0, f); }
static void kick(void) { e1000->card.ops->kick(e1000, 0); }
static void poll(void) { e1000->card.ops->poll(e1000, 0); }
static bool give(uint32_t n) { return e1000->card.ops->give(e1000, 0, dma_address(&buffers, n * ETHERNET_BUFFER_BYTES, NULL), NULL); }

/* ---- Rules ---- */

TEST(frames_are_sent_as_they_are_and_not_before_the_kick)
{
	setup();
	for (uint32_t n = 0; n < 1000; n++) {
		struct net_frame f = frame_of(n, 60 + n, 1 + n % 3);
		for (uint32_t i = 0; i < f.bytes; i++)
			buffers.at[n % 256 * ETHERNET_BUFFER_BYTES + i] = (uint8_t)test_random();
		CHECK_EQ(send(&f), OK);
		CHECK_EQ(sent_count, n);
		kick();
		CHECK_EQ(sent_count, n + 1);
		CHECK_EQ(wire_bytes[n], f.bytes);
		CHECK_MEM(wire[n], buffers.at + n % 256 * ETHERNET_BUFFER_BYTES, f.bytes);
		poll();
		CHECK_EQ(done_count, n + 1);
		CHECK_EQ(done[n], n);
	}
}

TEST(many_frames_are_one_doorbell)
{
	setup();
	uint32_t before = mock.tail_writes;
	for (uint32_t n = 0; n < 100; n++) {
		struct net_frame f = frame_of(n, 100, 1);
		CHECK_EQ(send(&f), OK);
	}
	kick();
	kick();
	CHECK_EQ(mock.tail_writes, before + 1);
	CHECK_EQ(sent_count, 100);
}

TEST(a_full_ring_says_so_and_goes_on)
{
	setup();
	mock.is_silent = true;
	struct net_frame f = frame_of(0, 100, 1);
	uint32_t n = 0;
	while (send(&f) == OK)
		f.slot = ++n;
	CHECK_EQ(n, E1000_ENTRIES - 1);
	kick();
	poll();
	CHECK_EQ(done_count, 0);
	mock_send();
	poll();
	CHECK_EQ(done_count, n);
	CHECK_EQ(send(&f), OK);
}

TEST(checksums_are_left_to_the_card)
{
	setup();
	struct net_frame f = frame_of(0, 100, 2), plain = frame_of(1, 100, 1);
	f.first = (struct ethernet_entry){ .entry_flags = ETHERNET_CHECKSUM, .checksum_start = 34, .checksum_offset = 16 };
	CHECK_EQ(send(&f), OK);
	CHECK_EQ(send(&plain), OK);
	kick();
	CHECK_EQ(checksum_from[0], 34);
	CHECK_EQ(checksum_at[0], 50);
	CHECK_EQ(checksum_at[1], 0);
	poll();
	CHECK_EQ(done_count, 2);
	f.first.checksum_start = 250;
	CHECK_EQ(send(&f), ERR_INVAL);
}

TEST(frames_are_received_in_order)
{
	uint8_t bytes[1514];

	setup();
	uint32_t given = 0;
	while (give(given))
		given++;
	CHECK_EQ(given, E1000_ENTRIES - 1);
	kick();
	for (uint32_t n = 0; n < 1000; n++) {
		memset(bytes, (int)n, sizeof(bytes));
		arrive(bytes, 60 + n, RECEIVED_DONE | RECEIVED_WHOLE | (n % 2 ? RECEIVED_TCP_CHECKED : 0), 0);
		poll();
		CHECK_EQ(came_count, n + 1);
		CHECK_EQ(came_bytes[n], 60 + n);
		CHECK_EQ(came_flags[n], n % 2 ? ETHERNET_CHECKED : 0);
		CHECK_EQ(buffers.at[n % (E1000_ENTRIES - 1) * ETHERNET_BUFFER_BYTES + NET_HEADROOM], (uint8_t)n);
		CHECK(give(n % (E1000_ENTRIES - 1)));
		kick();
	}
}

TEST(broken_frames_have_no_bytes)
{
	static const struct { uint32_t bytes; uint8_t status, errors; } bad[] = {
		{ 100, RECEIVED_DONE, 0 }, { 100, RECEIVED_DONE | RECEIVED_WHOLE, 1 }, { 100, RECEIVED_DONE | RECEIVED_WHOLE, 0x80 },
		{ 1523, RECEIVED_DONE | RECEIVED_WHOLE, 0 }, { 65535, RECEIVED_DONE | RECEIVED_WHOLE, 0 }, { 0, RECEIVED_DONE | RECEIVED_WHOLE, 0 },
	};
	uint8_t bytes[1522] = { 0 };

	setup();
	for (uint32_t i = 0; i < 8; i++)
		CHECK(give(i));
	kick();
	for (uint32_t i = 0; i < ARRAY_COUNT(bad); i++)
		arrive(bytes, bad[i].bytes, bad[i].status, bad[i].errors);
	arrive(bytes, 90, RECEIVED_DONE | RECEIVED_WHOLE | RECEIVED_TCP_CHECKED, RECEIVED_TCP_WRONG);
	poll();
	CHECK_EQ(came_count, 7);
	for (uint32_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK_EQ(came_bytes[i], 0);
	CHECK_EQ(came_bytes[6], 90);
	CHECK_EQ(came_flags[6], 0);
}

TEST(what_was_never_given_is_never_received)
{
	setup();
	CHECK(give(0) && give(1));
	kick();
	struct e1000_received *ring = test_dma_at(base_of(E1000_RECEIVE_BASE), 4096);
	for (uint32_t i = 0; i < E1000_ENTRIES; i++)
		ring[i].status = 0xff;
	struct e1000_sent *sent = test_dma_at(base_of(E1000_SEND_BASE), 4096);
	for (uint32_t i = 0; i < E1000_ENTRIES; i++)
		sent[i].status = 0xff;
	poll();
	poll();
	CHECK_EQ(came_count, 2);
	CHECK_EQ(done_count, 0);
	CHECK(e1000->card.ops->arm(e1000, 0, true));
}

TEST(a_frame_that_came_meanwhile_is_seen_when_falling_asleep)
{
	uint8_t bytes[60] = { 0 };

	setup();
	CHECK(give(0));
	kick();
	CHECK(e1000->card.ops->arm(e1000, 0, false));
	CHECK(!(mock.mask & CAUSE_SENT));
	CHECK(mock.mask & CAUSE_RECEIVED);
	arrive(bytes, 60, RECEIVED_DONE | RECEIVED_WHOLE, 0);
	CHECK(!e1000->card.ops->arm(e1000, 0, true));
	CHECK(mock.mask & CAUSE_SENT);
}

TEST(an_interrupt_is_taken_and_masked_until_we_sleep)
{
	setup();
	CHECK(e1000->card.ops->arm(e1000, 0, false));
	mock.cause = CAUSE_RECEIVED;
	e1000_interrupt(e1000);
	CHECK_EQ(interrupts, 1);
	CHECK_EQ(mock.mask, CAUSE_LINK);        /* the stand-in did not arm */
	mock.at[E1000_STATUS / 4] = 0;
	mock.cause = CAUSE_LINK;
	e1000_interrupt(e1000);
	CHECK(!is_up);
}

TEST(vectors_have_their_own_causes)
{
	setup_device();
	device.info.device = 0x10d3;
	CHECK_EQ(e1000_open(e1000, &device), OK);
	device.info.device = 0x100e;
	e1000_set_interrupt(e1000, true);
	CHECK_EQ(e1000->card.ops->start(e1000, 1), OK);
	CHECK_STR(e1000->card.info.driver, "e1000e");
	CHECK_EQ(mock.at[E1000_VECTORS / 4], VECTORS_ALL_FIRST);
	CHECK(e1000->card.ops->arm(e1000, 0, false));
	CHECK(mock.mask & CAUSE_RECEIVE_QUEUE && mock.mask & CAUSE_OTHER && !(mock.mask & CAUSE_SEND_QUEUE));
}

TEST(a_filter_hashes_groups)
{
	setup();
	e1000->card.filter = (struct ethernet_filter){ .count = 1, .group = { { 1, 0, 0x5e, 0, 0x12, 0x34 } } };
	e1000->card.ops->filter(e1000);
	uint32_t hash = 0x341;
	for (uint32_t i = 0; i < E1000_GROUP_WORDS; i++)
		CHECK_EQ(mock.at[E1000_GROUPS / 4 + i], i == hash / 32 ? 1u << hash % 32 : 0);
	CHECK(!(mock.at[E1000_RECEIVE_CONTROL / 4] & (RECEIVE_PROMISCUOUS | RECEIVE_ALL_GROUPS)));
	e1000->card.filter = (struct ethernet_filter){ .filter_flags = ETHERNET_PROMISCUOUS };
	e1000->card.ops->filter(e1000);
	CHECK(mock.at[E1000_RECEIVE_CONTROL / 4] & RECEIVE_PROMISCUOUS);
}

TEST(a_device_that_vanished_is_said_to_be_gone)
{
	setup();
	mock.is_gone = true;
	e1000_interrupt(e1000);
	e1000_interrupt(e1000);
	CHECK_EQ(gones, 1);
	poll();
	CHECK(e1000->card.ops->arm(e1000, 0, true));
	e1000->card.ops->stop(e1000);
	CHECK_EQ(fails, 1);
}

TEST(a_device_that_does_not_reset_is_an_error_after_a_while)
{
	setup();
	mock.never_resets = true;
	CHECK_EQ(e1000->card.ops->start(e1000, 1), ERR_NODEV);
	CHECK(naps <= 300);
	e1000->card.ops->stop(e1000);
	CHECK_EQ(fails, 1);
}

TEST(the_card_is_described_or_refused)
{
	setup();
	static const uint8_t address[] = { 0x52, 1, 2, 3, 4, 5 };
	CHECK_MEM(e1000->card.info.address, address, 6);
	CHECK_STR(e1000->card.info.driver, "e1000");
	CHECK(is_up);
	setup_device();
	mock.at[E1000_ADDRESS_LOW / 4] = mock.at[E1000_ADDRESS_HIGH / 4] = 0;
	CHECK_EQ(e1000_open(e1000, &device), ERR_NODEV);
	setup_device();
	mock.at[E1000_ADDRESS_LOW / 4] = 1;
	CHECK_EQ(e1000_open(e1000, &device), ERR_NODEV);
	setup_device();
	mock.is_gone = true;
	CHECK_EQ(e1000_open(e1000, &device), ERR_NODEV);
	setup_device();
	test_dma.fail_after = 1;
	CHECK_EQ(e1000_open(e1000, &device), ERR_NOMEM);
}
