/* drivers/block/ahci/port.c - commands to one disk. */
#include "drivers/block/ahci/port.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

enum { LIST_BYTES = 1024, RECEIVED_BYTES = 256, POLL_NS = 100000 };
#define STOP_NS         500000000ull
#define COMMAND_NS      5000000000ull

/* Beside each table lies an area for what a command itself sends or brings: the tables come first, then the areas. */
enum { AREA_BYTES = 512 };

uint32_t port_get(const struct ahci_port *p, uint32_t at) { return mmio_read32(p->ahci->bar.at + HBA_PORT_0 + p->number * HBA_PORT_BYTES + at); }
void port_set(const struct ahci_port *p, uint32_t at, uint32_t value) { mmio_write32(p->ahci->bar.at + HBA_PORT_0 + p->number * HBA_PORT_BYTES + at, value); }

static struct ahci_table *table_at(struct ahci_port *p, uint32_t slot) { return (struct ahci_table *)p->tables.at + slot; }
static size_t area_offset(uint32_t slot) { return SLOTS_MAX * sizeof(struct ahci_table) + slot * AREA_BYTES; }

/* ---- Starting and stopping (10.1.2, 10.3.2) ---------------------------------------------------------------------------- */

static err_t wait_clear(struct ahci_port *p, uint32_t at, uint32_t bits)
{
	uint64_t end = block_now() + STOP_NS;

	while (port_get(p, at) & bits) {
		if (block_now() > end)
			return ERR_TIMEDOUT;
		block_sleep(POLL_NS);
	}
	return OK;
}

static err_t port_stop(struct ahci_port *p)
{
	port_set(p, PORT_COMMAND, port_get(p, PORT_COMMAND) & ~(uint32_t)COMMAND_START);
	TRY(wait_clear(p, PORT_COMMAND, COMMAND_RUNNING));
	port_set(p, PORT_COMMAND, port_get(p, PORT_COMMAND) & ~(uint32_t)COMMAND_RECEIVE);
	return wait_clear(p, PORT_COMMAND, COMMAND_RECEIVING);
}

err_t port_quiet(struct ahci_port *p)
{
	port_set(p, PORT_ENABLE, 0);
	return port_stop(p);
}

static err_t memory_get(struct ahci_port *p)
{
	struct device *d = p->ahci->device;

	if (p->list.at)
		return OK;
	TRY(dma_allocate(d, SLOTS_MAX * (sizeof(struct ahci_table) + AREA_BYTES), 0, DMA_WHOLE, &p->tables));
	TRY(dma_allocate(d, RECEIVED_BYTES, 0, DMA_WHOLE, &p->received));
	return dma_allocate(d, LIST_BYTES, 0, DMA_WHOLE, &p->list);
}

static void address_set(struct ahci_port *p, uint32_t at, const struct dma_memory *m)
{
	uint64_t address = dma_address(m, 0, NULL);

	port_set(p, at, (uint32_t)address);
	port_set(p, at + 4, (uint32_t)(address >> 32));
}

err_t port_start(struct ahci_port *p)
{
	TRY(memory_get(p));
	TRY(port_stop(p));
	address_set(p, PORT_LIST, &p->list);
	address_set(p, PORT_RECEIVED, &p->received);
	port_set(p, PORT_ERRORS, UINT32_MAX);
	port_set(p, PORT_INTERRUPTS, UINT32_MAX);
	uint32_t command = port_get(p, PORT_COMMAND) | COMMAND_POWER | COMMAND_SPIN_UP | COMMAND_RECEIVE;
	port_set(p, PORT_COMMAND, command);
	TRY(wait_clear(p, PORT_TASK, TASK_BUSY | TASK_WANTS_DATA));
	port_set(p, PORT_COMMAND, command | COMMAND_START);
	port_set(p, PORT_ENABLE, PORT_ENDED | PORT_CHANGED | PORT_FAILED);
	p->out = p->started = p->queued = 0;
	return OK;
}

/* ---- Commands ---------------------------------------------------------------------------------------------------------- */

struct ata {
	uint8_t command;
	uint16_t features, count;
	uint64_t sector;
	bool is_write;
};

static void fis_fill(uint8_t *fis, const struct ata *c)
{
	memset(fis, 0, 20);
	fis[0] = FIS_HOST_TO_DEVICE;
	fis[1] = FIS_COMMAND;
	fis[2] = c->command;
	fis[3] = (uint8_t)c->features;
	fis[7] = DEVICE_LBA;
	fis[11] = (uint8_t)(c->features >> 8);
	fis[12] = (uint8_t)c->count;
	fis[13] = (uint8_t)(c->count >> 8);
	for (uint32_t i = 0; i < 3; i++) {
		fis[4 + i] = (uint8_t)(c->sector >> 8 * i);
		fis[8 + i] = (uint8_t)(c->sector >> 8 * (3 + i));
	}
}

