/* drivers/fs/virtio_9p/link.h - 9P messages over a virtio queue (device 9: one queue, and a mount tag in the configuration).
 *
 * Several messages are out at a time, each with memory of its own; who waits for an answer is put aside by the caller's `wait` and `wake`. The device is
 * not trusted: virtqueue.h says what it can do to us, lib/ninep/client.h what the messages can.
 */
#pragma once
#include "lib/ninep/client.h"
#include "lib/virtio/virtqueue.h"

enum { LINK_SLOTS = 12, LINK_BODY_BYTES = 132 * 1024, LINK_PIECES_MAX = 40, LINK_TAG_MAX = 24 };
#define LINK_PATIENCE_NS 60000000000ull

struct link_slot {
	struct ninep_message m;         /* first: lib/ninep gives this back */
	struct link *link;
	struct dma_memory memory;       /* head, tail, body */
	void *waiter;                   /* who waits for the answer */
	uint64_t sent_ns;
	bool is_busy, is_out, is_done, is_posted, is_flushed;
};

struct link {
	struct virtio virtio;
	struct virtqueue queue;
	struct link_slot slot[LINK_SLOTS];
	struct ninep *ninep;
	bool is_gone;
	char tag[LINK_TAG_MAX + 1];
	/* The caller's. wait puts who is running aside until wake(it); NULL: nobody can be put aside, the call fails. now: monotonic time. */
	void *(*running)(void);
	void (*wait)(void);
	void (*wake)(void *waiter);
	uint64_t (*now)(void);
	void *wanting[64];              /* who waits for a slot */
	uint32_t wanting_count;
};

extern const struct ninep_carrier link_carrier;

/* NODEV, INVAL, NOMEM. */
err_t link_open(struct link *l, struct device *d) NONNULL MUST_CHECK;
/* Tells the device of what was sent. */
void link_kick(struct link *l) NONNULL;
/* Takes what was answered, and wakes who waits for it. False: the device is gone or lies; it is of no more use. */
bool link_interrupt(struct link *l) NONNULL;
/* Has the device owed an answer for too long? */
bool link_is_stuck(const struct link *l) NONNULL;
/* What waiter waits for is to end soon, if it can: the host is asked to forget it. */
void link_flush(struct link *l, const void *waiter) NONNULL;
