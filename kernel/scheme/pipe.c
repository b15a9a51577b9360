/* kernel/scheme/pipe.c - pipe: bytes from one end to the other, through a ring in a memory object.
 *
 * pipe: is a read end; opened relative to it, "write" is its write end. pipe:fifo is neither; relative to it
 * "read", "write" and "both" are ends. Writes of up to PIPE_ATOMIC bytes are not mixed with others (POSIX write).
 *
 * User memory is copied without the lock (it may fault): a copier owns its side of the ring by `busy`.
 */
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum {
	PIPE_ATOMIC = 4096,             /* PIPE_BUF */
	PIPE_BYTES = 65536,             /* as Linux: programs count on it */
	PIPE_BYTES_MAX = 1 << 20,
};

enum { READ_SIDE, WRITE_SIDE };
/* What an end is, its resource's id: bits by side. */
enum { CAN_READ = 1 << READ_SIDE, CAN_WRITE = 1 << WRITE_SIDE };

/* Members: [l] the pipe's lock. */
struct side {
	uint32_t ends;                  /* [l] */
	uint64_t bytes;                 /* [l] ever written or read */
	bool busy;                      /* [l] somebody copies */
	struct list_node waiters;       /* [l] */
};

/* Members: [l] lock. */
struct pipe {
	struct object object;
	struct spinlock lock;           /* RANK_PIPE */
	struct list_node ends;          /* [l] resources, to be told */
	struct side side[2];
	uint64_t capacity;              /* [l] a power of two, whole pages */
	struct memobj *ring;            /* [l] capacity bytes, whose pages come as they are first written */
};

static uint64_t pipe_used(const struct pipe *p) { return p->side[WRITE_SIDE].bytes - p->side[READ_SIDE].bytes; }

static void pipe_put(struct pipe *p)
{
	if (!object_put(&p->object))
		return;
	memobj_put(p->ring);
	heap_delete(p);
}