static void slot_fill(struct ahci_port *p, uint32_t slot, const struct ata *c, const struct dma_piece *piece, uint32_t pieces)
{
	struct ahci_header *h = (struct ahci_header *)p->list.at + slot;
	struct ahci_table *t = table_at(p, slot);

	fis_fill(t->fis, c);
	for (uint32_t i = 0; i < pieces; i++)
		t->piece[i] = (struct ahci_piece){ .address = piece[i].address, .bytes_less_1 = (uint32_t)piece[i].bytes - 1 };
	*h = (struct ahci_header){
		.flags = (uint16_t)(HEADER_FIS_WORDS | (c->is_write ? HEADER_WRITE : 0)), .pieces = (uint16_t)pieces,
		.table = dma_address(&p->tables, slot * sizeof(*t), NULL),
	};
}

static uint16_t count_of(const struct block_request *r) { return (uint16_t)r->sectors; }         /* 0x10000 is 0, as ATA says it */

static void transfer_make(const struct ahci_port *p, const struct block_request *r, uint32_t slot, bool is_queued, struct ata *c)
{
	(void)p;
	c->is_write = r->op == BLOCK_WRITE;
	c->sector = r->sector;
	if (is_queued) {
		c->command = c->is_write ? ATA_WRITE_QUEUED : ATA_READ_QUEUED;
		c->features = count_of(r);
		c->count = (uint16_t)(slot << 3);
	} else {
		c->command = c->is_write ? ATA_WRITE : ATA_READ;
		c->count = count_of(r);
	}
}

/* The ranges of a TRIM: 48 bits of sector, 16 of count each. One sector of them is enough: lib/block cuts. */
static struct dma_piece trim_make(struct ahci_port *p, const struct block_request *r, uint32_t slot)
{
	size_t at = area_offset(slot);
	uint64_t entry[TRIM_BYTES / 8] = { 0 }, sector = r->sector, left = r->sectors;

	for (uint32_t i = 0; left > 0; i++) {
		uint64_t count = MIN_OF(left, (uint64_t)TRIM_SECTORS_MAX);
		entry[i] = sector | count << 48;
		sector += count;
		left -= count;
	}
	memcpy(p->tables.at + at, entry, TRIM_BYTES);
	return (struct dma_piece){ dma_address(&p->tables, at, NULL), TRIM_BYTES };
}

static void request_make(struct ahci_port *p, const struct block_request *r, uint32_t slot, bool is_queued)
{
	struct ata c = { 0 };
	struct dma_piece ranges;

	switch (r->op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		transfer_make(p, r, slot, is_queued, &c);
		slot_fill(p, slot, &c, r->piece, r->piece_count);
		break;
	case BLOCK_DISCARD:
		ranges = trim_make(p, r, slot);
		c = (struct ata){ .command = ATA_DATASET, .features = DATASET_TRIM, .count = 1, .is_write = true };
		slot_fill(p, slot, &c, &ranges, 1);
		break;
	default:
		c.command = ATA_FLUSH;
		slot_fill(p, slot, &c, NULL, 0);
	}
}

static err_t port_begin(void *driver, struct block_request *r)
{
	struct ahci_port *p = driver;
	bool is_queued = p->can_queue && !p->careful && (r->op == BLOCK_READ || r->op == BLOCK_WRITE);

	if (p->is_gone)
		return ERR_NODEV;
	/* Queued ones among themselves; everything else alone. */
	if (p->out && (!is_queued || p->out != p->queued))
		return ERR_AGAIN;
	uint32_t slot = lowest_bit(~(uint64_t)p->out);
	if (slot >= p->slots)
		return ERR_AGAIN;
	request_make(p, r, slot, is_queued);
	p->request[slot] = r;
	p->out |= 1u << slot;
	p->queued |= is_queued ? 1u << slot : 0;
	return OK;
}

static void port_kick(void *driver)
{
	struct ahci_port *p = driver;
	uint32_t new = p->out & ~p->started;

	if (!new)
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	p->started |= new;
	if (new & p->queued)
		port_set(p, PORT_ACTIVE, new & p->queued);
	port_set(p, PORT_ISSUED, new);
}

