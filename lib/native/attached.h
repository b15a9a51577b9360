/* lib/native/attached.h - what was attached to an instance of this server before this one (abi/proto/attach.def). */
#pragma once
#include <stddef.h>
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

/* Calls take for each, which may keep a copy of root; it is closed afterwards. instance has bytes characters. An error is printed, and the rest taken. */
void attached_take(err_t (*take)(const char *instance, size_t bytes, uint32_t index, handle_t root)) NONNULL;
