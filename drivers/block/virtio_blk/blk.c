/* drivers/block/virtio_blk/blk.c - requests in virtio's form, and what the device answers. */
#include "drivers/block/virtio_blk/blk.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* 5.2.3 */
#define BLK_SEGMENTS    (1ull << 2)
#define BLK_READ_ONLY   (1ull << 5)
#define BLK_SIZE        (1ull << 6)
#define BLK_FLUSH       (1ull << 9)
#define BLK_TOPOLOGY    (1ull << 10)
#define BLK_MANY_QUEUES (1ull << 12)
#define BLK_DISCARD     (1ull << 13)
#define BLK_ZEROES      (1ull << 14)
#define BLK_WANTED      (BLK_SEGMENTS | BLK_READ_ONLY | BLK_SIZE | BLK_FLUSH | BLK_TOPOLOGY | BLK_MANY_QUEUES | BLK_DISCARD | BLK_ZEROES | \
                         VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX)

/* 5.2.4: offsets in the configuration. */
enum {
	CONFIG_CAPACITY = 0, CONFIG_SEGMENTS = 12, CONFIG_BLOCK_BYTES = 20, CONFIG_PHYSICAL_EXPONENT = 24, CONFIG_QUEUES = 34,
	CONFIG_DISCARD_SECTORS = 36, CONFIG_ZERO_SECTORS = 48,
};

/* 5.2.6 */
enum { TYPE_READ = 0, TYPE_WRITE = 1, TYPE_FLUSH = 4, TYPE_ID = 8, TYPE_DISCARD = 11, TYPE_ZERO = 13 };
enum { STATUS_OK = 0, STATUS_UNSUPPORTED = 2, STATUS_NOT_WRITTEN = 0xff };
enum { SECTOR_BYTES = 512, HEADER_BYTES = 16, RANGE_BYTES = 16, SERIAL_BYTES = 20, SERIAL_POLLS = 1000000 };

/* driver_data: */
enum { DATA_HEADER = 0 };

/* A chain: header, data, status. */
enum { CHAIN_MAX = BLOCK_PIECES_MAX + 2 };

/* ---- Requests ------------------------------------------------------------------------------------------------------ */

static struct blk_header *header_at(struct blk *b, uint32_t index) { return (struct blk_header *)b->headers.at + index; }

static struct dma_piece header_piece(struct blk *b, uint32_t index, size_t offset, size_t bytes)
{
	return (struct dma_piece){ dma_address(&b->headers, index * sizeof(struct blk_header) + offset, NULL), bytes };
}

static uint32_t type_of(enum block_op op)
{
	static const uint32_t type[] = {
		[BLOCK_READ] = TYPE_READ, [BLOCK_WRITE] = TYPE_WRITE, [BLOCK_FLUSH] = TYPE_FLUSH, [BLOCK_DISCARD] = TYPE_DISCARD, [BLOCK_ZERO] = TYPE_ZERO,
	};
	return type[op];
}

/* The data's pieces from piece on: how many. */
static uint32_t data_pieces(struct blk *b, const struct block_request *r, uint32_t header, struct dma_piece *piece)
{
	if (r->op == BLOCK_DISCARD || r->op == BLOCK_ZERO) {
		*piece = header_piece(b, header, offsetof(struct blk_header, range), RANGE_BYTES);
		return 1;
	}
	memcpy(piece, r->piece, r->piece_count * sizeof(*piece));
	return r->piece_count;
}

static void header_fill(struct blk *b, const struct block_request *r, uint32_t index)
{
	uint64_t scale = b->disk.info.sector_bytes / SECTOR_BYTES;
	bool is_range = r->op == BLOCK_DISCARD || r->op == BLOCK_ZERO;
	struct blk_header h = { .type = type_of(r->op), .sector = is_range || r->op == BLOCK_FLUSH ? 0 : r->sector * scale, .status = STATUS_NOT_WRITTEN };

	if (is_range) {
		h.range.sector = r->sector * scale;
		h.range.sectors = (uint32_t)(r->sectors * scale);
	}
	*header_at(b, index) = h;
}

/* The queue with room, in turn. */
static err_t queue_add(struct blk *b, const struct dma_piece *piece, uint32_t readable, uint32_t writable, void *token)
{
	err_t err = ERR_AGAIN;

	for (uint32_t n = 0; n < b->queue_count && err == ERR_AGAIN; n++) {
		struct virtqueue *q = &b->queue[b->next];
		b->next = (b->next + 1) % b->queue_count;
		err = virtqueue_add(q, piece, readable, writable, token);
	}
	return err;
}

