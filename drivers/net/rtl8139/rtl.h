/* drivers/net/rtl8139/rtl.h - Realtek's 8139 as a card of lib/net (RTL8139C(L) datasheet, sections 5 and 6).
 *
 * The device writes what it receives into one ring of its own, and sends from four aligned buffers below 4 GiB: frames are copied here.
 */
#pragma once
#include "lib/net/net.h"

enum {
	RTL_SLOTS = 4, RTL_SLOT_BYTES = 1536,
	RTL_RING_BYTES = 32 * 1024, RTL_RING_ROOM = RTL_RING_BYTES + 16 + 2048, /* the last frame may run over the end */
	RTL_REGISTERS_BYTES = 256,
};

/* What the device reads and writes. */
struct rtl_shared {
	uint8_t slot[RTL_SLOTS][RTL_SLOT_BYTES];
	uint8_t ring[RTL_RING_ROOM];
};

struct rtl {
	struct device_bar bar;
	struct dma_memory memory;       /* struct rtl_shared */
	uint32_t ring_at;               /* where the next frame received begins */
	/* Positions; the slot is position % RTL_SLOTS. */
	uint32_t sent, told, done;      /* told: begun by the device */
	uint32_t net_slot[RTL_SLOTS], bytes[RTL_SLOTS];
	bool is_gone;
	struct net_card card;
};

/* Finds out what the device is; the card is described then, the device not started. NODEV, NOMEM. */
err_t rtl_open(struct rtl *r, struct device *d) NONNULL MUST_CHECK;
void rtl_interrupt(struct rtl *r) NONNULL;
