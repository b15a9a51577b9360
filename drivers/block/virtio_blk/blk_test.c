/* drivers/block/virtio_blk/blk_test.c - the driver against a mock disk: honest, failing, lying, dumb, gone. */
#include "drivers/block/virtio_blk/blk.h"
#include "lib/virtio/test_device.h"

enum { SECTOR = 512, SECTORS = 2048, ALL = (1 << 2) | (1 << 5) | (1 << 6) | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13) | (1 << 14), OUT_MAX = 200 };

static uint8_t medium[SECTORS * SECTOR];
static struct blk *blk;
static struct device device = { .info = { .interrupts = 5 } };
static struct dma_memory data;

/* How the device behaves. */
static struct { bool is_silent, is_short, forgets_status; uint8_t status; uint32_t silent_after, wrong_head; } manner;
static uint32_t done_count, flushes, removed;
static err_t done_err[OUT_MAX];
static struct block_request *done[OUT_MAX];
static uint64_t resized;

void block_done(struct block_request *r, err_t err)
{
	CHECK(done_count < OUT_MAX);
	done[done_count] = r;
	done_err[done_count++] = err;
}

void block_remove(struct block_disk *d) { (void)d; removed++; }
void block_resized(struct block_disk *d, uint64_t bytes) { d->info.bytes = resized = bytes; }

/* ---- The disk ---- */

static size_t transfer(uint32_t type, uint64_t sector, struct mock_piece *piece, uint32_t count)
{
	size_t at = sector * SECTOR, moved = 0;

	for (uint32_t i = 0; i < count; i++, at += piece[i - 1].bytes) {
		CHECK(range_fits(at, piece[i].bytes, sizeof(medium)));
		CHECK_EQ(piece[i].is_writable, type == 0);
		if (type == 0)
			memcpy(piece[i].at, medium + at, piece[i].bytes);
		else
			memcpy(medium + at, piece[i].at, piece[i].bytes);
		moved += piece[i].bytes;
	}
	return moved;
}

static void erase(uint8_t byte, const struct mock_piece *p)
{
	struct { uint64_t sector; uint32_t sectors, flags; } range;

	CHECK_EQ(p->bytes, sizeof(range));
	memcpy(&range, p->at, sizeof(range));
	CHECK(range_fits(range.sector, range.sectors, SECTORS));
	memset(medium + range.sector * SECTOR, byte, (size_t)range.sectors * SECTOR);
}

static void carry_out(struct mock_queue *q, uint16_t head, struct mock_piece *piece, uint32_t count)
{
	struct { uint32_t type, reserved; uint64_t sector; } h;
	size_t written = 1;

	CHECK(count >= 2 && piece[0].bytes == sizeof(h) && piece[count - 1].bytes == 1 && piece[count - 1].is_writable);
	memcpy(&h, piece[0].at, sizeof(h));
	switch (h.type) {
	case 0: case 1:
		written += transfer(h.type, h.sector, piece + 1, count - 2) * (h.type == 0);
		break;
	case 4:
		flushes++;
		break;
	case 8:
		memcpy(piece[1].at, "twenty bytes long 20", 20);
		written += 20;
		break;
	case 11: case 13:
		erase(h.type == 11 ? 0xdd : 0, &piece[1]);
		break;
	default:
		test_fail(__FILE__, __LINE__, "a request of type %u", h.type);
	}
	if (!manner.forgets_status)
		*piece[count - 1].at = manner.status;
	mock_use_raw(q, manner.wrong_head ? manner.wrong_head : head, manner.is_short ? 1 : (uint32_t)written);
}

static void mock_process(uint32_t index)
{
	struct mock_piece piece[80];
	uint32_t count;
	uint16_t head;

	while (!manner.is_silent && mock_next(&mock.queue[index], &head, piece, 80, &count)) {
		carry_out(&mock.queue[index], head, piece, count);
		if (manner.silent_after && --manner.silent_after == 0)
			manner.is_silent = true;
	}
}

static void put(uint32_t at, uint64_t value, size_t bytes) { memcpy(mock.device + at, &value, bytes); }

