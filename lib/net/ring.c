/* lib/net/ring.c - positions, and what lies in the slots between them. */
#include "lib/net/ring.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"

enum { SEGMENTED_MAX = 65535 + ETHERNET_HEADER_BYTES + 4, PAGE = 4096 };

static uint32_t peek(const _Atomic uint32_t *position) { return atomic_load_explicit(position, memory_order_acquire); }

err_t net_ring_init(struct net_ring *r, const struct net_memory *m, uint32_t entries, uint32_t *lost)
{
	*r = (struct net_ring){
		.shared = (struct ethernet_ring *)m->at, .sent = (const struct ethernet_entry *)(m->at + sizeof(struct ethernet_ring)),
		.received = (struct ethernet_entry *)(m->at + ethernet_received_offset(entries)),
		.empty = (const uint32_t *)(m->at + ethernet_empty_offset(entries)), .memory = *m, .buffers_at = ethernet_buffers_offset(entries),
		.entries = entries, .mask = entries - 1, .frame_max = ETHERNET_FRAME_MAX,
	};
	r->sent_taken = peek(&r->shared->sent_taken);
	r->sent_done = peek(&r->shared->sent_done);
	r->empty_taken = r->received_put = peek(&r->shared->received_put);
	if (peek(&r->shared->sent_put) - r->sent_taken > entries || net_ring_sending(r) > entries)
		return ERR_PROTO;
	r->given = heap_alloc(entries * sizeof(*r->given));
	r->state = heap_alloc(entries * sizeof(*r->state));
	if (!r->given || !r->state) {
		net_ring_fini(r);
		return ERR_NOMEM;
	}
	*lost = net_ring_rewind(r);
	return OK;
}

void net_ring_fini(struct net_ring *r)
{
	heap_free(r->given, r->entries * sizeof(*r->given));
	heap_free(r->state, r->entries * sizeof(*r->state));
	r->given = NULL;
	r->state = NULL;
}

uint32_t net_ring_rewind(struct net_ring *r)
{
	uint32_t lost = net_ring_sending(r);

	r->sent_done = r->sent_taken;
	r->empty_taken = r->received_put;
	memset(r->state, 0, r->entries * sizeof(*r->state));
	return lost;
}

/* ---- Sending ------------------------------------------------------------------------------------------------------- */

uint32_t net_ring_to_send(struct net_ring *r)
{
	uint32_t count;

	if (!r->is_broken && ring_count(&r->shared->sent_put, r->sent_taken, r->entries - net_ring_sending(r), &count))
		r->is_broken = true;
	return r->is_broken ? 0 : count;
}

static ALWAYS_INLINE struct ethernet_entry entry_copy(const struct net_ring *r, uint32_t position)
{
	const struct ethernet_entry *slot = &r->sent[position & r->mask];
	union { struct ethernet_entry entry; uint64_t word[2]; } copy = { .word = { ring_word(slot, 0), ring_word(slot, 8) } };

	return copy.entry;
}

static ALWAYS_INLINE bool piece_set(const struct net_ring *r, const struct ethernet_entry *e, struct net_piece *p)
{
	if (e->offset < r->buffers_at || e->offset >= r->memory.bytes || e->bytes == 0 || e->bytes > PAGE - e->offset % PAGE)
		return false;
	*p = (struct net_piece){ net_ring_address(r, e->offset), r->memory.at + e->offset, e->bytes };
	return true;
}

static uint32_t offloads_of(uint32_t entry_flags)
{
	return (entry_flags & ETHERNET_CHECKSUM ? ETHERNET_CAN_CHECKSUM : 0) | (entry_flags & ETHERNET_SEGMENT_TCP4 ? ETHERNET_CAN_SEGMENT_TCP4 : 0) |
	       (entry_flags & ETHERNET_SEGMENT_TCP6 ? ETHERNET_CAN_SEGMENT_TCP6 : 0);
}

