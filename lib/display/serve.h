/* lib/display/serve.h - inside lib/display: what its files share. */
#pragma once
#include "lib/display/display.h"
#include "lib/scheme/opens.h"

#define DISPLAY_STATE_MAGIC 0x3179616c70736964ull       /* "display1" */

/* What an instance leaves for the next. Numbers of surfaces go on, so that none of the instance before means one of this. */
struct display_state {
	uint64_t magic;
	uint32_t next_surface, generation;
	struct opens opens;
};

/* Who opened us. */
struct display_client {
	struct list_node link;          /* of the display */
	uint64_t id;                    /* 0: not yet known to it */
	uint32_t untold;                /* a bit for each output that changed since he asked */
};

extern const struct scheme_ops display_scheme_ops;

/* state: zeroed, or as an instance before us left it: then each of its clients has all to ask anew. */
void display_setup(struct display *d, struct scheme *s, struct display_state *state) NONNULL;
/* Tells clients what they have not been told: once the loop runs. */
void display_tell(struct display *d) NONNULL;

/* What is in the struct fits a memory object of so many bytes; *bytes_out: from is->offset to the end of the page of its last pixel. INVAL. */
err_t surface_check(const struct display_surface *is, uint64_t object_bytes, uint64_t *bytes_out) NONNULL MUST_CHECK;
/* Cuts r to the size. False: nothing is left. */
bool rectangle_clip(struct display_rectangle *r, struct display_size within) NONNULL;

/* System calls, start.c; tests on the host have their own. */
/* Seals the object for the surface (s->is is set, unchecked), and maps it if map says so; s->object is the caller's. INVAL, NOMEM, errors of the object. */
err_t surface_map(struct surface *s, bool map) NONNULL MUST_CHECK;
void surface_unmap(struct surface *s) NONNULL;
