/* personality/linux/strace.h - prints a program's system calls to the "strace" handle.
 *
 * Each line is one write: pid name(arguments) = result. The program that was started first prints, at its end, which
 * calls were missing and how often.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct thread;

/* Called around a traced call; before prints those that may not come back. */
void strace_before(struct thread *t, uint64_t number) NONNULL;
void strace_after(struct thread *t, uint64_t number, int64_t result, bool has_result) NONNULL;
/* No-ops when nothing is traced. */
void strace_signal(struct thread *t, const struct linux_siginfo *info) NONNULL;
void strace_died(struct thread *t, uint32_t signal) NONNULL;
/* The process ends: the tree's missing calls, when this is its first process. */
void strace_exit(struct thread *t) NONNULL;

/* ---- Pure parts ---- */
struct strace_text { char *bytes; size_t used, capacity; };
void strace_put(struct strace_text *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* Quoted, with escapes; "..." after it when it goes on. */
void strace_put_string(struct strace_text *s, const char *bytes, size_t count, bool goes_on) NONNULL;
/* 27 -> "EFBIG"; NULL for a number without a name. */
const char *strace_error_name(int64_t error);
const char *strace_signal_name(uint32_t signal);
/* An argument or result of one of calls.def's kinds that needs no memory. */
void strace_put_value(struct strace_text *s, char kind, uint64_t value) NONNULL;
