/* personality/linux/user.h - the program's memory. A wild pointer is -EFAULT, never a crash.
 *
 * All of these answer 0 (user_string: the length) or a negative errno.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Copies; on a fault some bytes may have been copied. */
int64_t user_copy(void *to, const void *from, size_t bytes) MUST_CHECK;

static inline int64_t user_read(void *to, uint64_t from, size_t bytes) { return user_copy(to, (const void *)from, bytes); }
static inline int64_t user_write(uint64_t to, const void *from, size_t bytes) { return user_copy((void *)to, from, bytes); }
/* Atomically: the word at address, and compare-and-swap (*found is what was there). */
int64_t user_load_u32(uint64_t address, uint32_t *out) NONNULL MUST_CHECK;
int64_t user_swap_u32(uint64_t address, uint32_t expected, uint32_t value, uint32_t *found) NONNULL MUST_CHECK;
/* A 0-terminated string with its 0; its length. ENAMETOOLONG when it (with its 0) is longer than max. */
int64_t user_string(char *to, uint64_t from, size_t max) NONNULL MUST_CHECK;
/* Like user_write, but nothing at all when to is 0. */
static inline int64_t user_write_if(uint64_t to, const void *from, size_t bytes) { return to ? user_write(to, from, bytes) : 0; }
