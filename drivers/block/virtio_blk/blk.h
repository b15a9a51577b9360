/* drivers/block/virtio_blk/blk.h - a virtio block device as a disk of lib/block (VIRTIO 1.2, section 5.2). */
#pragma once
#include "lib/block/block.h"
#include "lib/virtio/virtqueue.h"

enum { BLK_QUEUES_MAX = 4, BLK_QUEUE_SIZE = 128, BLK_DEPTH = 128 };

/* What stands beside the data of one request, where the device reads and writes it. */
struct blk_header {
	uint32_t type, reserved;
	uint64_t sector;                /* of 512 bytes, whatever the disk's are */
	struct { uint64_t sector; uint32_t sectors, flags; } range;     /* discard, write zeroes */
	uint8_t status;
	uint8_t padding[7];
};

struct blk {
	struct virtio virtio;
	struct virtqueue queue[BLK_QUEUES_MAX];
	uint32_t queue_count, next;     /* next: whose turn it is */
	struct dma_memory headers;      /* one struct blk_header per request that can be out */
	uint32_t free_headers[BLK_DEPTH], free_count;
	struct block_disk disk;
	bool is_gone;
	/* Interrupt n of the device tells of queue n % queue_count; the last of several, of the configuration. */
	uint32_t vectors;
};

/* Brings the device up; the disk is described in b->disk, not yet added. NODEV, INVAL, NOMEM. */
err_t blk_open(struct blk *b, struct device *d) NONNULL MUST_CHECK;
/* An interrupt came (any): takes what is finished, sees to changes. */
void blk_interrupt(struct blk *b) NONNULL;
