/* drivers/block/ahci/ahci.h - an AHCI controller and the SATA disks on its ports as disks of lib/block.
 *
 * Reads and writes are queued (NCQ) where controller and disk can; other commands wait until the port is empty. After an error nobody says which of the
 * queued ones it was: all are started again, one at a time and not queued, and the one that fails then has the error.
 */
#pragma once
#include "drivers/block/ahci/registers.h"
#include "lib/block/block.h"

struct ahci_port {
	struct ahci *ahci;
	uint32_t number;
	struct dma_memory list, received, tables;
	struct block_request *request[SLOTS_MAX];
	uint32_t out, started;          /* bits by slot; started: told to the controller */
	uint32_t queued;                /* of out: by NCQ */
	bool can_queue;
	uint32_t slots;                 /* that may be out at once */
	uint32_t careful;               /* so many requests more go alone and not queued */
	struct block_disk disk;
	bool is_gone;
	char name[BLOCK_NAME_MAX + 1];
};

struct ahci {
	struct device *device;
	struct device_bar bar;
	uint32_t capabilities;
	struct ahci_port port[PORTS_MAX];       /* port_count of them: those with disks */
	uint32_t port_count;
};

/* Brings the controller up and describes its disks; they are not yet added. NODEV, NOMEM, TIMEDOUT. */
err_t ahci_open(struct ahci *a, struct device *d) NONNULL MUST_CHECK;
/* An interrupt came. */
void ahci_interrupt(struct ahci *a) NONNULL;
