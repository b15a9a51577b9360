/* lib/base/bits.h - rounding, powers of two, and sums that might overflow. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* unit is a power of two. */
static inline uint64_t round_up(uint64_t n, uint64_t unit) { return (n + unit - 1) & ~(unit - 1); }
static inline uint64_t round_down(uint64_t n, uint64_t unit) { return n & ~(unit - 1); }

static inline bool is_power_of_two(uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }
/* n is not 0. */
static inline unsigned lowest_bit(uint64_t n) { return (unsigned)__builtin_ctzll(n); }
static inline unsigned highest_bit(uint64_t n) { return 63 - (unsigned)__builtin_clzll(n); }

/* True when the sum or product does not fit; *out is then worthless. */
static inline bool add_overflows(uint64_t a, uint64_t b, uint64_t *out) { return __builtin_add_overflow(a, b, out); }
static inline bool mul_overflows(uint64_t a, uint64_t b, uint64_t *out) { return __builtin_mul_overflow(a, b, out); }

/* Does [offset, offset + bytes) lie within [0, whole)? */
static inline bool range_fits(uint64_t offset, uint64_t bytes, uint64_t whole)
{
	return bytes <= whole && offset <= whole - bytes;
}
