/* kernel/scheme/pipe.c - pipe: bytes and packets through a ring of pages; and sockets, which are ends of two pipes.
 *
 * abi/proto/kernel.def says what opens what. Writes of up to PIPE_ATOMIC bytes are not mixed with others (POSIX write).
 *
 * User memory is copied without the lock (it may fault): a copier owns its side of the ring by `busy`. Pages come as they
 * are first written to, and whoever does so pays.
 */
#include "abi/proto/kernel.h"
#include "kernel/mem/account.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
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
	PIPE_PACKETS_MAX = 256,
};

enum { READ_SIDE, WRITE_SIDE };
/* What an end is for: bits by side. */
enum { CAN_READ = 1 << READ_SIDE, CAN_WRITE = 1 << WRITE_SIDE, CAN_BOTH = CAN_READ | CAN_WRITE };

/* A piece of what is in the ring that has a beginning and an end, or something that goes with it. */
struct packet {
	struct list_node link;
	uint64_t start, bytes;          /* start as the sides' bytes count */
	struct passed passed;           /* a handle on its way, or none */
	struct account *payer;          /* charged a handle for the packet; a reference */
	uint64_t word;
	struct pipe_info sender;
};

/* Members: [l] the pipe's lock. */
struct side {
	struct list_node ends;          /* [l] struct end.link, to be told */
	uint32_t count;                 /* [l] of them */
	uint64_t bytes;                 /* [l] written or read since the pipe was last empty */
	bool busy;                      /* [l] somebody copies */
	struct list_node waiters;       /* [l] */
};

/* Members: [l] lock. */
struct pipe {
	struct object object;
	struct spinlock lock;           /* RANK_PIPE */
	uint64_t number;                /* [I] */
	struct side side[2];
	bool is_packets;                /* [I] each write is a packet, and each read takes one */
	bool is_lasting;                /* [l] not at its end when there is no writer: more may come */
	uint64_t capacity;              /* [l] a power of two, whole pages */
	paddr_t *pages;                 /* [l] the ring; raw 0: not yet written to. Who copies may use it */
	struct list_node packets;       /* [l] all there are of a packet pipe; else those pieces that something goes with */
	uint32_t packet_count;          /* [l] */
	struct pipe_info info;          /* [l] of a socket's; kind is [I] */
};

/* One way in or out; of a socket both. */
struct end {
	struct resource *self;          /* [I] borrowed */
	struct pipe *pipe;              /* [I] what it was opened for: a socket's own, which it reads; a reference */
	/* [I] for reading: pipe, or NULL. For writing: set once; if not pipe, a reference; NULL: not, or not yet. */
	_Atomic(struct pipe *) way[2];
	struct list_node link[2];       /* [the way's lock] on no list: shut down */
};

static const struct resource_ops pipe_ops;

static struct pipe *way_of(struct end *e, int side) { return atomic_load_explicit(&e->way[side], memory_order_acquire); }

static uint64_t pipe_used(const struct pipe *p) { return p->side[WRITE_SIDE].bytes - p->side[READ_SIDE].bytes; }

static bool is_socket(const struct pipe *p) { return p->info.kind; }

static struct packet *first_packet(const struct pipe *p)
{
	return p->packet_count ? list_first(&p->packets, struct packet, link) : NULL;
}

/* ---- what changes ---- */

static void pages_free(paddr_t *pages, uint64_t capacity)
{
	for (uint64_t i = 0; i < capacity / PAGE_BYTES; i++)
		if (pages[i].raw)
			frame_put(pages[i]);
	heap_free(pages, capacity / PAGE_BYTES * sizeof(*pages));
}

static void pipe_put(struct pipe *p)
{
	if (!object_put(&p->object))
		return;
	pages_free(p->pages, p->capacity);
	heap_delete(p);
}

static bool is_at_end(const struct pipe *p) { return !p->side[WRITE_SIDE].count && !p->is_lasting; }

