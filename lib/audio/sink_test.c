/* lib/audio/sink_test.c - a device that plays in circles, late, wildly. */
#include "lib/audio/sink.h"
#include "lib/driver/test_dma.h"

static struct sink sink;
static struct device device;
static uint32_t position, starts, stops;
static bool is_on;
static int16_t heard[2 * 48000];
static uint32_t heard_frames;

static void dev_start(void *d) { (void)d; CHECK(!is_on); is_on = true; starts++; position = 0; }
static void dev_stop(void *d) { (void)d; CHECK(is_on); is_on = false; stops++; }
static uint32_t dev_position(void *d) { (void)d; return position; }
static const struct sink_ops ops = { dev_start, dev_stop, dev_position };

/* The device plays; an interrupt after each period. */
static void play(uint32_t frames)
{
	for (uint32_t i = 0; i < frames && is_on; i++) {
		memcpy(heard + 2 * heard_frames++, test_dma_at(dma_address(&sink.ring, 4 * position, NULL), 4), 4);
		position = (position + 1) % SINK_RING_FRAMES;
		if (position % SINK_PERIOD_FRAMES == 0)
			sink_interrupt(&sink);
	}
}

static void setup(void)
{
	test_dma_forget();
	position = starts = stops = heard_frames = 0;
	is_on = false;
	CHECK_EQ(sink_init(&sink, &device, &ops, &position), OK);
}

static uint32_t ramp(uint32_t from, uint32_t count)
{
	static int16_t frames[2 * 32768];

	for (uint32_t i = 0; i < count; i++)
		frames[2 * i] = frames[2 * i + 1] = (int16_t)(from + i + 1);
	return sink_write(&sink, (const uint8_t *)frames, count);
}

TEST(a_stream_is_heard_without_gap_or_repetition)
{
	uint32_t sent = 0;

	setup();
	while (sent < 20000) {
		sent += ramp(sent, 20000 - sent);
		play(SINK_PERIOD_FRAMES);
	}
	sink_flush(&sink);
	play(10 * SINK_RING_FRAMES);
	for (uint32_t i = 0; i < 20000; i++)
		CHECK_EQ(heard[2 * i], (int16_t)(i + 1));
	for (uint32_t i = 20000; i < heard_frames; i++)
		CHECK_EQ(heard[2 * i], 0);
	CHECK(starts == 1 && stops == 1 && !is_on);
}

TEST(no_more_than_the_queue_waits)
{
	setup();
	CHECK_EQ(ramp(0, 4096), SINK_QUEUE_FRAMES);
	CHECK_EQ(ramp(0, 1), 0);
	CHECK_EQ(sink_delay(&sink), SINK_QUEUE_FRAMES);
	play(SINK_PERIOD_FRAMES);
	CHECK_EQ(sink_room(&sink), SINK_PERIOD_FRAMES);
}

TEST(a_little_is_played_when_it_is_flushed)
{
	setup();
	CHECK_EQ(ramp(0, 10), 10);
	CHECK(!is_on);
	sink_flush(&sink);
	CHECK(is_on);
	play(10 * SINK_RING_FRAMES);
	CHECK(!is_on && heard[0] == 1 && heard[18] == 10 && heard[20] == 0);
	sink_flush(&sink);
	CHECK(!is_on);
}

TEST(what_comes_late_is_heard_after_a_gap_and_whole)
{
	uint32_t at;

	setup();
	CHECK_EQ(ramp(0, SINK_START_FRAMES), SINK_START_FRAMES);
	play(SINK_START_FRAMES + 300);
	CHECK(is_on);
	CHECK(ramp(1000, 500) > 0);
	play(10 * SINK_RING_FRAMES);
	for (at = SINK_START_FRAMES; heard[2 * at] != 1001; at++)
		CHECK(heard[2 * at] == 0 && at < heard_frames);
	for (uint32_t i = 0; i < 500; i++)
		CHECK_EQ(heard[2 * (at + i)], (int16_t)(1001 + i));
}

TEST(a_position_that_is_nonsense_harms_nobody)
{
	setup();
	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t r = test_random();
		if (r & 1)
			ramp((uint32_t)(r >> 8) & 4095, (uint32_t)(r >> 20) & 4095);
		position = (uint32_t)(r >> 32);
		sink_interrupt(&sink);
		CHECK(sink_room(&sink) <= SINK_QUEUE_FRAMES);
	}
}

TEST(no_memory_is_an_error)
{
	test_dma_forget();
	test_dma.fail_after = 1;
	CHECK_EQ(sink_init(&sink, &device, &ops, &position), ERR_NOMEM);
}
