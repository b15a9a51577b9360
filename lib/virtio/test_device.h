/* lib/virtio/test_device.h - a virtio device on PCI for host tests: registers, rings and all, honest or (as the test says) not.
 *
 * A test includes it once, fills `mock`, and defines mock_process, which is called at each doorbell.
 */
#pragma once
#include "lib/base/bits.h"
#include "lib/driver/mmio.h"
#include "lib/driver/test_dma.h"
#include "lib/test/test.h"
#include "lib/virtio/registers.h"
#include "lib/virtio/virtqueue.h"

enum { MOCK_CONFIG_BYTES = 256, MOCK_QUEUES = 8, MOCK_DEVICE_BYTES = 256, MOCK_NOTIFY_STEP = 4 };
/* Registers are no memory: addresses from here stand for BAR 4. */
#define MOCK_BAR 0x7000000000ull
enum { MOCK_COMMON = 0x0, MOCK_ISR = 0x1000, MOCK_DEVICE = 0x2000, MOCK_NOTIFY = 0x3000, MOCK_BAR_BYTES = 0x4000 };

struct mock_queue {
	uint16_t size, vector, enable;
	uint64_t descriptors, available, used;
	uint16_t seen, done;            /* indexes the device keeps */
};

static struct mock {
	uint8_t pci[MOCK_CONFIG_BYTES];
	uint8_t device[MOCK_DEVICE_BYTES];      /* its own configuration */
	uint64_t features, taken;
	uint32_t device_select, driver_select;
	uint16_t config_vector, queue_count, queue_select, queue_size;
	uint8_t status, generation;
	struct mock_queue queue[MOCK_QUEUES];
	uint32_t doorbells, resets, interrupts;
	bool is_gone, is_wild /* its registers may be anywhere: no doorbells */, refuses_features, never_resets, refuses_vectors;
} mock;

/* The driver rang the doorbell of this queue. */
static void mock_process(uint32_t queue);
/* If set: the driver wrote to the device's own configuration (mock.device has it). */
static void (*mock_configured)(uint32_t at);

/* ---- What lib/driver does on the machine ---- */

err_t device_config(struct device *d, uint32_t offset, uint32_t bytes, uint32_t *out)
{
	(void)d;
	if (!range_fits(offset, bytes, MOCK_CONFIG_BYTES))
		return ERR_INVAL;
	*out = 0;
	memcpy(out, mock.pci + offset, bytes);
	return OK;
}

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	if (bar != 4)
		return ERR_NOENT;
	*out = (struct device_bar){ .at = (volatile uint8_t *)MOCK_BAR, .ports = HANDLE_NONE, .bytes = MOCK_BAR_BYTES };
	return OK;
}

/* ---- Registers ---- */

static struct mock_queue *mock_selected(void)
{
	return mock.queue_select < mock.queue_count && mock.queue_select < MOCK_QUEUES ? &mock.queue[mock.queue_select] : NULL;
}

static uint64_t mock_common_read(uint32_t at)
{
	struct mock_queue *q = mock_selected();

	switch (at) {
	case COMMON_DEVICE_FEATURE:
		return mock.device_select < 2 ? (uint32_t)(mock.features >> mock.device_select * 32) : 0;
	case COMMON_CONFIG_VECTOR:
		return mock.config_vector;
	case COMMON_QUEUE_COUNT:
		return mock.queue_count;
	case COMMON_STATUS:
		return mock.status;
	case COMMON_GENERATION:
		return mock.generation;
	case COMMON_QUEUE_SIZE:
		return q ? q->size : 0;
	case COMMON_QUEUE_VECTOR:
		return q ? q->vector : VIRTIO_NO_VECTOR;
	case COMMON_QUEUE_NOTIFY:
		return mock.queue_select;
	default:
		return 0;
	}
}

static void mock_reset(void)
{
	mock.resets++;
	mock.status = 0;
	mock.taken = 0;
	for (uint32_t i = 0; i < MOCK_QUEUES; i++)
		mock.queue[i] = (struct mock_queue){ .size = mock.queue_size, .vector = VIRTIO_NO_VECTOR };
}

static void mock_status_write(uint8_t status)
{
	if (status == 0) {
		if (!mock.never_resets)
			mock_reset();
		return;
	}
	if (mock.refuses_features)
		status &= (uint8_t)~STATUS_FEATURES_OK;
	mock.status = status;
}

