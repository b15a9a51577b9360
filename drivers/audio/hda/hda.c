/* drivers/audio/hda/hda.c - the controller: reset, command rings, one output stream. */
#include "drivers/audio/hda/hda.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

/* Registers (3.3). */
enum {
	CAPABILITIES = 0x00, GLOBAL_CONTROL = 0x08, CODECS = 0x0e, INTERRUPT_CONTROL = 0x20, INTERRUPT_STATUS = 0x24,
	COMMAND_BASE = 0x40, COMMAND_WRITE = 0x48, COMMAND_READ = 0x4a, COMMAND_CONTROL = 0x4c, COMMAND_SIZE = 0x4e,
	ANSWER_BASE = 0x50, ANSWER_WRITE = 0x58, ANSWER_COUNT = 0x5a, ANSWER_CONTROL = 0x5c, ANSWER_STATUS = 0x5d, ANSWER_SIZE = 0x5e,
	STREAMS = 0x80, STREAM_BYTES = 0x20,
};
/* Of a stream, from its first register. */
enum { STREAM_CONTROL = 0x00, STREAM_STATUS = 0x03, STREAM_POSITION = 0x04, STREAM_LENGTH = 0x08, STREAM_LAST = 0x0c, STREAM_FORMAT = 0x12, STREAM_LIST = 0x18 };
enum { GLOBAL_RUN = 1 << 0, POINTER_RESET = 1 << 15, RING_RUN = 1 << 1, RING_256 = 2 };
enum { STREAM_RESET = 1 << 0, STREAM_RUN = 1 << 1, STREAM_INTERRUPTS = 1 << 2, STREAM_EVENTS = 0x1c, STREAM_NUMBER = 1 };
#define INTERRUPTS_ON (1u << 31)
enum { TRIES = 100000, CODECS_MAX = 15, FORMAT_48K_16_STEREO = 0x0011 };

struct list_entry { uint64_t address; uint32_t bytes, interrupts; };

static volatile uint8_t *reg(const struct hda *h, uint32_t at) { return h->bar.at + at; }

static bool wait_for(const struct hda *h, uint32_t at, uint32_t mask, uint32_t wanted)
{
	for (uint32_t i = 0; i < TRIES; i++) {
		uint32_t value = mmio_read32(reg(h, at & ~3u)) >> 8 * (at & 3);
		if ((value & mask) == wanted)
			return true;
	}
	return false;
}

/* ---- Commands -------------------------------------------------------------------------------------------------------- */

err_t hda_command(struct hda *h, uint8_t codec, uint8_t node, uint32_t verb, uint32_t *answer)
{
	uint32_t command = (uint32_t)codec << 28 | (uint32_t)node << 20 | verb;
	uint16_t at = (uint16_t)((mmio_read16(reg(h, COMMAND_WRITE)) + 1) % HDA_COMMANDS);

	memcpy(h->commands.at + at * sizeof(command), &command, sizeof(command));
	mmio_write16(reg(h, COMMAND_WRITE), at);
	for (uint32_t i = 0; i < TRIES; i++) {
		if (mmio_read16(reg(h, ANSWER_WRITE)) % HDA_COMMANDS == h->answer_at)
			continue;
		h->answer_at = (h->answer_at + 1) % HDA_COMMANDS;
		memcpy(answer, h->answers.at + h->answer_at * sizeof(uint64_t), sizeof(*answer));
		mmio_write8(reg(h, ANSWER_STATUS), 5);
		return OK;
	}
	return ERR_IO;
}

static void write64(const struct hda *h, uint32_t at, uint64_t value)
{
	mmio_write32(reg(h, at), (uint32_t)value);
	mmio_write32(reg(h, at + 4), (uint32_t)(value >> 32));
}

static err_t rings_start(struct hda *h)
{
	TRY(dma_allocate(h->device, HDA_COMMANDS * sizeof(uint32_t), 0, DMA_WHOLE | DMA_32_BIT, &h->commands));
	TRY(dma_allocate(h->device, HDA_COMMANDS * sizeof(uint64_t), 0, DMA_WHOLE | DMA_32_BIT, &h->answers));
	mmio_write8(reg(h, COMMAND_CONTROL), 0);
	mmio_write8(reg(h, ANSWER_CONTROL), 0);
	write64(h, COMMAND_BASE, dma_address(&h->commands, 0, NULL));
	write64(h, ANSWER_BASE, dma_address(&h->answers, 0, NULL));
	mmio_write8(reg(h, COMMAND_SIZE), RING_256);
	mmio_write8(reg(h, ANSWER_SIZE), RING_256);
	mmio_write16(reg(h, COMMAND_WRITE), 0);
	/* 3.3.21: set, seen to be set, cleared, seen to be clear. Some never show it. */
	mmio_write16(reg(h, COMMAND_READ), POINTER_RESET);
	(void)wait_for(h, COMMAND_READ, POINTER_RESET, POINTER_RESET);
	mmio_write16(reg(h, COMMAND_READ), 0);
	if (!wait_for(h, COMMAND_READ, POINTER_RESET, 0))
		return ERR_NODEV;
	mmio_write16(reg(h, ANSWER_WRITE), POINTER_RESET);
	mmio_write16(reg(h, ANSWER_COUNT), 1);
	h->answer_at = 0;
	mmio_write8(reg(h, COMMAND_CONTROL), RING_RUN);
	mmio_write8(reg(h, ANSWER_CONTROL), RING_RUN | 1);
	return OK;
}