static uint32_t ready_of(const struct pipe *p, int side) REQUIRES(&p->lock)
{
	if (side == READ_SIDE)
		return (pipe_used(p) || p->packet_count ? READY_READ : 0) |
		       (!is_at_end(p) ? 0 : is_socket(p) ? READY_READ | READY_READ_HANGUP : READY_HANGUP);
	if (!p->side[READ_SIDE].count)
		return READY_WRITE | (is_socket(p) ? READY_HANGUP : READY_ERROR);
	return p->capacity - pipe_used(p) >= PIPE_ATOMIC && p->packet_count < PIPE_PACKETS_MAX ? READY_WRITE : 0;
}

/* Tells the ends on a side, for which something has changed: an edge, so not when they only stay ready. */
static void tell(struct pipe *p, int side) REQUIRES(&p->lock)
{
	uint32_t ready = ready_of(p, side);
	struct end *e;

	wait_wake_all(&p->side[side].waiters);
	if (ready)
		list_each(e, &p->side[side].ends, link[side])
			resource_notify(e->self, ready);
}

/* ---- packets ---- */

static void stamp(struct pipe_info *info)
{
	struct sender s = process_sender(thread_current());

	info->pid = s.pid;
	info->uid = s.uid;
	info->gid = s.gid;
}

static void packet_free(struct packet *k)
{
	resource_put(k->passed.resource);
	account_uncharge(k->payer, ACCOUNT_HANDLES, 1);
	account_put(k->payer);
	heap_delete(k);
}

/* A packet from a socket (own is its pipe) or a write end (NULL). Takes *passed. NOMEM, MFILE. */
static err_t packet_create(struct pipe *own, struct passed *passed, uint64_t word, struct packet **out)
{
	struct account *payer = process_account(process_current());
	struct packet *k = heap_new(struct packet);
	err_t err = k ? account_charge(payer, ACCOUNT_HANDLES, 1) : ERR_NOMEM;

	if (err) {
		heap_free(k, sizeof(*k));
		account_put(payer);
		return err;
	}
	if (own) {
		spin_lock(&own->lock);
		k->sender = own->info;
		spin_unlock(&own->lock);
	}
	stamp(&k->sender);
	k->payer = payer;
	k->word = word;
	k->passed = *passed;
	passed->resource = NULL;
	*out = k;
	return OK;
}

/* Handles in packets that nobody will take may be ends with packets of their own, and so on: one thread at a time drops them
 * all, in a loop, so that no stack gets deep. */
static void packets_drop(struct list_node *packets)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_PIPE);
	static struct list_node dropped = LIST_INIT(dropped);
	static bool is_dropping;

	if (list_is_empty(packets))
		return;
	spin_lock(&lock);
	list_move_all(&dropped, packets);
	while (!is_dropping && !list_is_empty(&dropped)) {
		struct packet *k = list_first(&dropped, struct packet, link);
		list_remove(&k->link);
		is_dropping = true;
		spin_unlock(&lock);
		packet_free(k);
		spin_lock(&lock);
		is_dropping = false;
	}
	spin_unlock(&lock);
}

/* ---- bytes ---- */

/* What one READ or WRITE, or PIPE_SEND or PIPE_RECEIVE, moves beside the bytes. */
struct exchange {
	struct packet *packet;          /* to send; NULL: mere bytes */
	bool peek, accept;              /* enum pipe_receive_flags */
	struct pipe_received *about;    /* of what is received, or NULL */
	struct passed passed;           /* received */
	struct list_node gone;          /* packets that were taken */
};

/* Copies bytes from or to the ring at position; how many. */
static err_t ring_copy(struct pipe *p, uint64_t position, uaddr_t user, size_t bytes, bool write, size_t *done)
{
	for (*done = 0; *done < bytes;) {
		uint64_t at = (position + *done) & (p->capacity - 1), in_page = at & PAGE_MASK;
		size_t run = MIN_OF(bytes - *done, PAGE_BYTES - in_page);
		paddr_t *page = &p->pages[at >> PAGE_SHIFT];
		if (UNLIKELY(!page->raw))
			TRY(frame_alloc(0, 0, process_current()->account, page));
		char *kernel = (char *)paddr_to_kernel(*page) + in_page;
		uaddr_t piece = uaddr(user.raw + *done);
		TRY(write ? copy_from_user(kernel, piece, run) : copy_to_user(piece, kernel, run));
		*done += run;
	}
	return OK;
}

