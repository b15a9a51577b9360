/* lib/virtio/virtqueue.c - the split ring. What the device may write is read once, checked, and never relied on. */
#include "lib/virtio/virtqueue.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"
#include "lib/virtio/registers.h"

/* 2.7.5 */
struct virtq_descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};
enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_INDIRECT = 4 };
STATIC_ASSERT(sizeof(struct virtq_descriptor) == 16, "as the device reads it");

/* In 16-bit words: flags, index, then entries (of one word, or of 8 bytes), then the other side's event index. */
enum { RING_FLAGS = 0, RING_INDEX = 1, RING_ENTRIES = 2, USED_ENTRY_WORDS = 4 };
enum { USED_NO_NOTIFY = 1, AVAILABLE_NO_INTERRUPT = 1 };

static void fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
static void fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
static void fence_full(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static volatile uint16_t *used_event(struct virtqueue *q) { return q->available_ring + RING_ENTRIES + q->size; }
static volatile uint16_t *available_event(struct virtqueue *q) { return q->used_ring + RING_ENTRIES + USED_ENTRY_WORDS * q->size; }

/* ---- Setting up ---- */

static size_t available_offset(uint32_t size) { return size * sizeof(struct virtq_descriptor); }
static size_t used_offset(uint32_t size) { return round_up(available_offset(size) + 2 * (RING_ENTRIES + size + 1), 4); }
static size_t ring_bytes(uint32_t size) { return used_offset(size) + 2 * (RING_ENTRIES + USED_ENTRY_WORDS * size + 1); }

/* A table must not cross what may be a gap between pages. */
static uint32_t table_bytes_for(uint32_t pieces)
{
	uint32_t bytes = sizeof(struct virtq_descriptor);

	while (bytes < pieces * sizeof(struct virtq_descriptor))
		bytes *= 2;
	return bytes;
}

static err_t memory_get(struct virtqueue *q)
{
	struct device *d = q->virtio->device;

	if (!q->ring.at)
		TRY(dma_allocate(d, ring_bytes(VIRTQUEUE_SIZE_MAX), 0, DMA_WHOLE, &q->ring));
	q->table_bytes = table_bytes_for(q->pieces_max);
	if (q->is_indirect && !q->tables.at)
		TRY(dma_allocate(d, (size_t)q->table_bytes * VIRTQUEUE_SIZE_MAX, 0, 0, &q->tables));
	return OK;
}

static void slots_init(struct virtqueue *q)
{
	for (uint32_t i = 0; i < q->size; i++)
		q->slot[i] = (struct virtqueue_slot){ .next = (uint16_t)(i + 1) };
	q->first_free = 0;
	q->free_count = q->size;
	q->available = q->published = q->used = 0;
	q->outstanding = 0;
	q->is_broken = false;
}

static void register_address(struct virtqueue *q, uint32_t at, size_t offset)
{
	uint64_t address = dma_address(&q->ring, offset, NULL);

	mmio_write32(q->virtio->common.at + at, (uint32_t)address);
	mmio_write32(q->virtio->common.at + at + 4, (uint32_t)(address >> 32));
}

static err_t size_agree(struct virtqueue *q, uint16_t size_max)
{
	volatile uint8_t *common = q->virtio->common.at;
	uint16_t most = mmio_read16(common + COMMON_QUEUE_SIZE);

	if (most == 0)
		return ERR_NODEV;
	if (!is_power_of_two(most) || most > 32768)
		return ERR_INVAL;
	q->size = MIN_OF(MIN_OF(most, size_max), (uint16_t)VIRTQUEUE_SIZE_MAX);
	mmio_write16(common + COMMON_QUEUE_SIZE, q->size);
	return OK;
}

static err_t doorbell_find(struct virtqueue *q)
{
	uint64_t at = (uint64_t)mmio_read16(q->virtio->common.at + COMMON_QUEUE_NOTIFY) * q->virtio->notify_multiplier;

	if (!range_fits(at, sizeof(uint16_t), q->virtio->notify.bytes))
		return ERR_INVAL;
	q->doorbell = q->virtio->notify.at + at;
	return OK;
}

err_t virtqueue_open(struct virtqueue *q, struct virtio *v, uint16_t index, uint16_t size_max, uint32_t pieces_max, uint16_t vector)
{
	volatile uint8_t *common = v->common.at;

	ASSERT(is_power_of_two(size_max) && pieces_max > 0 && pieces_max <= 256);
	if (index >= v->queue_count)
		return ERR_NODEV;
	q->virtio = v;
	q->index = index;
	q->vector = vector;
	q->pieces_max = pieces_max;
	q->is_indirect = v->features & VIRTIO_INDIRECT;
	q->has_event_index = v->features & VIRTIO_EVENT_INDEX;
	mmio_write16(common + COMMON_QUEUE_SELECT, index);
	TRY(size_agree(q, size_max));
	TRY(memory_get(q));
	memset(q->ring.at, 0, q->ring.bytes);
	slots_init(q);
	q->descriptor = (volatile struct virtq_descriptor *)q->ring.at;
	q->available_ring = (volatile uint16_t *)(q->ring.at + available_offset(q->size));
	q->used_ring = (volatile uint16_t *)(q->ring.at + used_offset(q->size));
	register_address(q, COMMON_QUEUE_DESCRIPTORS, 0);
	register_address(q, COMMON_QUEUE_AVAILABLE, available_offset(q->size));
	register_address(q, COMMON_QUEUE_USED, used_offset(q->size));
	mmio_write16(common + COMMON_QUEUE_VECTOR, vector);
	if (mmio_read16(common + COMMON_QUEUE_VECTOR) != vector)
		return ERR_NODEV;
	TRY(doorbell_find(q));
	mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
	return OK;
}

/* ---- To the device ---- */

static void descriptor_set(volatile struct virtq_descriptor *d, const struct dma_piece *p, uint16_t flags, uint16_t next)
{
	d->address = p->address;
	d->bytes = (uint32_t)p->bytes;
	d->flags = flags;
	d->next = next;
}

static uint16_t piece_flags(uint32_t i, uint32_t readable, uint32_t count)
{
	return (uint16_t)((i >= readable ? DESCRIPTOR_WRITE : 0) | (i + 1 < count ? DESCRIPTOR_NEXT : 0));
}

static uint16_t slot_take(struct virtqueue *q)
{
	uint16_t i = q->first_free;

	q->first_free = q->slot[i].next;
	q->free_count--;
	return i;
}

static uint16_t add_indirect(struct virtqueue *q, const struct dma_piece *piece, uint32_t readable, uint32_t count)
{
	uint16_t head = slot_take(q);
	size_t at = (size_t)head * q->table_bytes;
	volatile struct virtq_descriptor *table = (volatile struct virtq_descriptor *)(q->tables.at + at);
	struct dma_piece whole = { dma_address(&q->tables, at, NULL), count * sizeof(*table) };

	for (uint32_t i = 0; i < count; i++)
		descriptor_set(&table[i], &piece[i], piece_flags(i, readable, count), (uint16_t)(i + 1));
	descriptor_set(&q->descriptor[head], &whole, DESCRIPTOR_INDIRECT, 0);
	q->slot[head].count = 1;
	return head;
}

static uint16_t add_chain(struct virtqueue *q, const struct dma_piece *piece, uint32_t readable, uint32_t count)
{
	uint16_t head = q->first_free, at = head;

	for (uint32_t i = 0; i < count; i++) {
		at = slot_take(q);
		/* The free list is the chain: next is already what follows. */
		descriptor_set(&q->descriptor[at], &piece[i], piece_flags(i, readable, count), q->slot[at].next);
	}
	q->slot[head].count = (uint16_t)count;
	return head;
}

static uint32_t bytes_of(const struct dma_piece *piece, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += piece[i].bytes;
	return (uint32_t)MIN_OF(bytes, (uint64_t)UINT32_MAX);
}

err_t virtqueue_add(struct virtqueue *q, const struct dma_piece *piece, uint32_t readable, uint32_t writable, void *token)
{
	uint32_t count = readable + writable, needed = q->is_indirect ? 1 : count;

	if (count == 0 || count > q->pieces_max || needed > q->size)
		return ERR_INVAL;
	if (needed > q->free_count)
		return ERR_AGAIN;
	uint16_t head = q->is_indirect ? add_indirect(q, piece, readable, count) : add_chain(q, piece, readable, count);
	q->slot[head].token = token;
	q->slot[head].writable_bytes = bytes_of(piece + readable, writable);
	q->available_ring[RING_ENTRIES + q->available % q->size] = head;
	q->available++;
	q->outstanding++;
	return OK;
}

/* 2.7.10.1: does the other side want to hear of entries [old, new)? */
static bool wants(uint16_t event, uint16_t new, uint16_t old)
{
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

void virtqueue_kick(struct virtqueue *q)
{
	uint16_t before = q->published;

	if (q->available == before)
		return;
	fence_release();
	q->available_ring[RING_INDEX] = q->published = q->available;
	fence_full();
	if (q->has_event_index ? wants(*available_event(q), q->available, before) : !(q->used_ring[RING_FLAGS] & USED_NO_NOTIFY))
		mmio_write16(q->doorbell, q->index);
}

/* ---- And back ---- */

static void slots_give(struct virtqueue *q, uint16_t head)
{
	uint16_t count = q->slot[head].count, last = head;

	for (uint16_t i = 1; i < count; i++)
		last = q->slot[last].next;
	q->slot[last].next = q->first_free;
	q->first_free = head;
	q->free_count = (uint16_t)(q->free_count + count);
	q->slot[head].token = NULL;
	q->outstanding--;
}

/* How many entries the device says it has used; too many break the queue. */
static uint16_t used_count(struct virtqueue *q)
{
	uint16_t count = (uint16_t)(q->used_ring[RING_INDEX] - q->used);

	if (count > q->outstanding)
		q->is_broken = true;
	return q->is_broken ? 0 : count;
}

void *virtqueue_take(struct virtqueue *q, uint32_t *written)
{
	if (used_count(q) == 0)
		return NULL;
	fence_acquire();
	volatile uint32_t *entry = (volatile uint32_t *)(q->used_ring + RING_ENTRIES + USED_ENTRY_WORDS * (q->used % q->size));
	uint32_t head = entry[0], bytes = entry[1];

	if (head >= q->size || !q->slot[head].token) {
		q->is_broken = true;
		return NULL;
	}
	void *token = q->slot[head].token;
	if (written)
		*written = MIN_OF(bytes, q->slot[head].writable_bytes);
	q->used++;
	slots_give(q, (uint16_t)head);
	return token;
}

bool virtqueue_arm(struct virtqueue *q)
{
	*used_event(q) = q->used;
	fence_full();
	return used_count(q) == 0;
}

void *virtqueue_outstanding(const struct virtqueue *q, uint32_t n)
{
	for (uint32_t i = 0; i < q->size; i++)
		if (q->slot[i].token && n-- == 0)
			return q->slot[i].token;
	return NULL;
}
