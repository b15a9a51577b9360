/* drivers/block/nvme/nvme_test.c - the driver against a mock controller: honest, failing, lying, dumb, gone. */
#include <stdlib.h>
#include "drivers/block/nvme/io.h"
#include "drivers/block/nvme/queue.h"
#include "lib/base/bits.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"
#include "lib/test/test.h"

enum { SECTOR = 512, SECTORS = 4096, PAGE = 4096, BAR_BYTES = 0x4000, OUT_MAX = 512, QUEUES = 8 };
#define BAR 0x7000000000ull

static uint8_t medium[2][SECTORS * SECTOR];
static struct nvme *nvme;
static struct device device = { .info = { .interrupts = 5 } };
static struct dma_memory data;
static uint64_t now_ns;

struct pair { uint64_t submit, complete; uint32_t submit_size, complete_size, head, tail, phase; bool is_there; };

/* The controller. */
static struct {
	uint64_t capabilities, admin_submit, admin_complete;
	uint32_t configuration, sizes, status;
	struct pair pair[QUEUES];
	uint8_t controller[PAGE], space[2][PAGE];
	uint32_t spaces[4], queues_given, starts, doorbells;
	/* Manners. */
	bool is_gone, never_ready, never_stops, is_silent, admin_is_silent, is_fatal;
	uint32_t io_status, admin_refuses, wrong_id, flushes;
} m;

static uint32_t done_count, removed;
static err_t done_err[OUT_MAX];
static struct block_request *done[OUT_MAX];

void block_done(struct block_request *r, err_t err)
{
	CHECK(done_count < OUT_MAX);
	done[done_count] = r;
	done_err[done_count++] = err;
}

void block_remove(struct block_disk *d) { (void)d; removed++; }
uint64_t block_now(void) { return now_ns; }
void block_sleep(uint64_t ns) { now_ns += ns; }

/* ---- What lib/driver does on the machine ---- */

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	CHECK_EQ(bar, 0);
	*out = (struct device_bar){ .at = (volatile uint8_t *)BAR, .ports = HANDLE_NONE, .bytes = BAR_BYTES };
	return OK;
}

__attribute__((destructor)) static void forget(void)
{
	test_dma_forget();
	free(nvme);
	nvme = NULL;
}

/* ---- The controller at work ---- */

static void complete(struct pair *p, uint32_t id, uint32_t status, uint32_t result)
{
	struct nvme_completion *c = (struct nvme_completion *)test_dma_at(p->complete, p->complete_size * 16u) + p->tail;

	*c = (struct nvme_completion){ .result = result, .status = id | p->phase << 16 | status << 17 };
	p->tail = (p->tail + 1) % p->complete_size;
	p->phase ^= p->tail == 0;
}

static uint32_t admin_queue(const struct nvme_entry *e, bool is_submit)
{
	uint32_t index = e->word10 & 0xffff, size = (e->word10 >> 16) + 1;

	CHECK(index > 0 && index < QUEUES && size > 1 && size <= NVME_QUEUE_SIZE);
	struct pair *p = &m.pair[index];
	if (is_submit) {
		CHECK_EQ(e->word11 >> 16, index);
		CHECK(p->complete);
		p->submit = e->prp1;
		p->submit_size = size;
		p->is_there = true;
	} else {
		CHECK(e->word11 >> 16 < 5);
		*p = (struct pair){ .complete = e->prp1, .complete_size = size, .phase = 1 };
	}
	return 0;
}

static uint32_t admin_identify(const struct nvme_entry *e)
{
	uint8_t *to = test_dma_at(e->prp1, PAGE);

	switch (e->word10) {
	case IDENTIFY_CONTROLLER:
		memcpy(to, m.controller, PAGE);
		return 0;
	case IDENTIFY_SPACES:
		memcpy(to, m.spaces, sizeof(m.spaces));
		return 0;
	default:
		if (e->space == 0 || e->space > 2)
			return 0x00b;
		memcpy(to, m.space[e->space - 1], PAGE);
		return 0;
	}
}

