/* servers/audiod/main.c - serves audio: streams of many, mixed, go to the driver that is attached, period by period.
 *
 * A driver is asked only while there is something to play: a machine at rest hears nothing of us. Handles: scheme, log; state (which streams are
 * open, and their formats: struct kept).
 */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/attached.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"
#include "lib/scheme/scheme.h"
#include "servers/audiod/mixer.h"

enum { PERIOD_FRAMES = 256, DEVICES_MAX = 4, NAME_BYTES = 64, TEXT_BYTES = 4096, PERCENT_START = 80, FRAME_BYTES = 4, CHUNK_BYTES = 4096,
       USER_STREAMS_MAX = MIXER_STREAMS_MAX / 4 /* of one user other than 0 */ };
#define KEPT_MAGIC 0x32445541ull

/* What outlives us: of each stream what it is, and whose. */
struct kept {
	uint64_t magic;
	uint32_t percent, reserved;
	struct { uint64_t id; uint32_t volume, uid; struct audio_format format; } stream[MIXER_STREAMS_MAX];
};

struct stream {
	struct mixer_stream *mixed;
	uint32_t index;                 /* of kept's record */
	struct list_node waiting;       /* struct waiter */
};

struct waiter {
	struct scheme_deferred deferred;
	struct list_node link;
	struct stream *stream;
	size_t bytes, done;             /* of a WRITE; bytes 0: a drain */
	uint64_t heard_ns;              /* of a drain: when all will have been played; 0: not all was mixed */
};

static struct { char name[NAME_BYTES]; handle_t root; } device[DEVICES_MAX];
static char list, volume;
static struct server server;
static struct scheme scheme;
static struct server_watch watch;
static struct server_timer drained;
static bool is_watched;
static struct mixer mixer;
static struct stream streams[MIXER_STREAMS_MAX];
static struct kept *kept;

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

static struct stream *stream_of(void *open)
{
	struct stream *s = open;

	return s >= streams && s < streams + MIXER_STREAMS_MAX ? s : NULL;
}

/* ---- Writers --------------------------------------------------------------------------------------------------------- */

static void waiter_end(struct waiter *w, int64_t result)
{
	list_remove(&w->link);
	scheme_answer(&w->deferred, result);
	heap_delete(w);
}

/* As much more of what it writes as there is room for. True: it is done, and gone. */
static bool writer_go_on(struct waiter *w)
{
	uint8_t bytes[CHUNK_BYTES];
	size_t each = mixer_frame_bytes(&w->stream->mixed->format);

	while (w->done + each <= w->bytes) {
		size_t n = MIN_OF(sizeof(bytes), w->bytes - w->done);
		err_t err = scheme_deferred_in(&w->deferred, w->done, bytes, n);
		if (err) {
			waiter_end(w, w->done ? (int64_t)w->done : err);
			return true;
		}
		size_t taken = mixer_write(w->stream->mixed, bytes, n);
		w->done += taken;
		if (taken == 0)
			return false;
	}
	waiter_end(w, (int64_t)w->done);
	return true;
}

/* In the order they came: the next one only when the one before is through. */
static void stream_go_on(struct stream *s)
{
	struct waiter *w, *next;

	list_each_safe(w, next, &s->waiting, link)
		if (w->bytes == 0 || !writer_go_on(w))
			return;
}

/* ---- The device ------------------------------------------------------------------------------------------------------ */

static void period_play(void)
{
	int16_t frames[2 * PERIOD_FRAMES];
	size_t done = 0;

	while (!mixer_is_empty(&mixer) && done == 0) {
		mixer_mix(&mixer, frames, PERIOD_FRAMES);
		while (done < sizeof(frames)) {
			int64_t n = sys_write(REQUEST_NONBLOCK, device[0].root, (uint8_t *)frames + done, sizeof(frames) - done, -1);
			if (n <= 0)
				break;          /* less room than it said: what is left of the period is lost */
			done += (size_t)n;
		}
		for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
			if (streams[i].mixed)
				stream_go_on(&streams[i]);
		break;
	}
}

static void settle(void);

static void device_ready(struct server_watch *w, uint32_t found)
{
	(void)w, (void)found;
	period_play();
	settle();
}

/* The drain that is next of the stream's, when all that it waits for was mixed; or NULL. */
static struct waiter *drain_due(const struct stream *s)
{
	struct waiter *w = s->mixed && s->mixed->count == 0 && !list_is_empty(&s->waiting) ? list_first(&s->waiting, struct waiter, link) : NULL;

