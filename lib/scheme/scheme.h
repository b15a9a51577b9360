/* lib/scheme/scheme.h - serving a scheme: a table of functions and a loop.
 *
 * A server fills struct scheme_ops, adds the scheme to a struct server and runs it. Every function
 * gets a checked request: `open` is a live thing of this server's, whatever number the client used; lengths are those the kernel
 * enforces. What the client sent (names, structs, codes, offsets) is still the client's word.
 *
 * Functions answer a result >= 0 or an err_t, or keep the request with scheme_defer and answer it later. A NULL function
 * means the scheme cannot do that; a CALL code that ops->call does not know is answered ERR_NOTTY.
 * Requests come by CALL of the kernel or over rings (doc/howto/rings.md): the same functions answer both. What a ring cannot carry, handles,
 * is an error there. Nor does it carry who asks: the kernel stamps calls, not memory, and whoever got hold of a ring's memory, or has given up
 * rights since it was opened, could write there. So a ringed request's sender is nobody (SENDER_NOBODY: no user, no group, no process, no session),
 * who may do what any holder of the open thing may. A server that judges each request by its sender, or is not sure that nobody gets
 * the least, sets needs_sender and serves no rings.
 * One thread runs a server: nothing here is thread-safe. doc/howto/hello-scheme.md shows a whole server.
 */
#pragma once
#include "abi/error.h"
#include "abi/ops.h"
#include "abi/types.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"
#include "lib/scheme/ids.h"

struct dma_piece;
struct scheme;
struct scheme_area;
struct scheme_ring;
struct server;
struct service_life;

enum { SCHEME_BUFFER_BYTES = 64 * 1024 };
/* Who sends what comes over a ring. */
#define SENDER_NOBODY ((struct sender){ .uid = UINT32_MAX, .gid = UINT32_MAX })
/* What a function returns for a request that it answers later. */
#define SCHEME_LATER INT64_MIN

/* One request while its function runs. Nothing in it may be kept. */
struct scheme_request {
	struct scheme *scheme;
	const struct message *message;  /* as the kernel gave it: sender, tag, flags. Ringed: request.tag is 0 and arg counts for nothing, sender is SENDER_NOBODY */
	struct scheme_ring *ring;       /* it came over; NULL: it was called */
	void *open;                     /* what OPEN gave (`opened`); NULL: an OPEN of the scheme itself */
	uint64_t id;                    /* its number, for scheme_notify */
	bool is_nonblock;               /* the client does not want to wait: ERR_AGAIN instead of scheme_defer */

	const uint8_t *in;              /* the beginning of what the client sends; in_here bytes of it, a 0 behind them */
	size_t in_here, in_bytes;       /* in_bytes: all of it. Up to SCHEME_BUFFER_BYTES are here; scheme_in reaches the rest */
	uint8_t *out;                   /* room for the answer: out_room bytes */
	size_t out_room, out_max;       /* out_max: what the client can take (scheme_put reaches the rest) */

	handle_t passed;                /* a handle the client passed: closed afterwards unless scheme_take_handle took it */
	void *passed_open;              /* or, if it was one of this scheme's own, what it stands for */

	/* The answer, beside the result. */
	size_t out_bytes;               /* CALL: how much of out to send. (READ sends as much as its result says.) */
	void *opened;                   /* OPEN must set it (or reply_handle): not NULL */
	handle_t reply_handle;          /* given to the client; ours is closed unless reply_flags says REPLY_COPY_HANDLE */
	uint32_t reply_flags;           /* enum reply_flags */
	bool is_put;                    /* READ: the data went by scheme_put; set by that */
};

/* A request kept for later. Part of some struct of the server's. */
struct scheme_deferred {
	struct list_node link;          /* of the scheme */
	struct scheme *scheme;
	uint64_t tag, id;
	struct sender sender;
	uint32_t op;                    /* enum op: OPEN, READ, WRITE or CALL */
	size_t in_bytes, out_max;
	struct scheme_ring *ring;       /* it came over; NULL: it was called */
	size_t ring_in, ring_out;       /* where in its data */
};

