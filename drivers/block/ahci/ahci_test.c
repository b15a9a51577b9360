/* drivers/block/ahci/ahci_test.c - the driver against a mock controller with two disks: honest, failing, dumb, gone. */
#include <stdlib.h>
#include "drivers/block/ahci/port.h"
#include "lib/base/bits.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"
#include "lib/test/test.h"

enum { SECTOR = 512, SECTORS = 4096, PAGE = 4096, BAR_BYTES = 0x1100, OUT_MAX = 64, DISKS = 2, FIRST_PORT = 1 };
#define BAR 0x7000000000ull

static uint8_t medium[DISKS][SECTORS * SECTOR];
static struct ahci *ahci;
static struct device device = { .info = { .interrupts = 1 } };
static struct dma_memory data;
static uint64_t now_ns;

struct mock_port { bool queue_failed; uint64_t list, received; uint32_t interrupts, enable, command, task, active, issued, sata, signature; };

/* The controller; disks are on ports 1 and 2. */
static struct {
	uint32_t capabilities, control, which;
	struct mock_port port[4];
	uint16_t id[ID_BYTES / 2];
	/* Manners. */
	bool is_silent, never_stops, stops_never_again, identify_fails, resets_never, is_gone;
	uint64_t bad_sector;            /* commands that touch it fail; 0: none */
	uint32_t flushes, queued_seen, alone_seen;
} m;

static uint32_t done_count, removed, failed;
static err_t done_err[OUT_MAX];
static struct block_request *done[OUT_MAX];

void block_done(struct block_request *r, err_t err)
{
	CHECK(done_count < OUT_MAX);
	done[done_count] = r;
	done_err[done_count++] = err;
}

void driver_fail(const char *why) { (void)why; failed++; }
void block_remove(struct block_disk *d) { (void)d; removed++; }
uint64_t block_now(void) { return now_ns; }
void block_sleep(uint64_t ns) { now_ns += ns; }

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	CHECK_EQ(bar, ABAR);
	*out = (struct device_bar){ .at = (volatile uint8_t *)BAR, .ports = HANDLE_NONE, .bytes = BAR_BYTES };
	return OK;
}

__attribute__((destructor)) static void forget(void)
{
	test_dma_forget();
	free(ahci);
	ahci = NULL;
}

/* ---- A disk ---- */

static void transfer(uint32_t disk, uint64_t sector, const struct ahci_header *h, const struct ahci_table *t, uint32_t count)
{
	uint8_t *at = medium[disk] + sector * SECTOR;
	size_t moved = 0;

	count = count ? count : 0x10000;
	CHECK(range_fits(sector, count, SECTORS));
	for (uint32_t i = 0; i < h->pieces; i++) {
		size_t bytes = t->piece[i].bytes_less_1 + 1u;
		void *memory = test_dma_at(t->piece[i].address, bytes);
		if (h->flags & HEADER_WRITE)
			memcpy(at + moved, memory, bytes);
		else
			memcpy(memory, at + moved, bytes);
		moved += bytes;
	}
	CHECK_EQ(moved, (size_t)count * SECTOR);
}

static void trim(uint32_t disk, const struct ahci_table *t)
{
	const uint64_t *entry = test_dma_at(t->piece[0].address, TRIM_BYTES);

	for (uint32_t i = 0; i < TRIM_BYTES / 8 && entry[i]; i++) {
		uint64_t sector = entry[i] & ((1ull << 48) - 1), count = entry[i] >> 48;
		CHECK(range_fits(sector, count, SECTORS));
		memset(medium[disk] + sector * SECTOR, 0xdd, count * SECTOR);
	}
}