/* ring_copy at a side's place. side->busy is ours, the lock dropped and taken again. */
static err_t side_copy(struct pipe *p, struct side *s, struct transfer *t, size_t from, size_t bytes, size_t *done) REQUIRES(&p->lock)
{
	uint64_t position = s->bytes;

	s->busy = true;
	spin_unlock(&p->lock);
	err_t err = ring_copy(p, position, uaddr(t->buffer.raw + from), bytes, t->is_write, done);
	spin_lock(&p->lock);
	s->busy = false;
	if (!list_is_empty(&s->waiters))
		wait_wake_all(&s->waiters);
	return err;
}

/* Bytes up to the end of the first packet, which comes along when it is reached. */
static err_t receive_piece(struct pipe *p, struct side *s, struct transfer *t, struct exchange *x, size_t *done) REQUIRES(&p->lock)
{
	struct packet *k = first_packet(p);
	uint64_t at = s->bytes, before = k ? k->start - at : pipe_used(p);

	if (k && before && before >= t->bytes)
		k = NULL;
	uint64_t run = before + (k ? k->bytes : 0);
	err_t err = side_copy(p, s, t, 0, MIN_OF(run, t->bytes), done);
	if (s->bytes != at || (k && !p->packet_count))
		return err;     /* shut down meanwhile: all of it went */
	if (x->about && k)
		*x->about = (struct pipe_received){ .sender = k->sender, .word = k->word };
	if (x->about)
		x->about->bytes = run;
	if (x->peek || (k && err))      /* a packet that could not be copied stays */
		return err;
	s->bytes += k && p->is_packets ? run : *done;
	if (k) {
		x->passed = k->passed;
		k->passed.resource = NULL;
		list_remove(&k->link);
		list_push_back(&x->gone, &k->link);
		p->packet_count--;
	}
	if (!pipe_used(p) && !p->packet_count && !p->side[WRITE_SIDE].busy)
		p->side[WRITE_SIDE].bytes = s->bytes = 0;       /* so that few pages are in use */
	return err;
}

/* The packet goes with the first piece. */
static err_t send_piece(struct pipe *p, struct side *s, struct transfer *t, struct exchange *x, size_t *done) REQUIRES(&p->lock)
{
	struct packet *k = x->packet;
	size_t copied;
	err_t err = side_copy(p, s, t, *done, MIN_OF(p->capacity - pipe_used(p), t->bytes - *done), &copied);

	if (k && (err || !p->side[READ_SIDE].count))
		return err ? err : ERR_PIPE;
	if (k) {
		k->start = s->bytes;
		k->bytes = copied;
		list_push_back(&p->packets, &k->link);
		p->packet_count++;
		x->packet = NULL;
	}
	s->bytes += copied;
	*done += copied;
	return err;
}

/* Reading ends with the first piece, writing with the last. What is small is written whole, and so is a packet; of what is large,
 * any part. */
