/* lib/base/attr.h - compiler attributes by the names that this project uses.
 *
 * REQUIRES is for the reader (and for thread-safety tools that define it).
 */
#pragma once

#define MUST_CHECK      __attribute__((warn_unused_result))
#define NONNULL         __attribute__((nonnull))
#define NORETURN        __attribute__((noreturn))
#define PACKED          __attribute__((packed))
#define ALIGNED(n)      __attribute__((aligned(n)))
#define SECTION(s)      __attribute__((section(s)))
#define USED            __attribute__((used))
#define UNUSED          __attribute__((unused))
#define NOINLINE        __attribute__((noinline))
#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
/* Reads, on purpose, beside what it was given. */
#define NO_SANITIZE_ADDRESS __attribute__((no_sanitize_address))
#define WEAK            __attribute__((weak))
/* A variable that is not far away: reached without a table, also in position-independent code. */
#define HIDDEN          __attribute__((visibility("hidden")))

#define REQUIRES(lock)

#define LIKELY(x)       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)     __builtin_expect(!!(x), 0)