	return w && w->bytes == 0 ? w : NULL;
}

/* When what the device has by now will have been heard. */
static uint64_t device_end(void)
{
	int64_t left = device[0].root == HANDLE_NONE ? 0 : handle_call(device[0].root, AUDIO_DRAIN, NULL, 0, NULL, 0, 0);

	return now() + (uint64_t)MAX_OF(left, (int64_t)0) * 1000000000 / AUDIO_RATE;
}

/* Who waits for the end of a stream waits for what the device had when the last of it was mixed, whatever others play after that. */
static void drains_look(void)
{
	uint64_t first = UINT64_MAX;
	struct waiter *w;

	for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
		while ((w = drain_due(&streams[i]))) {
			if (w->heard_ns == 0)
				w->heard_ns = device_end();
			if (w->heard_ns > now()) {
				first = MIN_OF(first, w->heard_ns);
				break;
			}
			waiter_end(w, OK);
			stream_go_on(&streams[i]);
		}
	if (first != UINT64_MAX)
		server_timer_set(&server, &drained, first);
}

static void on_drained(struct server_timer *t)
{
	(void)t;
	settle();
}

static void settle(void)
{
	bool has_device = device[0].root != HANDLE_NONE;

	drains_look();
	if (has_device && !is_watched)
		server_add_watch(&server, &watch, device[0].root, 0, device_ready);
	is_watched = has_device;
	if (has_device)
		server_set_watch(&server, &watch, mixer_is_empty(&mixer) ? 0 : READY_WRITE);
}

/* ---- Devices come and go --------------------------------------------------------------------------------------------- */

static void device_remove(uint32_t i)
{
	if (i == 0 && is_watched) {
		server_remove_watch(&server, &watch);
		is_watched = false;
	}
	handle_close(device[i].root);
	for (; i + 1 < DEVICES_MAX; i++)
		device[i] = device[i + 1];
	device[DEVICES_MAX - 1].root = HANDLE_NONE;
}

static uint32_t device_find(const char *name, size_t bytes)
{
	uint32_t i = 0;

	while (i < DEVICES_MAX && device[i].root != HANDLE_NONE && !string_is(name, bytes, device[i].name))
		i++;
	return i;
}

static err_t device_attach(const char *instance, size_t bytes, uint32_t index, handle_t root)
{
	uint32_t i = device_find(instance, bytes);
	handle_t copy;

	(void)index;
	if (bytes >= NAME_BYTES)
		return ERR_INVAL;
	if (i == DEVICES_MAX)
		return ERR_NFILE;
	TRY(handle_dup(root, RIGHT_ALL, &copy));
	if (device[i].root != HANDLE_NONE) {
		device_remove(i);
		i = device_find(instance, bytes);
	}
	string_copy_counted(device[i].name, NAME_BYTES, instance, bytes);
	device[i].root = copy;
	return OK;
}

static err_t device_detach(const char *instance, size_t bytes)
{
	uint32_t i = device_find(instance, bytes);

	if (i == DEVICES_MAX || device[i].root == HANDLE_NONE)
		return ERR_NOENT;
	device_remove(i);
	return OK;
}

/* ---- audio: ---------------------------------------------------------------------------------------------------------- */

/* In this place, which is free. */
static err_t stream_new(uint32_t index, struct stream **out)
{
	struct mixer_frame *buffer = heap_alloc(MIXER_FRAMES_MAX * sizeof(*buffer));

	if (!buffer)
		return ERR_NOMEM;
	mixer_add(&mixer.stream[index], buffer);
	*out = &streams[index];
	**out = (struct stream){ .mixed = &mixer.stream[index], .index = index };
	list_init(&(*out)->waiting);
	return OK;
}

/* A place that nobody has, for this user; what an instance before us had and was not yet asked of is somebody's. NFILE: none, or he has his share. */
static err_t place_find(uint32_t uid, uint32_t *out)
{
	uint32_t found = MIXER_STREAMS_MAX, his = 0;

	for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
		if (!streams[i].mixed && !kept->stream[i].id)
			found = MIN_OF(found, i);
		else
			his += kept->stream[i].uid == uid;
	if (found == MIXER_STREAMS_MAX || (uid != 0 && his >= USER_STREAMS_MAX))
		return ERR_NFILE;
	*out = found;
	return OK;
}

