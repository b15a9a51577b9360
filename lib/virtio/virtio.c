/* lib/virtio/virtio.c - the PCI transport (VIRTIO 1.2, 4.1). */
#include "lib/virtio/virtio.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"
#include "lib/virtio/registers.h"

/* PCI 3.0, 6.1 and 6.7: status has bit 4 when there are capabilities, the first is at 0x34. */
enum { PCI_STATUS = 0x06, PCI_STATUS_CAPABILITIES = 1 << 4, PCI_CAPABILITIES = 0x34, PCI_CAPABILITY_VENDOR = 9, CAPABILITIES_MAX = 48 };

/* 4.1.4: a vendor capability, and the types of what it describes. */
enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_NOTIFY_MULTIPLIER = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY = 2, TYPE_ISR = 3, TYPE_DEVICE = 4 };

/* How often the status is read until a reset is over: it is immediate in practice. */
enum { RESET_READS = 100000 };

/* ---- Finding the registers ---- */

static struct virtio_window *window_of(struct virtio *v, uint32_t type)
{
	switch (type) {
	case TYPE_COMMON:
		return &v->common;
	case TYPE_NOTIFY:
		return &v->notify;
	case TYPE_ISR:
		return &v->isr;
	case TYPE_DEVICE:
		return &v->config;
	default:
		return NULL;
	}
}

static err_t window_map(struct virtio *v, uint32_t bar, uint32_t offset, uint32_t bytes, struct virtio_window *out)
{
	if (bar >= VIRTIO_BARS)
		return ERR_INVAL;
	struct device_bar *b = &v->bar[bar];
	if (!b->at)
		TRY(device_map_bar(v->device, bar, b));
	if (!b->at || !range_fits(offset, bytes, b->bytes))
		return ERR_INVAL;
	if (b->hole_bytes && offset < b->hole_offset + b->hole_bytes && b->hole_offset < (uint64_t)offset + bytes)
		return ERR_INVAL;
	*out = (struct virtio_window){ b->at + offset, bytes };
	return OK;
}

/* One vendor capability; the first of a type is the device's preference. */
static err_t capability_take(struct virtio *v, uint32_t at)
{
	uint32_t type, bar, offset, bytes;

	TRY(device_config(v->device, at + CAP_TYPE, 1, &type));
	struct virtio_window *w = window_of(v, type);
	if (!w || w->at)
		return OK;
	TRY(device_config(v->device, at + CAP_BAR, 1, &bar));
	TRY(device_config(v->device, at + CAP_OFFSET, 4, &offset));
	TRY(device_config(v->device, at + CAP_LENGTH, 4, &bytes));
	if (type == TYPE_NOTIFY)
		TRY(device_config(v->device, at + CAP_NOTIFY_MULTIPLIER, 4, &v->notify_multiplier));
	return window_map(v, bar, offset, bytes, w);
}

static err_t capabilities_walk(struct virtio *v)
{
	uint32_t status, at, id;

	TRY(device_config(v->device, PCI_STATUS, 2, &status));
	if (!(status & PCI_STATUS_CAPABILITIES))
		return ERR_NODEV;
	TRY(device_config(v->device, PCI_CAPABILITIES, 1, &at));
	for (uint32_t n = 0; (at &= ~3u) != 0; n++) {
		if (n == CAPABILITIES_MAX || at < 0x40)
			return ERR_INVAL;
		TRY(device_config(v->device, at, 1, &id));
		if (id == PCI_CAPABILITY_VENDOR)
			TRY(capability_take(v, at));
		TRY(device_config(v->device, at + 1, 1, &at));
	}
	if (!v->common.at || !v->notify.at)
		return ERR_NODEV;
	return v->common.bytes < COMMON_BYTES ? ERR_INVAL : OK;
}

/* ---- Status and features ---- */

static void status_set(struct virtio *v, uint8_t status) { mmio_write8(v->common.at + COMMON_STATUS, status); }
static uint8_t status_get(const struct virtio *v) { return mmio_read8(v->common.at + COMMON_STATUS); }

