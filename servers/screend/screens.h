/* servers/screend/screens.h - the virtual screens: which there are, which is the current one, and what each is to its clients.
 *
 * A text screen is a terminal (lib/tty/serve.h) whose output goes to a lib/screen/text.h; a graphic one has surfaces of its holder. Both end in
 * the one output (output.h). No handles are touched but through struct screens_outside: runs on the host.
 *
 * Drawing: what a text screen shows becomes pixels at most once per frame, when the driver has shown the frame before.
 */
#pragma once
#include "abi/proto/input.h"
#include "lib/scheme/opens.h"
#include "lib/screen/draw.h"
#include "lib/tty/serve.h"
#include "servers/screend/output.h"
#include "servers/screend/settings.h"

enum {
	TTY_MAJOR = 4, GROUP_TTY = 5, GRAPHIC_SURFACES_MAX = 16, GRAPHIC_EVENTS_MAX = 256, CLIPBOARD_BYTES = 64 * 1024, ANSWER_BYTES = 2 * TTY_INPUT_BYTES,
	COLUMNS_WITHOUT_DISPLAY = 80, ROWS_WITHOUT_DISPLAY = 25,
};

/* What outlives us, in front of the text screens' memories. */
#define SCREENS_STATE_MAGIC 0x31534e4545524353ull       /* "SCREENS1", little endian */
struct screens_state {
	uint64_t magic;
	uint32_t current;               /* number, from 1 */
	uint32_t reserved;
	struct screen_state {
		bool is_used;           /* the text memory is */
		uint64_t write_tag, write_start;        /* the WRITE that is being carried out, and text_written before it; 0: none */
		struct tty_modes modes;
		struct tty_size size;
		uint32_t session, foreground, mode, uid, gid;
	} screen[DISPLAY_SCREENS];
	struct opens opens;             /* kind: enum open_kind; index: the screen's number */
};

struct screens;

struct surface {
	uint32_t number;                /* the client's; 0: free */
	struct target target;
};

struct graphic {
	struct screen_open *holder;     /* NULL: nobody */
	struct surface surface[GRAPHIC_SURFACES_MAX];
	uint32_t next_number;
	struct surface *shown;
	struct display_rectangle damage[DISPLAY_RECTANGLES_MAX];
	size_t damage_count;
	struct list_node damaging, shown_soon;  /* struct tty_wait: DISPLAY_DAMAGE that waits to be sent to the driver; and for its answer */
	struct list_node readers;               /* struct tty_wait */
	struct input_event event[GRAPHIC_EVENTS_MAX];
	uint32_t event_at, event_end;
	bool is_output_new;             /* DISPLAY_OUTPUT was not asked since it changed */
	uint32_t ready;                 /* last told */
};

struct screen {
	struct screens *all;
	uint32_t number;
	enum screen_kind kind;
	/* Text. */
	struct tty_served served;
	struct text text;
	struct text_memory *memory;
	bool is_open;                   /* text is */
	uint64_t skip;                  /* bytes of output that are shown already */
	char answer[ANSWER_BYTES];      /* what the terminal types, on its way */
	size_t answer_bytes;
	/* Graphic. */
	struct graphic *graphic;
};

/* What lib/scheme knows as `open`. */
enum open_kind { OPEN_ROOT, OPEN_SCREEN, OPEN_ATTACHED };
struct screen_open {
	enum open_kind kind;
	struct screen *screen;          /* of OPEN_SCREEN; else NULL */
	struct tty_open tty;            /* of a text screen */
	uint64_t id;
};

struct screens_outside {
	/* Shared memory of so many bytes, mapped. NOMEM. */
	err_t (*memory_make)(size_t bytes, handle_t *object, uint8_t **pixels);
	void (*memory_drop)(handle_t object, uint8_t *pixels, size_t bytes);
	/* How long a memory object is; a negative error. */
	int64_t (*object_bytes)(handle_t object);
	/* Part of another's object, readable and writable; NULL. */
	uint8_t *(*object_map)(handle_t object, uint64_t offset, size_t bytes);
	void (*object_unmap)(uint8_t *at, size_t bytes);
	void (*close)(handle_t h);
	/* An attached driver's handle is to be watched (its READY_PRIORITY is output_look_again), or not any more. */
	void (*watch)(handle_t root, bool on);
};

