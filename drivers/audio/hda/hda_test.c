/* drivers/audio/hda/hda_test.c - against a mock controller and codecs with loops, dead ends, lies, silence. */
#include "drivers/audio/hda/hda.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"

#define MOCK_BAR 0x7000000000ull
enum { BAR_BYTES = 0x4000, NODES = 16, STREAM = 0x80 + 4 * 0x20 };

/* A codec's widgets: what it answers to each GET. */
struct widget { uint32_t capabilities, pin, configuration, connections[4], count, in_amplifier, out_amplifier; };

static struct mock {
	uint8_t reg[BAR_BYTES];
	struct widget widget[NODES];
	bool is_gone, never_answers, is_wild, never_resets, has_no_codec;
	uint8_t format_node, stream_node, selected[NODES], opened[NODES];
	uint32_t commands;
} mock;
static struct hda hda;
static struct device device;

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d, (void)bar;
	*out = (struct device_bar){ .at = (volatile uint8_t *)MOCK_BAR, .ports = HANDLE_NONE, .bytes = BAR_BYTES };
	return OK;
}

void driver_fail(const char *why) { (void)why; }

static uint32_t reg32(uint32_t at)
{
	uint32_t value;

	memcpy(&value, mock.reg + at, 4);
	return value;
}

static uint32_t parameter(uint32_t node, uint32_t which)
{
	const struct widget *w = &mock.widget[node];

	switch (which) {
	case 0x04:
		return node == 0 ? 1u << 16 | 1 : node == 1 ? 2u << 16 | (NODES - 2) : 0;
	case 0x05:
		return node == 1 ? 1 : 0;
	case 0x09:
		return w->capabilities;
	case 0x0c:
		return w->pin;
	case 0x0d:
		return w->in_amplifier;
	case 0x0e:
		return w->count;
	case 0x12:
		return w->out_amplifier;
	default:
		return 0;
	}
}

static uint32_t answer_to(uint32_t command)
{
	uint32_t node = command >> 20 & 0x7f, verb = command >> 8 & 0xfff, payload = command & 0xff;

	if (node >= NODES)
		return 0;
	if (verb == 0xf00)
		return parameter(node, payload);
	if (verb == 0xf02)
		return mock.widget[node].connections[payload / 4 % 4];
	if (verb == 0xf1c)
		return mock.widget[node].configuration;
	if (verb == 0x701)
		mock.selected[node] = (uint8_t)(payload + 1);
	if (verb == 0x706)
		mock.stream_node = (uint8_t)node;
	if (verb >> 8 == 2)
		mock.format_node = (uint8_t)node;
	if (verb >> 8 == 3 && !(command & 0x80))
		mock.opened[node] = 1;
	return 0;
}

static void commands_run(void)
{
	uint64_t commands = reg32(0x40) | (uint64_t)reg32(0x44) << 32, answers = reg32(0x50) | (uint64_t)reg32(0x54) << 32;
	uint16_t read = mock.reg[0x4a];

	while (!mock.never_answers && read != mock.reg[0x48]) {
		read = (uint16_t)((read + 1) % 256);
		uint32_t command;
		memcpy(&command, (uint8_t *)test_dma_at(commands, 1024) + 4 * read, 4);
		uint64_t answer = mock.is_wild ? test_random() : answer_to(command);
		uint8_t at = (uint8_t)(mock.reg[0x58] + 1);
		memcpy((uint8_t *)test_dma_at(answers, 2048) + 8 * at, &answer, 8);
		mock.reg[0x58] = at;
		mock.commands++;
	}
	mock.reg[0x4a] = (uint8_t)read;
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	uint64_t value = 0;

	CHECK(at >= MOCK_BAR && at - MOCK_BAR + bytes <= BAR_BYTES);
	if (mock.is_gone)
		return bytes == 4 ? UINT32_MAX : (1ull << 8 * bytes) - 1;
	memcpy(&value, mock.reg + (at - MOCK_BAR), bytes);
	return value;
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	uint32_t offset = (uint32_t)(at - MOCK_BAR);

	CHECK(at >= MOCK_BAR && offset + bytes <= BAR_BYTES);
	if (offset == 0x08 && mock.never_resets)
		return;
	if (offset == STREAM + 3 || offset == 0x5d)
		value = mock.reg[offset] & ~value;
	if (offset == 0x58)
		value = 0;
	memcpy(mock.reg + offset, &value, bytes);
	if (offset == 0x08 && value & 1)
		mock.reg[0x0e] = mock.has_no_codec ? 0 : 1;
	if (offset == 0x48)
		commands_run();
}

/* A pin (5) that hears a mixer (4) that hears a converter (3); before it a pin (2) that is not connected to anything outside. */
static struct mock honest(void)
{
	struct mock m = { .reg = { [0] = 0, [1] = 0x14 } };     /* one output stream, four inputs */

