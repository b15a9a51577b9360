/* lib/audio/sink.h - a sound driver's half that is the same for all: a ring of periods that the device plays in circles, filled by WRITEs.
 *
 * The device is run while there is something to play. What it has played is made silent behind it, so that one that is not fed plays silence, and is
 * then stopped. sink_serve (serve.c) is the driver's side of abi/proto/audio.def; the rest is pure. One thread.
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "abi/proto/audio.h"
#include "lib/base/attr.h"
#include "lib/driver/driver.h"

struct server;

enum {
	SINK_FRAME_BYTES = 4,           /* two channels of 16 bits */
	SINK_PERIOD_FRAMES = 256,       /* 5.3 ms; an interrupt each */
	SINK_PERIOD_BYTES = SINK_PERIOD_FRAMES * SINK_FRAME_BYTES,
	SINK_PERIODS = 8,
	SINK_RING_FRAMES = SINK_PERIODS * SINK_PERIOD_FRAMES,
	SINK_QUEUE_FRAMES = 3 * SINK_PERIOD_FRAMES,     /* that may wait: 16 ms */
	SINK_START_FRAMES = 2 * SINK_PERIOD_FRAMES,
};

struct sink_ops {
	/* From the ring's beginning on, in circles, with an interrupt after each period. */
	void (*start)(void *driver);
	/* On return the device reads the ring no more. */
	void (*stop)(void *driver);
	/* Which frame of the ring is being played: any number, it is not trusted. */
	uint32_t (*position)(void *driver);
};

struct sink {
	const struct sink_ops *ops;
	void *driver;
	struct dma_memory ring;         /* SINK_RING_FRAMES */
	bool is_running;
	uint64_t written, played;       /* frames since it was started; played <= written + SINK_RING_FRAMES */
};

/* Memory for the ring, of the device's (below 4 GiB). NOMEM. */
err_t sink_init(struct sink *s, struct device *d, const struct sink_ops *ops, void *driver) NONNULL MUST_CHECK;
/* Takes whole frames while there is room: how many. */
uint32_t sink_write(struct sink *s, const uint8_t *frames, uint32_t count) NONNULL;
/* What is written is played now, however little it is. */
void sink_flush(struct sink *s) NONNULL;
/* After the device's interrupt. */
void sink_interrupt(struct sink *s) NONNULL;
uint32_t sink_room(const struct sink *s) NONNULL;
/* Frames that are not yet heard. */
uint32_t sink_delay(const struct sink *s) NONNULL;

/* Serves it as the program's scheme; name is shown to users. NOENT and others of server_add_scheme. */
err_t sink_serve(struct sink *s, struct server *server, const char *name) NONNULL MUST_CHECK;
/* After sink_interrupt: who waits for room is told. */
void sink_notify(struct sink *s) NONNULL;
