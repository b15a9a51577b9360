/* kernel/debug/log.h - the kernel's messages and its end.
 *
 * Lines go to a ring in memory (read through debug:log) and, until a console server takes over or in a panic, to the debugging serial port.
 */
#pragma once
#include "lib/base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* printf's language (lib/base/fmt.h), up to KLOG_LINE_MAX bytes; a newline is added if it lacks one. One call is one atomic write. */
enum { KLOG_LINE_MAX = 400 };
void klog(const char *format, ...) PRINTF_LIKE(1, 2);
/* Says why, prints every CPU's symbolized stack, ends (isa-debug-exit if there, else halts). */
#define panic(...) (panic_begin(__VA_ARGS__), panic_end(0, 0))
/* Its two halves, for who has more to say between: the first returns only on the one CPU that panics first, the log then
 * goes to the serial port without waiting for anyone. The stack is that of a frame pointer and what is called there (0: the caller's). */
void panic_begin(const char *format, ...) PRINTF_LIKE(1, 2);
NORETURN void panic_end(uint64_t frame_pointer, uint64_t ip);
/* From now on klog only fills the ring (debug:quiet). */
void klog_set_quiet(bool quiet);
/* The ring takes no lock and writes to the serial port whatever was said: panic's. */
void klog_set_panicking(void);
/* Copies the log's bytes from position (0: its beginning; what the ring has lost is skipped); the new position. */
size_t klog_read(size_t position, char *to, size_t bytes, size_t *copied) NONNULL;