static void setup_device(uint64_t features)
{
	mock_setup(features, 4, 128);
	memset(&manner, 0, sizeof(manner));
	put(0, SECTORS, 8);
	put(12, 126, 4);
	put(20, SECTOR, 4);
	put(34, 4, 2);
	put(36, 1024, 4);
	put(48, 512, 4);
	done_count = flushes = removed = 0;
	resized = 0;
	free(blk);
	blk = calloc(1, sizeof(*blk));
	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (uint8_t)test_random();
}

static void setup(uint64_t features)
{
	setup_device(features);
	CHECK_EQ(blk_open(blk, &device), OK);
	CHECK_EQ(dma_allocate(&device, 256 * 1024, 0, 0, &data), OK);
}

__attribute__((destructor)) static void forget(void) { free(blk); }

static struct block_request request(enum block_op op, uint64_t sector, uint32_t sectors, size_t at)
{
	struct block_request r = { .disk = &blk->disk, .op = op, .sector = sector, .sectors = sectors };

	if (op == BLOCK_READ || op == BLOCK_WRITE) {
		r.at = data.at + at;
		/* In two pieces, where it can be. */
		size_t bytes = sectors * SECTOR, first = bytes > SECTOR ? SECTOR : bytes;
		r.piece[r.piece_count++] = (struct dma_piece){ dma_address(&data, at, NULL), first };
		if (bytes > first)
			r.piece[r.piece_count++] = (struct dma_piece){ dma_address(&data, at + first, NULL), bytes - first };
	}
	return r;
}

static err_t start(struct block_request *r) { return blk->disk.ops->start(blk, r); }
static void kick(void) { blk->disk.ops->kick(blk); }

static err_t run(struct block_request *r)
{
	done_count = 0;
	err_t err = start(r);

	if (err)
		return err;
	kick();
	blk_interrupt(blk);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done[0], r);
	return done_err[0];
}

/* ---- Rules ---- */

static const uint64_t variants[] = { 0, ALL & ~(1u << 5), (ALL & ~(1u << 5)) | VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX };
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

TEST(reads_and_writes_move_the_right_bytes)
{
	for (uint32_t v = 0; v < VARIANTS; v++) {
		setup(variants[v]);
		for (uint32_t round = 0; round < 500; round++) {
			uint32_t sectors = 1 + test_random() % 16;
			uint64_t sector = test_random() % (SECTORS - sectors);
			struct block_request r = request(test_random() & 1 ? BLOCK_READ : BLOCK_WRITE, sector, sectors, 4096);
			CHECK_EQ(run(&r), OK);
			CHECK_MEM(medium + sector * SECTOR, data.at + 4096, sectors * SECTOR);
			data.at[4096 + test_random() % 4096] ^= 1;
		}
		CHECK_EQ(blk->free_count, BLK_DEPTH);
	}
}

TEST(every_request_is_followed_by_an_interrupt)
{
	setup(variants[2]);
	for (uint32_t i = 0; i < 20; i++) {
		struct block_request r = request(BLOCK_READ, i, 1, 0);
		uint32_t before = mock.interrupts;
		CHECK_EQ(run(&r), OK);
		CHECK_EQ(mock.interrupts, before + 1);
	}
}

TEST(many_are_out_at_once_over_all_queues)
{
	static struct block_request r[BLK_DEPTH];

	setup(variants[2]);
	CHECK_EQ(blk->queue_count, 4);
	for (uint32_t i = 0; i < BLK_DEPTH; i++) {
		r[i] = request(BLOCK_READ, i, 1, i * SECTOR);
		CHECK_EQ(start(&r[i]), OK);
	}
	struct block_request more = request(BLOCK_READ, 0, 1, 0);
	CHECK_EQ(start(&more), ERR_AGAIN);
	uint32_t before = mock.doorbells;
	kick();
	CHECK_EQ(mock.doorbells - before, 4);
	blk_interrupt(blk);
	CHECK_EQ(done_count, BLK_DEPTH);
	CHECK_MEM(medium, data.at, BLK_DEPTH * SECTOR);
	CHECK_EQ(run(&more), OK);
}

