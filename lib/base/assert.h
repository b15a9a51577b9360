/* lib/base/assert.h - facts the code relies on.
 *
 * ASSERT stays in every build; DASSERT costs something and is for debug builds
 * (-DDEBUG=1). Neither is for outside input: that gets an error.
 */
#pragma once
#include "lib/base/attr.h"

/* Each environment provides this: the kernel panics, a server exits and says so,
 * a host test aborts. */
NORETURN void assert_failed(const char *expression, const char *file, int line);

#define ASSERT(x) do { if (UNLIKELY(!(x))) assert_failed(#x, __FILE__, __LINE__); } while (0)
#define DASSERT(x) do { if (DEBUG && UNLIKELY(!(x))) assert_failed(#x, __FILE__, __LINE__); } while (0)
#define STATIC_ASSERT(x, why) _Static_assert(x, why)

#ifndef DEBUG
#define DEBUG 0
#endif
