/* kernel/ipc/endpoint.h - what scheme.c (the server's side) and client.c (the client's side) share.
 *
 * All of it is guarded by scheme.lock (RANK_SCHEME) unless marked.
 */
#pragma once
#include "abi/ops.h"
#include "kernel/ipc/scheme.h"
#include "kernel/obj/process.h"
#include "kernel/obj/resource.h"
#include "kernel/sched/thread.h"

enum {
	CALL_SLOTS_FIRST = 16, CALL_SLOTS_MAX = 1 << 15,
	CANCEL_PATIENCE_MS = 2000,      /* how long an interrupted client waits for the server to agree */
	RESULT_ERROR_MIN = -4095,
};

enum call_state {
	CALL_NEW,
	CALL_QUEUED,            /* in scheme.queue */
	CALL_TAKEN,             /* a server has it */
	CALL_DONE,              /* result is set */
	CALL_WITHDRAWN,         /* the client must make its memory present and ask again */
};

/* A request under way, on its client's stack. [I] immutable while under way. */
struct call {
	struct list_node link;          /* scheme.queue */
	struct list_node cancel_link;   /* scheme.cancels */
	struct thread *client;          /* [I] */
	struct space *space;            /* [I] the client's */
	struct message message;         /* [I] all but tag and handle, which delivery fills */
	uaddr_t in, out;                /* [I] sizes in message */
	void *kernel_out;               /* [I] or NULL: the answer's data goes here instead (a pager's page) */
	struct passed passed;           /* taken by delivery */
	uint32_t tag;                   /* 0: no slot */
	uint8_t state;                  /* enum call_state */
	bool busy;                      /* the server's side is copying: must not be taken away */
	bool cancel_asked;
	struct remote *opening;         /* [I] OPEN: what the answer's id is for; else NULL */
	struct thread *server;          /* who took it, only to lend priority; a reference */
	int64_t result;
	struct passed reply;
	uint32_t reply_flags;
	void *bounce;                   /* answer that could not be copied without waiting; the client copies it */
	size_t bounce_bytes;
};

/* A server thread waiting in RECEIVE, on its stack. */
struct receiver {
	struct list_node link;
	struct thread *thread;
	struct call *call;              /* what it was given */
};

/* A client's open resource of a user scheme. */
struct remote {
	struct resource *resource;      /* NULL once it is closed */
	struct scheme *scheme;          /* [I] a reference to its endpoint resource's data */
	struct resource *endpoint;      /* [I] the reference */
	struct list_node hash_link;     /* scheme.buckets; then scheme.closes */
	uint64_t id;                    /* [I] after open */
	uint32_t ready;
	bool notifies;                  /* [I] after open */
	struct memobj *content;         /* [I] after open; a reference, or NULL */
};

struct call_slot {
	struct call *call;
	uint16_t generation;
	uint16_t next_free;
};

enum { REMOTE_BUCKETS_FIRST = 16 };

struct scheme {
	struct spinlock lock;
	struct resource *endpoint;      /* [I] the resource this belongs to; borrowed */
	uint32_t flags;                 /* [I] enum scheme_flags */
	bool served_once;
	struct process *server;         /* the process that receives; not a reference: it tells when it ends */
	struct list_node served_link;   /* [process lock] of the server */
	struct list_node queue, cancels, closes, receivers;
	struct call_slot *slots;
	uint32_t slot_count, first_free;
	struct list_node *buckets;
	uint32_t bucket_count, remote_count;
};

struct scheme *scheme_of(struct resource *endpoint);
/* Takes a slot for c. NOMEM, AGAIN (too many under way). */
err_t scheme_slot_take(struct scheme *s, struct call *c) REQUIRES(&s->lock) MUST_CHECK;
void scheme_slot_drop(struct scheme *s, struct call *c) REQUIRES(&s->lock);
/* The call with this tag that the current process may answer; NULL. */
struct call *scheme_find_call(struct scheme *s, uint32_t tag) REQUIRES(&s->lock);
/* Finds, adds and removes open ids. EXIST, NOMEM (never when it has room for one more: reserve first). */
struct remote *scheme_find_remote(struct scheme *s, uint64_t id) REQUIRES(&s->lock);
err_t scheme_add_remote(struct scheme *s, struct remote *m) REQUIRES(&s->lock) MUST_CHECK;
/* Ends a call that has no answer: result instead. */
void scheme_fail_call(struct scheme *s, struct call *c, err_t result) REQUIRES(&s->lock);
/* client.c: what OPEN of an endpoint or of a remote does. */
err_t client_open(struct resource *endpoint, uint64_t parent_id, const struct open_args *a, struct passed *out) MUST_CHECK;
/* client.c: sends and waits. */
int64_t client_perform(struct scheme *s, struct call *c, uint32_t request_flags) NONNULL;
void client_free_remote(struct remote *m) NONNULL;
/* The id behind a passed resource of this very scheme; 0: it is another's. */
uint64_t client_own_id(struct scheme *s, struct resource *r);
