/* servers/audiod/mixer_test.c - what goes in comes out: as loud, as long, of any format. */
#include "lib/test/test.h"
#include "servers/audiod/mixer.h"

static struct mixer mixer;
static struct mixer_frame buffers[MIXER_STREAMS_MAX][MIXER_FRAMES_MAX];
static int16_t out[2 * AUDIO_RATE];

static struct mixer_stream *stream(uint32_t n, uint32_t sample, uint32_t rate, uint32_t channels, uint32_t ms)
{
	struct mixer_stream *s = &mixer.stream[n];

	if (n == 0)
		mixer = (struct mixer){ .percent = 100 };
	mixer_add(s, buffers[n]);
	CHECK_EQ(mixer_set_format(s, &(struct audio_format){ sample, rate, channels, ms }), OK);
	return s;
}

#define WRITE(s, array) mixer_write(s, (const uint8_t *)(array), sizeof(array))

TEST(frames_of_our_own_format_come_out_as_they_went_in_but_one_later)
{
	struct mixer_stream *s = stream(0, AUDIO_S16, AUDIO_RATE, 2, 0);
	int16_t in[] = { 1, -1, 1000, 2000, 32767, -32768, 5, 6 };

	CHECK_EQ(WRITE(s, in), sizeof(in));
	CHECK(mixer_mix(&mixer, out, 4));
	CHECK(out[0] == 0 && out[1] == 0 && !memcmp(out + 2, in, 12));
	CHECK(!mixer_mix(&mixer, out, 4));
	CHECK(out[0] == 0 && out[7] == 0);
}

