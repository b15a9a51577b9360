/* drivers/display/virtio_gpu/commands.h - what goes through the queues of a virtio GPU (VIRTIO 1.2, 5.7.6). */
#pragma once
#include "abi/types.h"

enum gpu_type {
	GPU_DISPLAY_INFO = 0x100, GPU_CREATE_2D, GPU_UNREF, GPU_SET_SCANOUT, GPU_FLUSH, GPU_TRANSFER, GPU_ATTACH, GPU_DETACH, GPU_EDID = 0x10a,
	GPU_UPDATE_CURSOR = 0x300, GPU_MOVE_CURSOR,
	GPU_OK = 0x1100, GPU_OK_DISPLAY_INFO = 0x1101, GPU_OK_EDID = 0x1104,
	GPU_NO_MEMORY = 0x1201,
};

enum { GPU_FORMAT_BGRA = 1, GPU_FORMAT_BGRX = 2, GPU_SCANOUTS = 16, GPU_EDID_BYTES = 1024 };

struct gpu_header {
	uint32_t type, flags;
	uint64_t fence;
	uint32_t context, ring;
};

struct gpu_rectangle { uint32_t x, y, width, height; };

/* The longest two are 56 bytes. */
struct gpu_command {
	struct gpu_header header;
	union {
		struct { uint32_t resource, format, width, height; } create;
		struct { uint32_t resource, padding; } resource;        /* unref, detach */
		struct { struct gpu_rectangle r; uint32_t scanout, resource; } scanout;
		struct { struct gpu_rectangle r; uint32_t resource, padding; } flush;
		struct { struct gpu_rectangle r; uint64_t offset; uint32_t resource, padding; } transfer;
		struct { uint32_t resource, count; } attach;            /* struct gpu_entry[] follow */
		struct { uint32_t scanout, padding; } edid;
		struct { uint32_t scanout, x, y, padding, resource, hot_x, hot_y, padding2; } cursor;
	};
};
STATIC_ASSERT(sizeof(struct gpu_command) == 56, "as in the specification");

struct gpu_entry { uint64_t address; uint32_t bytes, padding; };

struct gpu_display_info {
	struct gpu_header header;
	struct { struct gpu_rectangle r; uint32_t enabled, flags; } mode[GPU_SCANOUTS];
};
STATIC_ASSERT(sizeof(struct gpu_display_info) == 408, "as in the specification");

struct gpu_edid {
	struct gpu_header header;
	uint32_t bytes, padding;
	uint8_t edid[GPU_EDID_BYTES];
};