static err_t blk_start(void *driver, struct block_request *r)
{
	struct dma_piece piece[CHAIN_MAX];
	struct blk *b = driver;
	err_t err;

	if (b->is_gone)
		return ERR_NODEV;
	if (b->free_count == 0)
		return ERR_AGAIN;
	uint32_t header = b->free_headers[b->free_count - 1];
	header_fill(b, r, header);
	piece[0] = header_piece(b, header, 0, HEADER_BYTES);
	uint32_t data = data_pieces(b, r, header, piece + 1);
	piece[1 + data] = header_piece(b, header, offsetof(struct blk_header, status), 1);
	uint32_t readable = r->op == BLOCK_READ ? 1 : 1 + data;
	if ((err = queue_add(b, piece, readable, data + 2 - readable, r)))
		return err;
	r->driver_data[DATA_HEADER] = header;
	b->free_count--;
	return OK;
}

static void blk_kick(void *driver)
{
	struct blk *b = driver;

	for (uint32_t i = 0; i < b->queue_count; i++)
		virtqueue_kick(&b->queue[i]);
}

static err_t status_error(uint8_t status)
{
	switch (status) {
	case STATUS_OK:
		return OK;
	case STATUS_UNSUPPORTED:
		return ERR_OPNOTSUPP;
	default:
		return ERR_IO;
	}
}

/* r is not the device's any more. */
static void request_end(struct blk *b, struct block_request *r, err_t err)
{
	b->free_headers[b->free_count++] = (uint32_t)r->driver_data[DATA_HEADER];
	block_done(r, err);
}

/* A read that the device says it did must have written all of it, and the status. */
static void request_finish(struct blk *b, struct block_request *r, uint32_t written)
{
	err_t err = status_error(*(volatile uint8_t *)&header_at(b, (uint32_t)r->driver_data[DATA_HEADER])->status);

	if (!err && r->op == BLOCK_READ && written < (uint64_t)r->sectors * b->disk.info.sector_bytes)
		err = ERR_IO;
	request_end(b, r, err);
}

/* ---- What goes wrong ----------------------------------------------------------------------------------------------- */

static err_t queues_open(struct blk *b)
{
	for (uint32_t i = 0; i < b->queue_count; i++)
		TRY(virtqueue_open(&b->queue[i], &b->virtio, (uint16_t)i, BLK_QUEUE_SIZE, CHAIN_MAX, (uint16_t)(i % b->vectors)));
	return virtio_set_config_vector(&b->virtio, (uint16_t)(b->vectors - 1));
}

static void blk_gone(struct blk *b)
{
	b->is_gone = true;
	block_remove(&b->disk);
}

/* Everything that was out is started again (or, after some times, an error). */
static void blk_restart(struct blk *b)
{
	struct block_request *lost[BLK_QUEUES_MAX * BLK_QUEUE_SIZE];
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->queue_count; i++)
		for (uint32_t n = 0; n < b->queue[i].outstanding; n++)
			lost[count++] = virtqueue_outstanding(&b->queue[i], n);
	if (virtio_is_gone(&b->virtio) || virtio_reset(&b->virtio) || queues_open(b)) {
		blk_gone(b);
		return;
	}
	virtio_start(&b->virtio);
	for (uint32_t i = 0; i < count; i++)
		request_end(b, lost[i], ERR_AGAIN);
}

static void blk_stuck(void *driver, struct block_request *r)
{
	(void)r;
	blk_restart(driver);
}

static bool is_broken(const struct blk *b)
{
	for (uint32_t i = 0; i < b->queue_count; i++)
		if (b->queue[i].is_broken)
			return true;
	return virtio_needs_reset(&b->virtio);
}

static void queue_drain(struct blk *b, struct virtqueue *q)
{
	struct block_request *r;
	uint32_t written;

	do {
		while ((r = virtqueue_take(q, &written)))
			request_finish(b, r, written);
	} while (!q->is_broken && !virtqueue_arm(q));
}

static uint64_t capacity(const struct blk *b)
{
	uint64_t sectors = virtio_config(&b->virtio, CONFIG_CAPACITY, 8);

	return MIN_OF(sectors, (uint64_t)INT64_MAX / SECTOR_BYTES) * SECTOR_BYTES;
}

void blk_interrupt(struct blk *b)
{
	if (b->is_gone)
		return;
	for (uint32_t i = 0; i < b->queue_count; i++)
		queue_drain(b, &b->queue[i]);
	if (virtio_is_gone(&b->virtio))
		blk_gone(b);
	else if (is_broken(b))
		blk_restart(b);
	else if (round_down(capacity(b), b->disk.info.sector_bytes) != b->disk.info.bytes)
		block_resized(&b->disk, capacity(b));
}

/* ---- The start ----------------------------------------------------------------------------------------------------- */

static const struct block_ops blk_ops = { .start = blk_start, .kick = blk_kick, .stuck = blk_stuck };

static uint32_t config(const struct blk *b, uint64_t feature, uint32_t offset, uint32_t bytes, uint32_t otherwise)
{
	return b->virtio.features & feature ? (uint32_t)virtio_config(&b->virtio, offset, bytes) : otherwise;
}

