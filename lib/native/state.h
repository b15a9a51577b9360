/* lib/native/state.h - the memory that outlives this program: the supervisor's object "state", the same at every start (`state` in a manifest). */
#pragma once
#include <stddef.h>
#include "lib/base/attr.h"

/* So much of it, mapped for good; zeroes at the first start. Without such an object ordinary memory, and nothing outlives us. NULL: there is no
 * memory, or the object is smaller. */
void *state_map(size_t bytes) MUST_CHECK;
