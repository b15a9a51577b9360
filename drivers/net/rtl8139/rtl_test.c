/* drivers/net/rtl8139/rtl_test.c - the driver against a mock card: honest, lying, dumb, gone. */
#include <stdlib.h>
#include "drivers/net/rtl8139/rtl.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"

enum { LOG = 1200, STATUS = 0x10, SLOT = 0x20, RING = 0x30, COMMAND = 0x37, READ = 0x38, MASK = 0x3c, CAUSE = 0x3e, RECEIVE = 0x44, MEDIA = 0x58 };
#define REGISTERS 0x7000000000ull

static struct rtl *rtl;
static struct device device;

/* ---- The card ---- */

static struct {
	uint8_t at[256];
	uint32_t put;                   /* where in the ring it writes next */
	bool is_gone, never_resets, is_silent, never_empty;
} mock;
static uint8_t wire[LOG][2048];
static uint32_t wire_bytes[LOG], sent_count;

static uint32_t get(uint32_t at, size_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, mock.at + at, bytes);
	return value;
}

static void set(uint32_t at, uint32_t value, size_t bytes) { memcpy(mock.at + at, &value, bytes); }

static uint32_t read_at(void) { return (get(READ, 2) + 16) % RTL_RING_BYTES; }

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	CHECK(at >= REGISTERS && range_fits(at - REGISTERS, bytes, 256));
	at -= REGISTERS;
	if (mock.is_gone)
		return (1ull << bytes * 8) - 1;
	if (at == COMMAND)
		return (get(COMMAND, 1) & ~1u) | (!mock.never_empty && read_at() == mock.put);
	return get((uint32_t)at, bytes);
}

static void mock_send(uint32_t slot, uint32_t status)
{
	uint32_t bytes = status & 0x1fff;

	CHECK(sent_count < LOG && bytes >= 60 && bytes <= RTL_SLOT_BYTES);
	memcpy(wire[sent_count], test_dma_at(get(SLOT + slot * 4, 4) | 0x100000000ull, bytes), bytes);
	wire_bytes[sent_count++] = bytes;
	set(STATUS + slot * 4, status | 1 << 15, 4);
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	CHECK(at >= REGISTERS && range_fits(at - REGISTERS, bytes, 256));
	at -= REGISTERS;
	if (mock.is_gone)
		return;
	if (at == CAUSE) {
		set(CAUSE, get(CAUSE, 2) & ~(uint32_t)value, 2);
		return;
	}
	set((uint32_t)at, (uint32_t)value, bytes);
	if (at == COMMAND && value & 0x10) {
		set(READ, 0xfff0, 2);
		mock.put = 0;
		if (!mock.never_resets)
			set(COMMAND, 0, 1);
	} else if (at >= STATUS && at < SLOT && !mock.is_silent) {
		mock_send((uint32_t)(at - STATUS) / 4, (uint32_t)value);
	}
}

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	CHECK_EQ(bar, 1);
	*out = (struct device_bar){ .at = (volatile uint8_t *)REGISTERS, .ports = HANDLE_NONE, .bytes = 256 };
	return OK;
}

/* A frame with this header. */
static void arrive_raw(uint16_t status, uint16_t length, const uint8_t *from, uint32_t bytes)
{
	uint8_t *ring = test_dma_at(get(RING, 4) | 0x100000000ull, RTL_RING_ROOM);

	memcpy(ring + mock.put, &status, 2);
	memcpy(ring + mock.put + 2, &length, 2);
	memcpy(ring + mock.put + 4, from, bytes);
	mock.put = (uint32_t)round_up(mock.put + 4 + length, 4) % RTL_RING_BYTES;
}

static void arrive(const uint8_t *from, uint32_t bytes) { arrive_raw(1, (uint16_t)(bytes + 4), from, bytes); }

/* ---- lib/net ---- */

static uint32_t done[LOG], done_count, came_bytes[LOG], came_count, resets, fails, gones, interrupts;
static uint8_t came[LOG][2048];
static struct ethernet_statistics statistics;
static bool is_up;

