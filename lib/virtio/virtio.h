/* lib/virtio/virtio.h - virtio 1.x devices on PCI: finding their registers, agreeing on features, starting and resetting them.
 *
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, sections 2.1, 2.2, 3.1 and 4.1. Legacy devices are not driven. The device is not trusted:
 * what it says is checked where it is used; one that is gone reads as all ones (virtio_is_gone).
 * Not thread-safe.
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "lib/base/attr.h"
#include "lib/driver/driver.h"

/* Feature bits that every kind of device has (6 Reserved Feature Bits). */
#define VIRTIO_INDIRECT         (1ull << 28)
#define VIRTIO_EVENT_INDEX      (1ull << 29)
#define VIRTIO_VERSION_1        (1ull << 32)
#define VIRTIO_ACCESS_PLATFORM  (1ull << 33)

enum { VIRTIO_BARS = 6, VIRTIO_NO_VECTOR = 0xffff };

/* A window of registers. */
struct virtio_window {
	volatile uint8_t *at;           /* NULL: there is none */
	uint32_t bytes;
};

struct virtio {
	struct device *device;
	struct device_bar bar[VIRTIO_BARS];     /* those that were needed: at is not NULL */
	struct virtio_window common, notify, isr, config;
	uint32_t notify_multiplier;
	uint64_t wanted, features;      /* features: agreed on */
	uint16_t queue_count;           /* as the device says */
};

/* Finds the registers, resets the device and agrees on the features in wanted that it has; VIRTIO_VERSION_1 is always needed, and
 * VIRTIO_ACCESS_PLATFORM is taken where offered. NODEV: not a modern virtio device, or it refuses; INVAL: its capabilities make no sense. */
err_t virtio_open(struct virtio *v, struct device *d, uint64_t wanted) NONNULL MUST_CHECK;
/* Finds the registers of a device that another instance of us started, which goes on as it is; that took the same features. NODEV: it does not run. */
err_t virtio_adopt(struct virtio *v, struct device *d, uint64_t wanted) NONNULL MUST_CHECK;
/* Reset, and the same features again; queues must be opened anew. After that, virtio_start. NODEV. */
err_t virtio_reset(struct virtio *v) NONNULL MUST_CHECK;
/* The queues are open: the device may use them. */
void virtio_start(struct virtio *v) NONNULL;
/* Which interrupt (of DEVICE_INTERRUPT) tells of changes of the configuration; VIRTIO_NO_VECTOR: none. BUSY: the device cannot. */
err_t virtio_set_config_vector(struct virtio *v, uint16_t vector) NONNULL MUST_CHECK;
/* The device vanished (hot unplug), or wants to be reset after an error of its own. */
bool virtio_is_gone(const struct virtio *v) NONNULL;
bool virtio_needs_reset(const struct virtio *v) NONNULL;
/* Little-endian number of 1, 2, 4 or 8 bytes of the device's configuration; 0 beyond its end. */
uint64_t virtio_config(const struct virtio *v, uint32_t offset, uint32_t bytes) NONNULL;
/* Writes 4 bytes of it; beyond its end: nothing. */
void virtio_config_write(const struct virtio *v, uint32_t offset, uint32_t value) NONNULL;