struct screens {
	struct scheme *scheme;
	const struct tty_outside *tty_outside;
	const struct screens_outside *outside;
	struct settings settings;
	struct screens_state *state;
	struct screen screen[DISPLAY_SCREENS];
	struct screen *current;
	struct output output;
	struct list_node waiting;       /* struct tty_wait: who reads display:attached while nothing is */
	/* The text screens' surface; pixels NULL: there is none. */
	const struct font *font;
	struct target text_target;
	struct draw draw;
	uint8_t *pixels;
	size_t pixels_bytes;
	bool is_draw_due, is_frame_waited_for;
	uint64_t drawn_ns;
	struct server_timer frame_timer, retry_timer;
	/* pointer.c */
	int32_t pointer_x, pointer_y;   /* pixels */
	bool is_selecting;
	uint32_t click_count;
	uint64_t clicked_ns;
	uint16_t clicked_row, clicked_column;
	char *clipboard;
	size_t clipboard_bytes;
	uint16_t swallowed;             /* the key that switched: its release is nobody's */
};

/* call, close: of output_outside. memory: text_memory_bytes() for each screen, right behind the state (screens_memory_bytes in all), as an instance
 * before us left it, or zeroed. */
void screens_init(struct screens *s, struct scheme *scheme, const struct tty_outside *tty, const struct screens_outside *outside,
                  const struct output_outside *output, const struct settings *settings, const struct font *font, void *memory) NONNULL;
size_t screens_memory_bytes(void);
/* NULL: none. From 1 on. */
struct screen *screens_find(struct screens *s, uint64_t number) NONNULL;
/* NOENT. */
err_t screens_switch(struct screens *s, uint64_t number) NONNULL MUST_CHECK;
/* For struct output_outside. */
void screens_output_changed(struct output *o) NONNULL;
size_t screens_draw(struct output *o, struct display_rectangle *out) NONNULL;
void screens_drawn(struct output *o) NONNULL;
void screens_output_failed(struct output *o) NONNULL;
/* A frame is to be drawn, now or at its time. */
void screens_draw_soon(struct screens *s) NONNULL;

/* text.c */
void screen_text_init(struct screen *n, struct screen_state *left, struct text_memory *memory) NONNULL;
/* What text is shown on is of this size (characters, pixels) now. */
void screen_text_size(struct screen *n) NONNULL;
/* Its text exists from now on. */
err_t screen_text_use(struct screen *n) NONNULL MUST_CHECK;
void screen_text_answers(struct screen *n) NONNULL;
int64_t screen_text_write(struct screen *n, struct scheme_request *r, size_t bytes) NONNULL MUST_CHECK;

/* graphic.c */
err_t graphic_init(struct screen *n) NONNULL MUST_CHECK;
int64_t graphic_call(struct screen *n, struct scheme_request *r, uint32_t code, uint64_t word) NONNULL MUST_CHECK;
int64_t graphic_read(struct screen *n, struct scheme_request *r, size_t bytes) NONNULL MUST_CHECK;
void graphic_event(struct screen *n, const struct input_event *e) NONNULL;
void graphic_tell(struct screen *n) NONNULL;
/* Its holder is gone. */
void graphic_let_go(struct screen *n) NONNULL;
/* For screens_draw and screens_drawn. */
size_t graphic_draw(struct screen *n, struct display_rectangle *out) NONNULL;
void graphic_drawn(struct screen *n) NONNULL;
/* What waits for a turn that does not come, for the screen is not shown, is answered. */
void graphic_let_pass(struct screen *n) NONNULL;

/* input.c */
void screens_event(struct screens *s, const struct input_event *e) NONNULL;

/* serve.c: an output is there, perhaps. */
void screens_tell_attached(struct screens *s) NONNULL;
extern const struct scheme_ops screens_ops;     /* serve.c; scheme->context is the struct screens */
