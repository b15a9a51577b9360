/* personality/linux/timecalls.h - which of our clocks a Linux clock is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"

bool clock_find(uint32_t linux_clock, enum clock_id *out) NONNULL MUST_CHECK;
