/* lib/ring/client.h - the client's end of a ring: requests put, replies taken. Pure; lib/native/ring.h opens one and waits.
 *
 * What the server writes is checked: a position that jumps or a reply to nothing that is in flight loses the ring (ERR_PROTO).
 * One thread at a time.
 */
#pragma once
#include <stdbool.h>
#include "lib/ring/ring.h"

/* Programs may read entries, data and data_bytes. */
struct ring {
	struct ring_header *header;
	struct request *requests;
	const struct reply *replies;
	bool *is_busy;                  /* by tag: in flight */
	uint32_t mask;                  /* entries - 1 */
	uint32_t tags;                  /* tags below it are accepted: entries; 0 once the ring is lost */
	uint32_t put, taken;            /* positions */
	uint32_t shown;                 /* replies that the server is known to have put; taken, once the ring is lost */
	err_t lost;                     /* not OK: the server is gone or lies; what is in flight ends in this */
	uint32_t lost_next;             /* then: tags below it were answered */
	uint32_t entries;               /* a power of two */
	uint8_t *data;                  /* between processes: what offsets in requests refer to */
	size_t data_bytes;
	/* lib/native/ring.c's. */
	handle_t handle, object;
	size_t bytes;
	uint32_t patience;
};

/* Over an area of zeroes at base, of bytes that fit (ring_entries_fit). is_busy: entries of them, false. */
static inline void ring_init(struct ring *r, void *base, size_t bytes, uint32_t entries, bool *is_busy)
{
	*r = (struct ring){
		.header = base, .requests = (struct request *)((char *)base + sizeof(struct ring_header)),
		.replies = (const struct reply *)((char *)base + ring_replies_offset(entries)),
		.data = (uint8_t *)base + ring_data_offset(entries), .data_bytes = bytes - ring_data_offset(entries),
		.entries = entries, .tags = entries, .mask = entries - 1, .is_busy = is_busy, .handle = HANDLE_NONE, .object = HANDLE_NONE,
		.bytes = bytes,
	};
}

static inline uint32_t ring_in_flight(const struct ring *r) { return r->put - r->taken; }

/* Puts a request, which the server sees with the next ring_show (or ring_wait). Its tag is below entries. AGAIN: the ring is full; BUSY: the tag is
 * in flight; INVAL: no such tag; else the ring is lost. */
static ALWAYS_INLINE err_t ring_put(struct ring *r, const struct request *q)
{
	uint32_t tag = q->tag;

	if (UNLIKELY(tag >= r->tags || r->is_busy[tag]))
		return r->lost ? r->lost : tag >= r->entries ? ERR_INVAL : ring_in_flight(r) == r->entries ? ERR_AGAIN : ERR_BUSY;
	r->is_busy[tag] = true;
	r->requests[r->put++ & r->mask] = *q;
	return OK;
}

/* Lets the server see what was put. True: it sleeps, and must be called (RING_WAIT). */
static inline bool ring_show(struct ring *r)
{
	ring_publish(&r->header->requests_put, r->put);
	return ring_must_call(r->header);
}

/* The server is gone or no server: every request in flight ends in err. */
static inline void ring_lose(struct ring *r, err_t err)
{
	if (!r->lost)
		r->lost = err;
	r->tags = 0;
	r->shown = r->taken;
}

/* Looks whether the server has put more; else says what was taken. False: there is nothing to take. */
static inline bool ring_look(struct ring *r)
{
	uint32_t count = 0;

	ring_publish(&r->header->replies_taken, r->taken);
	if (!r->lost && ring_count(&r->header->replies_put, r->taken, ring_in_flight(r), &count))
		ring_lose(r, ERR_PROTO);
	if (!r->lost)
		r->shown = r->taken + count;
	return r->taken != r->shown;
}

static inline bool ring_take_lost(struct ring *r, struct reply *out)
{
	while (r->lost_next < r->entries && !r->is_busy[r->lost_next])
		r->lost_next++;
	if (r->lost_next == r->entries)
		return false;
	*out = (struct reply){ .tag = r->lost_next, .handle = HANDLE_NONE, .result = r->lost };
	r->is_busy[r->lost_next] = false;
	r->shown = ++r->taken;
	return true;
}

