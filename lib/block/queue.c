/* lib/block/queue.c - from clients' calls to device requests and back. */
#include "lib/block/queue.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"

enum { ATTEMPTS_MAX = 3 };
#define TICK_NS 1000000000ull

struct block block;

/* ---- Calls --------------------------------------------------------------------------------------------------------- */

static void count(struct disk_statistics *s, const struct block_call *c)
{
	s->in_flight--;
	s->waited_ns += block_now() - c->begun_ns;
	if (c->err) {
		s->errors++;
		return;
	}
	switch (c->op) {
	case BLOCK_READ:
		s->reads++;
		s->read_bytes += c->wanted;
		break;
	case BLOCK_WRITE:
		s->writes++;
		s->written_bytes += c->wanted;
		break;
	case BLOCK_FLUSH:
		s->flushes++;
		break;
	case BLOCK_DISCARD:
		s->discards++;
		break;
	case BLOCK_ZERO:
		s->zeroes++;
		break;
	}
}

static bool moves_data(enum block_op op) { return op == BLOCK_READ || op == BLOCK_WRITE; }

/* data: of a read in one piece, straight from the device's memory; else it was put already. */
static void call_finish(struct block_call *c, const uint8_t *data)
{
	int64_t result = c->err ? c->err : moves_data(c->op) ? (int64_t)c->wanted : 0;

	count(c->queue->statistics, c);
	if (c->queue->patch == c)
		c->queue->patch = NULL;
	/* Before the client goes on: the pages are its own again. */
	direct_end(&block.direct, &c->direct);
	if (data && !c->err)
		scheme_answer_data(&c->deferred, result, data + c->skip, c->wanted);
	else
		scheme_answer(&c->deferred, result);
	heap_free(c, sizeof(*c));
}

/* Nothing more of it is handed out. */
static void call_stop(struct block_call *c, err_t err)
{
	if (!c->err)
		c->err = err;
	c->is_given = true;
	list_remove(&c->link);
	/* Nobody waits for the turn of what may have been all that it had to do. */
	if (block.starved == c->queue)
		block.starved = NULL;
}

/* From offset of what the client sends. */
static err_t call_fetch(struct block_call *c, uint64_t offset, void *to, size_t bytes)
{
	if (range_fits(offset, bytes, c->early_bytes)) {
		memcpy(to, c->early + offset, bytes);
		return OK;
	}
	return scheme_deferred_in(&c->deferred, offset, to, bytes);
}

/* Gives the client its share of a part that was read. */
static err_t call_put(struct block_call *c, const struct queue_request *q)
{
	uint64_t from = MAX_OF(q->offset, c->skip), to = MIN_OF(q->offset + q->bytes, c->skip + c->wanted);

	return scheme_deferred_put(&c->deferred, from - c->skip, q->r.at + (from - q->offset), to - from);
}

/* ---- Requests ------------------------------------------------------------------------------------------------------ */

static uint64_t bytes_max(const struct block_disk *d, enum block_op op)
{
	if (moves_data(op))
		return MIN_OF(d->info.transfer_bytes_max, (uint32_t)BLOCK_COPY_MAX);
	return d->range_sectors_max ? (uint64_t)d->range_sectors_max * d->info.sector_bytes : (uint64_t)UINT32_MAX / 8 * d->info.sector_bytes;
}

/* The same for what the device does with the client's own pages; 0: it cannot. */
static uint64_t direct_bytes_max(const struct block_disk *d)
{
	return round_down(MIN_OF(d->info.transfer_bytes_max, (uint32_t)BLOCK_TRANSFER_MAX), DIRECT_PAGE);
}

static uint32_t sectors_of(const struct block_disk *d, uint64_t bytes) { return (uint32_t)(bytes / d->info.sector_bytes); }

