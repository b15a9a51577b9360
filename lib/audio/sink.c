/* lib/audio/sink.c - how far the device is, what lies before it, and silence behind it. */
#include "lib/audio/sink.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

err_t sink_init(struct sink *s, struct device *d, const struct sink_ops *ops, void *driver)
{
	*s = (struct sink){ .ops = ops, .driver = driver };
	return dma_allocate(d, SINK_PERIODS * SINK_PERIOD_BYTES, 0, DMA_WHOLE | DMA_32_BIT, &s->ring);
}

static uint64_t waiting(const struct sink *s) { return s->written > s->played ? s->written - s->played : 0; }

uint32_t sink_delay(const struct sink *s) { return (uint32_t)waiting(s); }

uint32_t sink_room(const struct sink *s)
{
	return SINK_QUEUE_FRAMES - MIN_OF((uint32_t)waiting(s), (uint32_t)SINK_QUEUE_FRAMES);
}

/* Calls for the pieces of [first, first + count) in the ring: bytes from `from`, or silence. */
static void ring_fill(struct sink *s, uint64_t first, uint32_t count, const uint8_t *from)
{
	for (uint32_t n; count > 0; count -= n, first += n) {
		uint32_t at = (uint32_t)(first % SINK_RING_FRAMES);
		n = MIN_OF(count, SINK_RING_FRAMES - at);
		if (from) {
			memcpy(s->ring.at + at * SINK_FRAME_BYTES, from, n * SINK_FRAME_BYTES);
			from += n * SINK_FRAME_BYTES;
		} else {
			memset(s->ring.at + at * SINK_FRAME_BYTES, 0, n * SINK_FRAME_BYTES);
		}
	}
}

static void start(struct sink *s)
{
	s->is_running = true;
	s->ops->start(s->driver);
}

static void stop(struct sink *s)
{
	s->ops->stop(s->driver);
	s->is_running = false;
	s->written = s->played = 0;
	ring_fill(s, 0, SINK_RING_FRAMES, NULL);
}

uint32_t sink_write(struct sink *s, const uint8_t *frames, uint32_t count)
{
	/* What comes too late is played from where the device is, a period ahead of it. */
	if (s->is_running && s->written < s->played + SINK_PERIOD_FRAMES / 2)
		s->written = s->played + SINK_PERIOD_FRAMES / 2;
	count = MIN_OF(count, sink_room(s));
	ring_fill(s, s->written, count, frames);
	s->written += count;
	if (!s->is_running && waiting(s) >= SINK_START_FRAMES)
		start(s);
	return count;
}

void sink_flush(struct sink *s)
{
	if (!s->is_running && waiting(s) > 0)
		start(s);
}

void sink_interrupt(struct sink *s)
{
	if (!s->is_running)
		return;
	uint32_t at = s->ops->position(s->driver) % SINK_RING_FRAMES;
	uint32_t moved = (at + SINK_RING_FRAMES - (uint32_t)(s->played % SINK_RING_FRAMES)) % SINK_RING_FRAMES;

	ring_fill(s, s->played, moved, NULL);
	s->played += moved;
	/* It has played nothing but silence for two periods. */
	if (s->played >= s->written + SINK_START_FRAMES)
		stop(s);
}