/* False: the disk could not. */
static bool command_do(uint32_t port, uint32_t slot)
{
	struct ahci_header *h = (struct ahci_header *)test_dma_at(m.port[port].list, 1024) + slot;
	struct ahci_table *t = test_dma_at(h->table, sizeof(*t));
	uint64_t sector = 0;
	uint32_t disk = port - FIRST_PORT, count = t->fis[12] | (uint32_t)t->fis[13] << 8, features = t->fis[3] | (uint32_t)t->fis[11] << 8;
	bool is_queued = t->fis[2] == ATA_READ_QUEUED || t->fis[2] == ATA_WRITE_QUEUED;

	CHECK(t->fis[0] == FIS_HOST_TO_DEVICE && t->fis[1] == FIS_COMMAND && (h->flags & 31) == 5);
	for (uint32_t i = 0; i < 3; i++)
		sector |= (uint64_t)t->fis[4 + i] << 8 * i | (uint64_t)t->fis[8 + i] << 8 * (3 + i);
	CHECK_EQ(is_queued, (m.port[port].active >> slot & 1) != 0);
	switch (t->fis[2]) {
	case ATA_READ: case ATA_WRITE: case ATA_READ_QUEUED: case ATA_WRITE_QUEUED:
		*(is_queued ? &m.queued_seen : &m.alone_seen) += 1;
		CHECK_EQ((h->flags & HEADER_WRITE) != 0, t->fis[2] == ATA_WRITE || t->fis[2] == ATA_WRITE_QUEUED);
		if (is_queued)
			CHECK_EQ(count, slot << 3);
		if (m.bad_sector && m.bad_sector >= sector && m.bad_sector < sector + (is_queued ? features : count))
			return false;
		transfer(disk, sector, h, t, is_queued ? features : count);
		return true;
	case ATA_FLUSH:
		m.flushes++;
		return true;
	case ATA_DATASET:
		trim(disk, t);
		return true;
	case ATA_IDENTIFY:
		memcpy(test_dma_at(t->piece[0].address, ID_BYTES), m.id, ID_BYTES);
		return !m.identify_fails;
	default:
		return false;
	}
}

/* What was issued is done, until one fails. */
static void work(uint32_t port)
{
	struct mock_port *p = &m.port[port];

	bool failed = false;

	for (uint32_t slot = 0; slot < SLOTS_MAX && !m.is_silent && !failed; slot++) {
		if (!(p->issued >> slot & 1))
			continue;
		bool is_queued = p->active >> slot & 1;
		p->queue_failed &= is_queued;
		if (command_do(port, slot)) {
			p->issued &= ~(1u << slot);
			p->active &= ~(1u << slot);
			/* The error of a queued one stays until one comes that is not queued. */
			p->interrupts |= p->queue_failed ? 1u << 30 | 1 : 1;
			p->task |= p->queue_failed ? TASK_ERROR : 0;
		} else {
			/* A queued command was taken all the same. */
			if (is_queued)
				p->issued &= ~(1u << slot);
			p->queue_failed = is_queued;
			failed = true;
			p->task |= TASK_ERROR;
			p->interrupts |= 1u << 30;
		}
		m.which |= 1u << port;
	}
}

static void port_command(struct mock_port *p, uint32_t value)
{
	if (!(value & COMMAND_START) && !m.never_stops && !(m.stops_never_again && p->command & COMMAND_START)) {
		value &= ~(uint32_t)COMMAND_RUNNING;
		p->issued = p->active = 0;
	} else {
		value |= COMMAND_RUNNING;
	}
	if (value & COMMAND_START)
		p->task = 0x50 | (p->queue_failed ? TASK_ERROR : 0);
	p->command = value & COMMAND_RECEIVE ? value | COMMAND_RECEIVING : value & ~(uint32_t)COMMAND_RECEIVING;
}