/* Memory for *bytes, or for fewer if there is not so much in one piece just now: only a patch needs all. Who gets none is the next who does. */
static uint8_t *buffer_take(const struct block_call *c, uint64_t *bytes)
{
	uint8_t *at = NULL;

	if (!block.starved || block.starved == c->queue)
		at = pool_take(&block.pool, c->is_patch ? *bytes : MIN_OF(*bytes, (uint64_t)POOL_PAGE_BYTES), bytes);
	if (at)
		block.starved = NULL;
	else if (!block.starved)
		block.starved = c->queue;
	return at;
}

/* The next part of c, with its data if it writes. NOMEM: the pool is empty; others are the call's end. */
static err_t request_fill(struct queue_request *q, struct block_call *c)
{
	struct block_disk *d = c->queue->disk;
	uint64_t bytes = MIN_OF(bytes_max(d, c->op), c->bytes - c->given);
	err_t err = OK;

	q->r = (struct block_request){
		.disk = d, .op = c->op, .sector = (c->first + c->given) / d->info.sector_bytes, .sectors = sectors_of(d, bytes),
	};
	q->call = c;
	q->offset = c->given;
	q->bytes = 0;
	q->attempts = 0;
	if (!moves_data(c->op))
		return OK;
	if (c->direct.piece) {
		uint32_t most = d->pieces_max ? MIN_OF(d->pieces_max, (uint32_t)BLOCK_PIECES_MAX) : BLOCK_PIECES_MAX;
		q->r.sectors = sectors_of(d, direct_take(&c->direct, direct_bytes_max(d), most, q->r.piece, &q->r.piece_count));
		return OK;
	}
	if (!(q->r.at = buffer_take(c, &bytes)))
		return ERR_NOMEM;
	q->bytes = bytes;
	q->r.sectors = sectors_of(d, bytes);
	q->r.piece_count = pool_pieces(&block.pool, q->r.at, bytes, q->r.piece, BLOCK_PIECES_MAX);
	ASSERT(q->r.piece_count > 0);
	if (c->is_patch)
		q->r.op = BLOCK_READ;
	else if (c->op == BLOCK_WRITE && (err = call_fetch(c, q->offset, q->r.at, bytes)))
		pool_give(&block.pool, q->r.at, bytes);
	return err;
}

/* May the next part of c go now? A patch waits until nothing else is out, and nothing else begins before it is over. */
static bool may_go(const struct block_queue *queue, const struct block_call *c)
{
	return !queue->patch && (!c->is_patch || list_is_empty(&queue->flying));
}

/* The next request that can be made; NULL: none now. */
static struct queue_request *request_make(struct block_queue *queue)
{
	while (!list_is_empty(&queue->calls) && !list_is_empty(&queue->free)) {
		struct block_call *c = list_first(&queue->calls, struct block_call, link);
		struct queue_request *q = list_first(&queue->free, struct queue_request, node);
		if (!may_go(queue, c))
			return NULL;
		err_t err = request_fill(q, c);
		if (err == ERR_NOMEM)
			return NULL;
		if (err) {
			call_stop(c, err);
			if (c->in_flight == 0)
				call_finish(c, NULL);
			continue;
		}
		c->in_flight++;
		c->given += (uint64_t)q->r.sectors * queue->disk->info.sector_bytes;
		c->is_given = c->given == c->bytes;
		queue->patch = c->is_patch ? c : NULL;
		list_remove(&c->link);
		if (!c->is_given)
			list_push_back(&queue->calls, &c->link);
		return q;
	}
	return NULL;
}

static void request_move(struct queue_request *q, struct list_node *to)
{
	list_remove(&q->node);
	list_push_back(to, &q->node);
}

/* What is there was read: with the client's bytes in it, it goes back. */
static err_t patch_write(struct queue_request *q)
{
	struct block_call *c = q->call;
	err_t err = call_fetch(c, 0, q->r.at + c->skip, c->wanted);

	if (err)
		return err;
	q->r.op = BLOCK_WRITE;
	request_move(q, &c->queue->held);
	return OK;
}