TEST(flush_discard_and_zero_are_what_they_say)
{
	setup(variants[2]);
	struct block_request f = request(BLOCK_FLUSH, 0, 0, 0), d = request(BLOCK_DISCARD, 8, 16, 0), z = request(BLOCK_ZERO, 100, 2, 0);
	CHECK_EQ(run(&f), OK);
	CHECK_EQ(flushes, 1);
	CHECK_EQ(run(&d), OK);
	CHECK_EQ(medium[8 * SECTOR], 0xdd);
	CHECK_EQ(medium[24 * SECTOR - 1], 0xdd);
	CHECK_EQ(run(&z), OK);
	for (uint32_t i = 0; i < 2 * SECTOR; i++)
		CHECK_EQ(medium[100 * SECTOR + i], 0);
}

TEST(the_disk_is_described)
{
	setup_device(ALL | VIRTIO_INDIRECT);
	put(20, 4096, 4);
	put(24, 3, 1);
	CHECK_EQ(blk_open(blk, &device), OK);
	const struct disk_info *i = &blk->disk.info;
	CHECK_EQ(i->bytes, SECTORS * SECTOR);
	CHECK_EQ(i->sector_bytes, 4096);
	CHECK_EQ(i->physical_sector_bytes, 32768);
	CHECK_EQ(i->disk_flags, DISK_READ_ONLY | DISK_HAS_FLUSH | DISK_HAS_DISCARD | DISK_HAS_ZERO);
	CHECK_EQ(i->transfer_bytes_max, BLOCK_TRANSFER_MAX);
	CHECK_EQ(blk->disk.range_sectors_max, 64);
	CHECK_STR(i->serial, "twenty bytes long 20");
	CHECK_EQ(dma_allocate(&device, 256 * 1024, 0, 0, &data), OK);
	struct block_request r = request(BLOCK_READ, 3, 8, 0);  /* sector 3 of 4 KiB; 8 of the mock's 512 bytes are one */
	r.sectors = 1;
	CHECK_EQ(run(&r), OK);
	CHECK_MEM(medium + 3 * 4096, data.at, 4096);
}

TEST(an_error_of_the_device_is_an_error)
{
	static const struct { uint8_t status; err_t err; } statuses[] = { { 1, ERR_IO }, { 2, ERR_OPNOTSUPP }, { 77, ERR_IO }, { 0xff, ERR_IO } };

	setup(variants[1]);
	for (uint32_t i = 0; i < 4; i++) {
		struct block_request r = request(BLOCK_WRITE, 0, 1, 0);
		manner.status = statuses[i].status;
		CHECK_EQ(run(&r), statuses[i].err);
	}
	manner.status = 0;
	manner.forgets_status = true;
	struct block_request r = request(BLOCK_WRITE, 0, 1, 0);
	CHECK_EQ(run(&r), ERR_IO);
	CHECK_EQ(removed, 0);
	CHECK_EQ(blk->free_count, BLK_DEPTH);
}

TEST(a_read_that_was_not_written_is_no_success)
{
	setup(variants[1]);
	manner.is_short = true;
	struct block_request r = request(BLOCK_READ, 0, 8, 0), w = request(BLOCK_WRITE, 0, 8, 0);
	CHECK_EQ(run(&r), ERR_IO);
	CHECK_EQ(run(&w), OK);
}

TEST(a_device_that_lies_is_reset_and_the_requests_begin_anew)
{
	static struct block_request r[5];

	setup(variants[2]);
	uint32_t resets = mock.resets;
	manner.wrong_head = 99;
	for (uint32_t i = 0; i < 5; i++) {
		r[i] = request(BLOCK_READ, i, 1, i * SECTOR);
		CHECK_EQ(start(&r[i]), OK);
	}
	kick();
	blk_interrupt(blk);
	CHECK_EQ(mock.resets, resets + 1);
	CHECK_EQ(done_count, 5);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(done_err[i], ERR_AGAIN);
	manner.wrong_head = 0;
	CHECK_EQ(run(&r[0]), OK);
	CHECK_EQ(blk->free_count, BLK_DEPTH);
}