static uint32_t *port_register(struct mock_port *p, uint32_t at)
{
	static uint32_t none;

	switch (at) {
	case PORT_INTERRUPTS:
		return &p->interrupts;
	case PORT_COMMAND:
		return &p->command;
	case PORT_TASK:
		return &p->task;
	case PORT_SIGNATURE:
		return &p->signature;
	case PORT_SATA_STATUS:
		return &p->sata;
	case PORT_ACTIVE:
		return &p->active;
	case PORT_ISSUED:
		return &p->issued;
	default:
		none = 0;
		return &none;
	}
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	CHECK(bytes == 4 && at >= BAR && at - BAR + 4 <= BAR_BYTES);
	at -= BAR;
	if (m.is_gone)
		return UINT32_MAX;
	if (at >= HBA_PORT_0)
		return (at - HBA_PORT_0) / 0x80 < 4 ? *port_register(&m.port[(at - HBA_PORT_0) / 0x80], (at - HBA_PORT_0) % 0x80) : 0;
	return at == HBA_CAPABILITIES ? m.capabilities : at == HBA_CONTROL ? m.control : at == HBA_INTERRUPTS ? m.which : at == HBA_PORTS ? 0xf : 0;
}

static void half(uint64_t *to, bool upper, uint64_t value)
{
	*to = upper ? (*to & UINT32_MAX) | value << 32 : (*to & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
}

static void port_write(uint32_t number, uint32_t at, uint32_t value)
{
	struct mock_port *p = &m.port[number];

	switch (at) {
	case PORT_LIST: case PORT_LIST + 4:
		half(&p->list, at & 4, value);
		break;
	case PORT_RECEIVED: case PORT_RECEIVED + 4:
		half(&p->received, at & 4, value);
		break;
	case PORT_INTERRUPTS:
		p->interrupts &= ~value;
		break;
	case PORT_COMMAND:
		port_command(p, value);
		break;
	case PORT_ENABLE:
		p->enable = value;
		break;
	case PORT_ACTIVE:
		p->active |= value;
		break;
	case PORT_ISSUED:
		CHECK(p->command & COMMAND_START);
		p->issued |= value;
		work(number);
		break;
	}
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	CHECK(bytes == 4 && at >= BAR && at - BAR + 4 <= BAR_BYTES);
	at -= BAR;
	if (m.is_gone)
		return;
	if (at >= HBA_PORT_0)
		port_write((uint32_t)(at - HBA_PORT_0) / 0x80, (at - HBA_PORT_0) % 0x80, (uint32_t)value);
	else if (at == HBA_CONTROL)
		m.control = (uint32_t)value & ~(m.resets_never ? 0 : CONTROL_RESET);
	else if (at == HBA_INTERRUPTS)
		m.which &= ~(uint32_t)value;
}

/* ---- Set-up ---- */

static void setup_controller(bool queues)
{
	forget();
	memset(&m, 0, sizeof(m));
	m.capabilities = 31 << 8 | CAP_64_BIT | (queues ? CAP_QUEUEING : 0);
	for (uint32_t i = 0; i < DISKS; i++)
		m.port[FIRST_PORT + i] = (struct mock_port){ .sata = 0x113, .signature = SIGNATURE_DISK, .task = 0x50 };
	m.port[3] = (struct mock_port){ .sata = 0x113, .signature = 0xeb140101, .task = 0x50 };    /* a CD drive */
	m.id[ID_COMMANDS] = 1 << 14 | 1 << 10;
	m.id[ID_SATA] = 1 << 8;
	m.id[ID_QUEUE] = 31;
	m.id[ID_SECTORS] = SECTORS;
	m.id[ID_TRIM] = 1;
	m.id[ID_ROTATION] = 1;
	m.id[ID_SERIAL] = 'S' << 8 | '1';
	m.id[ID_MODEL] = 'M' << 8 | 'o';
	m.id[ID_MODEL + 1] = 'c' << 8 | 'k';
	m.id[ID_MODEL + 2] = ' ' << 8 | ' ';
	done_count = removed = failed = 0;
	ahci = calloc(1, sizeof(*ahci));
	for (size_t i = 0; i < sizeof(medium[0]); i++)
		medium[0][i] = (uint8_t)test_random(), medium[1][i] = (uint8_t)test_random();
}

static void setup(bool queues)
{
	setup_controller(queues);
	CHECK_EQ(ahci_open(ahci, &device), OK);
	CHECK_EQ(dma_allocate(&device, 512 * 1024, 0, 0, &data), OK);
}

static struct block_request request(enum block_op op, uint64_t sector, uint32_t sectors, size_t page)
{
	struct block_request r = { .op = op, .sector = sector, .sectors = sectors };
	size_t bytes = (size_t)sectors * SECTOR, at = page * PAGE;

	if (op == BLOCK_READ || op == BLOCK_WRITE) {
		r.at = data.at + at;
		for (size_t done = 0, part; done < bytes; done += part) {
			part = MIN_OF(bytes - done, (size_t)PAGE * (1 + r.piece_count % 3));
			r.piece[r.piece_count++] = (struct dma_piece){ dma_address(&data, at + done, NULL), part };
		}
	}
	return r;
}

static err_t start(uint32_t disk, struct block_request *r) { return port_ops.start(&ahci->port[disk], r); }
static void kick(uint32_t disk) { port_ops.kick(&ahci->port[disk]); }

static err_t run(uint32_t disk, struct block_request *r)
{
	done_count = 0;
	err_t err = start(disk, r);

	if (err)
		return err;
	kick(disk);
	ahci_interrupt(ahci);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done[0], r);
	return done_err[0];
}