static void set_half(uint64_t *to, bool upper, uint64_t value)
{
	*to = upper ? (*to & UINT32_MAX) | value << 32 : (*to & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
}

static void mock_common_write(uint32_t at, uint64_t value)
{
	struct mock_queue *q = mock_selected(), none;

	if (!q)
		q = &none;
	switch (at) {
	case COMMON_DEVICE_FEATURE_SELECT:
		mock.device_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE_SELECT:
		mock.driver_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE:
		set_half(&mock.taken, mock.driver_select == 1, value);
		break;
	case COMMON_CONFIG_VECTOR:
		mock.config_vector = mock.refuses_vectors ? VIRTIO_NO_VECTOR : (uint16_t)value;
		break;
	case COMMON_STATUS:
		mock_status_write((uint8_t)value);
		break;
	case COMMON_QUEUE_SELECT:
		mock.queue_select = (uint16_t)value;
		break;
	case COMMON_QUEUE_SIZE:
		q->size = (uint16_t)value;
		break;
	case COMMON_QUEUE_VECTOR:
		q->vector = mock.refuses_vectors ? VIRTIO_NO_VECTOR : (uint16_t)value;
		break;
	case COMMON_QUEUE_ENABLE:
		q->enable = (uint16_t)value;
		break;
	case COMMON_QUEUE_DESCRIPTORS: case COMMON_QUEUE_DESCRIPTORS + 4:
		set_half(&q->descriptors, at & 4, value);
		break;
	case COMMON_QUEUE_AVAILABLE: case COMMON_QUEUE_AVAILABLE + 4:
		set_half(&q->available, at & 4, value);
		break;
	case COMMON_QUEUE_USED: case COMMON_QUEUE_USED + 4:
		set_half(&q->used, at & 4, value);
		break;
	}
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	uint64_t value = 0;

	CHECK(at >= MOCK_BAR && range_fits(at - MOCK_BAR, bytes, MOCK_BAR_BYTES));
	at -= MOCK_BAR;
	if (mock.is_gone)
		return bytes == 8 ? UINT64_MAX : (1ull << bytes * 8) - 1;
	if (at < MOCK_ISR)
		return mock_common_read((uint32_t)at);
	if (at >= MOCK_DEVICE && range_fits(at - MOCK_DEVICE, bytes, MOCK_DEVICE_BYTES))
		memcpy(&value, mock.device + (at - MOCK_DEVICE), bytes);
	return value;
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	CHECK(at >= MOCK_BAR && range_fits(at - MOCK_BAR, bytes, MOCK_BAR_BYTES));
	at -= MOCK_BAR;
	if (mock.is_gone)
		return;
	if (at < MOCK_ISR) {
		mock_common_write((uint32_t)at, value);
	} else if (at >= MOCK_DEVICE && range_fits(at - MOCK_DEVICE, bytes, MOCK_DEVICE_BYTES)) {
		memcpy(mock.device + (at - MOCK_DEVICE), &value, bytes);
		if (mock_configured)
			mock_configured((uint32_t)(at - MOCK_DEVICE));
	} else if (at >= MOCK_NOTIFY && !mock.is_wild) {
		mock.doorbells++;
		CHECK_EQ((at - MOCK_NOTIFY) / MOCK_NOTIFY_STEP, value);
		mock_process((uint32_t)value);
	}
}

static void mock_capability(uint32_t at, uint32_t next, uint32_t type, uint32_t offset, uint32_t bytes)
{
	uint32_t step = MOCK_NOTIFY_STEP;

	mock.pci[at] = 9;
	mock.pci[at + 1] = (uint8_t)next;
	mock.pci[at + 2] = 20;
	mock.pci[at + 3] = (uint8_t)type;
	mock.pci[at + 4] = 4;
	memcpy(mock.pci + at + 8, &offset, 4);
	memcpy(mock.pci + at + 12, &bytes, 4);
	memcpy(mock.pci + at + 16, &step, 4);
}

/* An honest device with these features (VIRTIO_VERSION_1 is added). */
static void mock_setup(uint64_t features, uint16_t queues, uint16_t queue_size)
{
	test_dma_forget();
	mock = (struct mock){ .features = features | VIRTIO_VERSION_1, .queue_count = queues, .queue_size = queue_size };
	mock.pci[6] = 1 << 4;
	mock.pci[0x34] = 0x40;
	mock_capability(0x40, 0x60, 1, MOCK_COMMON, COMMON_BYTES);
	mock_capability(0x60, 0x80, 2, MOCK_NOTIFY, 0x100);
	mock_capability(0x80, 0xa0, 3, MOCK_ISR, 4);
	mock_capability(0xa0, 0, 4, MOCK_DEVICE, MOCK_DEVICE_BYTES);
	mock_reset();
	mock.resets = 0;
}

/* ---- The device's side of a ring ---- */

struct mock_descriptor { uint64_t address; uint32_t bytes; uint16_t flags, next; };
struct mock_piece { uint8_t *at; uint32_t bytes; bool is_writable; };

static uint16_t *mock_available(struct mock_queue *q) { return test_dma_at(q->available, 4 + 2u * q->size + 2); }
static uint16_t *mock_used(struct mock_queue *q) { return test_dma_at(q->used, 4 + 8u * q->size + 2); }

/* The next chain the driver made available: its head and pieces (how many). False: none. */
static bool mock_next(struct mock_queue *q, uint16_t *head, struct mock_piece *piece, uint32_t max, uint32_t *count)
{
	uint16_t *available = mock_available(q);

	if (!q->enable)
		return false;
	if (available[1] == q->seen) {
		if (mock.taken & VIRTIO_EVENT_INDEX)
			mock_used(q)[2 + 4 * q->size] = q->seen;
		return false;
	}
	*head = available[2 + q->seen++ % q->size];
	CHECK(*head < q->size);
	struct mock_descriptor *table = test_dma_at(q->descriptors, 16u * q->size), *d = &table[*head];
	if (d->flags & 4) {
		table = test_dma_at(d->address, d->bytes);
		d = table;
	}
	bool was_writable = false;
	for (*count = 0;; d = &table[d->next]) {
		CHECK(*count < max);
		CHECK(d->bytes > 0);
		CHECK(!was_writable || (d->flags & 2));
		was_writable = d->flags & 2;
		piece[(*count)++] = (struct mock_piece){ test_dma_at(d->address, d->bytes), d->bytes, was_writable };
		if (!(d->flags & 1))
			return true;
	}
}

static void mock_use_raw(struct mock_queue *q, uint32_t head, uint32_t bytes)
{
	uint16_t *used = mock_used(q), event = mock_available(q)[2 + q->size];
	uint32_t entry[2] = { head, bytes };

	/* 2.7.7.1: with the event index it interrupts for the entry that was asked for, and no other. */
	mock.interrupts += mock.taken & VIRTIO_EVENT_INDEX ? event == q->done : 1;

	memcpy(used + 2 + 4 * (q->done % q->size), entry, sizeof(entry));
	used[1] = ++q->done;
}
