/* personality/linux/timeconvert.h - Linux's times and nanoseconds. Pure. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

/* A timespec (timeval) as nanoseconds: EINVAL when it is not a proper one; what is too long saturates below DEADLINE_NONE. */
int64_t timespec_to_ns(const struct linux_timespec *ts, uint64_t *out_ns) NONNULL MUST_CHECK;
int64_t timeval_to_ns(const struct linux_timeval *tv, uint64_t *out_ns) NONNULL MUST_CHECK;
struct linux_timespec timespec_from_ns(uint64_t ns);
struct linux_timeval timeval_from_ns(uint64_t ns);
