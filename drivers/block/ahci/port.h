/* drivers/block/ahci/port.h - one port: starting and stopping it, commands, what becomes of them. */
#pragma once
#include "drivers/block/ahci/ahci.h"

extern const struct block_ops port_ops;

uint32_t port_get(const struct ahci_port *p, uint32_t at) NONNULL;
void port_set(const struct ahci_port *p, uint32_t at, uint32_t value) NONNULL;
/* Its memory, if it has none yet, and running. NOMEM, TIMEDOUT. */
err_t port_start(struct ahci_port *p) NONNULL MUST_CHECK;
/* It interrupts no more, and reads and writes no memory: TIMEDOUT, it does not stop, and what it was given must not become anybody else's. */
err_t port_quiet(struct ahci_port *p) NONNULL MUST_CHECK;
/* One command that brings up to a page of data to the start of the tables' memory (IDENTIFY), waited for. IO, TIMEDOUT. */
err_t port_identify(struct ahci_port *p, uint16_t words[ID_BYTES / 2]) NONNULL MUST_CHECK;
/* Takes what is finished, sees to errors. */
void port_interrupt(struct ahci_port *p) NONNULL;
