/* lib/net/serve.c - the ethernet protocol (abi/proto/ethernet.def) over the card. */
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/net/card.h"

enum { ACCESS = OPEN_READ | OPEN_WRITE };

/* ---- Opening -------------------------------------------------------------------------------------------------------- */

/* Anybody may ask (no access), so those never take all the places. */
static struct net_open *open_new(uint32_t open_flags)
{
	uint32_t access = open_flags & ACCESS, max = access ? NET_OPENS_MAX : NET_OPENS_MAX / 2;
	struct net_open *o = net.open_count < max ? heap_new(struct net_open) : NULL;

	if (!o)
		return NULL;
	o->open_flags = access;
	list_push_back(&net.opens, &o->link);
	net.open_count++;
	return o;
}

static void open_delete(struct net_open *o)
{
	if (o->queue)
		net_queue_detach(o->queue);
	if (o->tap)
		net_tap_destroy(o->tap);
	list_remove(&o->link);
	net.open_count--;
	heap_delete(o);
}

/* "capture/SNAP" */
static bool snap_of(const char *ref, size_t bytes, uint64_t *snap)
{
	static const char word[] = "capture/";
	size_t length = sizeof(word) - 1;

	return bytes > length && memcmp(ref, word, length) == 0 && number_parse(ref + length, bytes - length, 10, snap) == OK &&
	       *snap > 0 && *snap <= ETHERNET_SNAP_MAX;
}

static int64_t card_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	const struct net_open *at = r->open;
	struct net_open *o;
	uint64_t snap = 0;

	(void)mode;
	if (ref_bytes > 0 && ((at && at->tap) || !snap_of(ref, ref_bytes, &snap)))
		return ERR_NOENT;
	/* Who may only ask does not get to listen by asking it of that. */
	open_flags = (snap ? OPEN_READ : open_flags) & ACCESS;
	if (at && (open_flags & ~at->open_flags))
		return ERR_ACCES;
	if (!(o = open_new(open_flags)))
		return ERR_NFILE;
	if (snap && !(o->tap = net_tap_create((uint32_t)snap))) {
		open_delete(o);
		return ERR_NFILE;
	}
	r->opened = o;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

/* ---- What outlives us ------------------------------------------------------------------------------------------------- */

static void record_set(const struct net_open *o, uint32_t snap)
{
	opens_remove(&net.state->opens, o->id);
	(void)!opens_add(&net.state->opens, o->id, o->open_flags | (o->tap ? NET_OPEN_TAP : 0) | (o->queue ? NET_OPEN_RING : 0),
	                 o->queue ? o->queue->index : snap);
}

static void card_named(struct scheme *s, void *open, uint64_t id)
{
	struct net_open *o = open;

	(void)s;
	o->id = id;
	if (o->tap)
		net_tap_named(o->tap, id);
	record_set(o, o->tap ? net_tap_snap(o->tap) : 0);
}

/* Clients find what they had, and those with rings are told that we do not have them. */
void net_adopt(void)
{
	for (uint32_t i = 0; i < OPENS_MAX; i++) {
		const struct opens_entry e = net.state->opens.entry[i];
		struct net_open *o = e.id ? open_new(e.kind) : NULL;
		if (!o)
			continue;
		o->id = e.id;
		if (e.kind & NET_OPEN_TAP && (o->tap = net_tap_create(e.index)))
			net_tap_named(o->tap, e.id);
		if (ids_adopt(&net.scheme.ids, e.id, o)) {
			opens_remove(&net.state->opens, e.id);
			open_delete(o);
		} else {
			o->is_untold = e.kind & NET_OPEN_RING;
		}
	}
	/* The kernel takes our word only once we have received. */
	server_timer_set(net.server, &net.adopted, DEADLINE_NOW);
}

void net_adopted_tell(struct server_timer *t)
{
	struct net_open *o;

	(void)t;
	list_each(o, &net.opens, link)
		if (o->is_untold && !o->queue)
			scheme_notify(&net.scheme, o->id, READY_READ | READY_PRIORITY, READY_READ | READY_PRIORITY);
}

static void card_close(struct scheme *s, void *open)
{
	struct net_open *o = open;

	(void)s;
	opens_remove(&net.state->opens, o->id);
	open_delete(o);
}

static void card_forget(struct scheme *s, uint64_t id)
{
	(void)s;
	opens_remove(&net.state->opens, id);
}

/* ---- Rings ------------------------------------------------------------------------------------------------------------ */

