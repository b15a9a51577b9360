/* drivers/block/nvme/io.c - reads, writes, flushes, deallocation. */
#include "drivers/block/nvme/io.h"
#include "drivers/block/nvme/queue.h"
#include "lib/base/assert.h"
#include "lib/base/try.h"

enum { PAGE = 4096, LIST_MAX = NVME_AREA_BYTES / 8 };
STATIC_ASSERT(BLOCK_TRANSFER_MAX / PAGE <= LIST_MAX, "the list of pages fits beside its command");

/* 4.3: the first page, then the second, or a list of all others. Data begins on a page. */
static void pages_set(struct nvme_queue *q, uint16_t id, const struct block_request *r, struct nvme_entry *e)
{
	uint64_t list_address, *list = queue_area(q, id, &list_address);
	uint32_t count = 0;

	for (uint32_t i = 0; i < r->piece_count; i++)
		for (uint64_t at = 0; at < r->piece[i].bytes; at += PAGE, count++) {
			uint64_t page = r->piece[i].address + at;
			if (count == 0)
				e->prp1 = page;
			else
				list[count - 1] = page;
		}
	ASSERT(count <= LIST_MAX);
	e->prp2 = count == 2 ? list[0] : count > 2 ? list_address : 0;
}

static void range_set(struct nvme_queue *q, uint16_t id, const struct block_request *r, struct nvme_entry *e)
{
	struct nvme_range *range = queue_area(q, id, &e->prp1);

	*range = (struct nvme_range){ .blocks = r->sectors, .first = r->sector };
	e->word11 = DATASET_DEALLOCATE;
}

static void command_make(struct nvme_queue *q, uint16_t id, const struct block_request *r, struct nvme_entry *e)
{
	static const uint32_t opcode[] = {
		[BLOCK_READ] = NVM_READ, [BLOCK_WRITE] = NVM_WRITE, [BLOCK_FLUSH] = NVM_FLUSH, [BLOCK_DISCARD] = NVM_DATASET, [BLOCK_ZERO] = NVM_WRITE_ZEROES,
	};

	e->command = opcode[r->op];
	if (r->op == BLOCK_READ || r->op == BLOCK_WRITE)
		pages_set(q, id, r, e);
	if (r->op == BLOCK_DISCARD) {
		range_set(q, id, r, e);
	} else if (r->op != BLOCK_FLUSH) {
		e->word10 = (uint32_t)r->sector;
		e->word11 = (uint32_t)(r->sector >> 32);
		e->word12 = r->sectors - 1;
	}
}

static err_t io_start(void *driver, struct block_request *r)
{
	struct nvme_space *s = driver;
	struct nvme *n = s->nvme;
	struct nvme_entry e = { .space = s->number };
	uint16_t id = 0;
	err_t err = ERR_AGAIN;

	if (n->is_gone)
		return ERR_NODEV;
	for (uint32_t tries = 0; tries < n->io_count && err == ERR_AGAIN; tries++) {
		struct nvme_queue *q = &n->io[n->next];
		n->next = (n->next + 1) % n->io_count;
		if ((err = queue_take(q, r, &id)))
			continue;
		command_make(q, id, r, &e);
		queue_put(q, id, &e);
	}
	return err;
}

static void io_kick(void *driver)
{
	struct nvme *n = ((struct nvme_space *)driver)->nvme;

	for (uint32_t i = 0; i < n->io_count; i++)
		queue_kick(n, &n->io[i]);
}

static void io_stuck(void *driver, struct block_request *r)
{
	(void)r;
	nvme_stuck(((struct nvme_space *)driver)->nvme);
}

const struct block_ops io_ops = { .start = io_start, .kick = io_kick, .stuck = io_stuck };

static err_t status_error(uint32_t status)
{
	switch (status & STATUS_CODE_MASK) {
	case 0:
		return OK;
	case STATUS_BAD_OPCODE:
		return ERR_OPNOTSUPP;
	case STATUS_ABORTED:
	case STATUS_QUEUE_DELETED:
		return ERR_AGAIN;
	case STATUS_WRITE_PROTECTED:
		return ERR_ROFS;
	default:
		return ERR_IO;
	}
}

void io_drain(struct nvme *n, struct nvme_queue *q)
{
	struct nvme_completion c;
	struct block_request *r;
	/* No more than were out: what is started meanwhile has its turn at the next interrupt. */
	uint32_t most = q->outstanding, taken = 0;

	while (taken < most && queue_next(q, &c, &r)) {
		taken++;
		block_done(r, status_error(c.status >> 17));
	}
	/* One that came although nothing was out. */
	if (most == 0)
		(void)!queue_next(q, &c, &r);
	if (taken)
		queue_taken(n, q);
}
