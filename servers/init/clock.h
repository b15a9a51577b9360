/* servers/init/clock.h - the wall clock at start, from the battery-backed one. */
#pragma once
#include "abi/types.h"

/* Reads it through its ports (mem:) and sets time:realtime, both of namespace. Without such a clock time stays at 1970.
 * century_index: of the register with the century, as ACPI says; 0: it does not. */
void clock_set_from_hardware(handle_t namespace, uint8_t century_index);
