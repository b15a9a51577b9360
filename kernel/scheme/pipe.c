/* kernel/scheme/pipe.c - pipe: bytes from one end to the other, through a ring in a memory object.
 *
 * pipe: is a read end; opened relative to it, "write" is its write end. pipe:fifo is neither; relative to it
 * "read", "write" and "both" are ends. Writes of up to PIPE_ATOMIC bytes are not mixed with others (POSIX write).
 *
 * User memory is copied without the lock (it may fault): a copier owns the ring's side by `reading` or `writing`.
 */
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum {
	PIPE_ATOMIC = 4096,             /* PIPE_BUF */
	PIPE_BYTES = 65536,             /* as Linux: programs count on it */
	PIPE_BYTES_MAX = 1 << 20,
};

enum pipe_side { SIDE_READ = 1, SIDE_WRITE = 2 };

/* Members: [l] lock; head and tail count bytes ever written and read. */
struct pipe {
	struct object object;
	struct spinlock lock;           /* RANK_PIPE */
	struct list_node ends;          /* [l] resources, to be told */
	uint32_t readers, writers;      /* [l] ends of each side */
	uint64_t head, tail;            /* [l] */
	uint64_t capacity;              /* [l] a power of two, whole pages */
	struct memobj *ring;            /* [l] capacity bytes, whose pages come as they are first written */
	bool reading, writing;          /* [l] somebody copies */
	struct list_node waiting_readers, waiting_writers;      /* [l] */
};

static uint64_t pipe_used(const struct pipe *p) { return p->head - p->tail; }

static void pipe_put(struct pipe *p)
{
	if (!object_put(&p->object))
		return;
	memobj_put(p->ring);
	heap_delete(p);
}

static uint32_t ready_of(const struct pipe *p, uint32_t side) REQUIRES(&p->lock)
{
	uint32_t ready = 0;

	if (side & SIDE_READ) {
		ready |= pipe_used(p) ? READY_READ : 0;
		ready |= p->writers == 0 ? READY_HANGUP : 0;
	}
	if (side & SIDE_WRITE) {
		ready |= p->capacity - pipe_used(p) >= PIPE_ATOMIC ? READY_WRITE : 0;
		ready |= p->readers == 0 ? READY_ERROR | READY_WRITE : 0;
	}
	return ready;
}

/* Tells the ends on these sides, for which something has changed: an edge, so not those that only stay ready. */
static void tell(struct pipe *p, uint32_t sides) REQUIRES(&p->lock)
{
	struct resource *r;
	list_each(r, &p->ends, link) {
		uint32_t ready = ready_of(p, (uint32_t)r->id & sides);
		if (ready)
			resource_notify(r, ready);
	}
}

/* Waits for its turn to copy: short, since who copies does not wait for the other side. */
static err_t wait_turn(struct pipe *p, const bool *busy, struct list_node *waiters, const struct transfer *t) REQUIRES(&p->lock)
{
	err_t err = OK;
	while (*busy && !err)
		err = wait_on(waiters, &p->lock, 0, t->request_flags);
	return err;
}

/* Copies bytes from or to the ring at position, in two pieces where it wraps; how many. */
static err_t ring_copy(struct pipe *p, uint64_t position, uaddr_t user, size_t bytes, bool write, size_t *done)
{
	err_t err = OK;

	*done = 0;
	while (*done < bytes && !err) {
		uint64_t at = (position + *done) & (p->capacity - 1);
		size_t run = p->capacity - at < bytes - *done ? p->capacity - at : bytes - *done, copied;
		uaddr_t piece = uaddr(user.raw + *done);
		err = write ? memobj_write(p->ring, &at, false, piece, run, &copied) : memobj_read(p->ring, at, piece, run, &copied);
		*done += copied;
	}
	return err;
}