struct scheme_ops {
	/* ref: the reference, relative to r->open. */
	int64_t (*open)(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode);
	/* Puts at most r->out_room of bytes into r->out; the result says how many. */
	int64_t (*read)(struct scheme_request *r, size_t bytes, uint64_t offset);
	/* r->in has the first r->in_here of bytes; the result says how many were taken. */
	int64_t (*write)(struct scheme_request *r, size_t bytes, uint64_t offset);
	int64_t (*call)(struct scheme_request *r, uint32_t code, uint64_t word);
	/* How long it is (SEEK from the end), for what was opened REPLY_SEEKABLE. */
	int64_t (*length)(struct scheme_request *r);
	/* MAP: r->reply_handle becomes a memory object with the content. */
	int64_t (*map)(struct scheme_request *r);
	/* What open gave has this number, and the client is about to learn it: for who writes down what outlives him. */
	void (*named)(struct scheme *s, void *open, uint64_t id);
	/* What open (or scheme_answer_open) gave has reached the client: its number, for scheme_notify. Needed with REPLY_NOTIFIES. */
	void (*opened)(struct scheme *s, void *open, uint64_t id);
	/* The request is for a number that an instance before this one gave. r->opened becomes what it stands for from now on, as in
	 * open (reply flags do not count). NULL: clients of the dead instance get ERR_CONNRESET. */
	err_t (*revive)(struct scheme_request *r);
	/* The last handle is gone. Kept requests on it (their clients were killed) were cancelled before. */
	void (*close)(struct scheme *s, void *open);
	/* The last handle of a number that means nothing to us is gone: one of an instance before us, never revived. For who keeps records of them. */
	void (*forget)(struct scheme *s, uint64_t id);
	/* The sender of a kept request was interrupted or killed: forget it and answer it soon (mostly ERR_INTR). Needed by who defers. */
	void (*cancel)(struct scheme_deferred *d);
	/* Who sends a request must be known: RING_OPEN is ERR_NOTTY. */
	bool needs_sender;
};

/* Something else to wait for. */
struct server_watch {
	struct list_node link;          /* of the server */
	handle_t handle;
	uint32_t wanted;                /* enum ready; server_set_watch changes it */
	uint64_t id;                    /* of server.watch_ids */
	void (*ready)(struct server_watch *w, uint32_t found);
};

/* One scheme that is served. */
struct scheme {
	struct list_node link;          /* of the server */
	struct server *server;
	handle_t handle;                /* the endpoint */
	handle_t number;                /* of it in the group; negative: it is of another group, and watched */
	struct server_watch watch;
	const struct scheme_ops *ops;
	void *context;                  /* the server's own */
	struct ids ids;
	struct list_node deferred;
	struct list_node rings;
	uint32_t ring_count, rings_awake;       /* rings_awake: those to look at without being called */
	const struct scheme_area *area; /* how rings' memory is reached (ring.h); NULL: no rings are served */
};

struct server_timer {
	struct list_node link;          /* of the server, by deadline; on no list when not set */
	uint64_t deadline_ns;
	void (*fire)(struct server_timer *t);
};

struct server {
	struct list_node schemes, watches, timers;
	handle_t endpoint;              /* what is received from: the first scheme's; HANDLE_NONE: there is none yet */
	handle_t queue;                 /* its event queue, which has the watches; HANDLE_NONE: not yet made */
	struct ids watch_ids;
	uint8_t *in, *out;
	struct service_life *life;      /* what the starter sees of us */
	void (*asked_to_end)(struct server *s);         /* or NULL */
	bool is_stopping;
	err_t error;                    /* of a watch: ends the loop */
};

/* NOMEM. */
err_t server_init(struct server *s) NONNULL MUST_CHECK;
/* name: of the startup handle with the endpoint, "scheme:NAME"; NULL: "scheme", the first. NOENT: it was not given. */
err_t server_add_scheme(struct server *s, struct scheme *scheme, const char *name, const struct scheme_ops *ops, void *context) MUST_CHECK;
/* The same with an endpoint at hand. Both: before server_run. */
void server_add_endpoint(struct server *s, struct scheme *scheme, handle_t endpoint, const struct scheme_ops *ops, void *context);
/* Runs w->ready in the loop each time the handle is ready (level), and always when it shows an error or a hang-up. The watch is the caller's and
 * stays until it is removed (before the handle is closed); it may be removed and freed in any function of the server. One watch per handle. */
void server_add_watch(struct server *s, struct server_watch *w, handle_t handle, uint32_t wanted,
                      void (*ready)(struct server_watch *w, uint32_t found)) NONNULL;
/* 0: nothing for now, not even a hang-up. */
void server_set_watch(struct server *s, struct server_watch *w, uint32_t wanted) NONNULL;
void server_remove_watch(struct server *s, struct server_watch *w) NONNULL;
/* A timer is initialized once; then set (again) and cleared as one likes. It fires once. */
void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *t)) NONNULL;
void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns) NONNULL;
void server_timer_clear(struct server_timer *t) NONNULL;
/* Tells the starter that we are ready (startup_ready), then serves until server_stop or an error of the endpoint. */
err_t server_run(struct server *s) NONNULL;
void server_stop(struct server *s) NONNULL;
/* When the starter asks us to end (SERVICE_STOP_NOTICE; `stop` in the manifest) asked runs in the loop: it brings to an end what must be, and
 * then, at once or later, calls server_stop. Once, before server_run. */