static uint32_t admin_do(const struct nvme_entry *e, uint32_t *result)
{
	uint32_t opcode = e->command & 0xff;

	if (m.admin_refuses == opcode)
		return 1;
	switch (opcode) {
	case ADMIN_CREATE_COMPLETE:
	case ADMIN_CREATE_SUBMIT:
		return admin_queue(e, opcode == ADMIN_CREATE_SUBMIT);
	case ADMIN_IDENTIFY:
		return admin_identify(e);
	case ADMIN_SET_FEATURES:
		CHECK_EQ(e->word10, FEATURE_QUEUES);
		*result = (m.queues_given - 1) | (m.queues_given - 1) << 16;
		return 0;
	default:
		return STATUS_BAD_OPCODE;
	}
}

/* The page of data that a command's n-th page is. */
static uint8_t *page_of(const struct nvme_entry *e, uint32_t n, uint32_t pages)
{
	if (n == 0)
		return test_dma_at(e->prp1, PAGE);
	if (pages == 2)
		return test_dma_at(e->prp2, PAGE);
	return test_dma_at(((uint64_t *)test_dma_at(e->prp2, (pages - 1) * 8))[n - 1], PAGE);
}

static void transfer(const struct nvme_entry *e, bool is_write)
{
	uint64_t sector = e->word10 | (uint64_t)e->word11 << 32;
	uint32_t bytes = ((e->word12 & 0xffff) + 1) * SECTOR, pages = (bytes + PAGE - 1) / PAGE;

	CHECK(range_fits(sector * SECTOR, bytes, sizeof(medium[0])));
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t part = MIN_OF(bytes - i * PAGE, (uint32_t)PAGE);
		uint8_t *on_disk = medium[e->space - 1] + sector * SECTOR + i * PAGE, *page = page_of(e, i, pages);
		if (is_write)
			memcpy(on_disk, page, part);
		else
			memcpy(page, on_disk, part);
	}
}

static void erase(uint32_t space, uint64_t sector, uint64_t sectors, uint8_t byte)
{
	CHECK(range_fits(sector, sectors, SECTORS));
	memset(medium[space - 1] + sector * SECTOR, byte, sectors * SECTOR);
}

static uint32_t io_do(const struct nvme_entry *e)
{
	CHECK(e->space == 1 || e->space == 2);
	if (m.io_status)
		return m.io_status;
	switch (e->command & 0xff) {
	case NVM_READ:
	case NVM_WRITE:
		transfer(e, (e->command & 0xff) == NVM_WRITE);
		break;
	case NVM_FLUSH:
		m.flushes++;
		break;
	case NVM_WRITE_ZEROES:
		erase(e->space, e->word10, (e->word12 & 0xffff) + 1u, 0);
		break;
	case NVM_DATASET: {
		struct nvme_range *r = test_dma_at(e->prp1, sizeof(*r));
		CHECK_EQ(e->word10, 0);
		CHECK_EQ(e->word11, DATASET_DEALLOCATE);
		erase(e->space, r->first, r->blocks, 0xdd);
		break;
	}
	default:
		return STATUS_BAD_OPCODE;
	}
	return 0;
}

static void process(uint32_t index, uint32_t tail)
{
	struct pair *p = &m.pair[index];
	uint32_t result = 0;

	CHECK(p->is_there && tail < p->submit_size);
	while (p->head != tail && !(index ? m.is_silent : m.admin_is_silent)) {
		struct nvme_entry e = ((struct nvme_entry *)test_dma_at(p->submit, p->submit_size * 64u))[p->head];
		p->head = (p->head + 1) % p->submit_size;
		uint32_t status = index ? io_do(&e) : admin_do(&e, &result);
		complete(p, index && m.wrong_id ? m.wrong_id : e.command >> 16, status, result);
	}
}