/* ---- Rules ---- */

TEST(reads_and_writes_move_the_right_bytes_of_the_right_disk)
{
	for (uint32_t queues = 0; queues < 2; queues++) {
		setup(queues);
		for (uint32_t round = 0; round < 500; round++) {
			uint32_t sectors = 1 + test_random() % 256, disk = test_random() & 1;
			uint64_t sector = test_random() % (SECTORS - sectors);
			struct block_request r = request(test_random() & 1 ? BLOCK_READ : BLOCK_WRITE, sector, sectors, 3);
			CHECK_EQ(run(disk, &r), OK);
			CHECK_MEM(medium[disk] + sector * SECTOR, data.at + 3 * PAGE, sectors * SECTOR);
			data.at[3 * PAGE + test_random() % (256 * SECTOR)] ^= 1;
		}
		CHECK_EQ(m.queued_seen, queues ? 500 : 0);
	}
}

TEST(the_disks_are_described_and_other_things_left_alone)
{
	setup(true);
	CHECK_EQ(ahci->port_count, 2);
	const struct disk_info *i = &ahci->port[1].disk.info;
	CHECK_EQ(i->bytes, SECTORS * SECTOR);
	CHECK_EQ(i->disk_flags, DISK_HAS_FLUSH | DISK_HAS_DISCARD);
	CHECK_EQ(i->queue_depth, 32);
	CHECK_STR(i->serial, "S1");
	CHECK_STR(i->model, "Mock");
	CHECK_STR(ahci->port[1].name, "port2");
}

TEST(queued_ones_are_out_together_and_others_alone)
{
	static struct block_request r[SLOTS_MAX + 1];

	setup(true);
	m.is_silent = true;
	for (uint32_t i = 0; i < SLOTS_MAX; i++) {
		r[i] = request(BLOCK_READ, i * 8, 8, i);
		CHECK_EQ(start(0, &r[i]), OK);
	}
	struct block_request more = request(BLOCK_READ, 0, 1, 40), f = request(BLOCK_FLUSH, 0, 0, 0);
	CHECK_EQ(start(0, &more), ERR_AGAIN);
	CHECK_EQ(start(0, &f), ERR_AGAIN);
	m.is_silent = false;
	kick(0);
	ahci_interrupt(ahci);
	CHECK_EQ(done_count, SLOTS_MAX);
	CHECK_MEM(data.at, medium[0], SLOTS_MAX * PAGE);
	CHECK_EQ(start(0, &f), OK);
	CHECK_EQ(start(0, &more), ERR_AGAIN);
	done_count = 0;
	kick(0);
	ahci_interrupt(ahci);
	CHECK_EQ(m.flushes, 1);
	CHECK_EQ(done_err[0], OK);
	CHECK_EQ(run(0, &more), OK);
}