static int64_t transfer(struct pipe *p, struct transfer *t, struct exchange *x)
{
	struct side *mine = &p->side[t->is_write], *other = &p->side[!t->is_write];
	size_t least = p->is_packets || t->bytes <= PIPE_ATOMIC ? t->bytes : 1, done = 0;
	bool is_done = t->is_write ? !t->bytes && !x->packet : !t->bytes && !p->is_packets && !p->packet_count;
	err_t err = OK;

	list_init(&x->gone);
	spin_lock(&p->lock);
	if (t->is_write && p->is_packets && t->bytes > p->capacity)
		err = ERR_MSGSIZE;
	while (!is_done && !err) {
		if (mine->busy) {       /* short, since who copies does not wait for the other side */
			err = wait_on(&mine->waiters, &p->lock, 0, t->request_flags);
		} else if (t->is_write && !other->count) {
			err = p->info.kind == PIPE_DATAGRAM ? ERR_CONNREFUSED : ERR_PIPE;
		} else if (t->is_write && p->capacity - pipe_used(p) >= least && (!x->packet || p->packet_count < PIPE_PACKETS_MAX)) {
			err = send_piece(p, mine, t, x, &done);
			is_done = done == t->bytes;
			tell(p, READ_SIDE);
		} else if (!t->is_write && (pipe_used(p) || p->packet_count)) {
			err = receive_piece(p, mine, t, x, &done);
			is_done = true;
			tell(p, WRITE_SIDE);
		} else if (!t->is_write && (is_at_end(p) || !mine->count)) {
			is_done = true;
		} else {
			err = wait_on(&mine->waiters, &p->lock, t->open_flags, t->request_flags);
		}
	}
	spin_unlock(&p->lock);
	packets_drop(&x->gone);
	if (x->packet)
		packet_free(x->packet);
	return done || !err ? (int64_t)done : err;
}

static int64_t end_receive(struct end *e, struct transfer *t, struct exchange *x)
{
	bool needs_peer = is_socket(e->pipe) && e->pipe->info.kind != PIPE_DATAGRAM && !x->accept;
	struct pipe *p = way_of(e, READ_SIDE);

	if (!p)
		return ERR_BADF;
	if (needs_peer && !way_of(e, WRITE_SIDE))
		return p->is_packets ? ERR_NOTCONN : ERR_INVAL;
	return transfer(p, t, x);
}

static int64_t end_read(struct resource *r, struct transfer *t)
{
	struct exchange x = { .packet = NULL };
	int64_t result = end_receive(r->data, t, &x);

	resource_put(x.passed.resource);
	return result;
}

/* Sends with what goes along, if anything does; passed is taken. */
static int64_t end_send(struct end *e, struct transfer *t, struct passed *passed, uint64_t word)
{
	struct pipe *p = way_of(e, WRITE_SIDE), *own = way_of(e, READ_SIDE);
	struct exchange x = { .packet = NULL };

	if (!p)
		return is_socket(e->pipe) ? ERR_NOTCONN : ERR_BADF;
	if (own && list_is_empty(&e->link[WRITE_SIDE]))
		return ERR_PIPE;
	if (p->is_packets || passed->resource || word)
		TRY(packet_create(own, passed, word, &x.packet));
	return transfer(p, t, &x);
}

static int64_t end_write(struct resource *r, struct transfer *t) { return end_send(r->data, t, &(struct passed){0}, 0); }

/* ---- ends ---- */

static void join(struct pipe *p, struct end *e, int side)
{
	spin_lock(&p->lock);
	list_push_back(&p->side[side].ends, &e->link[side]);
	p->side[side].count++;
	if (side == WRITE_SIDE)
		p->is_lasting = p->info.kind == PIPE_DATAGRAM;
	wait_wake_all(&p->side[!side].waiters);
	spin_unlock(&p->lock);
}

/* What is in a pipe with packets goes with its last reader. */
static void leave(struct pipe *p, struct end *e, int side)
{
	struct list_node gone = LIST_INIT(gone);

	spin_lock(&p->lock);
	p->side[side].count -= !list_is_empty(&e->link[side]);
	list_remove(&e->link[side]);
	if (!p->side[READ_SIDE].count && p->packet_count) {
		list_move_all(&gone, &p->packets);
		p->packet_count = 0;
		p->side[READ_SIDE].bytes = p->side[WRITE_SIDE].bytes;
	}
	tell(p, READ_SIDE);
	tell(p, WRITE_SIDE);
	spin_unlock(&p->lock);
	packets_drop(&gone);
}

static void end_destroy(struct resource *r)
{
	struct end *e = r->data;
	struct pipe *out = way_of(e, WRITE_SIDE);

	for (int side = READ_SIDE; side <= WRITE_SIDE; side++)
		if (way_of(e, side))
			leave(way_of(e, side), e, side);
	if (out && out != e->pipe)
		pipe_put(out);
	pipe_put(e->pipe);
}

