/* lib/scheme/ring.h - rings that a server serves: lib/scheme's own.
 *
 * What a client writes into shared memory is hostile: each entry is copied once and then checked, its offsets against the length of the data, and
 * what handlers see lies in the server's own buffers. The memory is sealed (MEM_SEAL), so that it cannot be taken away from under us.
 */
#pragma once
#include "abi/proto/ring.h"
#include "lib/ring/ring.h"
#include "lib/scheme/scheme.h"

/* Of one scheme, and of one user (but root) there: memory that others decide about. */
enum { SCHEME_RINGS_MAX = 64, SCHEME_RINGS_PER_USER = 16 };

/* What needs system calls: server.c has it, and tests theirs. */
struct scheme_area {
	/* Seals and maps the object. Its whole length is *bytes. */
	err_t (*map)(handle_t object, uint32_t entries, void **base, size_t *bytes);
	void (*unmap)(void *base, size_t bytes);
	void (*close)(handle_t h);
	void (*answer)(struct scheme *s, uint32_t tag, int64_t result);
	void (*notify)(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask);   /* scheme_notify */
};

struct scheme_ring {
	struct list_node link;          /* scheme.rings */
	struct scheme *scheme;
	uint32_t user;                  /* who opened it */
	struct ring_header *header;
	const struct request *requests;
	struct reply *replies;
	uint8_t *data;
	size_t bytes, data_bytes;
	int64_t (*call)(struct scheme_request *r, uint32_t code, uint64_t word);        /* the server's, or one that refuses */
	uint8_t *in, *out;              /* the server's buffers */
	uint32_t entries, mask, taken, replied;         /* mask: entries - 1 */
	uint32_t kept;                  /* requests that are kept: at most entries */
	uint32_t tag;                   /* of the request that is running */
	size_t in_at, out_at;           /* where in data its input and output are */
	uint32_t wait_tag, wait_seen;   /* RING_WAIT that was not answered yet: its tag (0: none), what it has seen */
	uint32_t tell_seen;
	bool tells, has_told;           /* RING_TELL: the handle is to be ready once there is more than tell_seen; it was made so */
	bool is_broken;                 /* the client's counts made no sense */
	bool is_ended;                  /* goes with the last kept request */
	bool is_awake;
	uint32_t vain_tries;            /* to stay awake, in a row */
	uint32_t idle, patience, calls; /* turns without work while awake; how many it stands; calls since it stood any */
	struct message message;         /* of every request: all but what changes is filled in */
	struct scheme_request request;
};

static inline bool scheme_ring_is_code(uint32_t code) { return code >= RING_OPEN && code <= RING_CANCEL; }
/* m is a RING_WAIT: *a, in which there is nothing yet, becomes the answer. False: it is for no ring. */
bool scheme_ring_enter(struct scheme *s, const struct message *m, struct scheme_answer *a) NONNULL;
/* RING_OPEN, RING_CANCEL. */
int64_t scheme_ring_call(struct scheme_request *r, uint32_t code, uint64_t word) NONNULL;
/* The thing is closed: its ring, if it has one, too. Kept requests were cancelled. */
void scheme_ring_end(struct scheme *s, uint64_t id) NONNULL;
/* A RING_WAIT under this tag is to be answered ERR_INTR now. False: there is none. */
bool scheme_rings_cancel_wait(struct scheme *s, uint32_t tag) NONNULL;
/* Serves what was put, one turn. How many requests it was. */
uint32_t scheme_ring_run(struct scheme_ring *g) NONNULL;
/* One turn of a ring that is awake; without work for long it falls asleep. */
void scheme_ring_turn(struct scheme_ring *g) NONNULL;
/* Notes where d's data is. */
void scheme_ring_keep(struct scheme_request *r, struct scheme_deferred *d) NONNULL;
/* Answers a kept request. */
void scheme_ring_answer(struct scheme_deferred *d, const struct scheme_answer *a) NONNULL;
/* The kept request is over: lets go of the ring. */
void scheme_ring_let_go(struct scheme_ring *g) NONNULL;

/* dispatch.c: the function for a request on something open, however it came. */
int64_t scheme_dispatch_open_thing(struct scheme_request *r) NONNULL;
