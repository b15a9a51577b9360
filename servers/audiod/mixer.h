/* servers/audiod/mixer.h - streams of any format become one of 48,000 frames a second. Pure.
 *
 * A stream's frames are converted when they are written, by linear interpolation where the rate is another, and wait as floats in its buffer.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "abi/error.h"
#include "abi/proto/audio.h"
#include "lib/base/attr.h"

enum { MIXER_STREAMS_MAX = 32, MIXER_FRAMES_MAX = AUDIO_RATE /* 1,000 ms */ };

struct mixer_frame { float left, right; };

struct mixer_stream {
	bool is_used;
	struct audio_format format;
	uint32_t volume;
	uint32_t first, count, room;    /* of buffer: frames */
	double phase, step;             /* where between previous and the frame to come the next one of ours is; how far to the one after */
	struct mixer_frame previous;
	struct mixer_frame *buffer;     /* MIXER_FRAMES_MAX, the caller's */
};

struct mixer {
	uint32_t percent;               /* volume of all */
	struct mixer_stream stream[MIXER_STREAMS_MAX];
};

/* A stream that is not used becomes one of signed 16 bits, 48,000 a second, 100 ms, full volume. buffer: MIXER_FRAMES_MAX frames, which stay the caller's. */
void mixer_add(struct mixer_stream *s, struct mixer_frame *buffer) NONNULL;
void mixer_remove(struct mixer_stream *s) NONNULL;
/* INVAL, and nothing has changed. */
err_t mixer_set_format(struct mixer_stream *s, const struct audio_format *f) NONNULL MUST_CHECK;
size_t mixer_frame_bytes(const struct audio_format *f) NONNULL;
/* Takes as many whole frames of these bytes as there is room for: how many bytes. */
size_t mixer_write(struct mixer_stream *s, const uint8_t *bytes, size_t count) NONNULL;
/* The next frames of all streams together, clipped. Streams that have too little are silent for the rest. False: all were empty. */
bool mixer_mix(struct mixer *m, int16_t *out, uint32_t frames) NONNULL;
bool mixer_is_empty(const struct mixer *m) NONNULL;
