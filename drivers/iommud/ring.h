/* drivers/iommud/ring.h - the two queues of a virtio IOMMU, in memory that outlives us: nothing of them is kept elsewhere.
 *
 * The request queue has one chain, used again for each request; the event queue has RING_EVENTS buffers, each its own chain, given back when it was
 * looked at. So what an instance before us left is understood from the memory alone. (lib/virtio/virtqueue.h keeps tokens, which die with their process.)
 * Pure but for registers.
 */
#pragma once
#include "lib/virtio/virtio.h"

enum { RING_ENTRIES = 16, RING_REQUEST_MAX = 64, RING_EVENT_BYTES = 32, RING_BYTES = 2048, RING_REQUESTS_AT = 0, RING_EVENTS_AT = RING_BYTES };

struct ring_event { uint32_t reason, flags, endpoint; uint64_t address; };

struct ring {
	volatile uint8_t *at;           /* RING_BYTES */
	uint64_t physical;
	volatile uint8_t *doorbell;
	uint16_t index;
};

/* again: it is there already. NODEV: the device has no such queue or takes no vector; INVAL. */
err_t ring_open(struct ring *r, struct virtio *v, uint16_t index, volatile uint8_t *at, uint64_t physical, uint16_t vector, bool again) NONNULL MUST_CHECK;
void ring_kick(struct ring *r) NONNULL;

/* Hands a request to the device: not before ring_is_done. */
void ring_request(struct ring *r, const void *request, size_t bytes) NONNULL;
bool ring_is_done(const struct ring *r) NONNULL;
/* What it said to the last one; -1 when it wrote nothing. */
int ring_status(const struct ring *r) NONNULL;

/* All buffers to the device, once. */
void ring_events_give(struct ring *r) NONNULL;
/* The first event that was not done with. */
bool ring_event_look(const struct ring *r, struct ring_event *out) NONNULL;
void ring_event_done(struct ring *r) NONNULL;