TEST(trim_takes_long_ranges_apart)
{
	setup(true);
	struct block_request d = request(BLOCK_DISCARD, 8, 4000, 0);
	CHECK_EQ(run(0, &d), OK);
	CHECK_EQ(medium[0][8 * SECTOR], 0xdd);
	CHECK_EQ(medium[0][4008 * SECTOR - 1], 0xdd);
}

TEST(after_an_error_each_is_tried_alone_and_one_fails_again)
{
	static struct block_request r[5];

	setup(true);
	m.bad_sector = 20;
	m.is_silent = true;
	for (uint32_t i = 0; i < 5; i++) {
		r[i] = request(BLOCK_READ, i * 8, 8, i);
		CHECK_EQ(start(0, &r[i]), OK);
	}
	m.is_silent = false;
	kick(0);
	ahci_interrupt(ahci);
	/* Some may have ended well before it. */
	uint32_t left = 0;
	struct block_request *again[5];
	for (uint32_t i = 0; i < done_count; i++)
		if (done_err[i] == ERR_AGAIN)
			again[left++] = done[i];
		else
			CHECK_EQ(done_err[i], OK);
	CHECK_EQ(done_count, 5);
	CHECK(left >= 2);
	for (uint32_t i = 0; i < left; i++)
		CHECK_EQ(run(0, again[i]), again[i] == &r[2] ? ERR_AGAIN : OK);
	CHECK_EQ(m.alone_seen, left);
	/* As often as lib/block likes; and if it was but the echo of another's error, it is well then. */
	CHECK_EQ(run(0, &r[2]), ERR_AGAIN);
	m.bad_sector = 1000000;
	CHECK_EQ(run(0, &r[2]), OK);
	CHECK_EQ(ahci->port[0].careful, 0);
	m.bad_sector = 20;
	CHECK_EQ(run(0, &r[2]), ERR_IO);
	CHECK_EQ(run(0, &r[0]), OK);
	uint32_t queued = m.queued_seen;
	CHECK_EQ(run(0, &r[0]), OK);
	CHECK_EQ(m.queued_seen, queued + 1);
	CHECK_EQ(removed, 0);
}

TEST(an_error_of_a_queued_one_is_not_the_next_ones)
{
	setup(true);
	m.bad_sector = 3;
	struct block_request r = request(BLOCK_READ, 0, 8, 0), s = request(BLOCK_READ, 100, 8, 0);
	CHECK_EQ(run(0, &r), ERR_IO);
	/* What the disk still says of it is not said of the next one, whatever interrupts meanwhile. */
	m.is_silent = true;
	done_count = 0;
	CHECK_EQ(start(0, &s), OK);
	kick(0);
	m.which |= 2;
	ahci_interrupt(ahci);
	CHECK_EQ(done_count, 0);
	m.is_silent = false;
	kick(0);
	work(1);
	ahci_interrupt(ahci);
	CHECK(done_count == 1 && done_err[0] == OK);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(run(0, &s), OK);
	CHECK(m.queued_seen >= 5);
}

TEST(an_error_of_one_alone_is_its_own)
{
	setup(false);
	m.bad_sector = 3;
	struct block_request r = request(BLOCK_WRITE, 0, 8, 0), s = request(BLOCK_WRITE, 100, 8, 0);
	CHECK_EQ(run(0, &r), ERR_IO);
	CHECK_EQ(run(0, &s), OK);
}

TEST(a_disk_that_never_answers_is_reset)
{
	setup(true);
	struct block_request r = request(BLOCK_READ, 0, 8, 0);
	m.is_silent = true;
	CHECK_EQ(start(0, &r), OK);
	kick(0);
	port_ops.stuck(&ahci->port[0], &r);
	CHECK_EQ(done_count, 1);
	CHECK_EQ(done_err[0], ERR_AGAIN);
	m.is_silent = false;
	CHECK_EQ(run(0, &r), OK);
	m.is_silent = m.never_stops = true;
	CHECK_EQ(start(0, &r), OK);
	kick(0);
	done_count = 0;
	port_ops.stuck(&ahci->port[0], &r);
	/* It may still write: its memory is nobody else's before the driver has ended. */
	CHECK(failed == 1 && removed == 0 && done_count == 0);
	CHECK_EQ(start(0, &r), ERR_NODEV);
	port_ops.stuck(&ahci->port[0], &r);
	CHECK_EQ(failed, 1);
}