static void configure(uint32_t value)
{
	m.configuration = value;
	if (!(value & 1)) {
		if (!m.never_stops)
			m.status = 0;
		return;
	}
	CHECK_EQ(value, CONFIGURATION_ON);
	m.starts++;
	memset(m.pair, 0, sizeof(m.pair));
	m.pair[0] = (struct pair){ m.admin_submit, m.admin_complete, (m.sizes & 0xfff) + 1, (m.sizes >> 16) + 1, 0, 0, 1, true };
	m.status = m.never_ready ? 0 : m.is_fatal ? STATUS_FATAL : STATUS_READY;
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	CHECK(bytes == 4 && at >= BAR && at - BAR < BAR_BYTES);
	if (m.is_gone)
		return UINT32_MAX;
	switch (at - BAR) {
	case REG_CAPABILITIES:
		return (uint32_t)m.capabilities;
	case REG_CAPABILITIES + 4:
		return (uint32_t)(m.capabilities >> 32);
	case REG_STATUS:
		return m.status;
	default:
		return 0;
	}
}

static void half(uint64_t *to, bool upper, uint64_t value)
{
	*to = upper ? (*to & UINT32_MAX) | value << 32 : (*to & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	CHECK(bytes == 4 && at >= BAR && at - BAR < BAR_BYTES);
	at -= BAR;
	if (m.is_gone)
		return;
	if (at == REG_CONFIGURATION) {
		configure((uint32_t)value);
	} else if (at == REG_ADMIN_SIZES) {
		m.sizes = (uint32_t)value;
	} else if ((at & ~4ul) == REG_ADMIN_SUBMIT) {
		half(&m.admin_submit, at & 4, value);
	} else if ((at & ~4ul) == REG_ADMIN_COMPLETE) {
		half(&m.admin_complete, at & 4, value);
	} else if (at >= REG_DOORBELLS) {
		uint32_t stride = 4u << CAP_STRIDE(m.capabilities), n = (uint32_t)(at - REG_DOORBELLS) / stride;
		CHECK_EQ((at - REG_DOORBELLS) % stride, 0);
		m.doorbells++;
		if (n % 2 == 0)
			process(n / 2, (uint32_t)value);
	}
}

/* ---- Set-up ---- */

static void setup_controller(void)
{
	forget();
	memset(&m, 0, sizeof(m));
	m.capabilities = 255 | 2ull << 24 | 1ull << 37;
	m.queues_given = 4;
	m.spaces[0] = 1, m.spaces[1] = 2;
	memcpy(m.controller + CONTROLLER_SERIAL, "serial 1            ", 20);
	memcpy(m.controller + CONTROLLER_MODEL, "a mock controller                       ", 40);
	m.controller[CONTROLLER_TRANSFER] = 4;
	m.controller[CONTROLLER_COMMANDS] = COMMANDS_DATASET | COMMANDS_ZEROES;
	m.controller[CONTROLLER_CACHE] = 1;
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t sectors = SECTORS;
		memcpy(m.space[i] + SPACE_SIZE, &sectors, 8);
		m.space[i][SPACE_FORMAT] = 2;
		m.space[i][SPACE_FORMATS + 2 * 4 + FORMAT_SHIFT] = 9;
	}
	done_count = removed = 0;
	nvme = calloc(1, sizeof(*nvme));
	for (size_t i = 0; i < sizeof(medium[0]); i++)
		medium[0][i] = (uint8_t)test_random(), medium[1][i] = (uint8_t)test_random();
}

static void setup(void)
{
	setup_controller();
	CHECK_EQ(nvme_open(nvme, &device), OK);
	CHECK_EQ(dma_allocate(&device, 512 * 1024, 0, 0, &data), OK);
}

static struct block_request request(enum block_op op, uint64_t sector, uint32_t sectors, size_t page)
{
	struct block_request r = { .op = op, .sector = sector, .sectors = sectors };
	size_t bytes = (size_t)sectors * SECTOR, at = page * PAGE;

