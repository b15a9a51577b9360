/* drivers/net/e1000/e1000.h - Intel's 8254x (e1000) and 82574 (e1000e) as a card of lib/net. */
#pragma once
#include "drivers/net/e1000/registers.h"
#include "lib/net/net.h"

enum { E1000_ENTRIES = 256 };

/* What the device reads and writes beside frames. */
struct e1000_rings {
	struct e1000_received received[E1000_ENTRIES];
	struct e1000_sent sent[E1000_ENTRIES];
};

struct e1000 {
	struct device *device;
	struct device_bar bar;
	struct dma_memory memory;       /* struct e1000_rings */
	/* Positions; a descriptor lies at position % E1000_ENTRIES. */
	uint32_t given, received, received_tail;        /* ..._tail: that the device was told */
	uint32_t sent, done, sent_tail;
	/* Of a frame, by its first descriptor: */
	uint32_t slot[E1000_ENTRIES];   /* lib/net's */
	uint32_t last[E1000_ENTRIES];   /* position of its last descriptor */
	bool is_82574, has_vectors, is_gone;
	struct net_card card;
};

/* Finds out what the device is; the card is described then, the device not started. NODEV, NOMEM. */
err_t e1000_open(struct e1000 *e, struct device *d) NONNULL MUST_CHECK;
/* It has this kind of interrupt (enum device_interrupt_kind). */
void e1000_set_interrupt(struct e1000 *e, bool has_vectors) NONNULL;
void e1000_interrupt(struct e1000 *e) NONNULL;