void net_sent(uint32_t queue, uint32_t slot) { (void)queue; CHECK(done_count < LOG); done[done_count++] = slot; }
void net_receive_copy(uint32_t queue, const volatile uint8_t *from, uint32_t bytes)
{
	(void)queue;
	CHECK(came_count < LOG && bytes <= NET_ROOM);
	memcpy(came[came_count], (const void *)from, bytes);    /* (and a sanitizer looks whether that is there) */
	came_bytes[came_count++] = bytes;
}
void net_link(bool up, uint32_t speed_mbps) { (void)speed_mbps; is_up = up; }
void net_interrupt(uint32_t queue) { (void)queue; interrupts++; }
void net_gone(void) { gones++; }
void net_sleep(uint64_t ns) { (void)ns; }
void driver_fail(const char *why) { (void)why; fails++; }
struct ethernet_statistics *net_statistics(void) { return &statistics; }
void net_reset(const char *why)
{
	(void)why;
	resets++;
	rtl->card.ops->stop(rtl);
	(void)!rtl->card.ops->start(rtl, 1);
}

static void setup_device(void)
{
	static const uint8_t address[] = { 0x52, 1, 2, 3, 4, 5 };

	test_dma_forget();
	memset(&mock, 0, sizeof(mock));
	memcpy(mock.at, address, sizeof(address));
	done_count = came_count = resets = fails = gones = interrupts = sent_count = 0;
	statistics = (struct ethernet_statistics){ 0 };
	free(rtl);
	rtl = calloc(1, sizeof(*rtl));
}

static void setup(void)
{
	setup_device();
	CHECK_EQ(rtl_open(rtl, &device), OK);
	CHECK_EQ(rtl->card.ops->start(rtl, 1), OK);
}

__attribute__((destructor)) static void forget(void) { free(rtl); }

static err_t send(uint32_t slot, const uint8_t *bytes, uint32_t count)
{
	uint32_t half = count / 2;
	struct net_frame f = { .slot = slot, .bytes = count, .count = 2, .piece = { { .at = bytes, .bytes = half }, { .at = bytes + half, .bytes = count - half } } };

	return rtl->card.ops->send(rtl, 0, &f);
}

static void kick(void) { rtl->card.ops->kick(rtl, 0); }
static void poll(void) { rtl->card.ops->poll(rtl, 0); }

/* ---- Rules ---- */

TEST(frames_are_sent_whole_and_not_before_the_kick)
{
	uint8_t bytes[1514];

	setup();
	for (uint32_t n = 0; n < 1000; n++) {
		uint32_t count = 20 + n;
		for (uint32_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)(1 + test_random() % 255);
		CHECK_EQ(send(n, bytes, count), OK);
		CHECK_EQ(sent_count, n);
		kick();
		CHECK_EQ(wire_bytes[n], MAX_OF(count, 60u));
		CHECK_MEM(wire[n], bytes, count);
		for (uint32_t i = count; i < 60; i++)
			CHECK_EQ(wire[n][i], 0);        /* nothing of an earlier frame */
		poll();
		CHECK_EQ(done_count, n + 1);
		CHECK_EQ(done[n], n);
	}
}

TEST(four_are_out_at_once)
{
	uint8_t bytes[RTL_SLOT_BYTES + 1] = { 0 };

	setup();
	mock.is_silent = true;
	for (uint32_t n = 0; n < 4; n++)
		CHECK_EQ(send(n, bytes, 60), OK);
	CHECK_EQ(send(4, bytes, 60), ERR_AGAIN);
	kick();
	poll();
	CHECK_EQ(done_count, 0);
	set(STATUS, 1 << 15, 4);
	set(STATUS + 4, 1 << 14, 4);
	set(STATUS + 8, 1 << 30, 4);
	poll();
	CHECK_EQ(done_count, 3);
	CHECK_EQ(send(4, bytes, 60), OK);
	CHECK_EQ(send(5, bytes, sizeof(bytes)), ERR_INVAL);
}

TEST(frames_are_received_in_order_round_and_round)
{
	uint8_t bytes[1514];

	setup();
	for (uint32_t n = 0; n < 1000; n++) {
		uint32_t count = 60 + test_random() % 1455;
		memset(bytes, (int)n, sizeof(bytes));
		arrive(bytes, count);
		poll();
		CHECK_EQ(came_count, n + 1);
		CHECK_EQ(came_bytes[n], count);
		CHECK_MEM(came[n], bytes, count);
		CHECK_EQ(read_at(), mock.put);
	}
	CHECK_EQ(resets, 0);
}

