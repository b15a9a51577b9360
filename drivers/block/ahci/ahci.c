/* drivers/block/ahci/ahci.c - the controller, and what its disks say of themselves. */
#include "drivers/block/ahci/ahci.h"
#include "drivers/block/ahci/port.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

enum { POLL_NS = 100000 };
#define RESET_NS        1000000000ull
#define SECTORS_MAX     (1ull << 48)

static uint32_t hba_get(const struct ahci *a, uint32_t at) { return mmio_read32(a->bar.at + at); }
static void hba_set(const struct ahci *a, uint32_t at, uint32_t value) { mmio_write32(a->bar.at + at, value); }

/* 10.4.3 */
static err_t controller_reset(struct ahci *a)
{
	uint64_t end = block_now() + RESET_NS;

	hba_set(a, HBA_CONTROL, CONTROL_AHCI);
	hba_set(a, HBA_CONTROL, CONTROL_AHCI | CONTROL_RESET);
	while (hba_get(a, HBA_CONTROL) & CONTROL_RESET) {
		if (block_now() > end)
			return ERR_TIMEDOUT;
		block_sleep(POLL_NS);
	}
	hba_set(a, HBA_CONTROL, CONTROL_AHCI);
	return OK;
}

/* ATA text: two characters a word, the first in the upper half; padded with blanks. */
static void text_take(char *to, size_t room, const uint16_t *words, uint32_t count)
{
	size_t length = 0;

	for (uint32_t i = 0; i < 2 * count && length + 1 < room; i++) {
		char c = (char)(words[i / 2] >> (i % 2 ? 0 : 8));
		to[length++] = c >= ' ' && c < 0x7f ? c : ' ';
	}
	while (length > 0 && to[length - 1] == ' ')
		length--;
	to[length] = 0;
}

static uint32_t words32(const uint16_t *w) { return w[0] | (uint32_t)w[1] << 16; }

/* A word with the pattern 01 in its upper bits says what it says; else it is not there. */
static bool is_valid(uint16_t word) { return word >> 14 == 1; }

static uint32_t sector_bytes(const uint16_t *id, uint32_t *physical)
{
	uint16_t shape = id[ID_SECTOR_SHAPE];
	uint32_t bytes = is_valid(shape) && (shape & 1 << 12) ? words32(id + ID_SECTOR_WORDS) * 2 : 512;

	*physical = is_valid(shape) && (shape & 1 << 13) ? bytes << MIN_OF(shape & 0xf, 6) : bytes;
	return bytes;
}

/* INVAL: no disk that we can drive (48-bit addresses, known sectors). */
static err_t disk_describe(struct ahci_port *p, const uint16_t *id)
{
	struct disk_info *i = &p->disk.info;
	uint64_t sectors = words32(id + ID_SECTORS) | (uint64_t)words32(id + ID_SECTORS + 2) << 32;

	if (!is_valid(id[ID_COMMANDS]) || !(id[ID_COMMANDS] & 1 << 10))
		return ERR_INVAL;
	i->sector_bytes = sector_bytes(id, &i->physical_sector_bytes);
	if (!is_power_of_two(i->sector_bytes) || i->sector_bytes < 512 || i->sector_bytes > 4096 || sectors > SECTORS_MAX)
		return ERR_INVAL;
	i->bytes = sectors * i->sector_bytes;
	i->transfer_bytes_max = BLOCK_TRANSFER_MAX;
	p->disk.pieces_max = AHCI_PIECES_MAX;
	p->can_queue = (p->ahci->capabilities & CAP_QUEUEING) && id[ID_SATA] != 0xffff && (id[ID_SATA] & 1 << 8);
	p->slots = p->can_queue ? MIN_OF((uint32_t)(id[ID_QUEUE] & 31) + 1, CAP_SLOTS(p->ahci->capabilities)) : 1;
	i->queues = 1;
	i->queue_depth = p->slots;
	i->disk_flags = DISK_HAS_FLUSH | (id[ID_TRIM] & 1 ? DISK_HAS_DISCARD : 0) | (id[ID_ROTATION] == 1 ? 0 : DISK_ROTATES);
	p->disk.range_sectors_max = TRIM_SECTORS_MAX * (TRIM_BYTES / 8);
	p->disk.ops = &port_ops;
	p->disk.driver = p;
	text_take(i->serial, sizeof(i->serial), id + ID_SERIAL, ID_SERIAL_WORDS);
	text_take(i->model, sizeof(i->model), id + ID_MODEL, ID_MODEL_WORDS);
	fmt(p->name, sizeof(p->name), "port%u", p->number);
	return OK;
}

/* Its memory is the next one's, unless it goes on using it. */
static err_t port_leave(struct ahci_port *p)
{
	if (port_quiet(p))
		*p = (struct ahci_port){ 0 };
	return OK;
}

/* A port with something that is not a disk, or does not answer, is left alone. */
static err_t port_try(struct ahci *a, uint32_t number)
{
	struct ahci_port *p = &a->port[a->port_count];
	uint16_t id[ID_BYTES / 2];

	p->ahci = a;
	p->number = number;
	if ((port_get(p, PORT_SATA_STATUS) & SATA_DETECTION) != SATA_PRESENT)
		return OK;
	err_t err = port_start(p);
	if (err == ERR_NOMEM)
		return err;
	/* The signature comes with the first thing the disk says, once it can say something. */
	if (err || port_get(p, PORT_SIGNATURE) != SIGNATURE_DISK || port_identify(p, id) || disk_describe(p, id))
		return port_leave(p);
	a->port_count++;
	return OK;
}

err_t ahci_open(struct ahci *a, struct device *d)
{
	a->device = d;
	if (d->info.interrupts == 0)
		return ERR_NODEV;
	TRY(device_map_bar(d, ABAR, &a->bar));
	if (!a->bar.at || a->bar.bytes < HBA_PORT_0)
		return ERR_NODEV;
	a->capabilities = hba_get(a, HBA_CAPABILITIES);
	uint32_t ports = hba_get(a, HBA_PORTS);
	/* One that reaches only the first 4 GiB would need memory there for all data. */
	if (ports == UINT32_MAX || !(a->capabilities & CAP_64_BIT))
		return ERR_NODEV;
	TRY(controller_reset(a));
	for (uint32_t i = 0; i < PORTS_MAX; i++)
		if ((ports >> i & 1) && range_fits(HBA_PORT_0 + i * HBA_PORT_BYTES, HBA_PORT_BYTES, a->bar.bytes))
			TRY(port_try(a, i));
	hba_set(a, HBA_INTERRUPTS, UINT32_MAX);
	hba_set(a, HBA_CONTROL, CONTROL_AHCI | CONTROL_INTERRUPTS);
	return OK;
}

void ahci_interrupt(struct ahci *a)
{
	uint32_t which = hba_get(a, HBA_INTERRUPTS);

	/* The ports' own bits are cleared before the controller's, which gather them (10.7.2.1). */
	for (uint32_t i = 0; i < a->port_count; i++)
		if (which >> a->port[i].number & 1)
			port_interrupt(&a->port[i]);
	hba_set(a, HBA_INTERRUPTS, which);
}
