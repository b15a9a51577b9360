/* drivers/audio/ac97/ac97.c - the codec is woken, then a list of 32 descriptors goes round the ring of periods for ever. */
#include "drivers/audio/ac97/ac97.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/ports.h"

/* The codec's mixer: 16-bit registers, BAR 0. */
enum { MIXER_RESET = 0x00, MIXER_MASTER = 0x02, MIXER_PCM = 0x18, MIXER_EXTENDED = 0x28, MIXER_CONTROL = 0x2a, MIXER_RATE = 0x2c, MIXER_BYTES = 0x80 };
enum { EXTENDED_VARIABLE_RATE = 1 << 0, VOLUME_MASTER_FULL = 0x0000, VOLUME_PCM_0_DB = 0x0808 };
/* The bus master: the box of the PCM output and what is common, BAR 1. */
enum {
	OUT_LIST = 0x10, OUT_CURRENT = 0x14, OUT_LAST = 0x15, OUT_STATUS = 0x16, OUT_LEFT = 0x18, OUT_CONTROL = 0x1b,
	GLOBAL_CONTROL = 0x2c, GLOBAL_STATUS = 0x30, BUS_BYTES = 0x40,
};
enum { STATUS_HALTED = 1 << 0, STATUS_EVENTS = 0x1c };
enum { CONTROL_RUN = 1 << 0, CONTROL_RESET = 1 << 1, CONTROL_PERIOD_INTERRUPT = 1 << 4 };
enum { GLOBAL_NO_COLD_RESET = 1 << 1, GLOBAL_CODEC_READY = 1 << 8 };
enum { DESCRIPTOR_INTERRUPTS = 1 << 15, TRIES = 1000, SAMPLES_PER_PERIOD = 2 * SINK_PERIOD_FRAMES };

struct descriptor {
	uint32_t address;
	uint16_t samples, flags;
};

static uint32_t mixer_read(const struct ac97 *a, uint32_t at) { return port_read(&a->mixer, at, 2); }
static void mixer_write(const struct ac97 *a, uint32_t at, uint32_t value) { port_write(&a->mixer, at, 2, value); }

static bool wait_for(const struct device_bar *b, uint32_t at, uint32_t bytes, uint32_t mask, uint32_t wanted)
{
	for (uint32_t i = 0; i < TRIES; i++)
		if ((port_read(b, at, bytes) & mask) == wanted)
			return true;
	return false;
}

/* ---- For the sink ---------------------------------------------------------------------------------------------------- */

static void out_stop(void *driver)
{
	struct ac97 *a = driver;

	port_write(&a->bus, OUT_CONTROL, 1, 0);
	if (!wait_for(&a->bus, OUT_STATUS, 2, STATUS_HALTED, STATUS_HALTED))
		driver_fail("the controller does not stop");
	port_write(&a->bus, OUT_CONTROL, 1, CONTROL_RESET);
	if (!wait_for(&a->bus, OUT_CONTROL, 1, CONTROL_RESET, 0))
		driver_fail("the controller's output does not come out of its reset");
}

static void out_start(void *driver)
{
	struct ac97 *a = driver;

	port_write(&a->bus, OUT_LIST, 4, (uint32_t)dma_address(&a->list, 0, NULL));
	port_write(&a->bus, OUT_LAST, 1, AC97_DESCRIPTORS - 1);
	port_write(&a->bus, OUT_STATUS, 2, STATUS_EVENTS);
	port_write(&a->bus, OUT_CONTROL, 1, CONTROL_RUN | CONTROL_PERIOD_INTERRUPT);
}

static uint32_t out_position(void *driver)
{
	struct ac97 *a = driver;
	uint32_t current, left;

	/* What is left belongs to the descriptor that is current before and after. */
	do {
		current = port_read(&a->bus, OUT_CURRENT, 1);
		left = port_read(&a->bus, OUT_LEFT, 2);
	} while (current != port_read(&a->bus, OUT_CURRENT, 1) && current != 0xff);
	return current % SINK_PERIODS * SINK_PERIOD_FRAMES + (SAMPLES_PER_PERIOD - MIN_OF(left, (uint32_t)SAMPLES_PER_PERIOD)) / 2;
}

