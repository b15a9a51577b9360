/* drivers/block/nvme/nvme.h - an NVMe controller and its namespaces as disks of lib/block. */
#pragma once
#include "drivers/block/nvme/registers.h"
#include "lib/block/block.h"

enum { NVME_QUEUES_MAX = 4, NVME_QUEUE_SIZE = 64, NVME_SPACES_MAX = 8, NVME_AREA_BYTES = 512 };

/* A pair of queues. One entry stays empty, so that full and empty differ: NVME_QUEUE_SIZE - 1 commands can be out. */
struct nvme_queue {
	uint32_t index, size;
	struct dma_memory submit, complete;
	struct dma_memory areas;        /* NVME_AREA_BYTES per identifier: its list of pages, or its range */
	uint32_t tail, told, head;      /* told: the tail that the controller was told */
	uint32_t phase;
	uint32_t outstanding;
	bool is_broken;
	struct block_request *request[NVME_QUEUE_SIZE]; /* by identifier */
	bool is_out[NVME_QUEUE_SIZE];
	uint16_t free[NVME_QUEUE_SIZE];
	uint32_t free_count;
};

struct nvme_space {
	struct nvme *nvme;
	uint32_t number;
	struct block_disk disk;
	char name[BLOCK_NAME_MAX + 1];
};

struct nvme {
	struct device *device;
	struct device_bar bar;
	uint64_t capabilities;
	struct nvme_queue admin, io[NVME_QUEUES_MAX];
	uint32_t io_count, next;        /* next: whose turn it is */
	uint32_t vectors;               /* interrupt 0 is the admin queue's, n is I/O queue n - 1's, the last of all others too */
	struct dma_memory page;         /* for IDENTIFY */
	struct nvme_space space[NVME_SPACES_MAX];
	uint32_t space_count;
	bool is_gone;
};

/* How many interrupts of the device are used: all must have been asked for before nvme_open, since queues are made for interrupts that are on. */
uint32_t nvme_vectors(const struct device *d) NONNULL;
/* Brings the controller up and describes its namespaces; they are not yet added. NODEV, INVAL, NOMEM, IO, TIMEDOUT. */
err_t nvme_open(struct nvme *n, struct device *d) NONNULL MUST_CHECK;
/* An interrupt came (any). */
void nvme_interrupt(struct nvme *n) NONNULL;