TEST(headers_that_make_no_sense_reset_the_card)
{
	static const struct { uint16_t status, length; } bad[] = { { 1, 0 }, { 1, 17 }, { 1, 1523 }, { 1, 0xffff }, { 0, 64 }, { 0x8000, 64 } };
	uint8_t bytes[64] = { 0 };

	for (uint32_t i = 0; i < ARRAY_COUNT(bad); i++) {
		setup();
		arrive_raw(bad[i].status, bad[i].length, bytes, sizeof(bytes));
		mock.never_empty = true;
		poll();
		mock.never_empty = false;
		CHECK_EQ(came_count, 0);
		CHECK_EQ(resets, 1);
		CHECK_EQ(statistics.errors, 1);
		arrive(bytes, 60);
		poll();
		CHECK_EQ(came_count, 1);
	}
}

TEST(a_frame_that_is_still_written_is_waited_for)
{
	uint8_t bytes[64] = { 0 };

	setup();
	arrive_raw(0, 0xfff0, bytes, 60);
	mock.never_empty = true;
	poll();
	CHECK_EQ(came_count + resets, 0);
}

TEST(a_card_that_always_has_more_holds_up_nobody)
{
	setup();
	mock.never_empty = true;
	uint8_t *ring = test_dma_at(get(RING, 4) | 0x100000000ull, RTL_RING_ROOM);
	for (uint32_t at = 0; at < RTL_RING_BYTES; at += 64) {
		ring[at] = 1;
		ring[at + 2] = 60;
	}
	poll();
	CHECK_EQ(came_count, 64);
	CHECK(!rtl->card.ops->arm(rtl, 0, true));
}

TEST(random_rings_are_survived)
{
	for (uint32_t round = 0; round < 200; round++) {
		setup();
		mock.never_empty = true;
		uint8_t *ring = test_dma_at(get(RING, 4) | 0x100000000ull, RTL_RING_ROOM);
		for (uint32_t i = 0; i < RTL_RING_ROOM; i++)
			ring[i] = (uint8_t)test_random() | (round % 2 && i % 64 == 0 ? 1 : 0);
		for (uint32_t i = 0; i < 3; i++)
			poll();
	}
}

TEST(interrupts_are_masked_until_we_sleep)
{
	setup();
	CHECK(rtl->card.ops->arm(rtl, 0, false));
	CHECK(get(MASK, 2) & 1);
	CHECK(!(get(MASK, 2) & 1 << 2));
	set(CAUSE, 1, 2);
	rtl_interrupt(rtl);
	CHECK_EQ(interrupts, 1);
	CHECK_EQ(get(CAUSE, 2), 0);
	CHECK(!(get(MASK, 2) & 1));
	set(CAUSE, 1 << 5, 2);
	set(MEDIA, 1 << 2, 1);
	rtl_interrupt(rtl);
	CHECK(!is_up);
	set(CAUSE, 1 << 15, 2);
	rtl_interrupt(rtl);
	CHECK_EQ(resets, 1);
}

TEST(a_filter_lets_groups_through_or_not)
{
	setup();
	CHECK(!(get(RECEIVE, 4) & 5));
	rtl->card.filter.count = 1;
	rtl->card.ops->filter(rtl);
	CHECK_EQ(get(RECEIVE, 4) & 5, 4);
	rtl->card.filter.filter_flags = ETHERNET_PROMISCUOUS;
	rtl->card.ops->filter(rtl);
	CHECK_EQ(get(RECEIVE, 4) & 5, 5);
}

TEST(a_card_that_vanished_or_does_not_reset_is_told)
{
	setup();
	mock.is_gone = true;
	rtl_interrupt(rtl);
	rtl_interrupt(rtl);
	CHECK_EQ(gones, 1);
	poll();
	CHECK(rtl->card.ops->arm(rtl, 0, true));
	rtl->card.ops->stop(rtl);
	CHECK_EQ(fails, 1);
	setup();
	mock.never_resets = true;
	CHECK_EQ(rtl->card.ops->start(rtl, 1), ERR_NODEV);
	setup_device();
	mock.is_gone = true;
	CHECK_EQ(rtl_open(rtl, &device), ERR_NODEV);
	setup_device();
	mock.at[0] = 1;
	CHECK_EQ(rtl_open(rtl, &device), ERR_NODEV);
	setup_device();
	test_dma.fail_after = 1;
	CHECK_EQ(rtl_open(rtl, &device), ERR_NOMEM);
}
