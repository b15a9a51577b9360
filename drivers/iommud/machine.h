/* drivers/iommud/machine.h - what a backend needs of this machine: tables of the firmware, registers, memory that it reads. */
#pragma once
#include "drivers/iommud/tables.h"
#include "lib/acpi/acpi.h"

/* NODEV: there is no such table. */
err_t machine_dmar(struct acpi_dmar *out) NONNULL MUST_CHECK;
/* The same for virtio's IOMMU; info: where configuration space is. */
err_t machine_viot(struct acpi_viot *out, struct acpi_info *info) NONNULL MUST_CHECK;
/* Device registers; NULL: they cannot be had. */
volatile uint8_t *machine_map(uint64_t start, uint64_t bytes);
/* Makes t's pages, at the end of the state object, unless they are there already, and maps them. */
err_t machine_tables(struct tables *t) NONNULL MUST_CHECK;
