/* lib/virtio/virtqueue.h - a split virtqueue: buffers to the device and back (VIRTIO 1.2, 2.7).
 *
 * The driver adds chains (what the device reads, then what it writes) with a token, kicks, and takes tokens back when the device is done. Nothing of
 * what the driver needs lies where the device can write: a used entry that names no outstanding chain, or an index that ran ahead, breaks the queue
 * * (is_broken): the device must be reset then. Indirect descriptors and the event index are used where they were agreed on.
 * Not thread-safe.
 */
#pragma once
#include "lib/virtio/virtio.h"

enum { VIRTQUEUE_SIZE_MAX = 256 };

struct virtqueue_slot {
	void *token;                    /* NULL: not outstanding (as a head) */
	uint32_t writable_bytes;
	uint16_t next;                  /* free: the next free one; in a chain: its next descriptor */
	uint16_t count;                 /* descriptors in the chain (1: or an indirect table) */
};

struct virtqueue {
	struct virtio *virtio;
	uint16_t index, size, vector;
	uint32_t pieces_max;            /* of one chain */
	bool is_indirect, has_event_index, is_broken;
	uint16_t free_count, first_free;
	uint16_t available;             /* index of the next entry in the available ring */
	uint16_t published;             /* that the device was told (kick) */
	uint16_t used;                  /* of the next entry to look at in the used ring */
	uint32_t outstanding;
	struct dma_memory ring, tables; /* tables: one of pieces_max descriptors per slot */
	uint32_t table_bytes;
	volatile struct virtq_descriptor *descriptor;
	volatile uint16_t *available_ring, *used_ring;  /* flags, index, entries, event */
	volatile uint8_t *doorbell;
	struct virtqueue_slot slot[VIRTQUEUE_SIZE_MAX];
};

/* Sets up queue `index` with at most size_max entries (a power of two) and chains of at most pieces_max pieces (<= 256). vector: which
 * interrupt tells of it, or VIRTIO_NO_VECTOR. Between virtio_open (or _reset) and virtio_start; one that was open before keeps its memory.
 * NODEV: the device has no such queue or takes no vector; INVAL: what it says makes no sense; NOMEM. */
err_t virtqueue_open(struct virtqueue *q, struct virtio *v, uint16_t index, uint16_t size_max, uint32_t pieces_max, uint16_t vector) NONNULL MUST_CHECK;
/* readable pieces, then writable ones: at least one. token is not NULL. AGAIN: full. INVAL: too many pieces. */
err_t virtqueue_add(struct virtqueue *q, const struct dma_piece *piece, uint32_t readable, uint32_t writable, void *token) NONNULL MUST_CHECK;
/* Tells the device of what was added, unless it said that it looks by itself. */
void virtqueue_kick(struct virtqueue *q) NONNULL;
/* A token whose chain the device has finished, or NULL. *written (may be NULL): how many bytes it says it wrote, at most what it could. */
void *virtqueue_take(struct virtqueue *q, uint32_t *written) __attribute__((nonnull(1)));
/* Asks for an interrupt at the next used entry. False: there is one already: take first. */
bool virtqueue_arm(struct virtqueue *q) NONNULL;
/* The n-th (from 0) outstanding token; NULL: not so many. For who must give all of them back after a reset. */
void *virtqueue_outstanding(const struct virtqueue *q, uint32_t n) NONNULL;
