/* drivers/block/nvme/queue.c - rings of commands and completions; the phase bit tells new from old. */
#include "drivers/block/nvme/queue.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

err_t queue_init(struct nvme_queue *q, struct device *d, uint32_t index, uint32_t size)
{
	if (!q->submit.at)
		TRY(dma_allocate(d, NVME_QUEUE_SIZE * sizeof(struct nvme_entry), 0, DMA_WHOLE, &q->submit));
	if (!q->complete.at)
		TRY(dma_allocate(d, NVME_QUEUE_SIZE * sizeof(struct nvme_completion), 0, DMA_WHOLE, &q->complete));
	if (!q->areas.at)
		TRY(dma_allocate(d, NVME_QUEUE_SIZE * NVME_AREA_BYTES, 0, 0, &q->areas));
	memset(q->complete.at, 0, q->complete.bytes);
	q->index = index;
	q->size = size;
	q->tail = q->told = q->head = q->outstanding = q->free_count = 0;
	q->phase = 1;
	q->is_broken = false;
	memset(q->is_out, 0, sizeof(q->is_out));
	for (uint32_t id = size - 1; id > 0; id--)
		q->free[q->free_count++] = (uint16_t)(id - 1);
	return OK;
}

err_t queue_take(struct nvme_queue *q, struct block_request *r, uint16_t *id)
{
	if (q->free_count == 0)
		return ERR_AGAIN;
	*id = q->free[--q->free_count];
	q->request[*id] = r;
	q->is_out[*id] = true;
	q->outstanding++;
	return OK;
}

void *queue_area(struct nvme_queue *q, uint16_t id, uint64_t *address)
{
	*address = dma_address(&q->areas, (size_t)id * NVME_AREA_BYTES, NULL);
	return q->areas.at + (size_t)id * NVME_AREA_BYTES;
}

void queue_put(struct nvme_queue *q, uint16_t id, const struct nvme_entry *e)
{
	struct nvme_entry *at = (struct nvme_entry *)q->submit.at + q->tail;

	*at = *e;
	at->command |= (uint32_t)id << 16;
	q->tail = (q->tail + 1) % q->size;
}

static volatile uint8_t *doorbell(const struct nvme *n, uint32_t queue, bool is_completion)
{
	return n->bar.at + REG_DOORBELLS + (2 * queue + is_completion) * (4u << CAP_STRIDE(n->capabilities));
}

void queue_kick(struct nvme *n, struct nvme_queue *q)
{
	if (q->told == q->tail)
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->told = q->tail;
	mmio_write32(doorbell(n, q->index, false), q->tail);
}

bool queue_next(struct nvme_queue *q, struct nvme_completion *out, struct block_request **r)
{
	volatile struct nvme_completion *c = (volatile struct nvme_completion *)q->complete.at + q->head;
	uint32_t status = c->status;

	if (q->is_broken || (status >> 16 & 1) != q->phase)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	uint16_t id = (uint16_t)status;
	/* More completions than commands, or one of a command that is not out. */
	if (q->outstanding == 0 || id >= q->size - 1 || !q->is_out[id]) {
		q->is_broken = true;
		return false;
	}
	*out = (struct nvme_completion){ .result = c->result, .status = status };
	*r = q->request[id];
	q->is_out[id] = false;
	q->free[q->free_count++] = id;
	q->outstanding--;
	q->head = (q->head + 1) % q->size;
	q->phase ^= q->head == 0;
	return true;
}

void queue_taken(struct nvme *n, struct nvme_queue *q)
{
	mmio_write32(doorbell(n, q->index, true), q->head);
}
