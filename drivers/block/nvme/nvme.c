/* drivers/block/nvme/nvme.c - bringing the controller up, and back up. */
#include "drivers/block/nvme/nvme.h"
#include "drivers/block/nvme/io.h"
#include "drivers/block/nvme/queue.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

enum { PAGE = 4096, POLL_NS = 100000 };
#define HALF_SECOND_NS  500000000ull
#define ADMIN_NS        5000000000ull

/* ---- The controller ------------------------------------------------------------------------------------------------ */

static uint32_t status(const struct nvme *n) { return mmio_read32(n->bar.at + REG_STATUS); }
static bool is_absent(uint32_t status) { return status == UINT32_MAX; }

static void register64(struct nvme *n, uint32_t at, uint64_t value)
{
	mmio_write32(n->bar.at + at, (uint32_t)value);
	mmio_write32(n->bar.at + at + 4, (uint32_t)(value >> 32));
}

/* Until it is ready (or not ready any more), as long as the controller says that takes. */
static err_t wait_ready(const struct nvme *n, uint32_t wanted)
{
	uint64_t end = block_now() + (CAP_TIMEOUT(n->capabilities) + 1) * HALF_SECOND_NS;
	uint32_t now;

	while (((now = status(n)) & STATUS_READY) != wanted) {
		if (is_absent(now))
			return ERR_NODEV;
		if (wanted && (now & STATUS_FATAL))
			return ERR_IO;
		if (block_now() > end)
			return ERR_TIMEDOUT;
		block_sleep(POLL_NS);
	}
	return is_absent(now) ? ERR_NODEV : OK;
}

static err_t controller_stop(struct nvme *n)
{
	mmio_write32(n->bar.at + REG_CONFIGURATION, 0);
	return wait_ready(n, 0);
}

static err_t controller_start(struct nvme *n)
{
	uint32_t size = MIN_OF(CAP_ENTRIES(n->capabilities) + 1, (uint32_t)NVME_QUEUE_SIZE);

	TRY(controller_stop(n));
	TRY(queue_init(&n->admin, n->device, 0, size));
	mmio_write32(n->bar.at + REG_ADMIN_SIZES, (size - 1) | (size - 1) << 16);
	register64(n, REG_ADMIN_SUBMIT, dma_address(&n->admin.submit, 0, NULL));
	register64(n, REG_ADMIN_COMPLETE, dma_address(&n->admin.complete, 0, NULL));
	mmio_write32(n->bar.at + REG_CONFIGURATION, CONFIGURATION_ON);
	return wait_ready(n, STATUS_READY);
}

/* One admin command, waited for. *result may be NULL. IO: the controller refuses it. */
static err_t admin(struct nvme *n, const struct nvme_entry *e, uint32_t *result)
{
	uint64_t end = block_now() + ADMIN_NS;
	struct nvme_completion c;
	struct block_request *none;
	uint16_t id;

	TRY(queue_take(&n->admin, NULL, &id));
	queue_put(&n->admin, id, e);
	queue_kick(n, &n->admin);
	while (!queue_next(&n->admin, &c, &none)) {
		if (n->admin.is_broken || is_absent(status(n)))
			return ERR_NODEV;
		if (block_now() > end)
			return ERR_TIMEDOUT;
		block_sleep(POLL_NS);
	}
	queue_taken(n, &n->admin);
	if (result)
		*result = c.result;
	return c.status >> 17 & STATUS_CODE_MASK ? ERR_IO : OK;
}

/* ---- Queues -------------------------------------------------------------------------------------------------------- */

/* Result: how many of each the controller gives, less one. */
static err_t queues_ask(struct nvme *n)
{
	uint32_t wanted = NVME_QUEUES_MAX - 1, given;
	struct nvme_entry e = { .command = ADMIN_SET_FEATURES, .word10 = FEATURE_QUEUES, .word11 = wanted | wanted << 16 };

	TRY(admin(n, &e, &given));
	n->io_count = MIN_OF(MIN_OF(given & 0xffff, given >> 16), wanted) + 1;
	return OK;
}

