/* lib/display/frame.h - a display whose one output is memory: what is shown is copied there. For framebuffers.
 *
 * A driver fills struct frame, calls frame_init, and has nothing else to do but to set modes, if it can. Everything is done before a call is answered: rows from
 * the top down, and never while the client draws. A surface that is smaller than the output has darkness around it.
 */
#pragma once
#include "lib/display/display.h"

struct frame {
	struct display display;
	uint8_t *pixels;                /* of the upper left one, 32 bits each */
	uint32_t pitch_bytes;
	struct display_size size;
	bool is_swapped;                /* the device's red is where ours is blue */
	bool is_off;                    /* this mode is yet to be set: with the first that is shown */
	/* This size from now on: sets pixels, pitch_bytes and size, and calls frame_draw before it may be seen. An error: all is as it was. NULL: it has no modes. */
	err_t (*mode)(struct frame *f, struct display_size size);
};

/* What is in f counts (display is filled here; is.size is f->size). What is there stays until something is shown. */
void frame_init(struct frame *f, const struct display_output *is) NONNULL;
/* Draws all of what is shown. */
void frame_draw(struct frame *f) NONNULL;
