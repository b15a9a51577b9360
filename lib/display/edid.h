/* lib/display/edid.h - what a monitor says of itself (VESA Enhanced EDID 1.4). Pure: the bytes are a device's. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/display.h"
#include "lib/base/attr.h"

enum { EDID_BLOCK_BYTES = 128 };

/* The size that it would like best: its first detailed timing's. BADMSG: that is no EDID, or it has none that makes sense. */
err_t edid_size(const uint8_t *edid, size_t bytes, struct display_size *out) NONNULL MUST_CHECK;
