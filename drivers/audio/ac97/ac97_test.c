/* drivers/audio/ac97/ac97_test.c - against a mock controller that plays, is deaf, never stops, vanishes. */
#include "drivers/audio/ac97/ac97.h"
#include "lib/driver/test_dma.h"

enum { MIXER = 100, BUS = 101, RUN = 1, RESET = 2 };

static struct mock {
	uint8_t bus[0x40];
	uint16_t mixer[0x40];
	bool is_gone, has_no_codec, never_halts, never_resets, refuses_rate, is_wild;
	uint32_t failures;
} mock;
static struct ac97 ac97;
static struct device device;

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	*out = (struct device_bar){ .ports = bar ? BUS : MIXER, .bytes = bar ? 0x40 : 0x100 };
	return OK;
}

void driver_fail(const char *why)
{
	(void)why;
	mock.failures++;
}

static uint32_t bus_read(uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, mock.bus + offset, bytes);
	if (offset == 0x16)
		value |= !(mock.bus[0x1b] & RUN) && !mock.never_halts;
	if (offset == 0x30)
		value = mock.has_no_codec ? 0 : 0x100;
	return value;
}

uint32_t port_read(const struct device_bar *b, uint32_t offset, uint32_t bytes)
{
	CHECK(offset + bytes <= b->bytes);
	if (mock.is_gone)
		return bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
	if (mock.is_wild)
		return (uint32_t)test_random() & (bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1);
	if (b->ports == BUS)
		return bus_read(offset, bytes);
	CHECK(bytes == 2);
	return offset == 0x28 ? 1 : mock.mixer[offset / 2];
}

void port_write(const struct device_bar *b, uint32_t offset, uint32_t bytes, uint32_t value)
{
	CHECK(offset + bytes <= b->bytes);
	if (b->ports == MIXER) {
		CHECK(bytes == 2);
		mock.mixer[offset / 2] = offset == 0x2c && mock.refuses_rate ? 44100 : (uint16_t)value;
		return;
	}
	if (offset == 0x16) {
		mock.bus[0x16] &= (uint8_t)~value;
		return;
	}
	memcpy(mock.bus + offset, &value, bytes);
	if (offset == 0x1b && value & RESET && !mock.never_resets)
		mock.bus[0x1b] = mock.bus[0x14] = 0;
}

static err_t start(struct mock m)
{
	test_dma_forget();
	mock = m;
	return ac97_open(&ac97, &device);
}

/* The device plays the period of its current descriptor: what it read of it first. False: it does not run, or came to the last one. */
static bool play(int16_t *first)
{
	struct { uint32_t address; uint16_t samples, flags; } d;
	uint32_t list;

	if (!(mock.bus[0x1b] & RUN) || mock.bus[0x14] == mock.bus[0x15])
		return false;
	memcpy(&list, mock.bus + 0x10, 4);
	memcpy(&d, (uint8_t *)test_dma_at(list, 32 * 8) + 8 * mock.bus[0x14], sizeof(d));
	CHECK(d.samples == 2 * SINK_PERIOD_FRAMES && d.flags == 0x8000);
	memcpy(first, test_dma_at(d.address, d.samples * 2u), 2);
	mock.bus[0x14] = (uint8_t)((mock.bus[0x14] + 1) % 32);
	mock.bus[0x18] = SINK_PERIOD_FRAMES * 2 & 0xff;
	mock.bus[0x19] = SINK_PERIOD_FRAMES * 2 >> 8;
	mock.bus[0x16] |= 8;
	ac97_interrupt(&ac97);
	CHECK(!(mock.bus[0x16] & 8));
	return true;
}

/* Addresses of 32 bits, as the mock's memory has none below 4 GiB: the list has the lower half. */
static void memory_low(void)
{
	for (uint32_t i = 0; i < test_dma.count; i++)
		test_dma.memory[i].piece.address = 0x10000ull * (i + 1);
}

TEST(periods_are_played_in_order_round_and_round)
{
	static int16_t frames[2 * SINK_PERIOD_FRAMES];
	int16_t first, sent = 0;

	CHECK_EQ(start((struct mock){ 0 }), OK);
	memory_low();
	uint32_t ring = (uint32_t)dma_address(&ac97.sink.ring, 0, NULL);
	for (uint32_t i = 0; i < AC97_DESCRIPTORS; i++) {
		uint32_t address = ring + i % SINK_PERIODS * SINK_PERIOD_BYTES;
		memcpy(ac97.list.at + 8 * i, &address, 4);
	}
	for (int16_t played = 0; played < 100;) {
		while (sink_room(&ac97.sink) >= SINK_PERIOD_FRAMES) {
			frames[0] = ++sent;
			CHECK_EQ(sink_write(&ac97.sink, (const uint8_t *)frames, SINK_PERIOD_FRAMES), SINK_PERIOD_FRAMES);
		}
		CHECK(play(&first));
		CHECK_EQ(first, ++played);
	}
	while (play(&first))
		;
	CHECK(!ac97.sink.is_running && mock.failures == 0);
}

TEST(the_descriptors_cover_the_ring)
{
	CHECK_EQ(start((struct mock){ 0 }), OK);
	for (uint32_t i = 0; i < AC97_DESCRIPTORS; i++) {
		uint32_t address;
		memcpy(&address, ac97.list.at + 8 * i, 4);
		CHECK_EQ(address, (uint32_t)dma_address(&ac97.sink.ring, i % SINK_PERIODS * SINK_PERIOD_BYTES, NULL));
	}
	CHECK_EQ(mock.mixer[0x2c / 2], 48000);
}

TEST(a_controller_without_codec_or_without_our_rate_is_no_device)
{
	CHECK_EQ(start((struct mock){ .has_no_codec = true }), ERR_NODEV);
	CHECK_EQ(start((struct mock){ .refuses_rate = true }), ERR_NODEV);
	CHECK_EQ(start((struct mock){ .never_resets = true }), ERR_NODEV);
	CHECK_EQ(start((struct mock){ .is_gone = true }), ERR_NODEV);
}

TEST(one_that_does_not_stop_ends_its_driver)
{
	static uint8_t frames[SINK_START_FRAMES * SINK_FRAME_BYTES];

	CHECK_EQ(start((struct mock){ .never_halts = true }), OK);
	CHECK(sink_write(&ac97.sink, frames, SINK_START_FRAMES) == SINK_START_FRAMES && ac97.sink.is_running);
	for (uint32_t i = 0; i < 8 && ac97.sink.is_running; i++) {
		mock.bus[0x14] = (uint8_t)(i + 1);
		ac97_interrupt(&ac97);
	}
	CHECK(!ac97.sink.is_running && mock.failures == 1);
}

TEST(one_that_vanished_is_gone_and_a_wild_one_harms_nobody)
{
	CHECK_EQ(start((struct mock){ 0 }), OK);
	mock.is_wild = true;
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t frames[64] = { 0 };
		(void)sink_write(&ac97.sink, frames, 16);
		sink_flush(&ac97.sink);
		ac97_interrupt(&ac97);
	}
	mock.is_wild = false;
	mock.is_gone = true;
	ac97_interrupt(&ac97);
	CHECK(ac97.is_gone);
}

TEST(no_memory_is_an_error_wherever_it_is_missing)
{
	for (uint32_t i = 1; i <= 2; i++) {
		test_dma_forget();
		mock = (struct mock){ 0 };
		test_dma.fail_after = i;
		CHECK_EQ(ac97_open(&ac97, &device), ERR_NOMEM);
	}
}