static void stream_keep(struct stream *s)
{
	kept->stream[s->index].format = s->mixed->format;
	kept->stream[s->index].volume = s->mixed->volume;
}

static int64_t audio_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	struct stream *s;

	(void)open_flags, (void)mode;
	if (ref_bytes == 0 || string_is(ref, ref_bytes, "volume")) {
		r->opened = ref_bytes ? &volume : &list;
		r->reply_flags = REPLY_SEEKABLE;
		return OK;
	}
	if (!string_is(ref, ref_bytes, "play"))
		return ERR_NOENT;
	uint32_t place, uid = r->message->sender.uid;
	TRY(place_find(uid, &place));
	TRY(stream_new(place, &s));
	stream_keep(s);
	kept->stream[place].uid = uid;
	r->opened = s;
	return OK;
}

static void audio_named(struct scheme *s, void *open, uint64_t id)
{
	(void)s;
	if (stream_of(open))
		kept->stream[stream_of(open)->index].id = id;
}

/* A stream of an instance before us goes on, without what was in its buffer. */
static err_t audio_revive(struct scheme_request *r)
{
	struct stream *s;
	uint32_t i = 0;

	while (i < MIXER_STREAMS_MAX && !(kept->stream[i].id == r->id && !streams[i].mixed))
		i++;
	if (i == MIXER_STREAMS_MAX)
		return ERR_CONNRESET;
	struct audio_format format = kept->stream[i].format;
	TRY(stream_new(i, &s));
	(void)!mixer_set_format(s->mixed, &format);
	s->mixed->volume = MIN_OF(kept->stream[i].volume, (uint32_t)AUDIO_VOLUME_FULL);
	stream_keep(s);
	r->opened = s;
	return OK;
}

static void audio_close(struct scheme *scheme_of, void *open)
{
	struct stream *s = stream_of(open);

	(void)scheme_of;
	if (!s || !s->mixed)
		return;
	struct mixer_frame *buffer = s->mixed->buffer;
	mixer_remove(s->mixed);
	heap_free(buffer, MIXER_FRAMES_MAX * sizeof(*buffer));
	kept->stream[s->index].id = 0;
	*s = (struct stream){ .mixed = NULL };
	settle();
}

static void audio_forget(struct scheme *s, uint64_t id)
{
	(void)s;
	for (uint32_t i = 0; i < MIXER_STREAMS_MAX; i++)
		if (kept->stream[i].id == id && !streams[i].mixed)
			kept->stream[i].id = 0;
}

static size_t text_of(const void *open, char *text, size_t room)
{
	static const char *const samples[] = { "?", "s16", "s32", "float", "u8" };
	size_t at = 0;

	if (open == &volume)
		return fmt(text, room, "%u\n", mixer.percent);
	for (uint32_t i = 0; i < DEVICES_MAX && device[i].root != HANDLE_NONE && at < room; i++)
		at += fmt(text + at, room - at, "device %s\n", device[i].name);
	for (uint32_t i = 0; i < MIXER_STREAMS_MAX && at < room; i++) {
		const struct mixer_stream *s = &mixer.stream[i];
		if (s->is_used)
			at += fmt(text + at, room - at, "stream %s %u %u %u\n", samples[s->format.sample], s->format.rate, s->format.channels, s->volume);
	}
	return MIN_OF(at, room);
}

static int64_t audio_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char text[TEXT_BYTES];

	if (stream_of(r->open))
		return ERR_BADF;
	size_t all = text_of(r->open, text, sizeof(text));
	bytes = MIN_OF(MIN_OF(bytes, r->out_room), offset < all ? all - (size_t)offset : 0);
	memcpy(r->out, text + (bytes ? offset : 0), bytes);
	return (int64_t)bytes;
}

static int64_t audio_length(struct scheme_request *r)
{
	char text[TEXT_BYTES];

	return stream_of(r->open) ? ERR_INVAL : (int64_t)text_of(r->open, text, sizeof(text));
}

static int64_t wait_for(struct scheme_request *r, struct stream *s, size_t bytes, size_t done)
{
	struct waiter *w = heap_new(struct waiter);

	if (!w)
		return ERR_NOMEM;
	*w = (struct waiter){ .stream = s, .bytes = bytes, .done = done };
	list_push_back(&s->waiting, &w->link);
	int64_t result = scheme_defer(r, &w->deferred);
	settle();
	return result;
}

