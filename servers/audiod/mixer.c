/* servers/audiod/mixer.c - conversion, interpolation, sum. */
#include "servers/audiod/mixer.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { BUFFER_MS = 100, BUFFER_MS_MIN = 5, BUFFER_MS_MAX = 1000, SAMPLE_MAX = 32767, SAMPLE_MIN = -32768 };

/* ---- Formats --------------------------------------------------------------------------------------------------------- */

static size_t sample_bytes(uint32_t sample)
{
	return sample == AUDIO_S16 ? 2 : sample == AUDIO_U8 ? 1 : sample == AUDIO_S32 || sample == AUDIO_FLOAT ? 4 : 0;
}

size_t mixer_frame_bytes(const struct audio_format *f) { return sample_bytes(f->sample) * f->channels; }

static float sample_read(uint32_t sample, const uint8_t *at)
{
	int16_t s16;
	int32_t s32;
	float f;

	switch (sample) {
	case AUDIO_S16:
		memcpy(&s16, at, sizeof(s16));
		return (float)s16 / 32768.f;
	case AUDIO_S32:
		memcpy(&s32, at, sizeof(s32));
		return (float)s32 / 2147483648.f;
	case AUDIO_U8:
		return ((float)*at - 128.f) / 128.f;
	default:
		memcpy(&f, at, sizeof(f));
		/* Also what is no number at all. */
		return f >= -1.f && f <= 1.f ? f : f > 1.f ? 1.f : f < -1.f ? -1.f : 0.f;
	}
}

static struct mixer_frame frame_read(const struct audio_format *f, const uint8_t *at)
{
	float left = sample_read(f->sample, at);

	return (struct mixer_frame){ left, f->channels > 1 ? sample_read(f->sample, at + sample_bytes(f->sample)) : left };
}

err_t mixer_set_format(struct mixer_stream *s, const struct audio_format *f)
{
	uint32_t ms = f->buffer_ms ? f->buffer_ms : BUFFER_MS;

	if (!sample_bytes(f->sample) || f->rate < AUDIO_RATE_MIN || f->rate > AUDIO_RATE_MAX || f->channels == 0 || f->channels > AUDIO_CHANNELS_MAX ||
	    ms < BUFFER_MS_MIN || ms > BUFFER_MS_MAX)
		return ERR_INVAL;
	s->format = *f;
	s->format.buffer_ms = ms;
	s->room = AUDIO_RATE / 1000 * ms;
	s->step = (double)f->rate / AUDIO_RATE;
	s->phase = 0;
	return OK;
}

/* ---- Streams --------------------------------------------------------------------------------------------------------- */

void mixer_add(struct mixer_stream *s, struct mixer_frame *buffer)
{
	*s = (struct mixer_stream){ .is_used = true, .volume = AUDIO_VOLUME_FULL, .buffer = buffer };
	(void)!mixer_set_format(s, &(struct audio_format){ AUDIO_S16, AUDIO_RATE, AUDIO_CHANNELS, 0 });
}

void mixer_remove(struct mixer_stream *s) { *s = (struct mixer_stream){ .is_used = false }; }

/* How many of ours one frame of the stream's can become. */
static uint32_t frames_per_frame(const struct mixer_stream *s) { return (uint32_t)(1 / s->step) + 1; }

/* The frames of ours that lie between the previous frame and this one. */
static void frame_put(struct mixer_stream *s, struct mixer_frame f)
{
	for (; s->phase < 1; s->phase += s->step) {
		float at = (float)s->phase;
		s->buffer[(s->first + s->count++) % MIXER_FRAMES_MAX] = (struct mixer_frame){
			s->previous.left + (f.left - s->previous.left) * at, s->previous.right + (f.right - s->previous.right) * at,
		};
	}
	s->phase -= 1;
	s->previous = f;
}

size_t mixer_write(struct mixer_stream *s, const uint8_t *bytes, size_t count)
{
	size_t each = mixer_frame_bytes(&s->format), done = 0;
	uint32_t most = frames_per_frame(s);

	for (; done + each <= count && s->count + most <= s->room; done += each)
		frame_put(s, frame_read(&s->format, bytes + done));
	return done;
}

/* ---- The sum --------------------------------------------------------------------------------------------------------- */

static void stream_add(struct mixer_stream *s, float factor, struct mixer_frame *sum, uint32_t frames)
{
	uint32_t n = MIN_OF(s->count, frames);

	factor *= (float)s->volume / AUDIO_VOLUME_FULL;
	for (uint32_t i = 0; i < n; i++) {
		const struct mixer_frame *f = &s->buffer[(s->first + i) % MIXER_FRAMES_MAX];
		sum[i].left += f->left * factor;
		sum[i].right += f->right * factor;
	}
	s->first = (s->first + n) % MIXER_FRAMES_MAX;
	s->count -= n;
}

static int16_t clipped(float value)
{
	float scaled = value * 32768.f;

	return scaled >= SAMPLE_MAX ? SAMPLE_MAX : scaled <= SAMPLE_MIN ? SAMPLE_MIN : (int16_t)(scaled + (scaled < 0 ? -.5f : .5f));
}

bool mixer_is_empty(const struct mixer *m)
{
	for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
		if (m->stream[i].is_used && m->stream[i].count)
			return false;
	return true;
}

bool mixer_mix(struct mixer *m, int16_t *out, uint32_t frames)
{
	enum { AT_ONCE = 256 };
	bool is_empty = mixer_is_empty(m);

	for (uint32_t done = 0, n; done < frames; done += n) {
		struct mixer_frame sum[AT_ONCE] = {{ 0 }};
		n = MIN_OF(frames - done, (uint32_t)AT_ONCE);
		for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
			if (m->stream[i].is_used)
				stream_add(&m->stream[i], (float)m->percent / 100.f, sum, n);
		for (uint32_t i = 0; i < n; i++) {
			out[2 * (done + i)] = clipped(sum[i].left);
			out[2 * (done + i) + 1] = clipped(sum[i].right);
		}
	}
	return !is_empty;
}
