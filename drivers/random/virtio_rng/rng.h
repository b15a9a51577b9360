/* drivers/random/virtio_rng/rng.h - a virtio entropy device (VIRTIO 1.2, section 5.4): a buffer goes out empty and comes back with random bytes. */
#pragma once
#include "lib/virtio/virtqueue.h"

enum { RNG_BYTES = 64 };

struct rng {
	struct virtio virtio;
	struct virtqueue queue;
	struct dma_memory buffer;
	bool is_asked, is_gone;
};

/* NODEV, INVAL, NOMEM. */
err_t rng_open(struct rng *r, struct device *d) NONNULL MUST_CHECK;
/* Sends the buffer out, unless it is. */
void rng_ask(struct rng *r) NONNULL;
/* Its bytes, if it is back: how many (at most RNG_BYTES) were put to `to`. A device that lies or is stuck is reset. */
size_t rng_take(struct rng *r, uint8_t to[RNG_BYTES]) NONNULL;
