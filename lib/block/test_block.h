/* lib/block/test_block.h - for block_test.c: a driver whose device is a memory, and clients whose buffers are memory. */
#pragma once
#include <stdlib.h>
#include "abi/proto/file.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/block/queue.h"
#include "lib/test/test.h"

enum { SECTOR = 512, DISK_BYTES = 1024 * 1024, POOL = 256 * 1024, QUEUE = 4, FLIGHT_MAX = 128, DATA_MAX = 512 * 1024 };

/* ---- The mock: a driver whose device is a memory, and clients whose buffers are memory ---- */

static uint8_t medium[DISK_BYTES];
static struct block_request *flight[FLIGHT_MAX];
static uint32_t flights, starts, kicks, room, stucks;
static err_t start_error;
static bool at_once;
static uint64_t now_ns;

static struct server server;
static struct block_disk disk;
static struct state *state;
static struct dma_memory memory;
static struct dma_piece piece;

/* The one client: its data, what it was told. */
static uint8_t sent[DATA_MAX], got[DATA_MAX];
static int64_t answer[FLIGHT_MAX];
static uint32_t answers;
static err_t fetch_error;

uint64_t block_now(void) { return now_ns; }
void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *t)) { t->fire = fire; }
void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns) { (void)s; t->deadline_ns = deadline_ns; }

uint64_t dma_address(const struct dma_memory *m, size_t offset, size_t *run_out)
{
	if (run_out)
		*run_out = 4096 - offset % 4096;
	return m->piece[0].address + offset;
}

err_t scheme_deferred_in(struct scheme_deferred *d, size_t offset, void *to, size_t bytes)
{
	(void)d;
	memcpy(to, sent + offset, bytes);
	return fetch_error;
}

err_t scheme_deferred_put(struct scheme_deferred *d, size_t offset, const void *from, size_t bytes)
{
	(void)d;
	memcpy(got + offset, from, bytes);
	return OK;
}

/* The client's pages: where the device sees them, in pieces of an odd and an even number of pages by turns. */
enum { CLIENT_PAGE = 4096, KEEPER_BASE = 7 << 20 };
#define CLIENT_OUT 0x400000000ull       /* what it takes; what it sends lies behind that */
#define CLIENT_IN  0x500000000ull
static err_t keep_error;
static uint64_t kept[DIRECT_SLOTS], kept_pages;
static uint32_t keeps;

err_t scheme_deferred_keep(struct scheme_deferred *d, bool is_out, size_t offset, size_t bytes, handle_t keeper, uint64_t number, struct dma_piece *p)
{
	uint64_t slot = (number - KEEPER_BASE) / (DIRECT_BYTES_MAX / CLIENT_PAGE);

	(void)d;
	CHECK(keeper == 5 && number >= KEEPER_BASE && slot < DIRECT_SLOTS && !kept[slot] && offset == 0 && bytes % CLIENT_PAGE == 0);
	keeps++;
	if (keep_error)
		return keep_error;
	kept[slot] = bytes / CLIENT_PAGE;
	kept_pages += kept[slot];
	for (uint64_t at = 0, n = 1; at < bytes; at += p++->bytes, n = n % 3 + 1)
		*p = (struct dma_piece){ (is_out ? CLIENT_OUT : CLIENT_IN) + at, MIN_OF(n * CLIENT_PAGE, bytes - at) };
	return OK;
}

void dma_unkeep(const struct dma_keeper *k, uint64_t number, uint64_t pages)
{
	uint64_t slot = number / (DIRECT_BYTES_MAX / CLIENT_PAGE);

	CHECK(k->base == KEEPER_BASE && slot < DIRECT_SLOTS && (kept[slot] == pages || (keep_error && !kept[slot])));
	kept_pages -= kept[slot];
	kept[slot] = 0;
}

err_t scheme_answer(struct scheme_deferred *d, int64_t result)
{
	list_remove(&d->link);
	answer[answers++] = result;
	return OK;
}

err_t scheme_answer_data(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes)
{
	memcpy(got, data, bytes);
	return scheme_answer(d, result);
}

/* Straight from and to the client's memory. */
static void carry_directly(const struct block_request *r, uint8_t *at)
{
	for (uint32_t i = 0; i < r->piece_count; at += r->piece[i++].bytes) {
		const struct dma_piece *p = &r->piece[i];
		CHECK(p->bytes > 0 && p->bytes % CLIENT_PAGE == 0 && kept_pages > 0);
		if (r->op == BLOCK_READ) {
			CHECK(range_fits(p->address - CLIENT_OUT, p->bytes, DATA_MAX));
			memcpy(got + (p->address - CLIENT_OUT), at, p->bytes);
		} else {
			CHECK(range_fits(p->address - CLIENT_IN, p->bytes, DATA_MAX));
			memcpy(at, sent + (p->address - CLIENT_IN), p->bytes);
		}
	}
}

static void carry_out(struct block_request *r)
{
	uint8_t *at = medium + r->sector * SECTOR;
	size_t bytes = (size_t)r->sectors * SECTOR;

	CHECK(range_fits(r->sector * SECTOR, bytes, DISK_BYTES));
	if (!r->at && r->piece_count) {
		carry_directly(r, at);
		return;
	}
	switch (r->op) {
	case BLOCK_READ:
		memcpy(r->at, at, bytes);
		break;
	case BLOCK_WRITE:
		memcpy(at, r->at, bytes);
		break;
	case BLOCK_ZERO:
		memset(at, 0, bytes);
		break;
	case BLOCK_DISCARD:
		memset(at, 0xdd, bytes);
		break;
	case BLOCK_FLUSH:
		break;
	}
}

