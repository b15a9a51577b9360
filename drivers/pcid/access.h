/* drivers/pcid/access.h - how configuration space and the registers of functions are reached on this machine. */
#pragma once
#include "lib/acpi/acpi.h"
#include "lib/pci/pci.h"
#include "abi/types.h"

/* Finds the firmware's tables. Without them, or what they should say: ports. */
void access_init(void);
/* Its functions are those of the machine. */
const struct pci_host *access_host(void);
/* The trees there are: segment and first bus of each; at least one. */
uint32_t access_root_count(void);
void access_root(uint32_t n, uint16_t *segment, uint8_t *first_bus) NONNULL;
const struct acpi_info *access_acpi(void);
/* Where in physical memory this register lies; 0: in none. */
uint64_t access_register(struct pci_address a, uint32_t offset);
/* Maps page-aligned device memory. NULL: it cannot be. */
volatile uint8_t *access_map(uint64_t start, uint64_t bytes);
void access_unmap(volatile uint8_t *at, uint64_t bytes);
/* A handle of page-aligned device memory, of a range of ports. */
err_t access_memory(uint64_t start, uint64_t bytes, handle_t *out) NONNULL MUST_CHECK;
err_t access_ports(uint16_t first, uint32_t count, handle_t *out) NONNULL MUST_CHECK;