/* ---- What becomes of them ------------------------------------------------------------------------------------------------ */

static void slot_end(struct ahci_port *p, uint32_t slot, err_t err)
{
	struct block_request *r = p->request[slot];

	p->out &= ~(1u << slot);
	p->started &= ~(1u << slot);
	p->queued &= ~(1u << slot);
	if (p->careful && err != ERR_AGAIN)
		p->careful--;
	block_done(r, err);
}

static void port_gone(struct ahci_port *p)
{
	/* Registers of a controller that was pulled read as ones: it stops for good, and writes nowhere. */
	bool is_pulled = port_get(p, PORT_SATA_STATUS) == UINT32_MAX;

	p->is_gone = true;
	/* Nobody looks at it any more: what came later would interrupt for ever, and what it still writes would be the other ports' data. */
	if (!is_pulled && port_quiet(p))
		driver_fail("ahci: a port does not stop");
	else
		block_remove(&p->disk);
}

/* All that is out, taken back: port_start forgets it. */
static uint32_t take_back(struct ahci_port *p, struct block_request *lost[SLOTS_MAX])
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < SLOTS_MAX; slot++)
		if (p->out >> slot & 1)
			lost[count++] = p->request[slot];
	return count;
}

static bool is_present(const struct ahci_port *p)
{
	return (port_get(p, PORT_SATA_STATUS) & SATA_DETECTION) == SATA_PRESENT;
}

/* The port stopped at an error (or did not answer). What was alone has the error; of several, nobody knows. And what was alone just after an error of
 * several may have that one's echo: it is asked again, until lib/block has it given up. */
static void port_recover(struct ahci_port *p, err_t if_alone)
{
	struct block_request *lost[SLOTS_MAX];
	uint32_t count = take_back(p, lost), queued = p->queued;

	if (!is_present(p) || port_start(p)) {
		port_gone(p);
		return;
	}
	/* After a queued command failed a disk says so with every other queued one, until one that is not queued came (ACS-3, 4.16.3). */
	if (count == 1 && !queued && p->careful)
		if_alone = ERR_AGAIN;
	else if (count > 1 || queued)
		p->careful = count;
	for (uint32_t i = 0; i < count; i++)
		block_done(lost[i], count == 1 ? if_alone : ERR_AGAIN);
}

static void port_stuck(void *driver, struct block_request *r)
{
	struct ahci_port *p = driver;

	(void)r;
	if (!p->is_gone)
		port_recover(p, ERR_AGAIN);
}

const struct block_ops port_ops = { .start = port_begin, .kick = port_kick, .stuck = port_stuck };

/* What the controller and the disk have both let go of. */
static void port_drain(struct ahci_port *p)
{
	uint32_t busy = port_get(p, PORT_ISSUED) | port_get(p, PORT_ACTIVE), ended = p->started & ~busy;

	for (; ended; ended &= ended - 1)
		slot_end(p, lowest_bit(ended), OK);
}

void port_interrupt(struct ahci_port *p)
{
	if (p->is_gone)
		return;
	uint32_t why = port_get(p, PORT_INTERRUPTS);
	if (why == UINT32_MAX) {
		port_gone(p);
		return;
	}
	port_set(p, PORT_INTERRUPTS, why);
	if ((why & PORT_CHANGED) && !is_present(p)) {
		port_gone(p);
	} else if (why & PORT_FAILED) {
		/* What ended well before that did end: only a single one's issue bit stays. */
		if (p->out == p->queued)
			port_drain(p);
		port_recover(p, ERR_IO);
	} else {
		port_drain(p);
	}
}

err_t port_identify(struct ahci_port *p, uint16_t words[ID_BYTES / 2])
{
	struct dma_piece piece = { dma_address(&p->tables, area_offset(0), NULL), ID_BYTES };
	struct ata c = { .command = ATA_IDENTIFY };
	uint64_t end = block_now() + COMMAND_NS;

	slot_fill(p, 0, &c, &piece, 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	port_set(p, PORT_ISSUED, 1);
	while (port_get(p, PORT_ISSUED) & 1) {
		if (port_get(p, PORT_INTERRUPTS) & PORT_FAILED)
			return ERR_IO;
		if (block_now() > end)
			return ERR_TIMEDOUT;
		block_sleep(POLL_NS);
	}
	if (port_get(p, PORT_TASK) & TASK_ERROR)
		return ERR_IO;
	port_set(p, PORT_INTERRUPTS, UINT32_MAX);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	memcpy(words, p->tables.at + area_offset(0), ID_BYTES);
	return OK;
}
