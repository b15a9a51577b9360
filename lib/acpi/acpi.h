/* lib/acpi/acpi.h - what the kernel takes from the ACPI tables: CPUs, interrupt controllers, timers, power.
 *
 * Pure functions over memory that the caller lends: the tables come from firmware and are believed only as far as
 * they can be checked. ACPI's bytecode is a process's business; from it only the sleep type is picked.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

/* Lends [address, address + bytes) of physical memory for reading; NULL when it may not be read. */
struct acpi_memory {
	const void *(*lend)(void *context, uint64_t address, size_t bytes);
	void *context;
};

enum { ACPI_CPUS_MAX = 64, ACPI_IO_CONTROLLERS_MAX = 8, ACPI_ISA_IRQS = 16, ACPI_SEGMENTS_MAX = 8 };

/* A register: address 0 means there is none. */
enum acpi_register_space { ACPI_IN_MEMORY = 0, ACPI_IN_PORTS = 1 };
struct acpi_register {
	uint64_t address;
	uint8_t space;                  /* enum acpi_register_space */
};

struct acpi_info {
	bool has_cpus;                  /* the MADT was there: the next three are known */
	uint32_t cpu_count, cpu_id[ACPI_CPUS_MAX];      /* local interrupt controller ids of the usable CPUs */
	uint32_t cpus_left_out;         /* usable ones beyond ACPI_CPUS_MAX */
	uint64_t local_controller;
	uint32_t io_controller_count;
	struct { uint64_t address; uint32_t first_line; } io_controller[ACPI_IO_CONTROLLERS_MAX];
	struct { uint32_t line; bool active_low, level; } isa[ACPI_ISA_IRQS];   /* after the overrides */

	bool has_power;                 /* the FADT was there */
	struct acpi_register timer, control_a, control_b, sleep_control, reset;
	bool timer_is_32_bits, reset_works;
	uint8_t reset_value, century_index;
	bool has_sleep_type;            /* \_S5 was found */
	uint8_t sleep_type_a, sleep_type_b;

	uint64_t hpet;                  /* 0: none */
	uint32_t segment_count;         /* PCI configuration space in memory */
	struct { uint64_t address; uint16_t segment; uint8_t first_bus, last_bus; } segment[ACPI_SEGMENTS_MAX];
	uint64_t root_table;            /* XSDT or RSDT */
	uint64_t dmar;                  /* the table of Intel's IOMMUs; 0: none */
	uint64_t viot;                  /* that of virtio's; 0: none */
};

enum { ACPI_IOMMUS_MAX = 8 };
/* Intel's IOMMUs. */
struct acpi_dmar {
	uint32_t address_bits;          /* of devices' addresses */
	bool can_remap_interrupts;
	uint32_t count;
	struct { uint64_t address; uint16_t segment; bool has_the_rest; } unit[ACPI_IOMMUS_MAX];        /* has_the_rest: all functions that no other unit names */
};

/* Reads what rsdp leads to. A table that is missing or broken leaves its part unknown. INVAL: no valid root; then only the defaults are in *out. */
err_t acpi_read(const struct acpi_memory *m, uint64_t rsdp, struct acpi_info *out) NONNULL MUST_CHECK;
/* Reads the DMAR table at address. INVAL: it is not one, or names no unit. */
err_t acpi_read_dmar(const struct acpi_memory *m, uint64_t address, struct acpi_dmar *out) NONNULL MUST_CHECK;
enum { ACPI_RANGES_MAX = 32 };
/* A virtio IOMMU on PCI, and which functions are behind it: addresses are bus << 8 | slot << 3 | function. */
struct acpi_viot {
	uint16_t segment, address;      /* of the IOMMU itself */
	uint32_t count;
	/* The function with address first + n is endpoint + n (segments follow each other at intervals of 1 << 16). */
	struct { uint32_t endpoint; uint16_t segment, first, last; } range[ACPI_RANGES_MAX];
};
/* Reads the VIOT table at address. INVAL: it is not one, or names no IOMMU on PCI. Ranges of more than one segment are left out. */
err_t acpi_read_viot(const struct acpi_memory *m, uint64_t address, struct acpi_viot *out) NONNULL MUST_CHECK;
/* Finds the root pointer where PC firmware leaves it; 0: not there. */
uint64_t acpi_find_root(const struct acpi_memory *m) NONNULL;