/* What the device says makes sense or is not believed; lib/block looks at the result once more. */
static err_t describe(struct blk *b)
{
	struct disk_info *i = &b->disk.info;
	uint64_t features = b->virtio.features;

	i->sector_bytes = config(b, BLK_SIZE, CONFIG_BLOCK_BYTES, 4, SECTOR_BYTES);
	if (!is_power_of_two(i->sector_bytes) || i->sector_bytes < SECTOR_BYTES || i->sector_bytes > 4096)
		return ERR_INVAL;
	uint32_t exponent = config(b, BLK_TOPOLOGY, CONFIG_PHYSICAL_EXPONENT, 1, 0);
	i->physical_sector_bytes = i->sector_bytes << MIN_OF(exponent, 8u);
	i->bytes = round_down(capacity(b), i->sector_bytes);
	uint32_t segments = config(b, BLK_SEGMENTS, CONFIG_SEGMENTS, 4, 1);
	i->transfer_bytes_max = MAX_OF(MIN_OF(segments, (uint32_t)BLOCK_TRANSFER_MAX / 4096) * 4096, i->sector_bytes);
	b->disk.pieces_max = MAX_OF(segments, 1u);
	i->disk_flags = (features & BLK_READ_ONLY ? DISK_READ_ONLY : 0) | (features & BLK_FLUSH ? DISK_HAS_FLUSH : 0) |
	                (features & BLK_DISCARD ? DISK_HAS_DISCARD : 0) | (features & BLK_ZEROES ? DISK_HAS_ZERO : 0);
	uint32_t most = MIN_OF(config(b, BLK_DISCARD, CONFIG_DISCARD_SECTORS, 4, UINT32_MAX), config(b, BLK_ZEROES, CONFIG_ZERO_SECTORS, 4, UINT32_MAX));
	b->disk.range_sectors_max = MAX_OF(most / (i->sector_bytes / SECTOR_BYTES), 1u);
	i->queues = b->queue_count;
	i->queue_depth = BLK_DEPTH;
	string_copy(i->model, "virtio", sizeof(i->model));
	return OK;
}

/* Asks for the serial number, before anything else is out; a device without one says so, and one that does not answer has none. */
static void serial_get(struct blk *b)
{
	struct block_request ask = { 0 };
	struct blk_header *h = header_at(b, 0);
	uint8_t *text = (uint8_t *)(h + 1);     /* the next header: not in use yet */
	struct dma_piece piece[] = {
		header_piece(b, 0, 0, HEADER_BYTES), header_piece(b, 1, 0, SERIAL_BYTES), header_piece(b, 0, offsetof(struct blk_header, status), 1),
	};

	*h = (struct blk_header){ .type = TYPE_ID, .status = STATUS_NOT_WRITTEN };
	if (virtqueue_add(&b->queue[0], piece, 1, 2, &ask))
		return;
	virtqueue_kick(&b->queue[0]);
	for (uint32_t n = 0; n < SERIAL_POLLS && !b->queue[0].is_broken; n++)
		if (virtqueue_take(&b->queue[0], NULL)) {
			if (h->status == STATUS_OK)
				string_copy_counted(b->disk.info.serial, sizeof(b->disk.info.serial), (char *)text, strnlen((char *)text, SERIAL_BYTES));
			return;
		}
}

/* The number belongs to a request that is not: after a device that does not answer, all begins anew. */
static err_t begin(struct blk *b)
{
	TRY(queues_open(b));
	virtio_start(&b->virtio);
	serial_get(b);
	/* That was taken without an interrupt: the next one is to come again. */
	if (b->queue[0].outstanding == 0 && virtqueue_arm(&b->queue[0]))
		return OK;
	TRY(virtio_reset(&b->virtio));
	TRY(queues_open(b));
	virtio_start(&b->virtio);
	return OK;
}

err_t blk_open(struct blk *b, struct device *d)
{
	b->disk.ops = &blk_ops;
	b->disk.driver = b;
	TRY(virtio_open(&b->virtio, d, BLK_WANTED));
	b->queue_count = MIN_OF(config(b, BLK_MANY_QUEUES, CONFIG_QUEUES, 2, 1), (uint32_t)BLK_QUEUES_MAX);
	b->queue_count = MIN_OF(b->queue_count, b->virtio.queue_count);
	if (b->queue_count == 0)
		return ERR_NODEV;
	b->vectors = MIN_OF((uint32_t)d->info.interrupts, b->queue_count + 1);
	if (b->vectors == 0)
		return ERR_NODEV;
	TRY(describe(b));
	TRY(dma_allocate(d, BLK_DEPTH * sizeof(struct blk_header), 0, 0, &b->headers));
	for (uint32_t i = 0; i < BLK_DEPTH; i++)
		b->free_headers[b->free_count++] = i;
	TRY(begin(b));
	if (!b->queue[0].is_indirect)
		b->disk.pieces_max = MAX_OF(MIN_OF(b->disk.pieces_max, b->queue[0].size - 2u), 1u);
	return OK;
}