/* 5.3, 5.4: physically contiguous, with interrupts. */
static err_t queue_create(struct nvme *n, struct nvme_queue *q, uint32_t index)
{
	TRY(queue_init(q, n->device, index, n->admin.size));
	uint32_t sizes = index | (q->size - 1) << 16, vector = MIN_OF(index, n->vectors - 1);
	struct nvme_entry complete = {
		.command = ADMIN_CREATE_COMPLETE, .prp1 = dma_address(&q->complete, 0, NULL), .word10 = sizes, .word11 = 3 | vector << 16 };
	struct nvme_entry submit = {
		.command = ADMIN_CREATE_SUBMIT, .prp1 = dma_address(&q->submit, 0, NULL), .word10 = sizes, .word11 = 1 | index << 16 };
	TRY(admin(n, &complete, NULL));
	return admin(n, &submit, NULL);
}

static err_t queues_create(struct nvme *n)
{
	TRY(queues_ask(n));
	for (uint32_t i = 0; i < n->io_count; i++)
		TRY(queue_create(n, &n->io[i], i + 1));
	return OK;
}

/* ---- Namespaces ---------------------------------------------------------------------------------------------------- */

static err_t identify(struct nvme *n, uint32_t what, uint32_t space)
{
	struct nvme_entry e = { .command = ADMIN_IDENTIFY, .space = space, .prp1 = dma_address(&n->page, 0, NULL), .word10 = what };

	memset(n->page.at, 0, IDENTIFY_BYTES);
	return admin(n, &e, NULL);
}

static uint32_t get32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

/* Text padded with blanks, of which we keep what can be printed. */
static void text_take(char *to, size_t room, const uint8_t *from, size_t bytes)
{
	size_t length = MIN_OF(bytes, room - 1);

	while (length > 0 && (from[length - 1] == ' ' || from[length - 1] == 0))
		length--;
	for (size_t i = 0; i < length; i++)
		to[i] = from[i] >= ' ' && from[i] < 0x7f ? (char)from[i] : '?';
	to[length] = 0;
}

/* What all disks of the controller have in common. */
static err_t controller_describe(struct nvme *n, struct disk_info *info)
{
	TRY(identify(n, IDENTIFY_CONTROLLER, 0));
	const uint8_t *c = n->page.at;
	uint8_t transfer = c[CONTROLLER_TRANSFER];
	uint32_t commands = c[CONTROLLER_COMMANDS];

	text_take(info->serial, sizeof(info->serial), c + CONTROLLER_SERIAL, CONTROLLER_SERIAL_BYTES);
	text_take(info->model, sizeof(info->model), c + CONTROLLER_MODEL, CONTROLLER_MODEL_BYTES);
	info->transfer_bytes_max = transfer == 0 || transfer > 6 ? BLOCK_TRANSFER_MAX : MIN_OF(PAGE << transfer, (int)BLOCK_TRANSFER_MAX);
	info->disk_flags = (c[CONTROLLER_CACHE] & 1 ? DISK_HAS_FLUSH : 0) | (commands & COMMANDS_DATASET ? DISK_HAS_DISCARD : 0) |
	                   (commands & COMMANDS_ZEROES ? DISK_HAS_ZERO : 0);
	info->queues = n->io_count;
	info->queue_depth = n->admin.size - 1;
	return OK;
}

/* INVAL: a format that cannot be a disk of ours (metadata, odd sectors). */
static err_t space_describe(struct nvme *n, struct nvme_space *s)
{
	struct disk_info *i = &s->disk.info;

	TRY(identify(n, IDENTIFY_SPACE, s->number));
	const uint8_t *p = n->page.at, *format = p + SPACE_FORMATS + 4 * (p[SPACE_FORMAT] & 0xf);
	uint32_t shift = format[FORMAT_SHIFT];
	uint64_t sectors = get64(p + SPACE_SIZE);
	if (shift < 9 || shift > 12 || (get32(format + FORMAT_METADATA) & 0xffff))
		return ERR_INVAL;
	i->sector_bytes = i->physical_sector_bytes = 1u << shift;
	i->bytes = MIN_OF(sectors, (uint64_t)INT64_MAX >> shift) << shift;
	if (p[SPACE_ATTRIBUTES] & 1)
		i->disk_flags |= DISK_READ_ONLY;
	/* Both commands count in 16 bits, or more. */
	s->disk.range_sectors_max = 0x10000;
	s->disk.ops = &io_ops;
	s->disk.driver = s;
	s->nvme = n;
	fmt(s->name, sizeof(s->name), "n%u", s->number);
	return OK;
}

