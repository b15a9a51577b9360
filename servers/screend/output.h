/* servers/screend/output.h - the display drivers that are attached, and the one output of them that shows the current screen.
 *
 * Of all outputs that are connected the first is used, the firmware's only when there is no other. What a driver is asked is asked by another
 * thread, one call at a time (struct driver_call), so that a driver that hangs or is restarted holds up nobody here: what is to be done next is
 * worked out anew when an answer came. A driver that forgot everything (it was started again) gets everything again.
 *
 * No handles are touched here but through struct output_outside: runs on the host.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/display.h"
#include "lib/base/attr.h"

enum { OUTPUT_DRIVERS_MAX = 8, OUTPUT_INSTANCE_BYTES = 48, OUTPUT_FREED_MAX = 32 };

/* One CALL to a driver: the caller of output_answered fills result and out. */
struct driver_call {
	handle_t root, pass;            /* pass: HANDLE_NONE for none */
	uint32_t code;
	uint64_t word;
	const void *in;
	size_t in_bytes;
	void *out;
	size_t out_bytes;
	int64_t result;
};

/* Pixels that can be shown. */
struct target {
	handle_t object;
	struct display_surface is;
	uint64_t number;                /* the driver's, if epoch is the output's; 0: it does not have it */
	uint64_t epoch;
	bool is_bad;                    /* the driver refused it */
};

struct output;
struct output_outside {
	/* Begins; output_answered comes later (not from within). */
	void (*call)(struct output *o, struct driver_call *c);
	void (*close)(handle_t h);
	/* The output is another one or has another size (0 by 0: there is none): what is to be shown is to be said anew (output_show). */
	void (*changed)(struct output *o);
	/* The rectangles (at most DISPLAY_RECTANGLES_MAX, within the target) that the driver is to show now; 0: none. The pixels are not touched
	 * until drawn is called. */
	size_t (*draw)(struct output *o, struct display_rectangle *out);
	void (*drawn)(struct output *o);
	/* The driver failed again and again: output_try_again is to be called after a while. */
	void (*failed)(struct output *o);
};

struct output_driver {
	char instance[OUTPUT_INSTANCE_BYTES];
	handle_t root;                  /* HANDLE_NONE: no driver */
};

struct output {
	const struct output_outside *outside;
	struct output_driver driver[OUTPUT_DRIVERS_MAX];
	struct output_driver *active;   /* whose output is used; NULL: none */
	uint32_t active_output;
	struct display_output is;       /* the one that is used */
	struct target *target;          /* what is to be shown; NULL: nothing */
	uint64_t shown;                 /* what the driver shows: its number */
	uint64_t epoch;                 /* grows when a driver forgets all, or is another one */
	bool must_probe, is_probing, must_draw_all, is_calling, is_waiting, is_deciding;
	uint32_t failures;              /* one after the other */
	struct display_size tried;      /* the last mode that was asked for */
	uint64_t freed[OUTPUT_FREED_MAX];
	uint32_t freed_count;
	/* Probing: where we are, and the best so far. */
	uint32_t probe_driver, probe_output;
	struct output_driver *best;
	uint32_t best_output;
	struct display_output best_is, answer;
	struct driver_call call;
	struct display_rectangle rectangle[DISPLAY_RECTANGLES_MAX + 1];
};

void output_init(struct output *o, const struct output_outside *outside) NONNULL;
/* root is the output's then. Again with the same instance: replaces it. INVAL: the name; NOSPC: too many drivers. */
err_t output_attach(struct output *o, const char *instance, size_t bytes, handle_t root) NONNULL MUST_CHECK;
/* NOENT: nothing of this name. */
err_t output_detach(struct output *o, const char *instance, size_t bytes) NONNULL MUST_CHECK;
/* A driver has something to tell: its outputs changed, or it was started again. */
void output_look_again(struct output *o) NONNULL;
/* From now on the output shows this; all of it is drawn. NULL: nothing. */
void output_show(struct output *o, struct target *target) __attribute__((nonnull(1)));
/* target goes away. */
void output_forget(struct output *o, struct target *target) NONNULL;
/* Does what is to be done next, if nothing is being done: there may be something to draw. */
void output_go_on(struct output *o) NONNULL;
void output_answered(struct output *o, struct driver_call *c) NONNULL;
/* Some time after a failure (is_waiting): tries again. */
void output_try_again(struct output *o) NONNULL;
bool output_is_there(const struct output *o) NONNULL;
