/* lib/native/heap.h - memory for programs: small blocks come from size classes, large ones are mappings of their own. Thread-safe. */
#pragma once
#include "lib/base/heap.h"
