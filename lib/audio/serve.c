/* lib/audio/serve.c - the driver's side of audio.def over a sink. */
#include "lib/audio/sink.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/state.h"
#include "lib/scheme/scheme.h"

static struct scheme scheme;
static struct server_timer begin;
/* What outlives us: the number of the last that was opened, audiod's, so that it is told of room without having to ask first. */
static struct kept { uint64_t root_id; } *kept;
static const char *device_name;

void sink_notify(struct sink *s)
{
	if (kept->root_id)
		scheme_notify(&scheme, kept->root_id, sink_room(s) >= SINK_PERIOD_FRAMES ? READY_WRITE : 0, READY_WRITE);
}

static int64_t root_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)open_flags, (void)mode;
	if (ref_bytes > 0)
		return ERR_NOENT;
	r->opened = r->scheme->context;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

static void root_opened(struct scheme *s, void *open, uint64_t id)
{
	(void)open;
	kept->root_id = id;
	sink_notify(s->context);
}

static err_t root_revive(struct scheme_request *r)
{
	r->opened = r->scheme->context;
	root_opened(r->scheme, r->opened, r->id);
	return OK;
}

static int64_t root_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct sink *s = r->open;

	(void)offset;
	if (bytes < SINK_FRAME_BYTES)
		return ERR_INVAL;
	uint32_t taken = sink_write(s, r->in, (uint32_t)(r->in_here / SINK_FRAME_BYTES));
	sink_notify(s);
	return taken ? (int64_t)taken * SINK_FRAME_BYTES : ERR_AGAIN;
}

static int64_t root_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	size_t length = strlen(device_name);

	bytes = MIN_OF(MIN_OF(bytes, r->out_room), offset < length ? length - (size_t)offset : 0);
	memcpy(r->out, device_name + (bytes ? offset : 0), bytes);
	return (int64_t)bytes;
}

static int64_t root_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct sink *s = r->open;

	(void)word;
	switch (code) {
	case AUDIO_DELAY:
		return sink_delay(s);
	case AUDIO_DRAIN:
		sink_flush(s);
		return sink_delay(s);
	default:
		return ERR_NOTTY;
	}
}

static const struct scheme_ops ops = {
	.open = root_open, .opened = root_opened, .revive = root_revive, .read = root_read, .write = root_write, .call = root_call,
};

static void on_begin(struct server_timer *t)
{
	(void)t;
	sink_notify(scheme.context);
}

err_t sink_serve(struct sink *s, struct server *server, const char *name)
{
	device_name = name;
	if (!(kept = state_map(sizeof(*kept))))
		return ERR_NOMEM;
	TRY(server_add_scheme(server, &scheme, NULL, &ops, s));
	/* The kernel takes our word only once we have received. */
	server_timer_init(&begin, on_begin);
	server_timer_set(server, &begin, 1);
	return OK;
}