void server_when_asked_to_end(struct server *s, void (*asked)(struct server *s)) NONNULL;
/* One round of server_run, for programs that do work of their own between rounds: waits once, serves what came. */
err_t server_step(struct server *s) NONNULL MUST_CHECK;

/* ---- In the functions ------------------------------------------------------------------------------------------ */

/* Exactly bytes (at most SCHEME_BUFFER_BYTES) from the front of what the client sends. INVAL: it sends less. */
err_t scheme_in_struct(struct scheme_request *r, void *to, size_t bytes) NONNULL MUST_CHECK;
/* Exactly bytes from offset of it. INVAL: it sends less; FAULT: its memory went away. */
err_t scheme_in(struct scheme_request *r, size_t offset, void *to, size_t bytes) NONNULL MUST_CHECK;
/* Appends to the answer's data. INVAL: the client cannot take that much. */
err_t scheme_out(struct scheme_request *r, const void *from, size_t bytes) NONNULL MUST_CHECK;
/* Writes straight into the client's buffer. INVAL: out of its bounds; FAULT. */
err_t scheme_put(struct scheme_request *r, size_t offset, const void *from, size_t bytes) NONNULL MUST_CHECK;
/* The passed handle is the caller's from now on; HANDLE_NONE: none came. */
handle_t scheme_take_handle(struct scheme_request *r) NONNULL;
/* Keeps the request: `return scheme_defer(r, &thing->waiting);`. A passed handle must have been taken. */
int64_t scheme_defer(struct scheme_request *r, struct scheme_deferred *d) NONNULL MUST_CHECK;

/* ---- Later ------------------------------------------------------------------------------------------------------- */

/* Each answers d, which is then the caller's again. SRCH: the client is gone (a killed one just takes its request away):
 * who would lose data by that must look. */
err_t scheme_answer(struct scheme_deferred *d, int64_t result) NONNULL;
err_t scheme_answer_data(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes);
/* handle and reply_flags as in struct scheme_request. For a kept OPEN: opened is the new thing (or NULL with REPLY_FORWARD). */
err_t scheme_answer_open(struct scheme_deferred *d, void *opened, handle_t reply_handle, uint32_t reply_flags);
err_t scheme_answer_handle(struct scheme_deferred *d, int64_t result, handle_t reply_handle, uint32_t reply_flags);
/* As scheme_in and scheme_put, of a kept request. */
err_t scheme_deferred_in(struct scheme_deferred *d, size_t offset, void *to, size_t bytes) NONNULL MUST_CHECK;
err_t scheme_deferred_put(struct scheme_deferred *d, size_t offset, const void *from, size_t bytes) NONNULL MUST_CHECK;
/* Where a device finds bytes (whole pages) of what the client sends, or (is_out) takes: piece has room for one per page, and they are all of it. Pages
 * stay there under these numbers of the keeper until they are let go of (MEM_KEEP), some also after an error. INVAL: the buffer does not
 * lie on pages; OPNOTSUPP: it is a ring's; as scheme_put. */
err_t scheme_deferred_keep(struct scheme_deferred *d, bool is_out, size_t offset, size_t bytes, handle_t keeper, uint64_t number,
                           struct dma_piece *piece) NONNULL MUST_CHECK;
/* What was opened REPLY_LAZY_CLOSE: from now on its close is told at once. It may be closed already: then ops->close runs in here. */
void scheme_close_soon(struct scheme *s, uint64_t id) NONNULL;
/* The open thing with this number is ready for what is in ready (enum ready) now; bits outside mask stay as they are. */
void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask) NONNULL;

/* ---- Pure: what the loop does with one message (dispatch.c; tested on the host) --------------------------------------- */

struct scheme_answer {
	bool is_due;                    /* false: nothing to send (kept, a close, a cancel) */
	uint64_t tag;
	int64_t result;
	const void *data;
	size_t bytes;
	handle_t handle;
	uint32_t reply_flags;
	uint64_t opened_id;             /* not 0: to be taken back when the answer cannot be delivered */
	handle_t unused;                /* a passed handle nobody took */
};

/* What went along with a request: before it is dispatched. */
void scheme_dispatch_lazy_close(struct scheme *s, const struct message *m) NONNULL;
/* in: SCHEME_BUFFER_BYTES + 1 bytes, the message's data in front; out: SCHEME_BUFFER_BYTES. */
void scheme_dispatch(struct scheme *s, const struct message *m, uint8_t *in, uint8_t *out, struct scheme_answer *a) NONNULL;
