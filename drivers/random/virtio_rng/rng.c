/* drivers/random/virtio_rng/rng.c - one buffer, one queue. */
#include "drivers/random/virtio_rng/rng.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

static err_t begin(struct rng *r)
{
	TRY(virtqueue_open(&r->queue, &r->virtio, 0, 8, 1, 0));
	virtio_start(&r->virtio);
	r->is_asked = false;
	return OK;
}

err_t rng_open(struct rng *r, struct device *d)
{
	TRY(virtio_open(&r->virtio, d, 0));
	TRY(dma_allocate(d, RNG_BYTES, 0, DMA_WHOLE, &r->buffer));
	return begin(r);
}

void rng_ask(struct rng *r)
{
	struct dma_piece piece = { dma_address(&r->buffer, 0, NULL), RNG_BYTES };

	if (r->is_asked || r->is_gone)
		return;
	memset(r->buffer.at, 0, RNG_BYTES);
	r->is_asked = virtqueue_add(&r->queue, &piece, 0, 1, r) == OK;
	virtqueue_kick(&r->queue);
}

size_t rng_take(struct rng *r, uint8_t to[RNG_BYTES])
{
	uint32_t bytes;

	if (r->is_gone)
		return 0;
	if (virtqueue_take(&r->queue, &bytes)) {
		r->is_asked = false;
		memcpy(to, r->buffer.at, bytes);
		memset(r->buffer.at, 0, RNG_BYTES);
		return bytes;
	}
	if (virtio_is_gone(&r->virtio) || ((r->queue.is_broken || virtio_needs_reset(&r->virtio)) && (virtio_reset(&r->virtio) || begin(r))))
		r->is_gone = true;
	return 0;
}