	if (op == BLOCK_READ || op == BLOCK_WRITE) {
		r.at = data.at + at;
		/* In pieces of whole pages, of different sizes. */
		for (size_t done = 0, part; done < bytes; done += part) {
			part = MIN_OF(bytes - done, (size_t)PAGE * (1 + r.piece_count % 3));
			r.piece[r.piece_count++] = (struct dma_piece){ dma_address(&data, at + done, NULL), part };
		}
	}
	return r;
}

static err_t start(uint32_t space, struct block_request *r) { return io_ops.start(&nvme->space[space], r); }
static void kick(void) { io_ops.kick(&nvme->space[0]); }

static err_t run(uint32_t space, struct block_request *r)
{
	done_count = 0;
	err_t err = start(space, r);

	if (err)
		return err;
	kick();
	nvme_interrupt(nvme);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done[0], r);
	return done_err[0];
}

/* ---- Rules ---- */

TEST(reads_and_writes_move_the_right_bytes_of_the_right_namespace)
{
	setup();
	for (uint32_t round = 0; round < 1000; round++) {
		uint32_t sectors = 1 + test_random() % 128, space = test_random() & 1;
		uint64_t sector = test_random() % (SECTORS - sectors);
		struct block_request r = request(test_random() & 1 ? BLOCK_READ : BLOCK_WRITE, sector, sectors, 3);
		CHECK_EQ(run(space, &r), OK);
		CHECK_MEM(medium[space] + sector * SECTOR, data.at + 3 * PAGE, sectors * SECTOR);
		data.at[3 * PAGE + test_random() % (128 * SECTOR)] ^= 1;
	}
}

TEST(the_disks_are_described)
{
	setup();
	CHECK_EQ(nvme->space_count, 2);
	const struct disk_info *i = &nvme->space[1].disk.info;
	CHECK_EQ(i->bytes, SECTORS * SECTOR);
	CHECK_EQ(i->sector_bytes, SECTOR);
	CHECK_EQ(i->transfer_bytes_max, 65536);
	CHECK_EQ(i->disk_flags, DISK_HAS_FLUSH | DISK_HAS_DISCARD | DISK_HAS_ZERO);
	CHECK_STR(i->serial, "serial 1");
	CHECK_STR(i->model, "a mock controller");
	CHECK_STR(nvme->space[1].name, "n2");
	CHECK_EQ(i->queue_depth, 63);
}

TEST(flush_discard_and_zero_are_what_they_say)
{
	setup();
	struct block_request f = request(BLOCK_FLUSH, 0, 0, 0), d = request(BLOCK_DISCARD, 8, 16, 0), z = request(BLOCK_ZERO, 100, 2, 0);
	CHECK_EQ(run(0, &f), OK);
	CHECK_EQ(m.flushes, 1);
	CHECK_EQ(run(0, &d), OK);
	CHECK_EQ(medium[0][8 * SECTOR], 0xdd);
	CHECK_EQ(medium[0][24 * SECTOR - 1], 0xdd);
	CHECK_EQ(run(0, &z), OK);
	for (uint32_t i = 0; i < 2 * SECTOR; i++)
		CHECK_EQ(medium[0][100 * SECTOR + i], 0);
}

TEST(many_are_out_at_once_over_all_queues)
{
	static struct block_request r[OUT_MAX];
	uint32_t count = 0;

	setup();
	m.is_silent = true;
	for (; count < OUT_MAX; count++) {
		r[count] = request(BLOCK_READ, count, 1, count % 100);
		if (start(count % 2, &r[count]))
			break;
	}
	CHECK_EQ(count, 4 * 63);
	m.is_silent = false;
	uint32_t before = m.doorbells;
	kick();
	CHECK_EQ(m.doorbells - before, 4);
	nvme_interrupt(nvme);
	CHECK_EQ(done_count, count);
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQ(done_err[i], OK);
	CHECK_EQ(run(0, &r[0]), OK);
}

