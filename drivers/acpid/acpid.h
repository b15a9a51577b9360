/* drivers/acpid/acpid.h - what acpid's files that speak to ACPICA share. */
#pragma once
#include <acpi/acpi.h>
#include "abi/error.h"
#include "abi/proto/device.h"
#include "abi/proto/init.h"
#include "lib/base/attr.h"
#include "lib/scheme/scheme.h"

/* ---- acpi.c ---- */
/* Loads the tables (or just the main one), takes the hardware over, runs what the firmware wants run at the start. A table that is broken leaves the
 * others. NODEV: there is no (sane) firmware. */
err_t acpi_start(bool only_main_table) MUST_CHECK;
/* Calls a method with one integer. */
acpi_status execute(acpi_handle object, const char *method, u64 value) NONNULL;
/* The method's (or name's) integer. False: there is none. */
bool evaluate_integer(acpi_handle object, const char *name, u64 *out) NONNULL;
/* A package (ACPI_FREE takes it back), NULL: there is none. */
union acpi_object *evaluate_package(acpi_handle object, const char *name) NONNULL;
/* The number at index of a package; what is no number is 0. */
u64 package_number(const union acpi_object *package, u32 index) NONNULL;
/* The last part of its name, 0-terminated. */
void object_name(acpi_handle object, char name[ACPI_NAMESEG_SIZE + 1]);
/* Is it a device of this kind (an identifier such as PNP0C0C)? */
bool device_is(acpi_handle object, const char *id);
/* Is it a PCI function, or a bus's root, and where? slot_function of a root: 0; *is_root says that. */
bool device_place(acpi_handle object, struct device_config *out, bool *is_root);
/* The bus behind a root or bridge. */
bool device_bus_behind(acpi_handle object, u16 *segment, u8 *bus);
/* Puts what went wrong into the log. True: something did. */
bool is_failed(const char *what, acpi_status status) NONNULL;

/* ---- line.c ---- */
/* Tells pcid where interrupt pins lead. */
void lines_tell(void);

/* ---- button.c ---- */
/* Before the firmware may tell anything; and once the hardware is ours. */
void notices_start(void);
void buttons_start(void);
/* Lines for what was seen of them. Length. */
size_t buttons_text(char *to, size_t bytes) NONNULL;

/* ---- clock.c ---- */
/* From now on the clock is looked at. */
void clock_start(struct server *s) NONNULL;
/* Its line, once it was measured. Length. */
size_t clock_text(char *to, size_t bytes) NONNULL;

/* ---- status.c ---- */
/* All lines of power:. Length. */
size_t status_text(char *to, size_t bytes) NONNULL;

/* ---- power.c ---- */
/* Returns when the firmware could not. */
err_t power_machine(enum power how);