	m.widget[2] = (struct widget){ .capabilities = 4 << 20, .pin = 16, .configuration = 1u << 30, .connections = { 3 }, .count = 1 };
	m.widget[3] = (struct widget){ .capabilities = 0 << 20 | 4, .out_amplifier = 0x4a };
	m.widget[4] = (struct widget){ .capabilities = 2 << 20 | 2, .connections = { 3 }, .count = 1 };
	m.widget[5] = (struct widget){ .capabilities = 4 << 20 | 4, .pin = 1 << 16 | 16, .connections = { 6 | 4 << 8 }, .count = 2 };
	m.widget[6] = (struct widget){ .capabilities = 3 << 20, .connections = { 5 }, .count = 1 };       /* a circle */
	return m;
}

static err_t start(struct mock m)
{
	test_dma_forget();
	mock = m;
	return hda_open(&hda, &device);
}

TEST(the_way_from_the_converter_to_the_pin_is_found_and_opened)
{
	CHECK_EQ(start(honest()), OK);
	CHECK(mock.stream_node == 3 && mock.format_node == 3);
	CHECK(mock.selected[5] == 2 && mock.opened[5] && mock.opened[4] && mock.opened[3]);
	CHECK_EQ(reg32(0x20), 1u << 31 | 1u << 4);
}

TEST(the_ring_is_described_period_by_period_and_runs)
{
	static uint8_t frames[SINK_START_FRAMES * SINK_FRAME_BYTES];
	struct { uint64_t address; uint32_t bytes, flags; } e;

	CHECK_EQ(start(honest()), OK);
	for (uint32_t i = 0; i < SINK_PERIODS; i++) {
		memcpy(&e, hda.list.at + 16 * i, sizeof(e));
		CHECK(e.address == dma_address(&hda.sink.ring, i * SINK_PERIOD_BYTES, NULL) && e.bytes == SINK_PERIOD_BYTES && e.flags == 1);
	}
	/* Its reset bit stays as it was written, so that this mock's reset works. */
	CHECK_EQ(sink_write(&hda.sink, frames, SINK_START_FRAMES), SINK_START_FRAMES);
	CHECK(mock.reg[STREAM] == 6 && reg32(STREAM + 8) == SINK_PERIODS * SINK_PERIOD_BYTES && mock.reg[STREAM + 0xc] == SINK_PERIODS - 1);
	for (uint32_t at = 0; hda.sink.is_running && at < 3 * SINK_PERIODS; at++) {
		uint32_t position = at % SINK_PERIODS * SINK_PERIOD_BYTES;
		memcpy(mock.reg + STREAM + 4, &position, 4);
		mock.reg[STREAM + 3] = 4;
		hda_interrupt(&hda);
		CHECK_EQ(mock.reg[STREAM + 3], 0);
	}
	CHECK(!hda.sink.is_running && mock.reg[STREAM] == 0);
}

TEST(codecs_without_an_output_or_any_sense_are_no_device)
{
	struct mock m = honest();

	m.widget[5].pin = 0;
	CHECK_EQ(start(m), ERR_NODEV);
	m = honest();
	m.widget[3].capabilities = 3 << 20;     /* the way ends nowhere */
	CHECK_EQ(start(m), ERR_NODEV);
	m = honest();
	m.has_no_codec = true;
	CHECK_EQ(start(m), ERR_NODEV);
	m = honest();
	m.never_resets = true;
	CHECK_EQ(start(m), ERR_NODEV);
	m = honest();
	m.is_gone = true;
	CHECK_EQ(start(m), ERR_NODEV);
	m = honest();
	m.reg[1] = 0x04;                        /* no output stream */
	CHECK_EQ(start(m), ERR_NODEV);
}

TEST(a_codec_that_does_not_answer_is_an_error)
{
	struct mock m = honest();

	m.never_answers = true;
	CHECK(start(m) != OK);
}

TEST(a_codec_of_widgets_that_all_hear_each_other_comes_to_an_end)
{
	struct mock m = honest();

	for (uint32_t i = 2; i < NODES; i++)
		m.widget[i] = (struct widget){ .capabilities = (i == 2 ? 4u : 3u) << 20, .pin = 16, .connections = { 0x05040302, 0x09080706 }, .count = 8 };
	CHECK_EQ(start(m), ERR_NODEV);
	CHECK(mock.commands < 100000);
}

TEST(answers_at_random_harm_nobody)
{
	for (uint32_t i = 0; i < 20; i++) {
		struct mock m = honest();
		m.is_wild = true;
		(void)!start(m);
		CHECK(hda.path_length <= HDA_PATH_MAX);
	}
}

TEST(one_that_vanished_is_gone)
{
	CHECK_EQ(start(honest()), OK);
	mock.is_gone = true;
	hda_interrupt(&hda);
	CHECK(hda.is_gone);
}

TEST(no_memory_is_an_error_wherever_it_is_missing)
{
	for (uint32_t i = 1; i <= 4; i++) {
		test_dma_forget();
		mock = honest();
		test_dma.fail_after = i;
		CHECK_EQ(hda_open(&hda, &device), ERR_NOMEM);
	}
}
