/* servers/execd/session.c */
#include "servers/execd/session.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

/* Room that DATA leaves free for the small frames (EOF, CREDIT, CLOSE, EXIT), so that these always fit. */
enum { OUTPUT_RESERVE = 1024, FAILED_MAX = 256 };

err_t session_init(struct session *s)
{
	memset(s, 0, sizeof *s);
	s->command = heap_alloc(EXEC_COMMAND_MAX);
	return s->command ? OK : ERR_NOMEM;
}

void session_fini(struct session *s)
{
	heap_free(s->command, EXEC_COMMAND_MAX);
}

/* ---- To the host ------------------------------------------------------------------------------------------------ */

static void output_add(struct session *s, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	ASSERT(count <= SESSION_OUTPUT_BYTES - s->output_used);
	while (count > 0) {
		size_t at = (s->output_head + s->output_used) % SESSION_OUTPUT_BYTES;
		size_t n = MIN_OF(count, SESSION_OUTPUT_BYTES - at);
		memcpy(s->output + at, from, n);
		s->output_used += n;
		from += n;
		count -= n;
	}
}

static void frame_put(struct session *s, enum exec_kind kind, enum exec_channel channel, const void *payload, size_t bytes)
{
	struct exec_frame f = { .kind = (uint8_t)kind, .channel = (uint8_t)channel, .bytes = (uint16_t)bytes };

	output_add(s, &f, sizeof f);
	output_add(s, payload, bytes);
}

size_t session_output(const struct session *s, const uint8_t **bytes)
{
	*bytes = s->output + s->output_head;
	return MIN_OF(s->output_used, SESSION_OUTPUT_BYTES - s->output_head);
}

void session_sent(struct session *s, size_t count)
{
	ASSERT(count <= s->output_used);
	s->output_head = (s->output_head + count) % SESSION_OUTPUT_BYTES;
	s->output_used -= count;
}

void session_hello(struct session *s)
{
	struct exec_hello hello = { .magic = EXEC_MAGIC, .version = EXEC_VERSION };

	s->state = SESSION_SILENT;
	s->is_broken = false;
	s->signal = 0;
	memset(s->channel, 0, sizeof s->channel);
	s->frame_used = s->command_bytes = 0;
	s->stdin_head = s->stdin_used = s->stdin_freed = 0;
	s->stdin_granted = 0;
	s->stdin_has_ended = s->stdin_is_closed = false;
	frame_put(s, EXEC_HELLO, 0, &hello, sizeof hello);
}

void session_fail(struct session *s, const char *why)
{
	frame_put(s, EXEC_FAILED, 0, why, MIN_OF(strlen(why), (size_t)FAILED_MAX));
	s->state = SESSION_OVER;
}

static void break_off(struct session *s, const char *why)
{
	session_fail(s, why);
	s->is_broken = true;
}

size_t session_room(const struct session *s, enum exec_channel channel)
{
	const struct session_channel *c = &s->channel[channel];
	size_t taken = s->output_used + OUTPUT_RESERVE + sizeof(struct exec_frame);

	if (c->has_ended || c->is_closed || taken >= SESSION_OUTPUT_BYTES)
		return 0;
	return MIN_OF(MIN_OF(c->credit, (uint64_t)EXEC_PAYLOAD_MAX), SESSION_OUTPUT_BYTES - taken);
}

void session_put(struct session *s, enum exec_channel channel, const uint8_t *bytes, size_t count)
{
	ASSERT(count <= session_room(s, channel));
	if (count == 0)
		return;
	s->channel[channel].credit -= count;
	frame_put(s, EXEC_DATA, channel, bytes, count);
}

void session_put_end(struct session *s, enum exec_channel channel)
{
	if (!s->channel[channel].has_ended)
		frame_put(s, EXEC_EOF, channel, NULL, 0);
	s->channel[channel].has_ended = true;
}

void session_exit(struct session *s, uint32_t status)
{
	frame_put(s, EXEC_EXIT, 0, &status, sizeof status);
	s->state = SESSION_OVER;
}

/* ---- Standard input ----------------------------------------------------------------------------------------------- */

static void stdin_grant(struct session *s, uint32_t bytes)
{
	frame_put(s, EXEC_CREDIT, EXEC_STDIN, &bytes, sizeof bytes);
	s->stdin_granted += bytes;
}

void session_begin(struct session *s)
{
	ASSERT(s->state == SESSION_READY);
	s->state = SESSION_RUNNING;
	stdin_grant(s, SESSION_STDIN_BYTES);
}

size_t session_stdin(const struct session *s, const uint8_t **bytes)
{
	*bytes = s->stdin_ring + s->stdin_head;
	return MIN_OF(s->stdin_used, SESSION_STDIN_BYTES - s->stdin_head);
}

void session_stdin_taken(struct session *s, size_t count)
{
	ASSERT(count <= s->stdin_used);
	s->stdin_head = (s->stdin_head + count) % SESSION_STDIN_BYTES;
	s->stdin_used -= count;
	s->stdin_freed += count;
	/* In large pieces, and only while small frames fit: what is not granted now is granted later. */
	if (s->stdin_freed >= SESSION_STDIN_BYTES / 4 && s->output_used < SESSION_OUTPUT_BYTES / 2 && !s->stdin_has_ended) {
		stdin_grant(s, (uint32_t)s->stdin_freed);
		s->stdin_freed = 0;
	}
}

