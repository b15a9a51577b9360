/* drivers/iommud/ring.c - split rings (VIRTIO 1.2, 2.7) of a fixed shape. */
#include "drivers/iommud/ring.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"
#include "lib/virtio/registers.h"

enum { DESCRIPTOR_BYTES = 16, DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, STATUS_NOT_WRITTEN = 0xff };
/* Where things lie. The last word is ours: how many used entries were done with. */
enum { AT_DESCRIPTORS = 0, AT_AVAILABLE = 256, AT_USED = 320, AT_SEEN = 512, AT_REQUEST = 576, AT_STATUS = 704, AT_EVENTS = 768 };
STATIC_ASSERT(AT_EVENTS + RING_ENTRIES * RING_EVENT_BYTES <= RING_BYTES, "room for all events");

static volatile uint16_t *available(const struct ring *r) { return (volatile uint16_t *)(r->at + AT_AVAILABLE); }
static volatile uint16_t *used(const struct ring *r) { return (volatile uint16_t *)(r->at + AT_USED); }
static volatile uint16_t *seen(const struct ring *r) { return (volatile uint16_t *)(r->at + AT_SEEN); }

static void descriptor_set(struct ring *r, uint32_t n, size_t at, uint32_t bytes, uint16_t flags, uint16_t next)
{
	volatile uint8_t *d = r->at + AT_DESCRIPTORS + n * DESCRIPTOR_BYTES;

	*(volatile uint64_t *)d = r->physical + at;
	*(volatile uint32_t *)(d + 8) = bytes;
	*(volatile uint16_t *)(d + 12) = flags;
	*(volatile uint16_t *)(d + 14) = next;
}

/* Chain n once more. */
static void publish(struct ring *r, uint16_t n)
{
	volatile uint16_t *a = available(r);

	a[2 + a[1] % RING_ENTRIES] = n;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	a[1] = (uint16_t)(a[1] + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ring_kick(struct ring *r) { mmio_write16(r->doorbell, r->index); }

static void address_set(struct virtio *v, uint32_t at, uint64_t address)
{
	mmio_write32(v->common.at + at, (uint32_t)address);
	mmio_write32(v->common.at + at + 4, (uint32_t)(address >> 32));
}

static err_t queue_start(struct ring *r, struct virtio *v, uint16_t vector)
{
	volatile uint8_t *common = v->common.at;

	if (mmio_read16(common + COMMON_QUEUE_SIZE) < RING_ENTRIES)
		return ERR_NODEV;
	memset((void *)(uintptr_t)r->at, 0, RING_BYTES);
	mmio_write16(common + COMMON_QUEUE_SIZE, RING_ENTRIES);
	address_set(v, COMMON_QUEUE_DESCRIPTORS, r->physical + AT_DESCRIPTORS);
	address_set(v, COMMON_QUEUE_AVAILABLE, r->physical + AT_AVAILABLE);
	address_set(v, COMMON_QUEUE_USED, r->physical + AT_USED);
	mmio_write16(common + COMMON_QUEUE_VECTOR, vector);
	if (mmio_read16(common + COMMON_QUEUE_VECTOR) != vector)
		return ERR_NODEV;
	mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
	return OK;
}

err_t ring_open(struct ring *r, struct virtio *v, uint16_t index, volatile uint8_t *at, uint64_t physical, uint16_t vector, bool again)
{
	*r = (struct ring){ .at = at, .physical = physical, .index = index };
	mmio_write16(v->common.at + COMMON_QUEUE_SELECT, index);
	uint64_t doorbell = (uint64_t)mmio_read16(v->common.at + COMMON_QUEUE_NOTIFY) * v->notify_multiplier;
	if (!range_fits(doorbell, sizeof(uint16_t), v->notify.bytes))
		return ERR_INVAL;
	r->doorbell = v->notify.at + doorbell;
	return again ? OK : queue_start(r, v, vector);
}

/* ---- Requests ---- */

void ring_request(struct ring *r, const void *request, size_t bytes)
{
	memcpy((void *)(uintptr_t)(r->at + AT_REQUEST), request, bytes);
	r->at[AT_STATUS] = STATUS_NOT_WRITTEN;
	descriptor_set(r, 0, AT_REQUEST, (uint32_t)bytes, DESCRIPTOR_NEXT, 1);
	descriptor_set(r, 1, AT_STATUS, 4, DESCRIPTOR_WRITE, 0);
	publish(r, 0);
	ring_kick(r);
}

bool ring_is_done(const struct ring *r)
{
	bool is_done = used(r)[1] == available(r)[1];

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return is_done;
}

int ring_status(const struct ring *r)
{
	uint8_t status = r->at[AT_STATUS];

	return status == STATUS_NOT_WRITTEN ? -1 : status;
}

/* ---- Events ---- */

void ring_events_give(struct ring *r)
{
	for (uint16_t i = 0; i < RING_ENTRIES; i++) {
		descriptor_set(r, i, AT_EVENTS + i * RING_EVENT_BYTES, RING_EVENT_BYTES, DESCRIPTOR_WRITE, 0);
		publish(r, i);
	}
}

/* Which chain the entry that is next to be seen names: RING_ENTRIES: there is none, or it is nonsense. */
static uint32_t next_chain(const struct ring *r)
{
	uint16_t n = *seen(r);

	if (used(r)[1] == n)
		return RING_ENTRIES;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	uint32_t chain = *(volatile uint32_t *)(used(r) + 2 + 4 * (n % RING_ENTRIES));
	return MIN_OF(chain, (uint32_t)RING_ENTRIES);
}

bool ring_event_look(const struct ring *r, struct ring_event *out)
{
	uint32_t chain = next_chain(r);
	const volatile uint8_t *e = r->at + AT_EVENTS + chain * RING_EVENT_BYTES;

	if (chain == RING_ENTRIES)
		return false;
	*out = (struct ring_event){
		.reason = e[0], .flags = *(const volatile uint32_t *)(e + 4), .endpoint = *(const volatile uint32_t *)(e + 8), .address = *(const volatile uint64_t *)(e + 16),
	};
	return true;
}

/* Killed between the two, the buffer is given twice: the device fills it twice. */
void ring_event_done(struct ring *r)
{
	uint32_t chain = next_chain(r);

	*seen(r) = (uint16_t)(*seen(r) + 1);
	if (chain < RING_ENTRIES)
		publish(r, (uint16_t)chain);
}
