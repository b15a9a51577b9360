/* kernel/ipc/endpoint.h - what the files of kernel/ipc share: fast.c (requests and answers on their way), scheme.c (the
 * endpoint and the server's other operations), client.c (open resources of user schemes).
 *
 * All of it is guarded by scheme.lock (RANK_SCHEME) unless marked.
 */
#pragma once
#include "abi/ops.h"
#include "kernel/ipc/scheme.h"
#include "kernel/obj/process.h"
#include "kernel/obj/resource.h"
#include "kernel/sched/thread.h"
#include "kernel/scheme/event.h"

enum {
	CALL_SLOTS_FIRST = 16, CALL_SLOTS_MAX = 1 << 15,
	NO_SLOT = UINT16_MAX, SLOT_GENERATION = 1 << 16,
	SMALL_BYTES = 128,              /* so much goes by way of struct call, as if in registers */
	CANCEL_PATIENCE_MS = 2000,      /* how long an interrupted client waits for the server to agree */
	RESULT_ERROR_MIN = -4095,
};

enum call_state {
	CALL_NEW,
	CALL_QUEUED,            /* in scheme.queue */
	CALL_GIVEN,             /* to a receiver, which has not looked yet */
	CALL_TAKEN,             /* a server has it */
	CALL_BUSY,              /* and is copying: must not be taken away */
	CALL_DONE,              /* result is set */
	CALL_WITHDRAWN,         /* the client must make its memory present and ask again */
};

/* A request under way, on its client's stack. [I] immutable while under way. Nothing is set that the common call does not need. */
struct call {
	struct message message;         /* [I] all but tag, handle and copied_bytes */
	struct thread *client;          /* [I] */
	struct space *space;            /* [I] the client's */
	uaddr_t in, out;                /* [I] sizes in message; unset when these are 0 */
	void *kernel_out;               /* [I] or NULL: the answer's data goes here instead (a pager's page) */
	struct passed passed;           /* [I] lent by the caller; the resource NULL: none */
	struct remote *opening;         /* [I] OPEN: what the answer's id is for; else NULL */
	struct receiver *receiver;      /* who was given it, while CALL_GIVEN */
	uint8_t state;                  /* enum call_state */
	bool cancel_asked;
	bool has_kept;                  /* a device may be at its buffer (COPY_KEEP): its client does not get impatient */
	uint32_t reply_flags;
	int64_t result;
	struct passed reply;
	struct resource *held;          /* a CALL from user space with nothing more to do once it is done than to put this and to go back there; else NULL */
	void *bounce;                   /* the answer's data when the client is to copy it: small, or of the heap; or NULL */
	size_t bounce_bytes;
	struct list_node link;          /* scheme.queue, while CALL_QUEUED */
	uint8_t small[SMALL_BYTES];     /* what the client sends, if it is small; then the answer's data, if that is */
};

/* A server thread waiting in RECEIVE, on its stack. */
struct receiver {
	struct receiver *next;          /* in scheme.receivers, until it is given a call */
	struct thread *thread;
	struct call *call;              /* what it was given */
	const struct serve *serve;
	struct resource *held;          /* from user space: the reference to put when it goes back there; else NULL */
};

/* A client's open resource of a user scheme. */
struct remote {
	struct resource *resource;      /* borrowed, until it is closed */
	struct scheme *scheme;          /* [I] a reference to its endpoint resource's data */
	struct resource *endpoint;      /* [I] the reference */
	struct list_node hash_link;     /* scheme.buckets; then scheme.closes, where id and number are all that counts */
	uint64_t id;                    /* [I] after open */
	uint32_t number;                /* [I] of the endpoint */
	uint32_t ready;
	bool notifies;                  /* [I] after open */
	bool closes_lazily;
	struct memobj *content;         /* [I] after open; a reference, or NULL */
};

/* What a tag stands for. */
struct call_slot {
	struct call *call;              /* NULL: free, or its client has gone and only the cancel is left */
	uint32_t tag;                   /* generation << 16 | number of the slot, which is never 0: no tag is */
	uint16_t next;                  /* in the chain of those that are free, or of the cancels */
	bool is_cancelled;              /* in scheme's chain of cancels; not free before the server was told */
};

enum { REMOTE_BUCKETS_FIRST = 16 };

/* One endpoint, or a group of them with one server: requests come by any, and all wait in one queue. */
struct scheme {
	struct spinlock lock;
	uint16_t first_free, first_cancel;      /* of slots; or NO_SLOT */
	struct resource *endpoint;      /* [I] the first; borrowed: this goes with it, and the others have a reference of it */
	struct list_node endpoints;     /* all of the group, the first too; a resource's id is its number */
	uint32_t endpoint_count;        /* ever made */
	uint32_t flags;                 /* [I] enum scheme_flags */
	bool served_once;
	struct process *server;         /* the process that receives, until it ends; a reference */
	struct list_node served_link;   /* [process lock] of the server */
	struct list_node queue, closes;
	uint32_t waiting;               /* how many calls, closes and cancels wait for a receiver */
	uint64_t lazy_close;            /* an id that goes along with the next request (REPLY_LAZY_CLOSE), or 0 */
	struct resource *events;        /* a queue whose events the server receives too: a reference; or NULL */
	bool had_events;                /* the last that was received: what else waits goes first now */
	struct receiver *receivers;     /* the last to come is the first to go: its memory is warm */
	struct call_slot *slots;
	uint32_t slot_count;
	struct list_node *buckets;
	uint32_t bucket_count, remote_count;
};

