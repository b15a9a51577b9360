/* lib/display/display.h - a display driver's half that is the same for all: it serves the driver's side of abi/proto/display.def.
 *
 * A driver fills struct display_ops and says what its outputs are (display_output_set); from then on it gets struct display_job's, in the order in which it
 * is to do them, and says how each ended (display_done). Checks of sizes, pitches and rectangles against the memory object that came, who has which
 * surface, what is shown where, notifications, and telling clients after a restart that everything is to be given again are done here.
 *
 * Surfaces belong to the open that made them: with its last handle they go. A surface's memory object is sealed (MEM_SEAL), so that no client
 * can take pages away from under the driver or the device; that asks for a handle with read and write.
 *
 * One thread: the one of server_run. A driver may call display_done at any time, also from within start.
 */
#pragma once
#include "abi/proto/display.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"
#include "lib/scheme/scheme.h"

enum { SURFACES_MAX = 64, SURFACE_PITCH_MAX = 65536 };

struct display;

/* Pixels of a client: number names it to him. Borrowed by drivers, from SURFACE_CREATE's start to SURFACE_DESTROY's end. */
struct surface {
	struct list_node link;          /* of the display */
	uint32_t number;                /* 0: freed, and on its way */
	struct display_client *client;  /* NULL: it is gone */
	struct display_surface is;      /* checked */
	uint64_t bytes;                 /* from is.offset on: whole pages. They stay */
	handle_t object;
	const uint8_t *pixels;          /* of is.offset; NULL: the driver does not want it mapped */
	void *driver_data;              /* the driver's own */
	uint32_t jobs;                  /* under way that name it */
	struct display_job *destroy;
};

enum display_op { SURFACE_CREATE, SURFACE_DESTROY, OUTPUT_SHOW, OUTPUT_MODE, SURFACE_DAMAGE, CURSOR_SET };

/* One thing to do. The driver's from start to display_done; members but link and driver_data are to be read only. */
struct display_job {
	struct list_node link;          /* the driver's */
	struct display *display;
	enum display_op op;
	struct surface *surface;        /* SHOW, CURSOR: NULL for none */
	uint32_t output;                /* SHOW, MODE */
	uint32_t outputs;               /* DESTROY: a bit for each output that still shows it, and is to show nothing */
	struct display_size size;       /* MODE */
	struct display_cursor hot;      /* CURSOR: where its hot spot is */
	uint32_t count;                 /* DAMAGE: at least one; none is empty, all lie within the surface */
	struct display_rectangle *rectangle;
	uint64_t driver_data[4];        /* the driver's own; 0 at first */
	/* lib/display's */
	struct scheme_deferred waiting;
	bool is_waited_for, is_done;
	err_t err;
	size_t bytes;                   /* of the allocation */
};

struct display_ops {
	/* Begins the job. A SURFACE_CREATE that fails is followed by its SURFACE_DESTROY, which always succeeds. */
	void (*start)(void *driver, struct display_job *j);
	/* Where the cursor is from now on. NULL: there is no cursor. */
	void (*move)(void *driver, uint32_t output, struct display_point at);
	bool wants_pixels;              /* surfaces are mapped */
	bool has_modes;
};

struct display_place {
	struct display_output is;
	struct surface *shown;          /* asked for last, not necessarily done */
};

/* What outlives the program (handle "state"). */
struct display_state;

struct display {
	const struct display_ops *ops;
	void *driver;
	struct scheme *scheme;
	struct list_node clients, surfaces;
	uint32_t surface_count, output_count;
	struct display_place output[DISPLAY_OUTPUTS_MAX];
	struct display_state *state;
	struct server_timer first;
	bool is_gone;
};

/* Serves d as the program's scheme (d->ops and d->driver are set, the outputs there are too: before server_run). NOMEM; errors of server_add_scheme. */
err_t display_init(struct display *d, struct server *s) NONNULL MUST_CHECK;
/* Output n (the first ones, without gaps, below DISPLAY_OUTPUTS_MAX) is this from now on; generation does not count. Clients are told if anything
 * changed. */
void display_output_set(struct display *d, uint32_t n, const struct display_output *is) NONNULL;
/* The job is lib/display's again. */
void display_done(struct display_job *j, err_t err) NONNULL;
/* The device has vanished: every request from now on is NODEV. The driver still ends the jobs that it has. */
void display_remove(struct display *d) NONNULL;
/* Copies the rectangle's pixels to the same place of a picture in memory with this pitch, 8 bytes at a time. s->pixels is not NULL. Of the rectangle only
 * what lies within `within` is copied. */
void display_copy(uint8_t *to, uint32_t to_pitch_bytes, struct display_size within, const struct surface *s, const struct display_rectangle *r) NONNULL;
