/* kernel/mem/heap.h - kernel objects by size: slabs over frames, per size class; more than a page comes in whole frames.
 *
 * Freed memory is poisoned in debug builds.
 */
#pragma once
#include "lib/base/heap.h"