/* Takes a reply, to a tag that was in flight. False: there is none now. Take until false: only then the ring's handle stops being ready. */
static ALWAYS_INLINE bool ring_take(struct ring *r, struct reply *out)
{
	if (UNLIKELY(r->taken == r->shown) && !ring_look(r))
		return r->lost && ring_take_lost(r, out);
	ring_reply_copy(out, &r->replies[r->taken & r->mask]);
	if (UNLIKELY(out->tag > r->mask || !r->is_busy[out->tag])) {
		ring_lose(r, ERR_PROTO);
		return ring_take_lost(r, out);
	}
	r->is_busy[out->tag] = false;
	r->taken++;
	return true;
}

/* ---- Many in a row: the same, with what each needs in registers ------------------------------------------------------ */

/* Between ring_batch_begin and ring_batch_end nothing else is done with the ring. */
struct ring_batch {
	struct ring *ring;
	struct request *requests;
	const struct reply *replies;
	bool *is_busy;
	uint32_t mask, tags, put, taken, shown;
};

static ALWAYS_INLINE struct ring_batch ring_batch_begin(struct ring *r)
{
	if (r->taken == r->shown && ring_in_flight(r))
		ring_look(r);
	return (struct ring_batch){
		.ring = r, .requests = r->requests, .replies = r->replies, .is_busy = r->is_busy, .mask = r->mask, .tags = r->tags,
		.put = r->put, .taken = r->taken, .shown = r->shown,
	};
}

static ALWAYS_INLINE void ring_batch_end(struct ring_batch *b)
{
	b->ring->put = b->put;
	b->ring->taken = b->taken;
	ring_publish(&b->ring->header->replies_taken, b->taken);
}

/* Where to write the request with this tag. False: ring_put says why not. */
static ALWAYS_INLINE bool ring_batch_claim(struct ring_batch *b, uint32_t tag, struct request **slot)
{
	if (UNLIKELY(tag >= b->tags || b->is_busy[tag]))
		return false;
	b->is_busy[tag] = true;
	*slot = &b->requests[b->put++ & b->mask];
	return true;
}

/* False: ring_put says why not. */
static ALWAYS_INLINE bool ring_batch_put(struct ring_batch *b, const struct request *q)
{
	struct request *slot;

	if (!ring_batch_claim(b, q->tag, &slot))
		return false;
	*slot = *q;
	return true;
}

/* Between processes: a CALL of a code and a word, without data (RING_BARE_CALL). What counts for nothing then is not written. */
static ALWAYS_INLINE bool ring_batch_put_call(struct ring_batch *b, uint32_t tag, uint32_t code, uint64_t word)
{
	struct request *slot;

	if (!ring_batch_claim(b, tag, &slot))
		return false;
	*(uint64_t *)&slot->op = RING_BARE_CALL;        /* and no flags (little endian) */
	slot->tag = tag;
	slot->arg[0] = code;
	slot->arg[5] = word;
	return true;
}

static NOINLINE UNUSED bool ring_take_slowly(struct ring *r, struct reply *out) { return ring_take(r, out); }

/* Looks for more replies than were there at the beginning; or what becomes of a lost ring. */
static ALWAYS_INLINE bool ring_batch_take_more(struct ring_batch *b, struct reply *out)
{
	struct reply reply;

	ring_batch_end(b);
	if (!ring_in_flight(b->ring) || !ring_take_slowly(b->ring, &reply))
		return false;
	b->tags = b->ring->tags;
	b->taken = b->ring->taken;
	b->shown = b->ring->shown;
	*out = reply;
	return true;
}

/* As ring_take. */
static ALWAYS_INLINE bool ring_batch_take(struct ring_batch *b, struct reply *out)
{
	if (UNLIKELY(b->taken == b->shown))
		return ring_batch_take_more(b, out);
	ring_reply_copy(out, &b->replies[b->taken & b->mask]);
	out->tag &= b->mask;
	if (UNLIKELY(!b->is_busy[out->tag])) {
		ring_batch_end(b);
		ring_lose(b->ring, ERR_PROTO);
		return ring_batch_take_more(b, out);
	}
	b->is_busy[out->tag] = false;
	b->taken++;
	return true;
}