static uint32_t end_ready(struct resource *r)
{
	struct end *e = r->data;
	uint32_t ready = e->pipe->info.kind == PIPE_DATAGRAM && !way_of(e, WRITE_SIDE) ? READY_WRITE : 0;

	for (int side = READ_SIDE; side <= WRITE_SIDE; side++) {
		struct pipe *p = way_of(e, side);
		if (!p)
			continue;
		spin_lock(&p->lock);
		ready |= ready_of(p, side);
		spin_unlock(&p->lock);
	}
	/* A socket is hung up when both ways have ended. */
	return is_socket(e->pipe) && !(ready & READY_READ_HANGUP) ? ready & ~(uint32_t)READY_HANGUP : ready;
}

/* A new end of p on these sides. Of a socket: itself, or (only CAN_WRITE) its name, which counts as no writer. */
static err_t give_end(struct pipe *p, uint32_t sides, const struct open_args *a, struct passed *out)
{
	uint32_t flags = (sides & CAN_READ ? OPEN_READ : 0) | (sides & CAN_WRITE ? OPEN_WRITE : 0);
	uint32_t rights = (sides & CAN_READ ? RIGHT_READ : 0) | (sides & CAN_WRITE ? RIGHT_WRITE : 0);
	struct resource *r;

	TRY(resource_create(&pipe_ops, NULL, flags | (a->flags & OPEN_NONBLOCK), &r));
	struct end *e = r->data;
	*e = (struct end){ .self = r, .pipe = object_get(p) };
	for (int side = READ_SIDE; side <= WRITE_SIDE; side++) {
		bool is_there = sides & 1u << side, is_own = !is_socket(p) || side == READ_SIDE;
		list_init(&e->link[side]);
		if (is_there && (is_own || sides == CAN_WRITE))
			atomic_store(&e->way[side], p);
		if (is_there && is_own)
			join(p, e, side);
	}
	*out = (struct passed){ .resource = r, .rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | rights };
	return OK;
}

static err_t pipe_create(enum pipe_kind kind, bool is_packets, struct pipe **out)
{
	static _Atomic uint64_t last_number;
	struct pipe *p = heap_new(struct pipe);

	if (!p || !(p->pages = heap_alloc(PIPE_BYTES / PAGE_BYTES * sizeof(*p->pages)))) {
		heap_free(p, sizeof(*p));
		return ERR_NOMEM;
	}
	object_init(&p->object);
	spin_init(&p->lock, RANK_PIPE);
	for (int side = READ_SIDE; side <= WRITE_SIDE; side++) {
		list_init(&p->side[side].ends);
		list_init(&p->side[side].waiters);
	}
	list_init(&p->packets);
	p->number = atomic_fetch_add(&last_number, 1) + 1;
	p->capacity = PIPE_BYTES;
	p->is_packets = is_packets;
	p->is_lasting = kind;
	p->info.kind = kind;
	stamp(&p->info);
	*out = p;
	return OK;
}

/* What one opens that is new: CAN_ bits, and */
enum { MAKES_PACKETS = 1 << 2, KIND_SHIFT = 4 };

static err_t pipe_open(uint32_t what, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	struct pipe *p;
	err_t err;

	TRY(pipe_create(what >> KIND_SHIFT, what & MAKES_PACKETS, &p));
	err = give_end(p, what & CAN_BOTH, a, out);
	pipe_put(p);
	return err;
}

/* e writes to p from now on. ISCONN: it does already. */
static err_t set_out(struct end *e, struct pipe *p)
{
	spin_lock(&e->self->lock);
	err_t err = way_of(e, WRITE_SIDE) ? ERR_ISCONN : OK;
	if (!err) {
		if (p != e->pipe)
			object_get(p);
		join(p, e, WRITE_SIDE);
		atomic_store_explicit(&e->way[WRITE_SIDE], p, memory_order_release);
	}
	spin_unlock(&e->self->lock);
	return err;
}

