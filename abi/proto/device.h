/* abi/proto/device.h - structs of PCI functions' protocol (device.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum { DEVICE_BARS = 6, DEVICE_CONFIG_BYTES = 4096 };

enum device_bar_kind { DEVICE_BAR_NONE = 0, DEVICE_BAR_MEMORY = 1, DEVICE_BAR_PORTS = 2 };

struct device_info {
	uint16_t segment;
	uint8_t bus, slot, function, header_type;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t class, subclass, interface, revision;
	uint8_t bar_kind[DEVICE_BARS];  /* enum device_bar_kind; the upper half of a 64-bit one is none */
	uint16_t interrupts;            /* how many DEVICE_INTERRUPT can give */
	uint32_t config_bytes;          /* 256 or DEVICE_CONFIG_BYTES */
	uint64_t bar_bytes[DEVICE_BARS];
	uint32_t is_isolated;           /* 1: an IOMMU holds it in its domain */
	uint32_t claimed_by;            /* pid, or 0 */
};

struct device_registers {
	uint64_t bytes;
	uint32_t kind;                  /* enum device_bar_kind */
	uint32_t reserved;
	/* Pages of the BAR that are in no object, because the MSI-X table (and perhaps its pending bits) are there. 0 bytes: none; then there
	 * is no part 1. Else part 0 ends at hole_offset, and part 1 starts at hole_offset + hole_bytes. */
	uint64_t hole_offset, hole_bytes;
};

struct device_interrupt {
	uint32_t kind;                  /* enum device_interrupt_kind */
	uint32_t reserved;
};
enum device_interrupt_kind { DEVICE_MSI_X = 1, DEVICE_MSI = 2, DEVICE_LINE = 3 };

enum device_event_kind { DEVICE_CAME = 1, DEVICE_WENT = 2, DEVICE_FAULTED = 3 };
struct device_event {
	uint32_t kind;                  /* enum device_event_kind */
	uint16_t segment;
	uint8_t bus, slot_function;     /* slot << 3 | function */
	uint64_t address;               /* of DEVICE_FAULTED: what it tried to reach by DMA */
};

/* DEVICE_CONFIG. */
enum device_config_way { DEVICE_CONFIG_READ = 0, DEVICE_CONFIG_WRITE = 1 };
struct device_config {
	uint16_t segment;
	uint8_t bus, slot_function;
	uint32_t offset, bytes;         /* 1, 2 or 4 */
	uint32_t value;                 /* to write */
};

/* DEVICE_LOOK. */
enum device_look { DEVICE_LOOK_AGAIN = 0, DEVICE_LOOK_OUT = 1 };

/* One pin of a slot (all its functions) leads to this line (irq:LINE). */
enum { DEVICE_ROUTES_MAX = 512 };
struct device_route {
	uint16_t segment;
	uint8_t bus, slot;
	uint8_t pin, reserved[3];       /* 1: INTA ... 4: INTD */
	uint32_t line;
};
