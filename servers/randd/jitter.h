/* servers/randd/jitter.h - how much chance is in a series of time stamps. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Entropy in bits, estimated low: of every stamp whose first, second and third differences are all new compared to
 * the stamps before, one sixteenth of a bit. A clock that ticks evenly, or not at all, has none. */
uint32_t jitter_entropy_bits(const uint64_t *stamps, size_t count) NONNULL;