bool virtio_is_gone(const struct virtio *v)
{
	return status_get(v) == 0xff;
}

bool virtio_needs_reset(const struct virtio *v)
{
	return status_get(v) & STATUS_NEEDS_RESET;
}

static uint64_t features_offered(struct virtio *v)
{
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		mmio_write32(v->common.at + COMMON_DEVICE_FEATURE_SELECT, half);
		features |= (uint64_t)mmio_read32(v->common.at + COMMON_DEVICE_FEATURE) << half * 32;
	}
	return features;
}

static void features_take(struct virtio *v)
{
	for (uint32_t half = 0; half < 2; half++) {
		mmio_write32(v->common.at + COMMON_DRIVER_FEATURE_SELECT, half);
		mmio_write32(v->common.at + COMMON_DRIVER_FEATURE, (uint32_t)(v->features >> half * 32));
	}
}

/* 3.1.1, up to the features. */
err_t virtio_reset(struct virtio *v)
{
	uint32_t reads = 0;

	status_set(v, 0);
	while (status_get(v) != 0)
		if (++reads == RESET_READS)
			return ERR_NODEV;
	status_set(v, STATUS_ACKNOWLEDGE);
	status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	v->features = features_offered(v) & (v->wanted | VIRTIO_VERSION_1 | VIRTIO_ACCESS_PLATFORM);
	if (!(v->features & VIRTIO_VERSION_1))
		return ERR_NODEV;
	features_take(v);
	status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(status_get(v) & STATUS_FEATURES_OK))
		return ERR_NODEV;
	v->queue_count = mmio_read16(v->common.at + COMMON_QUEUE_COUNT);
	return OK;
}

err_t virtio_open(struct virtio *v, struct device *d, uint64_t wanted)
{
	*v = (struct virtio){ .device = d, .wanted = wanted };
	TRY(capabilities_walk(v));
	return virtio_reset(v);
}

err_t virtio_adopt(struct virtio *v, struct device *d, uint64_t wanted)
{
	*v = (struct virtio){ .device = d, .wanted = wanted };
	TRY(capabilities_walk(v));
	uint8_t status = status_get(v);
	if (status == 0xff || !(status & STATUS_DRIVER_OK) || (status & (STATUS_NEEDS_RESET | STATUS_FAILED)))
		return ERR_NODEV;
	v->features = features_offered(v) & (v->wanted | VIRTIO_VERSION_1 | VIRTIO_ACCESS_PLATFORM);
	v->queue_count = mmio_read16(v->common.at + COMMON_QUEUE_COUNT);
	return OK;
}

void virtio_start(struct virtio *v)
{
	status_set(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

err_t virtio_set_config_vector(struct virtio *v, uint16_t vector)
{
	mmio_write16(v->common.at + COMMON_CONFIG_VECTOR, vector);
	return mmio_read16(v->common.at + COMMON_CONFIG_VECTOR) == vector ? OK : ERR_BUSY;
}

static uint64_t config_once(const volatile uint8_t *at, uint32_t bytes)
{
	switch (bytes) {
	case 1:
		return mmio_read8(at);
	case 2:
		return mmio_read16(at);
	case 4:
		return mmio_read32(at);
	default:
		return mmio_read32(at) | (uint64_t)mmio_read32(at + 4) << 32;
	}
}

/* 2.5.1: longer fields may change between two reads; the generation tells. */
uint64_t virtio_config(const struct virtio *v, uint32_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	if (!v->config.at || !range_fits(offset, bytes, v->config.bytes))
		return 0;
	for (uint32_t tries = 0; tries < 8; tries++) {
		uint8_t before = mmio_read8(v->common.at + COMMON_GENERATION);
		value = config_once(v->config.at + offset, bytes);
		if (mmio_read8(v->common.at + COMMON_GENERATION) == before)
			break;
	}
	return value;
}

void virtio_config_write(const struct virtio *v, uint32_t offset, uint32_t value)
{
	if (v->config.at && range_fits(offset, sizeof(value), v->config.bytes))
		mmio_write32(v->config.at + offset, value);
}
