/* lib/base/fmt.h - formatted text into a buffer, in printf's language.
 *
 * d i u o x X p s c %, lengths hh h l ll z, flags - 0 + space #, width and precision (also *).
 * No floating point. Never writes past bytes; always ends with 0 (when bytes is not 0).
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include "lib/base/attr.h"

/* How long the whole text is: it was cut when that is >= bytes. */
size_t fmt_v(char *to, size_t bytes, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
size_t fmt(char *to, size_t bytes, const char *format, ...) PRINTF_LIKE(3, 4);
