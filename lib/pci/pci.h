/* lib/pci/pci.h - PCI configuration space: what a function is, has and can, and how it is stopped.
 *
 * Pure: configuration space is reached through struct pci_host, on the host a mock. A function's answers are a stranger's word: lists may
 * loop, sizes be absurd, numbers contradict each other. What makes no sense is as if it were not there.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/device.h"
#include "lib/base/attr.h"

struct pci_address {
	uint16_t segment;
	uint8_t bus;
	uint8_t slot_function;          /* slot << 3 | function */
};

/* bytes: 1, 2 or 4; offset is a multiple of it, below DEVICE_CONFIG_BYTES. Nobody there reads as ones. */
struct pci_host {
	uint32_t (*read)(void *context, struct pci_address a, uint32_t offset, uint32_t bytes);
	void (*write)(void *context, struct pci_address a, uint32_t offset, uint32_t bytes, uint32_t value);
	/* Waits about so long. */
	void (*wait)(void *context, uint64_t ns);
	uint32_t config_bytes;          /* 256, or DEVICE_CONFIG_BYTES for functions that have them */
	void *context;
};

enum pci_register {
	PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_CLASS = 0x08, PCI_HEADER_TYPE = 0x0e, PCI_BAR = 0x10, PCI_BUSES = 0x18,
	PCI_WINDOW_PORTS = 0x1c, PCI_WINDOW_MEMORY = 0x20, PCI_WINDOW_PREFETCH = 0x24, PCI_SUBSYSTEM = 0x2c, PCI_CAPABILITIES = 0x34, PCI_LINE = 0x3c,
};
enum pci_command {
	PCI_COMMAND_PORTS = 1 << 0, PCI_COMMAND_MEMORY = 1 << 1, PCI_COMMAND_MASTER = 1 << 2, PCI_COMMAND_NO_LINE = 1 << 10,
};
enum { PCI_PINS = 4, PCI_MSIX_ENABLE = 1 << 15, PCI_MSIX_MASK = 1 << 14, PCI_MSI_ENABLE = 1 << 0, PCI_MSIX_ENTRY_BYTES = 16 };

struct pci_bar {
	uint64_t address, bytes;        /* address 0: it has none yet */
	uint8_t kind;                   /* enum device_bar_kind */
	bool is_64_bit, is_prefetchable;
};

/* A function as it was found. Offsets of capabilities: 0, it has none. */
struct pci_function {
	struct pci_address address;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t class, subclass, interface, revision;
	uint8_t header_type;            /* without the bit that says that there are more functions */
	uint8_t line;                   /* interrupt line, as the firmware routed it; 0: none */
	uint8_t pin;                    /* 1: INTA ... 4: INTD; 0: none */
	uint8_t express, power, advanced;       /* capabilities */
	struct pci_bar bar[DEVICE_BARS];
	struct {
		uint8_t at;
		bool is_64_bit;
	} msi;
	struct {
		uint8_t at, table_bar, pending_bar;
		uint16_t count;
		uint32_t table_offset, pending_offset;
	} msix;
	/* Of a bridge (header type 1). */
	uint8_t secondary, last;        /* the bus behind it and the last one; 0: none */
	bool has_slot;                  /* a hot-plug slot */
};

/* Is somebody there? */
bool pci_is_present(const struct pci_host *h, struct pci_address a) NONNULL;
/* May slot's functions beyond 0 be looked for? a: function 0. */
bool pci_has_more_functions(const struct pci_host *h, struct pci_address a) NONNULL;
/* Reads all of it; the BARs' sizes by writing to them: nobody may use the function meanwhile. NODEV: nobody is there. */
err_t pci_read(const struct pci_host *h, struct pci_address a, struct pci_function *out) NONNULL MUST_CHECK;
/* Calls found for each function on this bus and those behind its bridges, a bridge before what is behind it; found reads it if it
 * does not know it, and says whether to look behind. No bus is looked at twice, whatever the bridges say. */
void pci_enumerate(const struct pci_host *h, uint16_t segment, uint8_t first_bus,
                   const struct pci_function *(*found)(void *context, struct pci_address a), void *context);

/* No bus mastering, no interrupts of any kind. */
void pci_stop(const struct pci_host *h, const struct pci_function *f) NONNULL;
/* Stops it and resets it; its BARs are as they were. OPNOTSUPP: it cannot be reset; NODEV: it did not come back. */
err_t pci_reset(const struct pci_host *h, const struct pci_function *f) NONNULL;
/* Writes f->bar[n].address to it. */
void pci_write_bar(const struct pci_host *h, const struct pci_function *f, uint32_t n) NONNULL;
/* Sets and clears bits of the command register. */
void pci_command(const struct pci_host *h, struct pci_address a, uint32_t clear, uint32_t set) NONNULL;

/* The pages of a BAR that the MSI-X table lies on (and the pending bits, where they follow): bytes 0, none. */
struct pci_hole { uint64_t offset, bytes; };
struct pci_hole pci_bar_hole(const struct pci_function *f, uint32_t bar) NONNULL;
/* How many interrupts can be had, and of which kind. */
uint32_t pci_interrupt_count(const struct pci_function *f, enum device_interrupt_kind *kind) NONNULL;
/* Enables MSI with this message. */
void pci_msi_set(const struct pci_host *h, const struct pci_function *f, uint64_t address, uint16_t data) NONNULL;
/* Enables MSI-X; its table's entries say which vectors come. */
void pci_msix_enable(const struct pci_host *h, const struct pci_function *f) NONNULL;

/* "0000:00:04.0", hexadecimal. INVAL. */
err_t pci_address_parse(const char *text, size_t bytes, struct pci_address *out) NONNULL MUST_CHECK;
enum { PCI_ADDRESS_TEXT = 13 };
void pci_address_text(struct pci_address a, char text[PCI_ADDRESS_TEXT]) NONNULL;
static inline bool pci_address_is(struct pci_address a, struct pci_address b)
{
	return a.segment == b.segment && a.bus == b.bus && a.slot_function == b.slot_function;
}