/* What the card is to do with it makes sense. */
static bool offloads_fit(const struct net_ring *r, const struct net_frame *f)
{
	const struct ethernet_entry *e = &f->first;
	bool is_segmented = e->entry_flags & (ETHERNET_SEGMENT_TCP4 | ETHERNET_SEGMENT_TCP6);

	if (offloads_of(e->entry_flags) & ~r->offloads || e->entry_flags & ETHERNET_CHECKED)
		return false;
	if ((e->entry_flags & ETHERNET_SEGMENT_TCP4) && (e->entry_flags & ETHERNET_SEGMENT_TCP6))
		return false;
	if (e->entry_flags & ETHERNET_CHECKSUM && (uint32_t)e->checksum_start + e->checksum_offset + 2 > f->bytes)
		return false;
	return !is_segmented || (e->entry_flags & ETHERNET_CHECKSUM && e->segment_bytes > 0 && e->header_bytes > e->checksum_start && e->header_bytes < f->bytes &&
	                         f->bytes <= SEGMENTED_MAX);
}

/* The frame is checked as far as its pieces go: OK, or INVAL. */
static err_t frame_check(const struct net_ring *r, const struct net_frame *f)
{
	if (f->first.entry_flags & ~ETHERNET_MORE)
		return offloads_fit(r, f) && (f->first.entry_flags & (ETHERNET_SEGMENT_TCP4 | ETHERNET_SEGMENT_TCP6) || f->bytes <= r->frame_max) ? OK : ERR_INVAL;
	return f->bytes <= r->frame_max ? OK : ERR_INVAL;
}

err_t net_ring_frame(struct net_ring *r, uint32_t count, struct net_frame *f)
{
	bool is_good = true;
	struct ethernet_entry e = { .entry_flags = ETHERNET_MORE };

	f->slot = r->sent_taken;
	f->entries = f->count = f->bytes = 0;
	for (; e.entry_flags & ETHERNET_MORE; f->entries++) {
		if (f->entries == count)
			return ERR_NODATA;
		e = entry_copy(r, r->sent_taken + f->entries);
		if (f->entries == 0)
			f->first = e;
		is_good &= f->count < ETHERNET_PIECES_MAX && piece_set(r, &e, &f->piece[f->count]);
		if (is_good)
			f->bytes += f->piece[f->count++].bytes;
	}
	if (is_good && f->bytes >= ETHERNET_HEADER_BYTES && frame_check(r, f) == OK)
		return OK;
	net_ring_take(r, f);
	net_ring_sent(r, f->slot);
	return ERR_INVAL;
}

void net_ring_take(struct net_ring *r, const struct net_frame *f)
{
	r->state[f->slot & r->mask] = (uint16_t)f->entries;
	r->sent_taken += f->entries;
}

void net_ring_sent(struct net_ring *r, uint32_t slot)
{
	uint32_t entries;

	r->state[slot & r->mask] |= RING_SENT;
	/* In order, whatever the device's. */
	while (net_ring_sending(r) && (entries = r->state[r->sent_done & r->mask]) & RING_SENT) {
		r->state[r->sent_done & r->mask] = 0;
		r->sent_done += entries & ~(uint32_t)RING_SENT;
	}
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------ */

uint32_t net_ring_empties(struct net_ring *r)
{
	uint32_t count;

	if (!r->is_broken && ring_count(&r->shared->empty_put, r->empty_taken, r->entries - net_ring_given(r), &count))
		r->is_broken = true;
	return r->is_broken ? 0 : count;
}

bool net_ring_empty(struct net_ring *r, uint32_t *offset)
{
	uint32_t at = __atomic_load_n(&r->empty[r->empty_taken & r->mask], __ATOMIC_RELAXED);

	if (at % ETHERNET_BUFFER_BYTES || at < r->buffers_at || !range_fits(at, ETHERNET_BUFFER_BYTES, r->memory.bytes)) {
		r->is_broken = true;
		return false;
	}
	*offset = at;
	return true;
}

void net_ring_empty_take(struct net_ring *r, uint32_t offset)
{
	r->given[r->empty_taken++ & r->mask] = offset;
}

void net_ring_received(struct net_ring *r, uint32_t at, uint32_t bytes, const struct ethernet_entry *how)
{
	uint32_t slot = r->received_put++ & r->mask;
	struct ethernet_entry e = *how;

	e.offset = r->given[slot] + at;
	e.bytes = (uint16_t)bytes;
	r->received[slot] = e;
}
