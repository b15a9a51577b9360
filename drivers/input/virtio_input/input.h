/* drivers/input/virtio_input/input.h - a virtio input device (VIRTIO 1.2, section 5.8): a queue of events, and one for its lights. */
#pragma once
#include "abi/proto/input.h"
#include "lib/virtio/virtqueue.h"

enum { INPUT_BUFFERS = 64 };

struct input {
	struct virtio virtio;
	struct virtqueue events, status;
	struct dma_memory buffers;      /* struct input_raw's of the event queue, then those of the status queue */
	struct input_device info;
	bool is_gone;
};

/* NODEV, INVAL, NOMEM; OPNOTSUPP: neither keys nor pointer. */
err_t input_open(struct input *v, struct device *d) NONNULL MUST_CHECK;
/* Takes up to max reports that came: how many. A device that lies or is stuck is reset. */
size_t input_take(struct input *v, struct input_raw *out, size_t max) NONNULL;
/* lights: enum input_lights. What finds no room is not told. */
void input_set_lights(struct input *v, uint32_t lights) NONNULL;