static const struct sink_ops ops = { .start = out_start, .stop = out_stop, .position = out_position };

void ac97_interrupt(struct ac97 *a)
{
	uint32_t status = port_read(&a->bus, OUT_STATUS, 2);

	if (status == UINT16_MAX || status == UINT32_MAX) {
		a->is_gone = true;
		return;
	}
	port_write(&a->bus, OUT_STATUS, 2, status & STATUS_EVENTS);
	/* The last valid descriptor is always the one before the current: it never comes to an end. */
	port_write(&a->bus, OUT_LAST, 1, (port_read(&a->bus, OUT_CURRENT, 1) + AC97_DESCRIPTORS - 1) % AC97_DESCRIPTORS);
	sink_interrupt(&a->sink);
}

/* ---- Start ----------------------------------------------------------------------------------------------------------- */

static err_t bars_map(struct ac97 *a)
{
	TRY(device_map_bar(a->device, 0, &a->mixer));
	TRY(device_map_bar(a->device, 1, &a->bus));
	bool are_ports = a->mixer.ports != HANDLE_NONE && a->bus.ports != HANDLE_NONE;
	return are_ports && a->mixer.bytes >= MIXER_BYTES && a->bus.bytes >= BUS_BYTES ? OK : ERR_NODEV;
}

static err_t codec_start(struct ac97 *a)
{
	port_write(&a->bus, GLOBAL_CONTROL, 4, GLOBAL_NO_COLD_RESET);
	if (!wait_for(&a->bus, GLOBAL_STATUS, 4, GLOBAL_CODEC_READY, GLOBAL_CODEC_READY) || port_read(&a->bus, GLOBAL_STATUS, 4) == UINT32_MAX)
		return ERR_NODEV;
	mixer_write(a, MIXER_RESET, 0);
	mixer_write(a, MIXER_MASTER, VOLUME_MASTER_FULL);
	mixer_write(a, MIXER_PCM, VOLUME_PCM_0_DB);
	if (mixer_read(a, MIXER_EXTENDED) & EXTENDED_VARIABLE_RATE) {
		mixer_write(a, MIXER_CONTROL, mixer_read(a, MIXER_CONTROL) | EXTENDED_VARIABLE_RATE);
		mixer_write(a, MIXER_RATE, AUDIO_RATE);
		if (mixer_read(a, MIXER_RATE) != AUDIO_RATE)
			return ERR_NODEV;
	}
	return OK;
}

static void list_fill(struct ac97 *a)
{
	struct descriptor d = { .samples = SAMPLES_PER_PERIOD, .flags = DESCRIPTOR_INTERRUPTS };

	for (uint32_t i = 0; i < AC97_DESCRIPTORS; i++) {
		d.address = (uint32_t)dma_address(&a->sink.ring, i % SINK_PERIODS * SINK_PERIOD_BYTES, NULL);
		memcpy(a->list.at + i * sizeof(d), &d, sizeof(d));
	}
}

err_t ac97_open(struct ac97 *a, struct device *d)
{
	*a = (struct ac97){ .device = d };
	TRY(bars_map(a));
	TRY(codec_start(a));
	port_write(&a->bus, OUT_CONTROL, 1, CONTROL_RESET);
	if (!wait_for(&a->bus, OUT_CONTROL, 1, CONTROL_RESET, 0))
		return ERR_NODEV;
	TRY(sink_init(&a->sink, d, &ops, a));
	TRY(dma_allocate(d, AC97_DESCRIPTORS * sizeof(struct descriptor), 0, DMA_WHOLE | DMA_32_BIT, &a->list));
	list_fill(a);
	return OK;
}
