/* personality/linux/timeconvert.c - Linux's times and nanoseconds. */
#include "abi/error.h"
#include "abi/types.h"
#include "personality/linux/timeconvert.h"

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull
#define SECONDS_MAX (UINT64_MAX / NS_PER_S - 1)

int64_t timespec_to_ns(const struct linux_timespec *ts, uint64_t *out_ns)
{
	if (ts->seconds < 0 || (uint64_t)ts->nanoseconds >= NS_PER_S)
		return ERR_INVAL;
	*out_ns = (uint64_t)ts->seconds > SECONDS_MAX ? DEADLINE_NONE - 1 : (uint64_t)ts->seconds * NS_PER_S + (uint64_t)ts->nanoseconds;
	return 0;
}

int64_t timeval_to_ns(const struct linux_timeval *tv, uint64_t *out_ns)
{
	struct linux_timespec ts = { tv->seconds, (int64_t)((uint64_t)tv->microseconds * NS_PER_US) };
	return (uint64_t)tv->microseconds >= NS_PER_S / NS_PER_US ? ERR_INVAL : timespec_to_ns(&ts, out_ns);
}

struct linux_timespec timespec_from_ns(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S) };
}

struct linux_timeval timeval_from_ns(uint64_t ns)
{
	return (struct linux_timeval){ (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / NS_PER_US) };
}