TEST(an_error_of_the_controller_is_an_error)
{
	static const struct { uint32_t status; err_t err; } cases[] = {
		{ 0x281, ERR_IO }, { 0x001, ERR_OPNOTSUPP }, { 0x007, ERR_AGAIN }, { 0x020, ERR_ROFS }, { 0x7ff, ERR_IO },
	};

	setup();
	for (uint32_t i = 0; i < 5; i++) {
		struct block_request r = request(BLOCK_WRITE, 0, 1, 0);
		m.io_status = cases[i].status;
		CHECK_EQ(run(0, &r), cases[i].err);
	}
	CHECK_EQ(removed, 0);
}

TEST(a_controller_that_lies_is_reset_and_the_requests_begin_anew)
{
	static struct block_request r[5];

	setup();
	m.wrong_id = 60;
	for (uint32_t i = 0; i < 5; i++) {
		r[i] = request(BLOCK_READ, i, 1, i);
		CHECK_EQ(start(0, &r[i]), OK);
	}
	kick();
	nvme_interrupt(nvme);
	CHECK_EQ(m.starts, 2);
	CHECK_EQ(done_count, 5);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(done_err[i], ERR_AGAIN);
	m.wrong_id = 0;
	CHECK_EQ(run(0, &r[0]), OK);
	CHECK_EQ(removed, 0);
}

TEST(completions_of_nothing_break_the_queue)
{
	setup();
	complete(&m.pair[1], 3, 0, 0);
	nvme_interrupt(nvme);
	CHECK_EQ(m.starts, 2);
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	CHECK_EQ(run(0, &r), OK);
	m.is_silent = true;
	CHECK_EQ(start(0, &r), OK);
	kick();
	complete(&m.pair[1], 62, 0, 0);
	complete(&m.pair[1], 0xffff, 0, 0);
	complete(&m.pair[2], 62, 0, 0);
	done_count = 0;
	nvme_interrupt(nvme);
	CHECK_EQ(m.starts, 3);
	CHECK(done_count <= 1);
}

TEST(a_fatal_status_is_a_reset)
{
	setup();
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	m.is_silent = true;
	CHECK_EQ(start(0, &r), OK);
	kick();
	m.status |= STATUS_FATAL;
	nvme_interrupt(nvme);
	CHECK_EQ(m.starts, 2);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done_err[0], ERR_AGAIN);
}

TEST(a_controller_that_never_answers_is_reset_and_then_given_up)
{
	setup();
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	m.is_silent = true;
	CHECK_EQ(start(0, &r), OK);
	kick();
	io_ops.stuck(&nvme->space[0], &r);
	CHECK_EQ(done_err[0], ERR_AGAIN);
	CHECK_EQ(start(0, &r), OK);
	m.never_ready = true;
	io_ops.stuck(&nvme->space[0], &r);
	CHECK_EQ(removed, 2);
	CHECK_EQ(start(0, &r), ERR_NODEV);
	io_ops.stuck(&nvme->space[0], &r);
	nvme_interrupt(nvme);
	CHECK_EQ(removed, 2);
}

TEST(a_controller_that_vanished_is_said_to_be_gone)
{
	setup();
	struct block_request r = request(BLOCK_READ, 0, 1, 0);
	m.is_silent = true;
	CHECK_EQ(start(0, &r), OK);
	m.is_gone = true;
	kick();
	nvme_interrupt(nvme);
	CHECK_EQ(removed, 2);
	CHECK_EQ(start(0, &r), ERR_NODEV);
}