TEST(a_disk_that_was_pulled_is_gone_and_the_other_stays)
{
	setup(true);
	struct block_request r = request(BLOCK_READ, 0, 8, 0);
	m.port[1].sata = 0;
	m.port[1].interrupts |= 1u << 22;
	m.which |= 2;
	ahci_interrupt(ahci);
	CHECK_EQ(removed, 1);
	CHECK_EQ(start(0, &r), ERR_NODEV);
	CHECK_EQ(run(1, &r), OK);
	m.is_gone = true;
	ahci_interrupt(ahci);
	CHECK_EQ(removed, 2);
}

TEST(a_port_that_is_left_alone_is_quiet)
{
	setup(true);
	CHECK(m.port[1].enable && m.port[1].command & COMMAND_START);
	CHECK(m.port[3].list && !m.port[3].enable);
	CHECK(!(m.port[3].command & (COMMAND_START | COMMAND_RECEIVE)));
	m.port[1].sata = 0;
	m.port[1].interrupts |= 1u << 22;
	m.which |= 2;
	ahci_interrupt(ahci);
	CHECK_EQ(removed, 1);
	CHECK(!m.port[1].enable && !(m.port[1].command & (COMMAND_START | COMMAND_RECEIVE)));
	/* Two that never stop have not the same memory. */
	setup_controller(true);
	m.identify_fails = m.stops_never_again = true;
	CHECK_EQ(ahci_open(ahci, &device), OK);
	CHECK_EQ(ahci->port_count, 0);
	CHECK(m.port[1].list && m.port[2].list && m.port[1].list != m.port[2].list);
}

TEST(what_does_not_come_up_is_no_disk)
{
	setup_controller(true);
	m.resets_never = true;
	CHECK_EQ(ahci_open(ahci, &device), ERR_TIMEDOUT);
	setup_controller(true);
	m.identify_fails = true;
	CHECK_EQ(ahci_open(ahci, &device), OK);
	CHECK_EQ(ahci->port_count, 0);
	setup_controller(true);
	m.is_silent = true;
	CHECK_EQ(ahci_open(ahci, &device), OK);
	CHECK_EQ(ahci->port_count, 0);
	setup_controller(true);
	m.never_stops = true;
	CHECK_EQ(ahci_open(ahci, &device), OK);
	CHECK_EQ(ahci->port_count, 0);
	setup_controller(true);
	m.is_gone = true;
	CHECK_EQ(ahci_open(ahci, &device), ERR_NODEV);
	setup_controller(true);
	m.capabilities &= ~CAP_64_BIT;
	CHECK_EQ(ahci_open(ahci, &device), ERR_NODEV);
}

TEST(any_identity_of_a_disk_is_survived)
{
	for (uint32_t round = 0; round < 500; round++) {
		setup_controller(round & 1);
		for (uint32_t i = 0; i < ID_BYTES / 2; i++)
			m.id[i] = (uint16_t)test_random();
		if (round & 2)
			m.id[ID_COMMANDS] = 1 << 14 | 1 << 10, m.id[ID_SECTOR_SHAPE] = 0;
		CHECK_EQ(ahci_open(ahci, &device), OK);
		for (uint32_t i = 0; i < ahci->port_count; i++) {
			const struct disk_info *d = &ahci->port[i].disk.info;
			CHECK(d->bytes <= INT64_MAX && d->queue_depth >= 1 && d->queue_depth <= SLOTS_MAX);
		}
	}
}

TEST(no_memory_is_an_error)
{
	for (uint32_t n = 1; n <= 6; n++) {
		setup_controller(true);
		test_dma.fail_after = n;
		CHECK_EQ(ahci_open(ahci, &device), ERR_NOMEM);
	}
}
