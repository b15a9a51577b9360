/* drivers/fs/virtio_9p/link.c - messages out, answers back. */
#include "drivers/fs/virtio_9p/link.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

#define P9_MOUNT_TAG (1ull << 0)
enum { CONFIG_TAG_BYTES = 0, CONFIG_TAG = 2, QUEUE_SIZE = 128, PIECE_BYTES = 16 * 1024 };
/* Where things lie in a slot's memory. */
enum { AT_HEAD = 0, AT_TAIL = NINEP_HEAD_BYTES, AT_BODY = AT_TAIL + NINEP_TAIL_BYTES, SLOT_BYTES = AT_BODY + LINK_BODY_BYTES };

static struct link_slot *slot_of(struct ninep_message *m) { return (struct link_slot *)m; }

/* ---- Slots ----------------------------------------------------------------------------------------------------------- */

static struct link_slot *slot_free(struct link *l)
{
	for (uint32_t i = 0; i < LINK_SLOTS; i++)
		if (!l->slot[i].is_busy)
			return &l->slot[i];
	return NULL;
}

static void slot_give(struct link_slot *s)
{
	struct link *l = s->link;

	s->is_busy = false;
	if (l->wanting_count == 0)
		return;
	void *first = l->wanting[0];
	memmove(l->wanting, l->wanting + 1, --l->wanting_count * sizeof(*l->wanting));
	l->wake(first);
}

static struct link_slot *slot_take(struct link *l)
{
	struct link_slot *s = slot_free(l);

	if (s) {
		struct ninep_message m = { .tag = s->m.tag, .head = s->m.head, .tail = s->m.tail, .body = s->m.body, .body_bytes = s->m.body_bytes, .clunked = NINEP_NO_FID };
		s->m = m;
		s->waiter = NULL;
		s->is_busy = true;
		s->is_out = s->is_done = s->is_posted = s->is_flushed = false;
	}
	return s;
}

static err_t link_begin(void *carrier, struct ninep_message **out)
{
	struct link *l = carrier;
	struct link_slot *s;

	while (!l->is_gone && !(s = slot_take(l))) {
		if (!l->running() || l->wanting_count == ARRAY_COUNT(l->wanting))
			return ERR_AGAIN;
		l->wanting[l->wanting_count++] = l->running();
		l->wait();
	}
	if (l->is_gone)
		return ERR_NODEV;
	*out = &s->m;
	return OK;
}

static void link_end(void *carrier, struct ninep_message *m)
{
	(void)carrier;
	/* One that is still out (its link broke) is not free before the device is stopped. */
	if (!slot_of(m)->is_out)
		slot_give(slot_of(m));
}

/* ---- Out ------------------------------------------------------------------------------------------------------------- */

/* The memory at [offset, offset + bytes) as pieces: how many. */
static uint32_t pieces_of(const struct link_slot *s, size_t offset, size_t bytes, struct dma_piece *piece)
{
	uint32_t count = 0;
	size_t run;

	while (bytes > 0) {
		uint64_t address = dma_address(&s->memory, offset, &run);
		run = MIN_OF(run, bytes);
		if (count > 0 && piece[count - 1].address + piece[count - 1].bytes == address)
			piece[count - 1].bytes += run;
		else
			piece[count++] = (struct dma_piece){ address, run };
		offset += run;
		bytes -= run;
	}
	return count;
}

static err_t slot_send(struct link_slot *s)
{
	struct dma_piece piece[LINK_PIECES_MAX * 2];
	struct link *l = s->link;

	uint32_t readable = pieces_of(s, AT_HEAD, s->m.head_used, piece);
	if (s->m.is_payload)
		readable += pieces_of(s, AT_BODY, s->m.payload_bytes, piece + readable);
	uint32_t writable = s->m.is_payload ? pieces_of(s, AT_TAIL, NINEP_TAIL_BYTES, piece + readable) : pieces_of(s, AT_BODY, LINK_BODY_BYTES, piece + readable);
	TRY(virtqueue_add(&l->queue, piece, readable, writable, s));
	s->is_out = true;
	s->sent_ns = l->now();
	return OK;
}

static err_t link_transact(void *carrier, struct ninep_message *m)
{
	struct link_slot *s = slot_of(m);
	struct link *l = carrier;

	s->waiter = l->running();
	if (!s->waiter)
		return ERR_AGAIN;
	TRY(slot_send(s));
	while (!s->is_done && !l->is_gone)
		l->wait();
	if (!s->is_done)
		return ERR_NODEV;
	s->waiter = NULL;
	return s->is_flushed && m->answer_bytes < NINEP_HEADER_BYTES ? ERR_INTR : OK;
}