TEST(a_device_that_says_it_is_broken_is_reset)
{
	setup(variants[1]);
	manner.is_silent = true;
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	CHECK_EQ(start(&r), OK);
	kick();
	mock.status |= STATUS_NEEDS_RESET;
	blk_interrupt(blk);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done_err[0], ERR_AGAIN);
	manner.is_silent = false;
	CHECK_EQ(run(&r), OK);
}

TEST(a_device_that_never_answers_is_reset_when_the_time_is_over)
{
	setup(variants[1]);
	manner.is_silent = true;
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	CHECK_EQ(start(&r), OK);
	kick();
	blk->disk.ops->stuck(blk, &r);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done_err[0], ERR_AGAIN);
	mock.never_resets = true;
	CHECK_EQ(start(&r), OK);
	blk->disk.ops->stuck(blk, &r);
	CHECK_EQ(removed, 1);
	CHECK_EQ(start(&r), ERR_NODEV);
}

TEST(a_device_that_vanished_is_said_to_be_gone)
{
	setup(variants[1]);
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	manner.is_silent = true;
	CHECK_EQ(start(&r), OK);
	mock.is_gone = true;
	kick();
	blk_interrupt(blk);
	CHECK_EQ(removed, 1);
	CHECK_EQ(start(&r), ERR_NODEV);
	blk_interrupt(blk);
	CHECK_EQ(removed, 1);
}

TEST(a_disk_may_grow)
{
	setup(variants[1]);
	blk_interrupt(blk);
	CHECK_EQ(resized, 0);
	put(0, SECTORS * 2, 8);
	blk_interrupt(blk);
	CHECK_EQ(resized, SECTORS * 2 * SECTOR);
	put(0, UINT64_MAX, 8);
	blk_interrupt(blk);
	CHECK(resized <= INT64_MAX && resized % SECTOR == 0);
}

TEST(a_device_that_does_not_tell_its_serial_works_without)
{
	setup_device(variants[1]);
	manner.is_silent = true;
	CHECK_EQ(blk_open(blk, &device), OK);
	CHECK_STR(blk->disk.info.serial, "");
	manner.is_silent = false;
	CHECK_EQ(dma_allocate(&device, 65536, 0, 0, &data), OK);
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	CHECK_EQ(run(&r), OK);
}

TEST(what_makes_no_sense_is_refused)
{
	static const uint32_t sizes[] = { 0, 1, 513, 8192, 0xffffffff };

	for (uint32_t i = 0; i < 5; i++) {
		setup_device(ALL);
		put(20, sizes[i], 4);
		CHECK_EQ(blk_open(blk, &device), ERR_INVAL);
	}
	setup_device(ALL);
	put(34, 0, 2);
	CHECK_EQ(blk_open(blk, &device), ERR_NODEV);
	setup_device(ALL);
	mock.queue_count = 0;
	CHECK_EQ(blk_open(blk, &device), ERR_NODEV);
	setup_device(ALL);
	mock.refuses_vectors = true;
	CHECK(blk_open(blk, &device) != OK);
}

TEST(any_configuration_is_survived)
{
	for (uint32_t round = 0; round < 500; round++) {
		setup_device(ALL | test_random());
		for (uint32_t i = 0; i < MOCK_DEVICE_BYTES; i++)
			mock.device[i] = (uint8_t)(test_random() & test_random());
		manner.is_silent = true;        /* the medium is not that large */
		if (round % 2)
			put(20, 512, 4);
		if (blk_open(blk, &device) == OK)
			blk_interrupt(blk);
	}
}

TEST(no_memory_is_an_error)
{
	for (uint32_t n = 1; n <= 9; n++) {
		setup_device(variants[2]);
		test_dma.fail_after = n;
		CHECK_EQ(blk_open(blk, &device), ERR_NOMEM);
	}
}
