/* lib/net/tap.c - listeners: copies of what goes by, until they are read. */
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"
#include "lib/net/card.h"

enum { TAP_BYTES = 256 * 1024 };        /* a power of two */

struct net_tap {
	struct list_node link;          /* of net.taps */
	uint64_t id;                    /* 0: the client has not got it yet */
	uint32_t snap;
	uint64_t put, taken;            /* bytes, counted for ever */
	uint32_t lost;
	bool has_told;
	struct scheme_deferred waiting;
	bool is_waiting;
	uint8_t *buffer;                /* TAP_BYTES */
};

static uint8_t answer[SCHEME_BUFFER_BYTES];

struct net_tap *net_tap_create(uint32_t snap)
{
	struct net_tap *t = net.tap_count < NET_TAPS_MAX ? heap_new(struct net_tap) : NULL;

	if (!t || !(t->buffer = heap_alloc(TAP_BYTES))) {
		heap_delete(t);
		return NULL;
	}
	t->snap = snap;
	list_push_back(&net.taps, &t->link);
	net.tap_count++;
	return t;
}

void net_tap_destroy(struct net_tap *t)
{
	list_remove(&t->link);
	net.tap_count--;
	heap_free(t->buffer, TAP_BYTES);
	heap_delete(t);
}

/* ---- In ---- */

static void put(struct net_tap *t, const void *from, size_t bytes)
{
	size_t at = t->put % TAP_BYTES, first = MIN_OF(bytes, TAP_BYTES - at);

	memcpy(t->buffer + at, from, first);
	memcpy(t->buffer, (const uint8_t *)from + first, bytes - first);
	t->put += bytes;
}

static void record_put(struct net_tap *t, const struct net_frame *f, struct ethernet_record *record)
{
	static const uint8_t zeroes[8];
	uint32_t left = MIN_OF(f->bytes, t->snap);

	record->bytes = left;
	record->lost = t->lost;
	if (sizeof(*record) + round_up(left, 8) > TAP_BYTES - (t->put - t->taken)) {
		t->lost++;
		net.state->statistics.capture_dropped++;
		return;
	}
	t->lost = 0;
	net.state->statistics.captured++;
	put(t, record, sizeof(*record));
	for (uint32_t i = 0; i < f->count && left > 0; i++) {
		uint32_t part = MIN_OF(left, f->piece[i].bytes);
		put(t, f->piece[i].at, part);
		left -= part;
	}
	put(t, zeroes, round_up(t->put, 8) - t->put);
}

void net_taps_frame(const struct net_frame *f, bool is_sent)
{
	struct ethernet_record record = { .time_ns = net_time(), .frame_bytes = f->bytes, .is_sent = is_sent };
	struct net_tap *t;

	list_each(t, &net.taps, link)
		record_put(t, f, &record);
}

/* ---- And out ---- */

static void copy_out(const struct net_tap *t, uint64_t from, void *to, size_t bytes)
{
	size_t at = from % TAP_BYTES, first = MIN_OF(bytes, TAP_BYTES - at);

	memcpy(to, t->buffer + at, first);
	memcpy((uint8_t *)to + first, t->buffer, bytes - first);
}

/* Whole records, as many as fit: their bytes. */
static size_t take(struct net_tap *t, uint8_t *to, size_t room)
{
	struct ethernet_record record;
	size_t bytes = 0;

	while (t->taken + bytes != t->put) {
		copy_out(t, t->taken + bytes, &record, sizeof(record));
		size_t whole = sizeof(record) + round_up(record.bytes, 8);
		if (whole > room - bytes)
			break;
		copy_out(t, t->taken + bytes, to + bytes, whole);
		bytes += whole;
	}
	t->taken += bytes;
	return bytes;
}

static void tell(struct net_tap *t)
{
	bool has_some = t->put != t->taken;

	if (t->id == 0 || has_some == t->has_told)
		return;
	t->has_told = has_some;
	scheme_notify(&net.scheme, t->id, has_some ? READY_READ : 0, READY_READ);
}

void net_taps_show(void)
{
	struct net_tap *t;

	list_each(t, &net.taps, link) {
		if (t->is_waiting && t->put != t->taken) {
			size_t bytes = take(t, answer, MIN_OF(t->waiting.out_max, sizeof(answer)));
			t->is_waiting = false;
			(void)!scheme_answer_data(&t->waiting, bytes ? (int64_t)bytes : ERR_INVAL, answer, bytes);
		}
		tell(t);
	}
}

int64_t net_tap_read(struct net_tap *t, struct scheme_request *r, size_t bytes)
{
	if (t->put == t->taken) {
		if (r->is_nonblock || t->is_waiting)
			return r->is_nonblock ? ERR_AGAIN : ERR_BUSY;
		t->is_waiting = true;
		return scheme_defer(r, &t->waiting);
	}
	size_t got = take(t, r->out, MIN_OF(bytes, r->out_room));
	tell(t);
	return got ? (int64_t)got : ERR_INVAL;
}

uint32_t net_tap_snap(const struct net_tap *t)
{
	return t->snap;
}

void net_tap_named(struct net_tap *t, uint64_t id)
{
	t->id = id;
}

bool net_taps_cancel(struct scheme_deferred *d)
{
	struct net_tap *t;

	list_each(t, &net.taps, link)
		if (t->is_waiting && &t->waiting == d) {
			t->is_waiting = false;
			(void)!scheme_answer(d, ERR_INTR);
			return true;
		}
	return false;
}