static void link_post(void *carrier, struct ninep_message *m)
{
	struct link *l = carrier;

	slot_of(m)->is_posted = true;
	/* The queue has room for all slots: only a broken one refuses. The fid is then the host's for good, which does no harm. */
	if (slot_send(slot_of(m)))
		link_end(l, m);
}

const struct ninep_carrier link_carrier = { .begin = link_begin, .transact = link_transact, .post = link_post, .end = link_end };

void link_kick(struct link *l)
{
	if (!l->is_gone)
		virtqueue_kick(&l->queue);
}

void link_flush(struct link *l, const void *waiter)
{
	struct link_slot *s, *f;

	for (s = l->slot; s < l->slot + LINK_SLOTS; s++)
		if (s->waiter == waiter && s->is_out && !s->is_flushed)
			break;
	/* Without room it just ends when the host is done. */
	if (s == l->slot + LINK_SLOTS || l->is_gone || !(f = slot_take(l)))
		return;
	s->is_flushed = true;
	ninep_flush(&f->m, s->m.tag);
	link_post(l, &f->m);
}

/* ---- And back -------------------------------------------------------------------------------------------------------- */

static void slot_done(struct link_slot *s, uint32_t written)
{
	struct link *l = s->link;

	s->is_out = false;
	s->is_done = true;
	s->m.answer_bytes = written;
	if (s->is_posted) {
		ninep_posted(l->ninep, &s->m);
		slot_give(s);
	} else if (s->waiter) {
		l->wake(s->waiter);
	}
}

static void link_lost(struct link *l)
{
	l->is_gone = true;
	for (uint32_t i = 0; i < LINK_SLOTS; i++)
		if (l->slot[i].waiter && !l->slot[i].is_done)
			l->wake(l->slot[i].waiter);
	while (l->wanting_count > 0)
		l->wake(l->wanting[--l->wanting_count]);
}

bool link_interrupt(struct link *l)
{
	struct link_slot *s;
	uint32_t written;

	if (l->is_gone)
		return false;
	do {
		while ((s = virtqueue_take(&l->queue, &written)))
			slot_done(s, written);
	} while (!l->queue.is_broken && !virtqueue_arm(&l->queue));
	if (l->queue.is_broken || virtio_is_gone(&l->virtio) || virtio_needs_reset(&l->virtio))
		link_lost(l);
	return !l->is_gone;
}

bool link_is_stuck(const struct link *l)
{
	for (uint32_t i = 0; i < LINK_SLOTS; i++)
		if (l->slot[i].is_out && l->now() - l->slot[i].sent_ns > LINK_PATIENCE_NS)
			return true;
	return false;
}

/* ---- The start ------------------------------------------------------------------------------------------------------- */

/* Its name, as far as it can be one in a path. */
static void tag_read(struct link *l)
{
	uint64_t bytes = l->virtio.features & P9_MOUNT_TAG ? virtio_config(&l->virtio, CONFIG_TAG_BYTES, 2) : 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < bytes && count < LINK_TAG_MAX; i++) {
		char c = (char)virtio_config(&l->virtio, CONFIG_TAG + i, 1);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_')
			break;
		l->tag[count++] = c;
	}
	l->tag[count] = 0;
}

err_t link_open(struct link *l, struct device *d)
{
	TRY(virtio_open(&l->virtio, d, P9_MOUNT_TAG | VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX));
	tag_read(l);
	for (uint32_t i = 0; i < LINK_SLOTS; i++) {
		struct link_slot *s = &l->slot[i];
		TRY(dma_allocate(d, SLOT_BYTES, PIECE_BYTES, 0, &s->memory));
		s->link = l;
		s->m = (struct ninep_message){
			.tag = (uint16_t)i, .head = s->memory.at + AT_HEAD, .tail = s->memory.at + AT_TAIL, .body = s->memory.at + AT_BODY, .body_bytes = LINK_BODY_BYTES,
		};
	}
	TRY(virtqueue_open(&l->queue, &l->virtio, 0, QUEUE_SIZE, LINK_PIECES_MAX, 0));
	virtio_start(&l->virtio);
	return virtqueue_arm(&l->queue) ? OK : ERR_PROTO;
}