static err_t mock_start(void *driver, struct block_request *r)
{
	uint64_t bytes = 0;

	CHECK(driver == &medium);
	if (start_error)
		return start_error;
	if (flights == room)
		return ERR_AGAIN;
	for (uint32_t i = 0; i < r->piece_count; i++)
		bytes += r->piece[i].bytes;
	CHECK_EQ(bytes, r->op == BLOCK_READ || r->op == BLOCK_WRITE ? (uint64_t)r->sectors * SECTOR : 0);
	starts++;
	if (at_once) {
		carry_out(r);
		block_done(r, OK);
		return OK;
	}
	flight[flights++] = r;
	return OK;
}

static void mock_kick(void *driver) { (void)driver; kicks++; }

static struct block_request *land(uint32_t index)
{
	struct block_request *r = flight[index];

	flight[index] = flight[--flights];
	return r;
}

static void finish(uint32_t index, err_t err)
{
	struct block_request *r = land(index);

	if (!err)
		carry_out(r);
	block_done(r, err);
}

static void finish_all(void)
{
	while (flights > 0)
		finish(test_random() % flights, OK);
}

static void mock_stuck(void *driver, struct block_request *r)
{
	(void)driver;
	stucks++;
	for (uint32_t i = 0; i < flights; i++)
		if (flight[i] == r) {
			block_done(land(i), ERR_AGAIN);
			return;
		}
}

static const struct block_ops ops = { .start = mock_start, .kick = mock_kick, .stuck = mock_stuck };

/* What a driver has until it ends. */
static void forget_disks(void)
{
	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (block.queue[i]) {
			heap_free(block.queue[i]->requests, 0);
			heap_free(block.queue[i], 0);
		}
	block = (struct block){ .scheme = { .ops = &block_scheme_ops } };
	list_init(&block.scheme.deferred);
}

static char serial[DISK_TEXT_BYTES];

static void setup_disk(uint32_t disk_flags)
{
	static struct dma_piece all = { 0x10000000, POOL };

	forget_disks();
	disk = (struct block_disk){ .ops = &ops, .driver = &medium, .info = {
		.bytes = DISK_BYTES, .sector_bytes = SECTOR, .physical_sector_bytes = SECTOR, .transfer_bytes_max = 32 * 1024,
		.disk_flags = disk_flags, .queues = 1, .queue_depth = QUEUE } };
	strcpy(disk.info.serial, serial);
	flights = starts = kicks = stucks = answers = keeps = 0;
	CHECK_EQ(kept_pages, 0);
	keep_error = OK;
	room = FLIGHT_MAX;
	start_error = fetch_error = OK;
	at_once = false;
	now_ns = 1;
	piece = all;
	memory.bytes = POOL;
	memory.piece_count = 1;
	memory.piece = &piece;
	if (!memory.at)
		memory.at = malloc(POOL);
	block_setup(&server, state, &memory);
	CHECK_EQ(block_add(&disk, "vd", "0"), OK);
	for (size_t i = 0; i < DISK_BYTES; i++)
		medium[i] = (uint8_t)test_random();
	for (size_t i = 0; i < DATA_MAX; i++)
		sent[i] = (uint8_t)test_random();
	memset(got, 0, sizeof(got));
}

static void setup(uint32_t disk_flags)
{
	free(state);
	state = calloc(1, sizeof(*state));
	setup_disk(disk_flags);
}

/* ---- Requests as the loop would make them ---- */

static uint8_t out[SCHEME_BUFFER_BYTES];

static struct scheme_request request(void *open, struct message *m)
{
	return (struct scheme_request){ .scheme = &block.scheme, .message = m, .open = open, .in = sent, .out = out, .out_room = sizeof(out),
		.out_max = sizeof(out), .passed = HANDLE_NONE, .reply_handle = HANDLE_NONE };
}

static int64_t try_open(void *at, const char *ref, uint32_t flags, void **opened, uint64_t id)
{
	struct message m = { .open_flags = flags };
	struct scheme_request r = request(at, &m);
	int64_t result = block_scheme_ops.open(&r, ref, strlen(ref), flags, 0);

	if (result >= 0) {
		*opened = r.opened;
		block_scheme_ops.named(&block.scheme, r.opened, id);
	}
	return result;
}

static void *open_at(void *at, const char *ref, uint64_t id)
{
	void *opened = NULL;

	CHECK_EQ(try_open(at, ref, OPEN_READ | OPEN_WRITE, &opened, id), 0);
	return opened;
}

static void close_it(void *open) { block_scheme_ops.close(&block.scheme, open); }

static int64_t read_at(void *open, size_t bytes, uint64_t offset)
{
	struct message m = { .open_flags = OPEN_READ | OPEN_WRITE };
	struct scheme_request r = request(open, &m);

	r.out_max = bytes;
	r.out_room = MIN_OF(bytes, sizeof(out));
	return block_scheme_ops.read(&r, bytes, offset);
}

static int64_t write_at(void *open, size_t bytes, uint64_t offset)
{
	struct message m = { .open_flags = OPEN_READ | OPEN_WRITE };
	struct scheme_request r = request(open, &m);

	r.in_bytes = bytes;
	r.in_here = MIN_OF(bytes, (size_t)SCHEME_BUFFER_BYTES);
	return block_scheme_ops.write(&r, bytes, offset);
}

static int64_t call(void *open, uint32_t code, const void *in, size_t in_bytes)
{
	struct message m = { 0 };
	struct scheme_request r = request(open, &m);

	r.in = in;
	r.in_bytes = r.in_here = in_bytes;
	return block_scheme_ops.call(&r, code, 0);
}

static bool nothing_leaks(void)
{
	return block.pool.free_pages == block.pool.pages && state->disk[0].statistics.in_flight == 0 && list_is_empty(&block.scheme.deferred);
}
