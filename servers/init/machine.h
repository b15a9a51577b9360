/* servers/init/machine.h - the machine as its ACPI tables describe it: what a PC's init needs to end it, or to start it again. */
#pragma once
#include "abi/proto/init.h"
#include "abi/types.h"
#include "lib/acpi/acpi.h"
#include "lib/base/attr.h"

/* Reads the tables through sys:boot and mem:phys, once. What is not there is unknown. */
void machine_init(handle_t namespace);
const struct acpi_info *machine_acpi(void);
/* Returns when nothing helped. */
void machine_power(enum power how);