/* The device (or whoever said so in its place) is done with q. */
static void request_end(struct queue_request *q, err_t err)
{
	struct block_call *c = q->call;

	if (!err && c->is_patch && q->r.op == BLOCK_READ && !(err = patch_write(q)))
		return;
	/* The answer itself can carry what is all of it. */
	bool is_whole = --c->in_flight == 0 && q->bytes == c->bytes;

	request_move(q, &c->queue->free);
	if (!err && c->op == BLOCK_READ && q->bytes && !is_whole && !c->err)
		err = call_put(c, q);
	if (err)
		call_stop(c, err);
	if (c->is_given && c->in_flight == 0)
		call_finish(c, c->op == BLOCK_READ && is_whole ? q->r.at : NULL);
	if (q->bytes)
		pool_give(&block.pool, q->r.at, q->bytes);
}

static void queue_pump(struct block_queue *queue)
{
	const struct block_ops *ops = queue->disk->ops;
	struct queue_request *q;
	bool is_started = false;
	err_t err;

	if (queue->is_pumping || queue->is_gone)
		return;
	queue->is_pumping = true;
	while ((q = list_is_empty(&queue->held) ? request_make(queue) : list_first(&queue->held, struct queue_request, node))) {
		request_move(q, &queue->flying);
		q->deadline_ns = block_now() + (queue->disk->patience_ns ? queue->disk->patience_ns : BLOCK_PATIENCE_NS);
		err = ops->start(queue->disk->driver, &q->r);
		if (err == ERR_AGAIN) {
			if (block.starved == queue)
				block.starved = NULL;   /* it waits for its device, not for memory */
			list_remove(&q->node);
			list_push_front(&queue->held, &q->node);
			break;
		}
		if (err)
			request_end(q, err);
		is_started |= !err;
	}
	queue->is_pumping = false;
	if (is_started && ops->kick)
		ops->kick(queue->disk->driver);
}

void block_pump(void)
{
	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (block.queue[i])
			queue_pump(block.queue[i]);
}

void block_done(struct block_request *r, err_t err)
{
	struct queue_request *q = container_of(r, struct queue_request, r);

	if (err == ERR_AGAIN && ++q->attempts < ATTEMPTS_MAX)
		request_move(q, &q->call->queue->held);
	else
		request_end(q, err == ERR_AGAIN ? ERR_IO : err);
	block_pump();
}

/* ---- From clients -------------------------------------------------------------------------------------------------- */

int64_t block_take(struct scheme_request *r, struct block_queue *queue, enum block_op op, uint64_t first, uint64_t bytes)
{
	if (queue->is_gone)
		return ERR_NODEV;
	struct block_call *c = heap_alloc(sizeof(*c));
	if (!c)
		return ERR_NOMEM;
	uint64_t sector = queue->disk->info.sector_bytes, start = round_down(first, sector), end = round_up(first + bytes, sector);
	*c = (struct block_call){
		.queue = queue, .op = op, .first = start, .bytes = end - start, .skip = first - start, .wanted = bytes,
		.is_patch = op == BLOCK_WRITE && end - start != bytes, .begun_ns = block_now(), .early = r->in, .early_bytes = r->in_here,
	};
	int64_t later = scheme_defer(r, &c->deferred);
	if (moves_data(op) && end - start == bytes && direct_bytes_max(queue->disk))
		direct_begin(&block.direct, &c->direct, &c->deferred, op == BLOCK_READ, bytes);
	queue->statistics->in_flight++;
	list_push_back(&queue->calls, &c->link);
	/* What can start now has its data at hand; c may be answered and gone on return. */
	c->in_flight++;
	queue_pump(queue);
	c->early_bytes = 0;
	if (--c->in_flight == 0 && c->is_given)
		call_finish(c, NULL);
	return later;
}

/* ---- Overdue --------------------------------------------------------------------------------------------------------- */

static struct queue_request *overdue(struct block_queue *queue, uint64_t now_ns)
{
	struct queue_request *q;

	list_each(q, &queue->flying, node)
		if (q->deadline_ns <= now_ns)
			return q;
	return NULL;
}

