/* lib/net/ring.h - the driver's end of one queue's ring (abi/proto/ethernet.h), internal to lib/net. Pure.
 *
 * What the client wrote is copied once and then checked. Counts that make no sense break the ring (is_broken): nothing of it is looked at any more.
 */
#pragma once
#include "lib/net/net.h"
#include "lib/ring/ring.h"

/* A client's object, sealed and mapped, for us and for the device. */
struct net_memory {
	uint8_t *at;
	size_t bytes;
	uint64_t *page;                 /* the device's address of each page; NULL: the device does not reach it */
	uint64_t mapped;                /* names the mapping */
};

struct net_ring {
	struct ethernet_ring *shared;
	const struct ethernet_entry *sent;
	struct ethernet_entry *received;
	const uint32_t *empty;
	struct net_memory memory;
	size_t buffers_at;
	uint32_t entries, mask;         /* mask: entries - 1 */
	uint32_t offloads, frame_max;   /* what frames to send may have */
	uint32_t sent_taken, sent_done; /* positions */
	uint32_t empty_taken, received_put;
	uint32_t *given;                /* by slot of empty: the buffer's offset */
	uint16_t *state;                /* by slot of sent, of a frame's first entry: how many it has | RING_SENT */
	bool is_broken;
};

enum { RING_SENT = 1 << 15 };

/* Over memory of a fitting length (ethernet_ring_fits); goes on at the positions found there. PROTO: they make no sense; NOMEM. *lost: entries
 * that an instance before us had begun to send. */
err_t net_ring_init(struct net_ring *r, const struct net_memory *m, uint32_t entries, uint32_t *lost) NONNULL MUST_CHECK;
void net_ring_fini(struct net_ring *r) NONNULL;
/* The device forgot everything: buffers are given anew, what was being sent is lost: how many entries. */
uint32_t net_ring_rewind(struct net_ring *r) NONNULL;
/* How many entries were shown that were not taken. 0 of a ring that is broken (perhaps by this). */
uint32_t net_ring_to_send(struct net_ring *r) NONNULL;
/* The next frame out of so many entries. NODATA: no whole one; INVAL: refused, taken and done. Else it is to be taken, by net_ring_take. */
err_t net_ring_frame(struct net_ring *r, uint32_t count, struct net_frame *f) NONNULL MUST_CHECK;
void net_ring_take(struct net_ring *r, const struct net_frame *f) NONNULL;
void net_ring_sent(struct net_ring *r, uint32_t slot) NONNULL;
/* How many empty buffers were shown that were not taken. 0 of a ring that is broken. */
uint32_t net_ring_empties(struct net_ring *r) NONNULL;
/* The offset of the next one (there is one); false: it makes no sense, and the ring is broken. It is taken by net_ring_empty_take. */
bool net_ring_empty(struct net_ring *r, uint32_t *offset) NONNULL MUST_CHECK;
void net_ring_empty_take(struct net_ring *r, uint32_t offset) NONNULL;
/* The first that was given (there must be one) is an entry of `received` now; shown later. */
void net_ring_received(struct net_ring *r, uint32_t at, uint32_t bytes, const struct ethernet_entry *how) NONNULL;

static inline uint32_t net_ring_given(const struct net_ring *r) { return r->empty_taken - r->received_put; }
static inline uint32_t net_ring_sending(const struct net_ring *r) { return r->sent_taken - r->sent_done; }
static inline uint64_t net_ring_address(const struct net_ring *r, uint32_t offset)
{
	return r->memory.page ? r->memory.page[offset / 4096] + offset % 4096 : 0;
}