static int64_t stream_write(struct scheme_request *r, struct stream *s, size_t bytes)
{
	size_t done = 0;

	if (device[0].root == HANDLE_NONE)
		return ERR_NODEV;
	if (bytes < mixer_frame_bytes(&s->mixed->format))
		return ERR_INVAL;
	if (list_is_empty(&s->waiting))
		done = mixer_write(s->mixed, r->in, r->in_here);
	settle();
	if (done + mixer_frame_bytes(&s->mixed->format) > bytes || (r->is_nonblock && done))
		return (int64_t)done;
	return r->is_nonblock ? ERR_AGAIN : wait_for(r, s, bytes, done);
}

static int64_t volume_write(struct scheme_request *r, size_t bytes)
{
	uint64_t percent;

	if (r->message->sender.uid != 0)
		return ERR_PERM;
	size_t digits = bytes && r->in_here == bytes && r->in[bytes - 1] == '\n' ? bytes - 1 : r->in_here;
	if (number_parse((const char *)r->in, digits, 10, &percent) || percent > 100)
		return ERR_INVAL;
	mixer.percent = kept->percent = (uint32_t)percent;
	return (int64_t)bytes;
}

static int64_t audio_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)offset;
	if (r->open == &volume)
		return volume_write(r, bytes);
	return stream_of(r->open) ? stream_write(r, r->open, bytes) : ERR_BADF;
}

static int64_t stream_call(struct scheme_request *r, struct stream *s, uint32_t code, uint64_t word)
{
	struct audio_format f;

	switch (code) {
	case AUDIO_FORMAT:
		TRY(scheme_in_struct(r, &f, sizeof(f)));
		TRY(mixer_set_format(s->mixed, &f));
		break;
	case AUDIO_VOLUME:
		if (word > AUDIO_VOLUME_FULL)
			return ERR_INVAL;
		s->mixed->volume = (uint32_t)word;
		break;
	case AUDIO_DRAIN:
		return r->is_nonblock ? ERR_AGAIN : wait_for(r, s, 0, 0);
	case AUDIO_DROP:
		s->mixed->count = 0;
		settle();
		break;
	case AUDIO_DELAY:
		return s->mixed->count + MAX_OF(handle_call(device[0].root, AUDIO_DELAY, NULL, 0, NULL, 0, 0), (int64_t)0);
	default:
		return ERR_NOTTY;
	}
	stream_keep(s);
	return OK;
}

static int64_t audio_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	const char *instance = (const char *)r->in;

	if (stream_of(r->open))
		return stream_call(r, r->open, code, word);
	if (r->open != &list || (code != ATTACH && code != DETACH))
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (code == ATTACH && r->passed == HANDLE_NONE)
		return ERR_INVAL;
	err_t err = code == ATTACH ? device_attach(instance, r->in_here, (uint32_t)word, r->passed) : device_detach(instance, r->in_here);
	settle();
	return err;
}

static void audio_cancel(struct scheme_deferred *d)
{
	struct waiter *w = container_of(d, struct waiter, deferred);

	waiter_end(w, w->done ? (int64_t)w->done : ERR_INTR);
}

static const struct scheme_ops audio_ops = {
	.open = audio_open, .named = audio_named, .revive = audio_revive, .close = audio_close, .forget = audio_forget, .read = audio_read,
	.length = audio_length, .write = audio_write, .call = audio_call, .cancel = audio_cancel, .needs_sender = true,
};

/* ---- Start ----------------------------------------------------------------------------------------------------------- */

static err_t state_take(void)
{
	if (!(kept = state_map(sizeof(*kept))))
		return ERR_NOMEM;
	if (kept->magic != KEPT_MAGIC || kept->percent > 100)
		*kept = (struct kept){ .magic = KEPT_MAGIC, .percent = PERCENT_START };
	mixer.percent = kept->percent;
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	for (uint32_t i = 0; i < DEVICES_MAX; i++)
		device[i].root = HANDLE_NONE;
	server_timer_init(&drained, on_drained);
	attached_take(device_attach);
	if (!(err = state_take()) && !(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &audio_ops, NULL))) {
		settle();
		err = server_run(&server);
	}
	print("audiod: ended with error %d\n", -err);
	return 1;
}
