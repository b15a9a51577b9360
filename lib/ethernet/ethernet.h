/* lib/ethernet/ethernet.h - a network card for a program: frames to send and frames received, in memory shared with its driver (abi/proto/ethernet.h).
 *
 * ethernet_open makes the memory: `entries` in each ring, and `buffers` of ETHERNET_BUFFER_BYTES, which are the program's to deal out. It gives empty ones
 * (ethernet_give), puts frames to be sent (ethernet_put), shows both (ethernet_show), and takes what was received (ethernet_take). A buffer that
 * was put is the program's again when ethernet_sent has passed its entry; one that was given, when it was taken.
 * A driver that dies is no concern of the program: its successor gets the memory with the next call, and some frames are lost.
 * Positions in the memory are not trusted. One thread at a time.
 */
#pragma once
#include "abi/proto/ethernet.h"
#include "abi/error.h"
#include "lib/base/attr.h"
#include "lib/ring/ring.h"

/* Programs may read entries, base, buffers, count. */
struct ethernet {
	handle_t handle, object;
	struct ethernet_ring *ring;
	struct ethernet_entry *sent;
	const struct ethernet_entry *received;
	uint32_t *empty;
	uint8_t *base;                  /* what offsets refer to */
	size_t bytes;
	uint32_t buffers, count;        /* the first one's offset; how many there are */
	uint32_t entries, mask;
	uint32_t put, given;            /* positions: of sent and empty */
	uint32_t taken, shown;          /* of received: shown by the driver */
	uint32_t link;                  /* as it was last looked at */
	uint32_t queue, offloads, patience;
};

/* Over zeroed memory of a fitting length. */
static inline void ethernet_init(struct ethernet *e, uint8_t *base, size_t bytes, uint32_t entries)
{
	*e = (struct ethernet){
		.ring = (struct ethernet_ring *)base, .sent = (struct ethernet_entry *)(base + sizeof(struct ethernet_ring)),
		.received = (const struct ethernet_entry *)(base + ethernet_received_offset(entries)), .empty = (uint32_t *)(base + ethernet_empty_offset(entries)),
		.base = base, .bytes = bytes, .buffers = (uint32_t)ethernet_buffers_offset(entries), .entries = entries, .mask = entries - 1,
		.handle = HANDLE_NONE, .object = HANDLE_NONE,
	};
	e->count = (uint32_t)((bytes - e->buffers) / ETHERNET_BUFFER_BYTES);
}

static inline uint32_t ethernet_buffer(const struct ethernet *e, uint32_t n) { return e->buffers + n * ETHERNET_BUFFER_BYTES; }

/* How many entries were done, counted for ever (modulo 2^32). */
static inline uint32_t ethernet_sent(const struct ethernet *e)
{
	uint32_t done = atomic_load_explicit(&e->ring->sent_done, memory_order_acquire);

	return e->put - done <= e->entries ? done : e->put - e->entries;
}

/* False: the ring is full. A frame's entries are put one after another, and shown together. */
static inline bool ethernet_put(struct ethernet *e, const struct ethernet_entry *entry)
{
	if (e->put - ethernet_sent(e) == e->entries)
		return false;
	e->sent[e->put++ & e->mask] = *entry;
	return true;
}

/* An empty buffer. False: there are as many as fit. */
static inline bool ethernet_give(struct ethernet *e, uint32_t offset)
{
	if (e->given - e->taken == e->entries)
		return false;
	e->empty[e->given++ & e->mask] = offset;
	return true;
}

/* Lets the driver see what was put and given. True: it sleeps, and must be called. */
static inline bool ethernet_publish(struct ethernet *e)
{
	bool has_sent = atomic_load_explicit(&e->ring->sent_put, memory_order_relaxed) != e->put;

	ring_publish(&e->ring->sent_put, e->put);
	ring_publish(&e->ring->empty_put, e->given);
	atomic_thread_fence(memory_order_seq_cst);
	uint32_t wants = atomic_load_explicit(&e->ring->wants, memory_order_relaxed);
	return (has_sent && wants & ETHERNET_WANTS_SENT) || wants & ETHERNET_WANTS_EMPTY;
}

/* Takes an entry of what was received: it lies in the shared memory, and its buffer is the program's. 0 bytes: a broken frame. False: there is none now. */
static inline bool ethernet_take(struct ethernet *e, struct ethernet_entry *out)
{
	uint32_t count;

	if (e->taken == e->shown) {
		if (ring_count(&e->ring->received_put, e->taken, e->given - e->taken, &count) || count == 0)
			return false;
		e->shown = e->taken + count;
	}
	ring_entry_copy(out, &e->received[e->taken++ & e->mask], sizeof(*out));
	/* A driver is no more to be trusted than anybody: the program will look there. */
	if (out->offset < e->buffers || out->bytes > ETHERNET_BUFFER_BYTES || out->offset > e->bytes - out->bytes)
		*out = (struct ethernet_entry){ .offset = e->buffers };
	return true;
}

/* ---- open.c ---- */

/* name: eth0. Memory for `entries` (a power of two) each way and `buffers`. Needs ethernet: and mem: in the namespace. Errors of the open; BUSY: another has its queue. */
err_t ethernet_open(struct ethernet *e, const char *name, uint32_t queue, uint32_t entries, uint32_t buffers, uint32_t offloads) NONNULL MUST_CHECK;
void ethernet_close(struct ethernet *e) NONNULL;
/* Lets the driver see what was put and given, and calls it if it sleeps. Errors: the card is gone for good. */
err_t ethernet_show(struct ethernet *e) NONNULL MUST_CHECK;
/* The same, and waits until there is something to take, the link changes, or (for_room) at most half of what was put is not done. */
err_t ethernet_wait(struct ethernet *e, bool for_room) NONNULL MUST_CHECK;
/* The same without waiting: the handle is ready (poll, event queues: READY_READ, READY_PRIORITY) from then on. AGAIN: it is so now. Whoever finds it ready
 * takes, and arms it again. */
err_t ethernet_arm(struct ethernet *e, bool for_room) NONNULL MUST_CHECK;
/* Is the link up? */
static inline bool ethernet_is_up(const struct ethernet *e) { return atomic_load_explicit(&e->ring->link, memory_order_acquire) & 1; }
