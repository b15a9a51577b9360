/* lib/native/print.h - a line for the log.
 *
 * Goes to the startup handle "log" in one write per call (each line is prefixed by the server of log: with who wrote it);
 * without one, nowhere. print_to sends the same to any handle.
 */
#pragma once
#include "abi/types.h"
#include "lib/base/attr.h"

enum { PRINT_MAX = 1024 };

/* fmt's language (lib/base/fmt.h); what is beyond PRINT_MAX bytes is cut. */
void print(const char *format, ...) PRINTF_LIKE(1, 2);
void print_to(handle_t to, const char *format, ...) PRINTF_LIKE(2, 3);
/* From now on print goes there instead. */
void print_redirect(handle_t to);