static uint32_t ready_of(const struct pipe *p, uint32_t sides) REQUIRES(&p->lock)
{
	uint32_t ready = 0;

	if (sides & CAN_READ) {
		ready |= pipe_used(p) ? READY_READ : 0;
		ready |= p->side[WRITE_SIDE].ends == 0 ? READY_HANGUP : 0;
	}
	if (sides & CAN_WRITE) {
		ready |= p->capacity - pipe_used(p) >= PIPE_ATOMIC ? READY_WRITE : 0;
		ready |= p->side[READ_SIDE].ends == 0 ? READY_ERROR | READY_WRITE : 0;
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

static void wake_both(struct pipe *p) REQUIRES(&p->lock)
{
	wait_wake_all(&p->side[READ_SIDE].waiters);
	wait_wake_all(&p->side[WRITE_SIDE].waiters);
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

/* One piece, as large as can be: mine->busy is ours, lock dropped and taken again. */
static err_t move_piece(struct pipe *p, struct side *mine, struct transfer *t, size_t *done) REQUIRES(&p->lock)
{
	size_t possible = t->is_write ? p->capacity - pipe_used(p) : pipe_used(p), copied;
	uint64_t position = mine->bytes;

	mine->busy = true;
	spin_unlock(&p->lock);
	err_t err = ring_copy(p, position, uaddr(t->buffer.raw + *done), MIN_OF(possible, t->bytes - *done), t->is_write, &copied);
	spin_lock(&p->lock);
	mine->bytes += copied;
	mine->busy = false;
	*done += copied;
	wake_both(p);
	if (copied)
		tell(p, t->is_write ? CAN_READ : CAN_WRITE);
	return err;
}

/* READ ends with the first bytes, WRITE with the last. What is small is written whole; of what is large, any part. */
static int64_t pipe_transfer(struct resource *r, struct transfer *t)
{
	struct pipe *p = r->data;
	struct side *mine = &p->side[t->is_write], *other = &p->side[!t->is_write];
	size_t least = t->is_write && t->bytes <= PIPE_ATOMIC ? t->bytes : 1;
	size_t enough = t->is_write ? t->bytes : MIN_OF(t->bytes, 1u), done = 0;
	err_t err = OK;

	if (!(r->id & 1u << t->is_write))
		return ERR_BADF;
	spin_lock(&p->lock);
	while (done < enough && !err) {
		if (mine->busy)         /* short, since who copies does not wait for the other side */
			err = wait_on(&mine->waiters, &p->lock, 0, t->request_flags);
		else if (t->is_write && !other->ends)
			err = ERR_PIPE;
		else if ((t->is_write ? p->capacity - pipe_used(p) : pipe_used(p)) >= least)
			err = move_piece(p, mine, t, &done);
		else if (!other->ends)
			break;
		else
			err = wait_on(&mine->waiters, &p->lock, t->open_flags, t->request_flags);
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
	bool is_idle = !pipe_used(p) && !p->side[READ_SIDE].busy && !p->side[WRITE_SIDE].busy;
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
		result = (int64_t)((uint64_t)p->side[WRITE_SIDE].ends << 32 | p->side[READ_SIDE].ends);
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

/* An end comes (1) or goes (-1). */
static void count_end(struct pipe *p, uint64_t sides, int change) REQUIRES(&p->lock)
{
	for (int i = READ_SIDE; i <= WRITE_SIDE; i++)
		if (sides & 1u << i)
			p->side[i].ends += (uint32_t)change;
	wake_both(p);
}

static void pipe_destroy(struct resource *r)
{
	struct pipe *p = r->data;

	spin_lock(&p->lock);
	list_remove(&r->link);
	count_end(p, r->id, -1);
	tell(p, CAN_READ | CAN_WRITE);
	spin_unlock(&p->lock);
	pipe_put(p);
}

static err_t pipe_open_end(struct resource *r, const struct open_args *a, struct passed *out);

static const struct resource_ops pipe_ops = {
	.name = "pipe", .read = pipe_transfer, .write = pipe_transfer, .call = pipe_call, .open = pipe_open_end,
	.ready = pipe_ready, .destroy = pipe_destroy,
};

/* A new end of p on these sides. */
static err_t give_end(struct pipe *p, uint32_t sides, const struct open_args *a, struct passed *out)
{
	uint32_t flags = (sides & CAN_READ ? OPEN_READ : 0) | (sides & CAN_WRITE ? OPEN_WRITE : 0);
	uint32_t rights = (sides & CAN_READ ? RIGHT_READ : 0) | (sides & CAN_WRITE ? RIGHT_WRITE : 0);
	struct resource *r;

	TRY(resource_create(&pipe_ops, p, flags | (a->flags & OPEN_NONBLOCK), &r));
	r->id = sides;
	object_get(&p->object);
	spin_lock(&p->lock);
	list_push_back(&p->ends, &r->link);
	count_end(p, sides, 1);
	spin_unlock(&p->lock);
	*out = (struct passed){ .resource = r, .rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | rights };
	return OK;
}

static err_t pipe_open_end(struct resource *r, const struct open_args *a, struct passed *out)
{
	static const struct { const char *name; uint32_t sides; } kinds[] = {
		{ "read", CAN_READ }, { "write", CAN_WRITE }, { "both", CAN_READ | CAN_WRITE },
	};
	char ref[REF_MAX];

	TRY(open_ref(a, ref));
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (strcmp(ref, kinds[i].name) == 0)
			return give_end(r->data, kinds[i].sides, a, out);
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
	list_init(&p->side[READ_SIDE].waiters);
	list_init(&p->side[WRITE_SIDE].waiters);
	p->capacity = PIPE_BYTES;
	*out = p;
	return OK;
}

static err_t pipe_open(uint32_t sides, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	struct pipe *p;
	err_t err;

	TRY(pipe_create(&p));
	err = give_end(p, sides, a, out);
	pipe_put(p);
	return err;
}

const struct scheme_entry pipe_scheme[] = {
	{ .ref = "", .open = pipe_open, .kind = CAN_READ },
	{ .ref = "fifo", .open = pipe_open },
	{0},
};