static int64_t pipe_read(struct resource *r, struct transfer *t)
{
	struct pipe *p = r->data;
	size_t done = 0;
	err_t err = OK;

	if (!(r->id & SIDE_READ))
		return ERR_BADF;
	if (t->bytes == 0)
		return 0;
	spin_lock(&p->lock);
	for (;;) {
		if ((err = wait_turn(p, &p->reading, &p->waiting_readers, t)))
			goto unlock;
		if (pipe_used(p))
			break;
		if (p->writers == 0)
			goto unlock;
		if ((err = wait_on(&p->waiting_readers, &p->lock, t->open_flags, t->request_flags)))
			goto unlock;
	}
	p->reading = true;
	size_t want = pipe_used(p) < t->bytes ? pipe_used(p) : t->bytes;
	uint64_t tail = p->tail;
	spin_unlock(&p->lock);
	err = ring_copy(p, tail, t->buffer, want, false, &done);
	spin_lock(&p->lock);
	p->tail += done;
	p->reading = false;
	wait_wake_all(&p->waiting_writers);
	if (!list_is_empty(&p->waiting_readers))
		wait_wake_all(&p->waiting_readers);
	tell(p, SIDE_WRITE);
unlock:
	spin_unlock(&p->lock);
	return done ? (int64_t)done : err;
}

/* One piece: at least `least` bytes fit. p->writing is ours, lock dropped and taken again. */
static err_t write_piece(struct pipe *p, struct transfer *t, size_t *done) REQUIRES(&p->lock)
{
	size_t space = p->capacity - pipe_used(p), left = t->bytes - *done;
	size_t want = space < left ? space : left, copied;
	uint64_t head = p->head;

	p->writing = true;
	spin_unlock(&p->lock);
	err_t err = ring_copy(p, head, uaddr(t->buffer.raw + *done), want, true, &copied);
	spin_lock(&p->lock);
	p->head += copied;
	*done += copied;
	p->writing = false;
	wait_wake_all(&p->waiting_readers);
	if (!list_is_empty(&p->waiting_writers))
		wait_wake_all(&p->waiting_writers);
	if (copied)
		tell(p, SIDE_READ);
	return err;
}

static int64_t pipe_write(struct resource *r, struct transfer *t)
{
	struct pipe *p = r->data;
	size_t done = 0;
	err_t err = OK;

	if (!(r->id & SIDE_WRITE))
		return ERR_BADF;
	spin_lock(&p->lock);
	while (done < t->bytes && !err) {
		/* What is small goes in whole; of what is large, any part. */
		size_t least = t->bytes <= PIPE_ATOMIC ? t->bytes : 1;
		if ((err = wait_turn(p, &p->writing, &p->waiting_writers, t)))
			break;
		if (p->readers == 0)
			err = ERR_PIPE;
		else if (p->capacity - pipe_used(p) >= least)
			err = write_piece(p, t, &done);
		else
			err = wait_on(&p->waiting_writers, &p->lock, t->open_flags, t->request_flags);
	}
	spin_unlock(&p->lock);
	return done ? (int64_t)done : err;
}

/* Only an empty ring is exchanged: moving bytes is not worth the code. */
static int64_t pipe_resize(struct pipe *p, uint64_t bytes)
{
	uint64_t capacity = PAGE_BYTES;
	struct memobj *ring;

	if (bytes > PIPE_BYTES_MAX)
		return ERR_PERM;
	while (capacity < bytes)
		capacity *= 2;
	TRY(memobj_create(capacity, process_current()->account, &ring));
	spin_lock(&p->lock);
	bool is_idle = !pipe_used(p) && !p->reading && !p->writing;
	if (is_idle) {
		struct memobj *old = p->ring;
		p->ring = ring;
		p->capacity = capacity;
		ring = old;
	}
	spin_unlock(&p->lock);
	memobj_put(ring);
	return is_idle ? (int64_t)capacity : ERR_BUSY;
}

static int64_t pipe_call(struct resource *r, struct call_args *a)
{
	struct pipe *p = r->data;
	int64_t result;

	if (a->code == PIPE_SIZE && a->word)
		return pipe_resize(p, a->word);
	spin_lock(&p->lock);
	switch (a->code) {
	case PIPE_SIZE:
		result = (int64_t)p->capacity;
		break;
	case PIPE_PENDING:
		result = (int64_t)pipe_used(p);
		break;
	case PIPE_ENDS:
		result = (int64_t)((uint64_t)p->writers << 32 | p->readers);
		break;
	default:
		result = ERR_NOTTY;
	}
	spin_unlock(&p->lock);
	return result;
}

