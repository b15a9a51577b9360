/* drivers/net/virtio_net/vnet.h - a virtio network device as a card of lib/net (VIRTIO 1.2, section 5.1). */
#pragma once
#include "lib/net/net.h"
#include "lib/virtio/virtqueue.h"

enum { VNET_QUEUE_SIZE = 256, VNET_HEADER_BYTES = 12 };

/* 5.1.6: before each frame, both ways. */
struct vnet_header {
	uint8_t flags, segment_type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset;
	uint16_t buffers;               /* received: that the frame fills */
};

/* What the device reads and writes beside frames. */
struct vnet_shared {
	struct vnet_header plain;       /* all zeroes: of every frame that asks for nothing */
	struct vnet_header header[ETHERNET_QUEUES_MAX][VNET_QUEUE_SIZE];
	struct { uint8_t class, command; uint8_t acknowledged; } control;
	uint8_t argument[8 + (ETHERNET_GROUPS_MAX + 1) * ETHERNET_ADDRESS_BYTES];
};

struct vnet_pair {
	struct virtqueue receive, send;
	uint32_t given, received;       /* buffers: positions */
	const uint8_t *buffer[VNET_QUEUE_SIZE]; /* where they are */
	uint32_t more;                  /* that the frame being received still fills */
	struct ethernet_entry how;      /* of that frame */
	uint32_t next_header;
};

struct vnet {
	struct virtio virtio;
	struct vnet_pair pair[ETHERNET_QUEUES_MAX];
	struct virtqueue control;
	struct dma_memory memory;       /* struct vnet_shared */
	uint32_t pairs, pairs_max;      /* in use; that the device has */
	uint32_t vectors;               /* interrupt n tells of pair n % pairs; the last of several, of the configuration */
	bool has_control, is_gone;
	struct net_card card;
};

/* Finds out what the device is; the card is described then, the device not started. NODEV, INVAL, NOMEM. */
err_t vnet_open(struct vnet *n, struct device *d) NONNULL MUST_CHECK;
/* Interrupt `number` came. */
void vnet_interrupt(struct vnet *n, uint32_t number) NONNULL;
