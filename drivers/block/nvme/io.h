/* drivers/block/nvme/io.h - requests of lib/block as commands of NVMe. */
#pragma once
#include "drivers/block/nvme/nvme.h"

extern const struct block_ops io_ops;
/* Takes what this queue has finished. */
void io_drain(struct nvme *n, struct nvme_queue *q) NONNULL;
/* A request did not end in time (nvme.c). */
void nvme_stuck(struct nvme *n) NONNULL;
