/* drivers/block/nvme/queue.h - a submission queue and its completion queue. */
#pragma once
#include "drivers/block/nvme/nvme.h"

/* Its memory, if it has none yet, and all begins anew. NOMEM. */
err_t queue_init(struct nvme_queue *q, struct device *d, uint32_t index, uint32_t size) NONNULL MUST_CHECK;
/* An identifier for a command of r (or of nobody). AGAIN: all are out. */
err_t queue_take(struct nvme_queue *q, struct block_request *r, uint16_t *id) __attribute__((nonnull(1, 3))) MUST_CHECK;
/* The memory beside this command, and where the controller finds it. */
void *queue_area(struct nvme_queue *q, uint16_t id, uint64_t *address) NONNULL;
/* Puts the command with this identifier into the queue (e's own is set). */
void queue_put(struct nvme_queue *q, uint16_t id, const struct nvme_entry *e) NONNULL;
/* Rings the doorbell, if there is something new. */
void queue_kick(struct nvme *n, struct nvme_queue *q) NONNULL;
/* The next completion: its identifier is free again. False: none, or one that makes no sense (is_broken). */
bool queue_next(struct nvme_queue *q, struct nvme_completion *out, struct block_request **r) NONNULL;
/* Tells the controller how far completions were taken. */
void queue_taken(struct nvme *n, struct nvme_queue *q) NONNULL;