static err_t open_peer(struct end *e, const struct open_args *a, struct passed *out)
{
	struct end *peer;
	err_t err;

	uint32_t packets = e->pipe->is_packets ? MAKES_PACKETS : 0;
	TRY(pipe_open(e->pipe->info.kind << KIND_SHIFT | packets | CAN_BOTH, "", a, out));
	peer = out->resource->data;
	if ((err = set_out(e, peer->pipe)) || (err = set_out(peer, e->pipe)))
		resource_put(out->resource);
	return err;
}

static err_t end_open(struct resource *r, const struct open_args *a, struct passed *out)
{
	static const struct { const char *name; uint32_t sides; } kinds[] = {
		{ "write", CAN_WRITE }, { "read", CAN_READ }, { "both", CAN_BOTH },
	};
	struct end *e = r->data;
	char ref[REF_MAX];

	TRY(open_ref(a, ref));
	/* Who may only write to a socket's pipe cannot become its reader. */
	if (is_socket(e->pipe) && !way_of(e, READ_SIDE))
		return ERR_ACCES;
	if (is_socket(e->pipe) && strcmp(ref, "peer") == 0)
		return open_peer(e, a, out);
	for (size_t i = 0; i < (is_socket(e->pipe) ? 1 : ARRAY_COUNT(kinds)); i++)
		if (strcmp(ref, kinds[i].name) == 0)
			return give_end(e->pipe, kinds[i].sides, a, out);
	return ERR_NOENT;
}

/* ---- calls ---- */

/* Only an empty ring is exchanged: moving bytes is not worth the code. */
static int64_t pipe_resize(struct pipe *p, uint64_t bytes)
{
	uint64_t capacity = PAGE_BYTES;

	if (bytes > PIPE_BYTES_MAX)
		return ERR_PERM;
	while (capacity < bytes)
		capacity *= 2;
	int64_t result = (int64_t)capacity;
	paddr_t *pages = heap_alloc(capacity / PAGE_BYTES * sizeof(*pages)), *old = pages;
	if (!pages)
		return ERR_NOMEM;
	spin_lock(&p->lock);
	if (pipe_used(p) || p->packet_count || p->side[READ_SIDE].busy || p->side[WRITE_SIDE].busy) {
		result = ERR_BUSY;
	} else {
		old = p->pages;
		capacity = p->capacity;
		p->pages = pages;
		p->capacity = (uint64_t)result;
	}
	spin_unlock(&p->lock);
	pages_free(old, capacity);
	return result;
}

static struct transfer transfer_of(struct resource *r, const struct call_args *a, uaddr_t buffer, size_t bytes)
{
	return (struct transfer){
		.buffer = buffer, .bytes = bytes, .is_write = a->code == PIPE_SEND, .request_flags = a->request_flags,
		.open_flags = atomic_load(&r->open_flags) | (a->request_flags & REQUEST_NONBLOCK ? OPEN_NONBLOCK : 0),
	};
}

static int64_t call_receive(struct resource *r, struct call_args *a)
{
	struct pipe_received about = {0};
	struct exchange x = { .peek = a->word & PIPE_PEEK, .accept = a->word & PIPE_ACCEPT, .about = &about };
	struct pipe_receive in = { a->out.raw, a->out_bytes };

	if (a->in_bytes)
		TRY(call_in(a, &in, sizeof(in)));
	if (!user_range_is_valid(in.buffer, in.bytes))
		return ERR_FAULT;
	struct transfer t = transfer_of(r, a, uaddr(in.buffer), in.bytes);
	int64_t result = end_receive(r->data, &t, &x);
	a->reply = x.passed;
	err_t err = result < 0 || !a->in_bytes ? OK : call_out(a, &about, sizeof(about));
	return err ? err : result;
}

static err_t call_connect(struct end *e, struct resource *passed)
{
	struct end *to = resource_data(passed, &pipe_ops);
	struct pipe *p = to ? way_of(to, WRITE_SIDE) : NULL;

	if (!p || p->info.kind != PIPE_DATAGRAM || e->pipe->info.kind != PIPE_DATAGRAM || !way_of(e, READ_SIDE))
		return ERR_PROTOTYPE;
	return set_out(e, p);
}