/* ---- For the sink ---------------------------------------------------------------------------------------------------- */

static void out_stop(void *driver)
{
	struct hda *h = driver;

	mmio_write8(reg(h, h->stream + STREAM_CONTROL), 0);
	if (!wait_for(h, h->stream + STREAM_CONTROL, STREAM_RUN, 0))
		driver_fail("the controller does not stop");
}

static bool out_reset(struct hda *h)
{
	mmio_write8(reg(h, h->stream + STREAM_CONTROL), STREAM_RESET);
	if (!wait_for(h, h->stream + STREAM_CONTROL, STREAM_RESET, STREAM_RESET))
		return false;
	mmio_write8(reg(h, h->stream + STREAM_CONTROL), 0);
	return wait_for(h, h->stream + STREAM_CONTROL, STREAM_RESET, 0);
}

static void out_start(void *driver)
{
	struct hda *h = driver;

	if (!out_reset(h))
		driver_fail("the stream cannot be reset");
	write64(h, h->stream + STREAM_LIST, dma_address(&h->list, 0, NULL));
	mmio_write32(reg(h, h->stream + STREAM_LENGTH), SINK_PERIODS * SINK_PERIOD_BYTES);
	mmio_write16(reg(h, h->stream + STREAM_LAST), SINK_PERIODS - 1);
	mmio_write16(reg(h, h->stream + STREAM_FORMAT), FORMAT_48K_16_STEREO);
	mmio_write8(reg(h, h->stream + STREAM_CONTROL + 2), STREAM_NUMBER << 4);
	mmio_write8(reg(h, h->stream + STREAM_CONTROL), STREAM_RUN | STREAM_INTERRUPTS);
}

static uint32_t out_position(void *driver)
{
	struct hda *h = driver;

	return mmio_read32(reg(h, h->stream + STREAM_POSITION)) / SINK_FRAME_BYTES;
}

static const struct sink_ops ops = { .start = out_start, .stop = out_stop, .position = out_position };

void hda_interrupt(struct hda *h)
{
	uint8_t status = mmio_read8(reg(h, h->stream + STREAM_STATUS));

	if (mmio_read32(reg(h, GLOBAL_CONTROL)) == UINT32_MAX) {
		h->is_gone = true;
		return;
	}
	mmio_write8(reg(h, h->stream + STREAM_STATUS), status & STREAM_EVENTS);
	/* An answer to a command is read by who asked. */
	mmio_write8(reg(h, ANSWER_STATUS), 5);
	sink_interrupt(&h->sink);
}

/* ---- Start ----------------------------------------------------------------------------------------------------------- */

static err_t controller_reset(struct hda *h)
{
	mmio_write32(reg(h, GLOBAL_CONTROL), 0);
	if (!wait_for(h, GLOBAL_CONTROL, GLOBAL_RUN, 0))
		return ERR_NODEV;
	mmio_write32(reg(h, GLOBAL_CONTROL), GLOBAL_RUN);
	if (!wait_for(h, GLOBAL_CONTROL, GLOBAL_RUN, GLOBAL_RUN))
		return ERR_NODEV;
	/* 4.3: codecs have 25 frames of the link, 521 us, to report. */
	for (uint32_t i = 0; i < TRIES; i++)
		if (mmio_read16(reg(h, CODECS)) & ((1 << CODECS_MAX) - 1))
			return OK;
	return ERR_NODEV;
}

static err_t stream_choose(struct hda *h)
{
	uint32_t capabilities = mmio_read32(reg(h, CAPABILITIES)), inputs = capabilities >> 8 & 15;

	h->stream_index = (uint8_t)inputs;
	h->stream = STREAMS + inputs * STREAM_BYTES;
	return (capabilities >> 12 & 15) > 0 && h->stream + STREAM_BYTES <= h->bar.bytes ? OK : ERR_NODEV;
}

static void list_fill(struct hda *h)
{
	struct list_entry e = { .bytes = SINK_PERIOD_BYTES, .interrupts = 1 };

	for (uint32_t i = 0; i < SINK_PERIODS; i++) {
		e.address = dma_address(&h->sink.ring, i * SINK_PERIOD_BYTES, NULL);
		memcpy(h->list.at + i * sizeof(e), &e, sizeof(e));
	}
}

static err_t codecs_start(struct hda *h)
{
	uint16_t there = mmio_read16(reg(h, CODECS));
	err_t err = ERR_NODEV;

	for (uint8_t i = 0; i < CODECS_MAX && err; i++)
		if (there & 1 << i)
			err = hda_codec_start(h, i, STREAM_NUMBER);
	return err;
}

err_t hda_open(struct hda *h, struct device *d)
{
	*h = (struct hda){ .device = d };
	TRY(device_map_bar(d, 0, &h->bar));
	if (!h->bar.at || h->bar.bytes < STREAMS + STREAM_BYTES)
		return ERR_NODEV;
	TRY(controller_reset(h));
	TRY(stream_choose(h));
	TRY(rings_start(h));
	TRY(codecs_start(h));
	TRY(sink_init(&h->sink, d, &ops, h));
	TRY(dma_allocate(d, SINK_PERIODS * sizeof(struct list_entry), 0, DMA_WHOLE | DMA_32_BIT, &h->list));
	list_fill(h);
	mmio_write32(reg(h, INTERRUPT_CONTROL), INTERRUPTS_ON | 1u << h->stream_index);
	return OK;
}