TEST(what_does_not_come_up_is_refused)
{
	setup_controller();
	m.never_ready = true;
	CHECK_EQ(nvme_open(nvme, &device), ERR_TIMEDOUT);
	setup_controller();
	m.never_stops = true;
	m.status = STATUS_READY;
	CHECK_EQ(nvme_open(nvme, &device), ERR_TIMEDOUT);
	setup_controller();
	m.is_fatal = true;
	CHECK_EQ(nvme_open(nvme, &device), ERR_IO);
	setup_controller();
	m.admin_is_silent = true;
	CHECK_EQ(nvme_open(nvme, &device), ERR_TIMEDOUT);
	setup_controller();
	m.is_gone = true;
	CHECK(nvme_open(nvme, &device) != OK);
	static const uint32_t refused[] = { ADMIN_CREATE_COMPLETE, ADMIN_CREATE_SUBMIT, ADMIN_IDENTIFY, ADMIN_SET_FEATURES };
	for (uint32_t i = 0; i < 4; i++) {
		setup_controller();
		m.admin_refuses = refused[i];
		CHECK_EQ(nvme_open(nvme, &device), ERR_IO);
	}
}

TEST(capabilities_that_make_no_sense_are_refused)
{
	static const uint64_t bad[] = { 0, 1ull << 37, 255, 255 | 1ull << 37 | 15ull << 32, 255 | 1ull << 37 | 1ull << 48, UINT64_MAX };

	for (uint32_t i = 0; i < 6; i++) {
		setup_controller();
		m.capabilities = bad[i];
		CHECK(nvme_open(nvme, &device) != OK);
	}
	setup_controller();
	m.capabilities |= 3ull << 32;   /* doorbells 32 bytes apart */
	CHECK_EQ(nvme_open(nvme, &device), OK);
}

TEST(a_small_controller_is_enough)
{
	setup_controller();
	m.capabilities = 1 | 1ull << 37;
	m.queues_given = 1;
	CHECK_EQ(nvme_open(nvme, &device), OK);
	CHECK_EQ(dma_allocate(&device, 512 * 1024, 0, 0, &data), OK);
	struct block_request r = request(BLOCK_READ, 0, 1, 0), s = r;
	for (uint32_t i = 0; i < 20; i++)
		CHECK_EQ(run(0, &r), OK);
	CHECK_EQ(start(0, &r), OK);
	CHECK_EQ(start(0, &s), ERR_AGAIN);
}

TEST(namespaces_that_are_no_disks_are_left_out)
{
	setup_controller();
	m.space[0][SPACE_FORMATS + 2 * 4 + FORMAT_METADATA] = 8;
	CHECK_EQ(nvme_open(nvme, &device), OK);
	CHECK_EQ(nvme->space_count, 1);
	CHECK_STR(nvme->space[0].name, "n2");
	setup_controller();
	m.space[0][SPACE_FORMATS + 2 * 4 + FORMAT_SHIFT] = 63;
	m.space[1][SPACE_FORMATS + 2 * 4 + FORMAT_SHIFT] = 3;
	CHECK_EQ(nvme_open(nvme, &device), OK);
	CHECK_EQ(nvme->space_count, 0);
	setup_controller();
	memset(m.space[0], 0xff, 8);
	m.space[0][SPACE_ATTRIBUTES] = 1;
	CHECK_EQ(nvme_open(nvme, &device), OK);
	CHECK(nvme->space[0].disk.info.bytes <= INT64_MAX);
	CHECK(nvme->space[0].disk.info.disk_flags & DISK_READ_ONLY);
}

TEST(any_answer_of_the_controller_is_survived)
{
	for (uint32_t round = 0; round < 300; round++) {
		setup_controller();
		for (uint32_t i = 0; i < PAGE; i++)
			m.controller[i] = (uint8_t)test_random(), m.space[0][i] = (uint8_t)test_random();
		m.queues_given = 1 + test_random() % 0xffff;
		if (nvme_open(nvme, &device) == OK)
			nvme_interrupt(nvme);
	}
}

TEST(no_memory_is_an_error)
{
	for (uint32_t n = 1; n <= 16; n++) {
		setup_controller();
		test_dma.fail_after = n;
		CHECK_EQ(nvme_open(nvme, &device), ERR_NOMEM);
	}
}