static void queue_tick(struct block_queue *queue, uint64_t now_ns)
{
	struct queue_request *q;

	/* The driver may end any number of requests in stuck: looked at anew each time. */
	while (!queue->is_gone && (q = overdue(queue, now_ns))) {
		q->deadline_ns = now_ns + BLOCK_PATIENCE_NS;
		queue->disk->ops->stuck(queue->disk->driver, &q->r);
	}
}

void block_tick(uint64_t now_ns)
{
	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (block.queue[i])
			queue_tick(block.queue[i], now_ns);
	block_pump();
}

static void tick(struct server_timer *t)
{
	block_tick(block_now());
	server_timer_set(block.server, t, block_now() + TICK_NS);
}

void block_setup(struct server *server, struct state *state, const struct dma_memory *memory)
{
	block.server = server;
	block.state = state;
	state_init(state);
	pool_init(&block.pool, memory);
	server_timer_init(&block.timer, tick);
	server_timer_set(server, &block.timer, block_now() + TICK_NS);
}

/* ---- Disks ----------------------------------------------------------------------------------------------------------- */

static bool info_is_sane(const struct disk_info *i)
{
	return is_power_of_two(i->sector_bytes) && i->sector_bytes >= 512 && i->sector_bytes <= 4096 && i->bytes % i->sector_bytes == 0 &&
	       i->transfer_bytes_max >= i->sector_bytes && i->transfer_bytes_max % i->sector_bytes == 0 && i->queue_depth > 0 && i->bytes <= INT64_MAX;
}

static bool name_is_sane(const char *name)
{
	size_t bytes = strlen(name);

	return bytes > 0 && bytes <= BLOCK_NAME_MAX && !strchr(name, '/') && !strchr(name, '\n') && !strchr(name, ' ');
}

static void queue_init(struct block_queue *queue, struct block_disk *d)
{
	queue->disk = d;
	queue->statistics = &block.state->disk[queue->index].statistics;
	list_init(&queue->free);
	list_init(&queue->held);
	list_init(&queue->flying);
	list_init(&queue->calls);
	for (uint32_t i = 0; i < d->info.queue_depth; i++)
		list_push_back(&queue->free, &queue->requests[i].node);
}

err_t block_add(struct block_disk *d, const char *kind, const char *name)
{
	struct block_queue *queue;
	uint32_t index;
	err_t err;

	if (!info_is_sane(&d->info) || !name_is_sane(name))
		return ERR_INVAL;
	if ((err = state_disk(block.state, name, &d->info, &index)))
		return err;
	if (block.queue[index] && !block.queue[index]->is_gone)
		return ERR_EXIST;
	if (!(queue = heap_alloc(sizeof(*queue))))
		return ERR_NOMEM;
	queue->index = index;
	string_copy(queue->kind, kind, sizeof(queue->kind));
	string_copy(queue->name, name, sizeof(queue->name));
	if (!(queue->requests = heap_alloc(d->info.queue_depth * sizeof(*queue->requests)))) {
		heap_free(queue, sizeof(*queue));
		return ERR_NOMEM;
	}
	queue_init(queue, d);
	d->queue = queue;
	/* One that is gone stays for those who have it open; it is small, and the same disk does not come back often. */
	block.queue[index] = queue;
	return OK;
}

void block_remove(struct block_disk *d)
{
	struct block_queue *queue = d->queue;

	queue->is_gone = true;
	if (block.starved == queue)
		block.starved = NULL;
	while (!list_is_empty(&queue->held))
		request_end(list_first(&queue->held, struct queue_request, node), ERR_NODEV);
	while (!list_is_empty(&queue->flying)) {
		struct queue_request *q = list_first(&queue->flying, struct queue_request, node);
		/* One that could not be reset may yet write to them. */
		direct_leave(&q->call->direct);
		request_end(q, ERR_NODEV);
	}
	while (!list_is_empty(&queue->calls)) {
		struct block_call *c = list_first(&queue->calls, struct block_call, link);
		call_stop(c, ERR_NODEV);
		call_finish(c, NULL);
	}
}

void block_resized(struct block_disk *d, uint64_t bytes)
{
	d->info.bytes = round_down(bytes, d->info.sector_bytes);
}