static err_t call_shutdown(struct end *e, uint64_t sides)
{
	for (int side = READ_SIDE; side <= WRITE_SIDE; side++)
		if (sides & 1u << side && way_of(e, side))
			leave(way_of(e, side), e, side);
	return OK;
}

/* PIPE_NAME or PIPE_INFO. */
static err_t call_info(struct end *e, struct call_args *a)
{
	struct pipe *p = a->word ? way_of(e, WRITE_SIDE) : e->pipe;
	struct pipe_info info;

	if (!p)
		return ERR_NOTCONN;
	if (a->code == PIPE_NAME && p != way_of(e, READ_SIDE))
		return ERR_ACCES;
	if (a->code == PIPE_NAME) {
		TRY(call_in(a, &info, sizeof(info)));
		info.kind = p->info.kind;
		stamp(&info);
	}
	spin_lock(&p->lock);
	*(a->code == PIPE_NAME ? &p->info : &info) = a->code == PIPE_NAME ? info : p->info;
	spin_unlock(&p->lock);
	return a->code == PIPE_INFO ? call_out(a, &info, sizeof(info)) : OK;
}

/* Numbers about a pipe. */
static int64_t call_count(struct pipe *p, uint32_t code)
{
	spin_lock(&p->lock);
	uint64_t ends = (uint64_t)p->side[WRITE_SIDE].count << 32 | p->side[READ_SIDE].count;
	uint64_t pending = p->is_packets && p->packet_count ? first_packet(p)->bytes : pipe_used(p);
	uint64_t result = code == PIPE_NUMBER ? p->number : code == PIPE_SIZE ? p->capacity : code == PIPE_PENDING ? pending : ends;
	spin_unlock(&p->lock);
	return (int64_t)result;
}

static int64_t end_call(struct resource *r, struct call_args *a)
{
	struct end *e = r->data;
	struct transfer t;

	if (a->code == PIPE_SIZE && a->word)
		return pipe_resize(e->pipe, a->word);
	if (a->code == PIPE_SIZE || a->code == PIPE_PENDING || a->code == PIPE_ENDS || a->code == PIPE_NUMBER)
		return call_count(e->pipe, a->code);
	if (!is_socket(e->pipe))
		return ERR_NOTTY;
	switch (a->code) {
	case PIPE_SEND:
		t = transfer_of(r, a, a->in, a->in_bytes);
		return end_send(e, &t, &a->passed, a->word);
	case PIPE_RECEIVE:
		return call_receive(r, a);
	case PIPE_CONNECT:
		return call_connect(e, a->passed.resource);
	case PIPE_SHUTDOWN:
		return call_shutdown(e, a->word);
	case PIPE_NAME:
	case PIPE_INFO:
		return call_info(e, a);
	default:
		return ERR_NOTTY;
	}
}

static const struct resource_ops pipe_ops = {
	.name = "pipe", .data_bytes = sizeof(struct end), .read = end_read, .write = end_write, .call = end_call,
	.open = end_open, .ready = end_ready, .destroy = end_destroy,
};

const struct scheme_entry pipe_scheme[] = {
	{ .ref = "", .open = pipe_open, .kind = CAN_READ },
	{ .ref = "fifo", .open = pipe_open },
	{ .ref = "packets", .open = pipe_open, .kind = CAN_READ | MAKES_PACKETS },
	{ .ref = "stream", .open = pipe_open, .kind = PIPE_STREAM << KIND_SHIFT | CAN_BOTH },
	{ .ref = "datagram", .open = pipe_open, .kind = PIPE_DATAGRAM << KIND_SHIFT | MAKES_PACKETS | CAN_BOTH },
	{ .ref = "sequence", .open = pipe_open, .kind = PIPE_SEQUENCE << KIND_SHIFT | MAKES_PACKETS | CAN_BOTH },
	{0},
};
