/* abi/proto/display.h - structs of displays and virtual screens (display.def). Pixels everywhere. */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum {
	DISPLAY_SIDE_MAX = 8192, DISPLAY_RECTANGLES_MAX = 64, DISPLAY_CURSOR_SIDE = 64, DISPLAY_OUTPUTS_MAX = 16,
	DISPLAY_SCREENS = 12,
};

enum display_flags {
	DISPLAY_IS_CONNECTED = 1 << 0,
	DISPLAY_HAS_CURSOR = 1 << 1,
	DISPLAY_HAS_MODES = 1 << 2,     /* DISPLAY_MODE can change the size */
	DISPLAY_IS_BOOT = 1 << 3,       /* the firmware's framebuffer: only until a driver of its own is there */
};

struct display_size { uint32_t width, height; };
struct display_point { int32_t x, y; };

struct display_output {
	struct display_size size;       /* now */
	struct display_size wanted;     /* what it would like: its window's, or its monitor's own */
	uint32_t display_flags;
	uint32_t generation;            /* of all this: grows with each change */
	char name[16];                  /* ended by a 0 */
};

struct display_surface {
	struct display_size size;
	uint32_t pitch_bytes;           /* from row to row: a multiple of 4, at least 4 * width */
	uint32_t reserved;
	uint64_t offset;                /* of the first pixel in the memory object: a multiple of 4,096 */
};

struct display_rectangle { uint32_t x, y, width, height; };

struct display_cursor { int32_t hot_x, hot_y; };
