/* lib/base/number.h - numbers out of text.
 *
 * The whole of the text must be the number: no spaces, no rest. INVAL when it is not, RANGE when it does not fit.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

/* base 2 to 16; 0: 16 after "0x", else 10. */
err_t number_parse(const char *text, size_t bytes, unsigned base, uint64_t *out) NONNULL MUST_CHECK;
/* The digits at the front of the text: how many there were (0: none, or the number does not fit). */
size_t number_scan(const char *text, size_t bytes, unsigned base, uint64_t *out) NONNULL;