static uint32_t pipe_ready(struct resource *r)
{
	struct pipe *p = r->data;
	spin_lock(&p->lock);
	uint32_t ready = ready_of(p, (uint32_t)r->id);
	spin_unlock(&p->lock);
	return ready;
}

static void pipe_destroy(struct resource *r)
{
	struct pipe *p = r->data;

	spin_lock(&p->lock);
	list_remove(&r->link);
	if (r->id & SIDE_READ)
		p->readers--;
	if (r->id & SIDE_WRITE)
		p->writers--;
	wait_wake_all(&p->waiting_readers);
	wait_wake_all(&p->waiting_writers);
	tell(p, SIDE_READ | SIDE_WRITE);
	spin_unlock(&p->lock);
	pipe_put(p);
}

static err_t pipe_open_end(struct resource *r, const struct open_args *a, struct passed *out);

static const struct resource_ops pipe_ops = {
	.name = "pipe", .read = pipe_read, .write = pipe_write, .call = pipe_call, .open = pipe_open_end,
	.ready = pipe_ready, .destroy = pipe_destroy,
};

/* A new end of p on these sides. */
static err_t give_end(struct pipe *p, uint32_t sides, const struct open_args *a, struct passed *out)
{
	struct resource *r;

	uint32_t flags = (sides & SIDE_READ ? OPEN_READ : 0) | (sides & SIDE_WRITE ? OPEN_WRITE : 0);
	TRY(resource_create(&pipe_ops, p, flags | (a->flags & OPEN_NONBLOCK), &r));
	r->id = sides;
	object_get(&p->object);
	spin_lock(&p->lock);
	list_push_back(&p->ends, &r->link);
	p->readers += !!(sides & SIDE_READ);
	p->writers += !!(sides & SIDE_WRITE);
	wait_wake_all(&p->waiting_readers);
	wait_wake_all(&p->waiting_writers);
	spin_unlock(&p->lock);
	*out = (struct passed){
		.resource = r,
		.rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | (sides & SIDE_READ ? RIGHT_READ : 0) |
		          (sides & SIDE_WRITE ? RIGHT_WRITE : 0),
	};
	return OK;
}

static err_t pipe_open_end(struct resource *r, const struct open_args *a, struct passed *out)
{
	char ref[REF_MAX];

	TRY(open_ref(a, ref));
	if (strcmp(ref, "read") == 0)
		return give_end(r->data, SIDE_READ, a, out);
	if (strcmp(ref, "write") == 0)
		return give_end(r->data, SIDE_WRITE, a, out);
	if (strcmp(ref, "both") == 0)
		return give_end(r->data, SIDE_READ | SIDE_WRITE, a, out);
	return ERR_NOENT;
}

static err_t pipe_create(struct pipe **out)
{
	struct pipe *p = heap_new(struct pipe);
	err_t err;

	if (!p)
		return ERR_NOMEM;
	if ((err = memobj_create(PIPE_BYTES, process_current()->account, &p->ring))) {
		heap_delete(p);
		return err;
	}
	object_init(&p->object);
	spin_init(&p->lock, RANK_PIPE);
	list_init(&p->ends);
	list_init(&p->waiting_readers);
	list_init(&p->waiting_writers);
	p->capacity = PIPE_BYTES;
	*out = p;
	return OK;
}

static err_t open_pipe(uint32_t sides, const struct open_args *a, struct passed *out)
{
	struct pipe *p;
	err_t err;

	TRY(pipe_create(&p));
	err = give_end(p, sides, a, out);
	pipe_put(p);
	return err;
}

static err_t open_read_end(const char *rest UNUSED, const struct open_args *a, struct passed *out) { return open_pipe(SIDE_READ, a, out); }

static err_t open_fifo(const char *rest UNUSED, const struct open_args *a, struct passed *out) { return open_pipe(0, a, out); }

const struct scheme_entry pipe_scheme[] = { { .ref = "", .open = open_read_end }, { .ref = "fifo", .open = open_fifo }, {0} };