static err_t spaces_find(struct nvme *n)
{
	struct disk_info common = { 0 };
	uint32_t number[NVME_SPACES_MAX];

	TRY(controller_describe(n, &common));
	TRY(identify(n, IDENTIFY_SPACES, 0));
	for (uint32_t i = 0; i < NVME_SPACES_MAX; i++)
		number[i] = get32(n->page.at + 4 * i);
	for (uint32_t i = 0; i < NVME_SPACES_MAX && number[i] != 0; i++) {
		struct nvme_space *s = &n->space[n->space_count];
		*s = (struct nvme_space){ .number = number[i], .disk.info = common };
		err_t err = space_describe(n, s);
		if (err == ERR_INVAL)
			continue;
		if (err)
			return err;
		n->space_count++;
	}
	return OK;
}

/* ---- What goes wrong ----------------------------------------------------------------------------------------------- */

static void controller_gone(struct nvme *n)
{
	n->is_gone = true;
	for (uint32_t i = 0; i < n->space_count; i++)
		block_remove(&n->space[i].disk);
}

/* Everything that was out is started again (or, after some times, an error). */
static void controller_restart(struct nvme *n)
{
	struct block_request *lost[NVME_QUEUES_MAX * NVME_QUEUE_SIZE];
	uint32_t count = 0, before = n->io_count;

	for (uint32_t i = 0; i < before; i++)
		for (uint32_t id = 0; id < n->io[i].size; id++)
			if (n->io[i].is_out[id])
				lost[count++] = n->io[i].request[id];
	/* A controller that comes back with fewer queues is another one. */
	if (controller_start(n) || queues_create(n) || n->io_count < before) {
		controller_gone(n);
		return;
	}
	n->io_count = before;
	for (uint32_t i = 0; i < count; i++)
		block_done(lost[i], ERR_AGAIN);
}

void nvme_stuck(struct nvme *n)
{
	if (!n->is_gone)
		controller_restart(n);
}

void nvme_interrupt(struct nvme *n)
{
	bool is_broken = false;

	if (n->is_gone)
		return;
	for (uint32_t i = 0; i < n->io_count; i++) {
		io_drain(n, &n->io[i]);
		is_broken |= n->io[i].is_broken;
	}
	uint32_t now = status(n);
	if (is_absent(now))
		controller_gone(n);
	else if (is_broken || (now & STATUS_FATAL))
		controller_restart(n);
}

uint32_t nvme_vectors(const struct device *d)
{
	return MIN_OF((uint32_t)d->info.interrupts, (uint32_t)NVME_QUEUES_MAX + 1);
}

err_t nvme_open(struct nvme *n, struct device *d)
{
	n->device = d;
	n->vectors = nvme_vectors(d);
	if (n->vectors == 0)
		return ERR_NODEV;
	TRY(device_map_bar(d, 0, &n->bar));
	if (!n->bar.at || n->bar.bytes < REG_DOORBELLS)
		return ERR_INVAL;
	n->capabilities = mmio_read32(n->bar.at + REG_CAPABILITIES) | (uint64_t)mmio_read32(n->bar.at + REG_CAPABILITIES + 4) << 32;
	/* Doorbells of all queues must be there, on pages that we have. */
	uint64_t doorbells = 2ull * (NVME_QUEUES_MAX + 1) * (4u << CAP_STRIDE(n->capabilities));
	if (!CAP_NVM(n->capabilities) || CAP_PAGE_MIN(n->capabilities) != 0 || !range_fits(REG_DOORBELLS, doorbells, n->bar.bytes))
		return ERR_NODEV;
	if (n->bar.hole_bytes && n->bar.hole_offset < REG_DOORBELLS + doorbells)
		return ERR_NODEV;
	if (CAP_ENTRIES(n->capabilities) == 0)
		return ERR_INVAL;
	TRY(dma_allocate(d, IDENTIFY_BYTES, 0, DMA_WHOLE, &n->page));
	TRY(controller_start(n));
	TRY(queues_create(n));
	return spaces_find(n);
}