static int64_t ring_set(struct scheme_request *r, struct net_open *o)
{
	struct ethernet_setup setup;
	struct net_memory memory;
	err_t err;

	if (o->open_flags != ACCESS)
		return ERR_ACCES;
	TRY(scheme_in_struct(r, &setup, sizeof(setup)));
	struct net_queue *q = setup.queue < net.card->info.queues ? &net.queue[setup.queue] : NULL;
	if (!q || (o->queue && o->queue != q))
		return ERR_INVAL;
	if (q->owner && q->owner != o)
		return ERR_BUSY;
	if (o->queue)
		net_queue_detach(q);
	if (r->passed != HANDLE_NONE) {
		TRY(net_memory_map(r->passed, setup.entries, net.card->ops->give != NULL, &memory));
		if ((err = net_queue_attach(q, o, &memory, &setup))) {
			net_memory_unmap(&memory);
			return err;
		}
	}
	scheme_notify(&net.scheme, o->id, 0, READY_READ | READY_PRIORITY);
	record_set(o, 0);
	return OK;
}

static int64_t ring_call(struct scheme_request *r, struct net_open *o, uint64_t word)
{
	struct net_queue *q = o->queue;

	if (!q)
		return ERR_CONNRESET;
	if (q->has_told)
		scheme_notify(&net.scheme, o->id, 0, READY_READ);
	q->has_told = false;
	q->seen = (uint32_t)word;
	q->link_seen = (uint16_t)(word >> ETHERNET_LINK_SHIFT);
	q->wants_room = word & ETHERNET_ROOM;
	q->tells = word & ETHERNET_TELL;
	net_queue_run(q);
	if (q->ring.is_broken)
		return ERR_PROTO;
	if (q->tells)
		net_queue_wake(q, OK);
	if (!(word & ETHERNET_WAIT) || net_queue_has_news(q))
		return OK;
	if (r->is_nonblock)
		return ERR_AGAIN;
	if (q->is_waiting)
		return ERR_BUSY;
	q->is_waiting = true;
	return scheme_defer(r, &q->waiting);
}

static void card_cancel(struct scheme_deferred *d)
{
	if (net_taps_cancel(d))
		return;
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		if (net.queue[i].is_waiting && d == &net.queue[i].waiting) {
			net.queue[i].is_waiting = false;
			(void)!scheme_answer(d, ERR_INTR);
		}
}

/* ---- The rest --------------------------------------------------------------------------------------------------------- */

static int64_t filter_set(struct scheme_request *r, const struct net_open *o)
{
	struct ethernet_filter filter;

	if (!(o->open_flags & OPEN_WRITE))
		return ERR_ACCES;
	TRY(scheme_in_struct(r, &filter, sizeof(filter)));
	if (filter.count > ETHERNET_GROUPS_MAX || filter.filter_flags & ~(uint32_t)(ETHERNET_PROMISCUOUS | ETHERNET_ALL_GROUPS))
		return ERR_INVAL;
	for (uint32_t i = 0; i < filter.count; i++)
		if (!(filter.group[i][0] & 1))
			return ERR_INVAL;
	net.state->filter = net.card->filter = filter;
	if (net.is_started)
		net.card->ops->filter(net.card->driver);
	return OK;
}

static int64_t card_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct net_open *o = r->open;

	if (o->tap)
		return ERR_NOTTY;
	if (net.is_gone)
		return ERR_NODEV;
	switch (code) {
	case ETHERNET_CALL:
		return ring_call(r, o, word);
	case ETHERNET_RING:
		return ring_set(r, o);
	case ETHERNET_INFO:
		net.card->info.resets = (uint32_t)net.state->statistics.resets;
		net.card->info.is_zero_copy = net.card->ops->give != NULL;
		return scheme_out(r, &net.card->info, sizeof(net.card->info));
	case ETHERNET_STATISTICS:
		return scheme_out(r, &net.state->statistics, sizeof(net.state->statistics));
	case ETHERNET_FILTER:
		return filter_set(r, o);
	default:
		return ERR_NOTTY;
	}
}

static int64_t card_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct net_open *o = r->open;

	(void)offset;
	if (!o->tap)
		return ERR_INVAL;
	return net.is_gone ? ERR_NODEV : net_tap_read(o->tap, r, bytes);
}

const struct scheme_ops net_scheme_ops = {
	.open = card_open, .named = card_named, .close = card_close, .forget = card_forget, .read = card_read, .call = card_call, .cancel = card_cancel,
	.needs_sender = true,
};