/* ---- scheme.c ---- */

extern const struct resource_ops endpoint_ops;
static inline struct scheme *scheme_of(struct resource *endpoint) { return endpoint->ops == &endpoint_ops ? endpoint->data : NULL; }
/* What clients get where nobody serves and nobody is waited for. */
static inline err_t scheme_absence(const struct scheme *s) { return s->flags & SCHEME_GONE ? ERR_NODEV : ERR_CONNRESET; }
/* More slots. NOMEM, AGAIN (too many requests under way). */
err_t scheme_slots_grow(struct scheme *s) REQUIRES(&s->lock) MUST_CHECK;
static inline void scheme_slot_free(struct scheme *s, struct call_slot *slot) REQUIRES(&s->lock)
{
	slot->next = s->first_free;
	s->first_free = (uint16_t)slot->tag;
	slot->tag += SLOT_GENERATION;
}
/* The server will be told that c's client wants it to end. */
void scheme_cancel(struct scheme *s, struct call *c) REQUIRES(&s->lock);
/* Takes the next cancel or close. False: there is none. */
bool scheme_next_note(struct scheme *s, struct message *m) REQUIRES(&s->lock);
/* Events wait that a receiver is to get before anything else. */
static inline bool scheme_has_events(const struct scheme *s) REQUIRES(&s->lock)
{
	return UNLIKELY(s->events != NULL) && event_is_ready(s->events) && !(s->had_events && s->waiting);
}
/* Counts one more thing that waits and tells who receives or watches. */
void scheme_rouse(struct scheme *s) REQUIRES(&s->lock);
/* OK: the current process is the server. BUSY: another is. */
err_t scheme_become_server(struct scheme *s) MUST_CHECK;
/* The id that answers an OPEN holds from now on, not from when the client runs: the server may notify its readiness at
 * once, and hears of its close even when the client was killed meanwhile. PROTO (it is in use), NOMEM. */
err_t scheme_add_opened(struct scheme *s, struct call *c) REQUIRES(&s->lock) MUST_CHECK;

/* ---- fast.c ---- */

/* The call with this tag that the current process may answer (CALL_TAKEN, or CALL_BUSY just now); NULL. */
struct call *call_find(struct scheme *s, uint32_t tag) REQUIRES(&s->lock);
/* Ends a call: its client finds the state when it gets the lock. */
void call_finish(struct scheme *s, struct call *c, enum call_state state) REQUIRES(&s->lock);
/* The lock must be held over the wake: once the end is seen the client's thread may be gone. */
void call_finish_and_wake(struct scheme *s, struct call *c, enum call_state state) REQUIRES(&s->lock);
err_t call_slot_take(struct scheme *s, struct call *c) REQUIRES(&s->lock) MUST_CHECK;
/* Sends and waits for the answer: its result. */
int64_t call_perform(struct scheme *s, struct call *c, uint32_t request_flags) NONNULL;

/* Every member that a call under way needs and that is not set later by who needs it. */
static ALWAYS_INLINE void call_begin(struct call *c, uint32_t op, uint32_t endpoint_number, uint64_t id, uint32_t open_flags)
{
	struct thread *t = thread_current();
	struct process *p = t->process;

	c->message.request = (struct request){ .op = op, .handle = (handle_t)endpoint_number };
	c->message.id = id;
	spin_lock(&p->lock);
	c->message.sender = p->sender;
	spin_unlock(&p->lock);
	c->message.sender.tid = t->tid;
	c->message.kind = MESSAGE_REQUEST;
	c->message.open_flags = open_flags;
	c->message.offset = 0;
	c->message.in_bytes = c->message.out_bytes = 0;
	c->message.handle = HANDLE_NONE;
	c->client = t;
	c->space = p->space;
	c->kernel_out = NULL;
	c->passed.resource = NULL;
	c->opening = NULL;
	c->reply.resource = NULL;
	c->bounce = NULL;
	c->held = NULL;
}

static ALWAYS_INLINE void call_begin_on(struct call *c, const struct remote *m, uint32_t op)
{
	call_begin(c, op, m->number, m->id, atomic_load_explicit(&m->resource->open_flags, memory_order_relaxed));
}

static ALWAYS_INLINE void call_begin_call(struct call *c, const struct remote *m, uint32_t code, uaddr_t in, size_t in_bytes,
                                          uaddr_t out, size_t out_bytes, uint64_t word)
{
	call_begin_on(c, m, OP_CALL);
	c->message.request.arg[0] = code;
	c->message.request.arg[5] = word;
	if (LIKELY(!(in_bytes | out_bytes)))
		return;
	c->message.in_bytes = (uint32_t)in_bytes;
	c->message.out_bytes = (uint32_t)out_bytes;
	c->in = in;
	c->out = out;
}

/* ---- client.c ---- */

static inline struct remote *remote_of(struct resource *r) { return r->data; }
/* What CALL of a remote does: its resource_ops.call. */
int64_t remote_call(struct resource *r, struct call_args *a) NONNULL;

/* What OPEN of an endpoint or of a remote does. */
err_t client_open(struct resource *endpoint, uint64_t parent_id, const struct open_args *a, struct passed *out) MUST_CHECK;
