/* kernel/debug/log.h - the kernel's messages and its end.
 *
 * Lines go to a ring in memory (read through debug:log) and, until a console server takes over or in a panic, to the debugging serial port.
 */
#pragma once
#include "lib/base/attr.h"
#include <stdbool.h>
#include <stddef.h>

/* printf's d u x p s c l z with widths; one call is one atomic write. */
void klog(const char *format, ...) PRINTF_LIKE(1, 2);
/* Says why, prints every CPU's symbolized stack, ends (isa-debug-exit if there, else halts). */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);
/* From now on klog only fills the ring (debug:quiet). */
void klog_set_quiet(bool quiet);
/* Copies the ring's bytes from position; the new position. */
size_t klog_read(size_t position, char *to, size_t bytes, size_t *copied);