void session_stdin_close(struct session *s)
{
	if (s->stdin_is_closed)
		return;
	s->stdin_is_closed = true;
	s->stdin_used = 0;
	if (!s->stdin_has_ended)
		frame_put(s, EXEC_CLOSE, EXEC_STDIN, NULL, 0);
}

static const char *take_data(struct session *s, const uint8_t *bytes, size_t count)
{
	if (count == 0 || count > s->stdin_granted || s->stdin_has_ended)
		return "data for standard input without credit";
	s->stdin_granted -= count;
	if (s->stdin_is_closed)
		return NULL;
	while (count > 0) {
		size_t at = (s->stdin_head + s->stdin_used) % SESSION_STDIN_BYTES;
		size_t n = MIN_OF(count, SESSION_STDIN_BYTES - at);
		memcpy(s->stdin_ring + at, bytes, n);
		s->stdin_used += n;
		bytes += n;
		count -= n;
	}
	return NULL;
}

/* ---- From the host: each answers what is wrong, or NULL --------------------------------------------------------------- */

static const char *take_hello(struct session *s, const uint8_t *payload, size_t bytes)
{
	struct exec_hello hello;

	if (s->state != SESSION_SILENT || bytes != sizeof hello)
		return "an unexpected HELLO";
	memcpy(&hello, payload, sizeof hello);
	if (hello.version != EXEC_VERSION)
		return "another version of the exec protocol";
	s->state = SESSION_COMMAND;
	return NULL;
}

static const char *take_command(struct session *s, const uint8_t *payload, size_t bytes)
{
	if (s->state != SESSION_COMMAND)
		return "a command out of order";
	if (!range_fits(s->command_bytes, bytes, EXEC_COMMAND_MAX))
		return "a command that is too long";
	memcpy(s->command + s->command_bytes, payload, bytes);
	s->command_bytes += bytes;
	if (bytes == 0)
		s->state = SESSION_READY;
	return NULL;
}

static const char *take_credit(struct session_channel *c, const uint8_t *payload, size_t bytes)
{
	uint32_t more;

	if (bytes != sizeof more)
		return "a broken CREDIT";
	memcpy(&more, payload, sizeof more);
	if (c->credit + more > EXEC_CREDIT_MAX)
		return "too much credit";
	c->credit += more;
	return NULL;
}

static const char *take_signal(struct session *s, const uint8_t *payload, size_t bytes)
{
	uint32_t signal;

	if (bytes != sizeof signal)
		return "a broken SIGNAL";
	memcpy(&signal, payload, sizeof signal);
	if (signal < 1 || signal > 64)
		return "no such signal";
	s->signal = signal;
	return NULL;
}

static const char *take_frame(struct session *s, const struct exec_frame *f, const uint8_t *payload)
{
	bool is_output = f->channel > EXEC_STDIN && f->channel < SESSION_CHANNELS;
	bool is_input = f->channel == EXEC_STDIN;

	if (f->kind == EXEC_HELLO)
		return take_hello(s, payload, f->bytes);
	if (f->kind == EXEC_COMMAND)
		return take_command(s, payload, f->bytes);
	if (f->kind == EXEC_CREDIT && is_output)
		return take_credit(&s->channel[f->channel], payload, f->bytes);
	if (f->kind == EXEC_CLOSE && is_output) {
		s->channel[f->channel].is_closed = true;
		return NULL;
	}
	if (f->kind == EXEC_DATA && is_input)
		return take_data(s, payload, f->bytes);
	if (f->kind == EXEC_EOF && is_input) {
		s->stdin_has_ended = true;
		return NULL;
	}
	if (f->kind == EXEC_SIGNAL)
		return take_signal(s, payload, f->bytes);
	if (f->kind == EXEC_GOODBYE) {
		s->state = SESSION_GOODBYE;
		return NULL;
	}
	return "a frame that makes no sense here";
}

/* Before the host's HELLO anything may be on the line: drops bytes until what is left could be its beginning. */
static void hello_seek(struct session *s)
{
	struct { struct exec_frame frame; char magic[16]; } start = {
		{ .kind = EXEC_HELLO, .bytes = sizeof(struct exec_hello) }, EXEC_MAGIC,
	};
	size_t skip = 0;

	while (skip < s->frame_used && memcmp(s->frame + skip, &start, MIN_OF(s->frame_used - skip, sizeof start)) != 0)
		skip++;
	memmove(s->frame, s->frame + skip, s->frame_used - skip);
	s->frame_used -= skip;
}

/* Takes the frame at the front, if it is whole. */
static bool frame_next(struct session *s)
{
	struct exec_frame f;
	const char *wrong;

	if (s->frame_used < sizeof f)
		return false;
	memcpy(&f, s->frame, sizeof f);
	if (f.bytes > EXEC_PAYLOAD_MAX) {
		break_off(s, "a frame that is too long");
		return false;
	}
	size_t whole = sizeof f + f.bytes;
	if (s->frame_used < whole)
		return false;
	if ((wrong = take_frame(s, &f, s->frame + sizeof f))) {
		break_off(s, wrong);
		return false;
	}
	memmove(s->frame, s->frame + whole, s->frame_used - whole);
	s->frame_used -= whole;
	return true;
}

void session_feed(struct session *s, const uint8_t *bytes, size_t count)
{
	while (count > 0 && !s->is_broken) {
		size_t n = MIN_OF(count, sizeof s->frame - s->frame_used);
		memcpy(s->frame + s->frame_used, bytes, n);
		s->frame_used += n;
		bytes += n;
		count -= n;
		do {
			if (s->state == SESSION_SILENT)
				hello_seek(s);
		} while (frame_next(s));
	}
}
