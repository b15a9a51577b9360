/* cmd/play.c - plays a sound: `play FILE.wav`, or `play -r RATE -c CHANNELS -f s16|s32|float|u8 FILE` of raw samples; - is standard input. `play -v PERCENT`
 * sets the volume of all; without anything it lists devices and streams.
 *
 * WAVE: IBM and Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF chunks).
 */
#include "abi/proto/audio.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, BYTES = 32 * 1024, CHUNK_HEADER = 8, FORMAT_CHUNK = 16, RIFF_HEADER = 12, WAVE_PCM = 1, WAVE_FLOAT = 3 };

struct source {
	handle_t file;
	uint8_t bytes[BYTES];
	size_t at, end;                 /* what was read and not used */
};

static struct source source;
static handle_t complaints;

static int trouble(const char *what, int64_t err)
{
	print_to(complaints, "play: %s: error %d\n", what, (int)-err);
	return STATUS_TROUBLE;
}

/* At least `least` bytes at source.at, if there are so many. */
static size_t fill(struct source *s, size_t least)
{
	if (s->at > 0)
		memmove(s->bytes, s->bytes + s->at, s->end - s->at);
	s->end -= s->at;
	s->at = 0;
	while (s->end < least) {
		int64_t n = sys_read(REQUEST_INTERRUPTIBLE, s->file, s->bytes + s->end, BYTES - s->end, -1);
		if (n <= 0)
			break;
		s->end += (size_t)n;
	}
	return s->end;
}

static uint32_t little(const uint8_t *at, size_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, at, bytes);
	return value;
}

static bool skip(struct source *s, uint64_t bytes)
{
	while (bytes > 0) {
		size_t n = fill(s, 1);
		if (n == 0)
			return false;
		n = (size_t)MIN_OF((uint64_t)n, bytes);
		s->at = n;
		bytes -= n;
	}
	return true;
}

static bool take_format(const uint8_t *chunk, struct audio_format *f)
{
	uint32_t kind = little(chunk, 2), bits = little(chunk + 14, 2);

	f->channels = little(chunk + 2, 2);
	f->rate = little(chunk + 4, 4);
	f->sample = kind == WAVE_FLOAT && bits == 32 ? AUDIO_FLOAT : kind != WAVE_PCM ? 0 : bits == 16 ? AUDIO_S16 : bits == 32 ? AUDIO_S32 : bits == 8 ? AUDIO_U8 : 0;
	return f->sample != 0;
}

/* Up to the samples, of which there are *bytes. */
static bool read_header(struct source *s, struct audio_format *f, uint64_t *bytes)
{
	bool has_format = false;

	s->at = RIFF_HEADER;
	while (fill(s, CHUNK_HEADER + FORMAT_CHUNK) >= CHUNK_HEADER) {
		uint64_t length = little(s->bytes + 4, 4);
		if (memcmp(s->bytes, "data", 4) == 0) {
			s->at = CHUNK_HEADER;
			*bytes = length;
			return has_format;
		}
		if (memcmp(s->bytes, "fmt ", 4) == 0) {
			if (length < FORMAT_CHUNK || s->end < CHUNK_HEADER + FORMAT_CHUNK)
				return false;
			has_format = take_format(s->bytes + CHUNK_HEADER, f);
		}
		if (!skip(s, CHUNK_HEADER + length + length % 2))
			return false;
	}
	return false;
}

static int play(struct audio_format *f, bool is_raw)
{
	uint64_t left = UINT64_MAX;
	handle_t stream;
	int64_t n;

	if (!is_raw && (fill(&source, RIFF_HEADER) < RIFF_HEADER || memcmp(source.bytes, "RIFF", 4) || memcmp(source.bytes + 8, "WAVE", 4) ||
	                !read_header(&source, f, &left))) {
		print_to(complaints, "play: this is no WAVE file that can be played (say -r, -c, -f for raw samples)\n");
		return STATUS_TROUBLE;
	}
	if ((n = handle_open("audio", "play", OPEN_WRITE, &stream)))
		return trouble("audio:play", n);
	if ((n = handle_call(stream, AUDIO_FORMAT, f, sizeof(*f), NULL, 0, 0)) < 0)
		return trouble("the format", n);
	for (size_t got; left > 0 && (got = fill(&source, BYTES)) > 0; left -= (uint64_t)n, source.at = (size_t)n)
		if ((n = sys_write(REQUEST_INTERRUPTIBLE, stream, source.bytes, (size_t)MIN_OF((uint64_t)got, left), -1)) <= 0)
			break;
	if (n < 0 && n != ERR_INVAL /* the rest of a frame */)
		return trouble("playing", n);
	n = handle_call(stream, AUDIO_DRAIN, NULL, 0, NULL, 0, 0);
	return n < 0 ? trouble("playing to the end", n) : 0;
}

static int show(void)
{
	char text[4096];
	handle_t h;
	int64_t n = handle_open("audio", "", OPEN_READ, &h);

	if (n || (n = sys_read(0, h, text, sizeof(text), 0)) < 0)
		return trouble("audio:", n);
	return handle_write(startup_handle("stdout"), text, (size_t)n) ? STATUS_TROUBLE : 0;
}

static int set_volume(const char *percent)
{
	handle_t h;
	int64_t n = handle_open("audio", "volume", OPEN_WRITE, &h);

	if (n || (n = sys_write(0, h, percent, strlen(percent), -1)) < 0)
		return trouble("the volume", n);
	return 0;
}

static bool take_option(struct audio_format *f, char option, const char *value)
{
	static const char *const samples[] = { "s16", "s32", "float", "u8" };
	uint64_t number = 0;

	if (option == 'f') {
		for (uint32_t i = 0; i < ARRAY_COUNT(samples); i++)
			if (strcmp(value, samples[i]) == 0)
				f->sample = i + 1;
		return f->sample != 0;
	}
	if (number_parse(value, strlen(value), 10, &number) || number > UINT32_MAX)
		return false;
	*(option == 'r' ? &f->rate : &f->channels) = (uint32_t)number;
	return option == 'r' || option == 'c';
}

static int usage(void)
{
	print_to(complaints, "usage: play [-v PERCENT | FILE.wav | [-r RATE] [-c CHANNELS] [-f s16|s32|float|u8] FILE]\n");
	return STATUS_USAGE;
}

int program_main(const struct startup *startup)
{
	struct audio_format f = { 0, AUDIO_RATE, AUDIO_CHANNELS, 0 };
	uint32_t i = 1, count = startup->argument_count;

	complaints = startup_handle("stderr");
	if (count == 1)
		return show();
	if (count == 3 && strcmp(startup_argument(1), "-v") == 0)
		return set_volume(startup_argument(2));
	for (; i + 1 < count && startup_argument(i)[0] == '-' && startup_argument(i)[1] && !startup_argument(i)[2]; i += 2)
		if (!take_option(&f, startup_argument(i)[1], startup_argument(i + 1)))
			return usage();
	if (i + 1 != count)
		return usage();
	const char *name = startup_argument(i);
	bool is_raw = i > 1;
	f.sample = f.sample ? f.sample : AUDIO_S16;
	if (strcmp(name, "-") == 0) {
		source.file = startup_handle("stdin");
		return play(&f, is_raw);
	}
	int64_t err = handle_open("file", name[0] == '/' ? name + 1 : name, OPEN_READ, &source.file);
	return err ? trouble(name, err) : play(&f, is_raw);
}
