/* drivers/display/virtio_gpu/gpu.h - a virtio GPU without 3D as a display of lib/display (VIRTIO 1.2, section 5.7).
 *
 * A surface is a resource of the device with the client's own pages behind it: the device copies what a damage names out of them, nobody else does. Jobs are
 * made of commands, which the device answers in their order; a job ends with the answer to its last. Nothing is believed of an answer but
 * whether it is the one that was asked for.
 */
#pragma once
#include "drivers/display/virtio_gpu/commands.h"
#include "lib/display/display.h"
#include "lib/virtio/virtqueue.h"

enum { GPU_SLOTS = 64, GPU_CURSOR_QUEUE = 4, GPU_ENTRIES_MAX = 16384 };
#define GPU_PATIENCE_NS 10000000000ull

enum gpu_slot_kind { SLOT_FREE, SLOT_JOB, SLOT_INFO, SLOT_EDID };

/* A command that the device has. */
struct gpu_slot {
	enum gpu_slot_kind kind;
	struct display_job *job;        /* SLOT_JOB */
	uint32_t output;                /* SLOT_EDID */
};

struct gpu_cursor {
	uint32_t resource;              /* 0: none */
	struct surface *surface;
	struct display_cursor hot;
	uint32_t output, shown_on;      /* shown_on: the device knows of it there */
	struct display_point at;
	bool is_set, is_moved;          /* the device has not been told yet */
	bool is_out;                    /* a command is on its way */
};

struct gpu {
	struct virtio virtio;
	struct virtqueue control, pointer;
	struct device *device;
	struct server *server;
	struct display display;
	struct dma_memory memory;       /* a place per slot, and those below (gpu.c) */
	struct gpu_slot slot[GPU_SLOTS];
	uint32_t out;                   /* slots that are not free */
	uint32_t answered;              /* ever */
	uint32_t seen;                  /* of answered, when the timer was set */
	struct list_node jobs;          /* not all of their commands are with the device */
	struct gpu_cursor cursor;
	struct server_timer patience;
	bool is_timing;
	bool wants_info, has_info;      /* ask once more when there is room; it was answered once */
	uint32_t wants_edid;            /* a bit for each output */
	uint32_t vectors;               /* interrupt 0: queues; the last: the configuration */
	bool is_gone;
};

/* Brings the device up; it is asked what its outputs are. They are there (all unconnected) from the beginning. NODEV, INVAL, NOMEM. */
err_t gpu_open(struct gpu *g, struct device *d, struct server *s) NONNULL MUST_CHECK;
/* An interrupt came (any): takes what is finished, sees to changes. */
void gpu_interrupt(struct gpu *g) NONNULL;