TEST(every_format_gives_the_same_loudness)
{
	int16_t s16[4] = { 16384, 16384, 16384, 16384 };
	int32_t s32[4] = { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
	uint8_t u8[4] = { 192, 192, 192, 192 };
	float f[4] = { .5f, .5f, .5f, .5f };

	CHECK_EQ(WRITE(stream(0, AUDIO_S16, AUDIO_RATE, 1, 0), s16), 8);
	CHECK_EQ(WRITE(stream(1, AUDIO_S32, AUDIO_RATE, 1, 0), s32), 16);
	CHECK_EQ(WRITE(stream(2, AUDIO_U8, AUDIO_RATE, 1, 0), u8), 4);
	CHECK_EQ(WRITE(stream(3, AUDIO_FLOAT, AUDIO_RATE, 1, 0), f), 16);
	for (uint32_t i = 0; i < 4; i++) {
		struct mixer one = { .percent = 100 };
		one.stream[0] = mixer.stream[i];
		CHECK(mixer_mix(&one, out, 3));
		CHECK(out[2] == 16384 && out[3] == 16384);
	}
}

TEST(streams_add_up_and_clip)
{
	int16_t a[] = { 0, 0, 20000, -20000, 100, 0 }, b[] = { 0, 0, 20000, -20000, 0, 100 };
	struct mixer_stream *s = stream(0, AUDIO_S16, AUDIO_RATE, 2, 0);

	CHECK_EQ(WRITE(s, a), sizeof(a));
	CHECK_EQ(WRITE(stream(1, AUDIO_S16, AUDIO_RATE, 2, 0), b), sizeof(b));
	CHECK(mixer_mix(&mixer, out, 3));
	CHECK(out[4] == 32767 && out[5] == -32768);
	a[2] = a[3] = 10000;
	s->volume = AUDIO_VOLUME_FULL / 2;
	mixer.percent = 50;
	CHECK_EQ(WRITE(s, a), sizeof(a));
	CHECK(mixer_mix(&mixer, out, 3));
	CHECK_EQ(out[4], 2500);
}

TEST(another_rate_lasts_as_long_and_keeps_a_ramp)
{
	static const uint32_t rates[] = { 8000, 11025, 22050, 44100, 48000, 96000, 192000 };

	for (size_t r = 0; r < sizeof(rates) / sizeof(*rates); r++) {
		struct mixer_stream *s = stream(0, AUDIO_S16, rates[r], 1, 1000);
		uint32_t n = rates[r] / 10;
		static int16_t in[19200];
		for (uint32_t i = 0; i < n; i++)
			in[i] = (int16_t)(i * 20000 / n);
		CHECK_EQ(mixer_write(s, (const uint8_t *)in, 2 * n), 2 * n);
		uint32_t count = s->count, wanted = (uint32_t)((uint64_t)n * AUDIO_RATE / rates[r]);
		CHECK(count >= wanted && count <= wanted + 6);
		CHECK(mixer_mix(&mixer, out, count));
		for (uint32_t i = 1; i < count; i++)
			CHECK(out[2 * i] >= out[2 * i - 2] && out[2 * i] - out[2 * i - 2] < 12);
	}
}

TEST(a_full_buffer_takes_no_more_and_only_whole_frames)
{
	struct mixer_stream *s = stream(0, AUDIO_S16, AUDIO_RATE, 2, 5);
	static int16_t in[2 * 1000];

	CHECK_EQ(mixer_write(s, (const uint8_t *)in, 3), 0);
	CHECK_EQ(WRITE(s, in), 4 * 239);        /* one may become two: a place is kept */
	CHECK_EQ(WRITE(s, in), 0);
	CHECK(mixer_mix(&mixer, out, 100));
	CHECK_EQ(mixer_write(s, (const uint8_t *)in, 4 * 1000 - 1), 4 * 100);
}

TEST(floats_that_are_no_numbers_are_silent_and_too_loud_ones_clip)
{
	float in[] = { 0, __builtin_nanf(""), __builtin_inff(), -__builtin_inff(), 1e30f };

	CHECK_EQ(WRITE(stream(0, AUDIO_FLOAT, AUDIO_RATE, 1, 0), in), sizeof(in));
	CHECK(mixer_mix(&mixer, out, 5));
	CHECK(out[4] == 0 && out[6] == 32767 && out[8] == -32768);
}

TEST(formats_that_are_none_change_nothing)
{
	static const struct audio_format wrong[] = {
		{ 0, 48000, 2, 0 }, { 9, 48000, 2, 0 }, { AUDIO_S16, 3999, 2, 0 }, { AUDIO_S16, 192001, 2, 0 }, { AUDIO_S16, 48000, 0, 0 },
		{ AUDIO_S16, 48000, 9, 0 }, { AUDIO_S16, 48000, 2, 4 }, { AUDIO_S16, 48000, 2, 1001 },
	};
	struct mixer_stream *s = stream(0, AUDIO_U8, 8000, 1, 50), before = *s;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK_EQ(mixer_set_format(s, &wrong[i]), ERR_INVAL);
	CHECK(!memcmp(s, &before, sizeof(before)));
}

TEST(a_stream_that_is_gone_is_silent)
{
	int16_t in[] = { 1000, 1000, 1000 };
	struct mixer_stream *s = stream(0, AUDIO_S16, AUDIO_RATE, 1, 0);

	CHECK_EQ(WRITE(s, in), sizeof(in));
	mixer_remove(s);
	CHECK(mixer_is_empty(&mixer) && !mixer_mix(&mixer, out, 3));
	CHECK_EQ(out[4], 0);
}

TEST(any_writes_of_any_format_stay_inside)
{
	static uint8_t bytes[4096];
	struct mixer_stream *s = stream(0, AUDIO_S16, AUDIO_RATE, 2, 0);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)test_random();
	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t r = test_random();
		(void)!mixer_set_format(s, &(struct audio_format){ (uint32_t)(r % 6), (uint32_t)(r >> 3) % 200000, (uint32_t)(r >> 24) % 10, (uint32_t)(r >> 30) % 300 });
		(void)mixer_write(s, bytes, r >> 40 & 4095);
		CHECK(s->count <= MIXER_FRAMES_MAX && s->first < MIXER_FRAMES_MAX);
		if (r % 3 == 0)
			mixer_mix(&mixer, out, (uint32_t)(r >> 50) % 3000);
	}
}
