/* personality/linux/vdso.c - clocks read from the time page, in the program's own right.
 *
 * These run as the program: outside the image's code proper, on its stack, with a plain fault when its pointer is bad.
 */
#include "personality/linux/vdso.h"
#include <stdbool.h>
#include "abi/proto/kernel.h"
#include "lib/base/attr.h"
#include "personality/linux/area.h"

#define VDSO SECTION(".vdso_text")
#define NS_PER_S 1000000000ull
enum { CALL_GETTIMEOFDAY = 96, CALL_TIME = 201, CALL_CLOCK_GETTIME = 228, CALL_GETCPU = 309 };

static ALWAYS_INLINE int64_t real_call(int64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	__asm__ volatile("syscall" : "+a"(number) : "D"(a0), "S"(a1), "d"(a2) : "rcx", "r11", "memory");
	return number;
}

static ALWAYS_INLINE uint64_t ticks_now(void)
{
	uint32_t low, high;
	/* Not before what was read earlier. */
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static ALWAYS_INLINE uint64_t now_ns(bool is_realtime)
{
	const volatile struct time_page *page = (const volatile struct time_page *)TIME_PAGE;
	uint32_t sequence;
	uint64_t ns;

	do {
		sequence = page->sequence;
		__asm__ volatile("" : : : "memory");
		ns = (uint64_t)((unsigned __int128)(ticks_now() - page->start_ticks) * page->mult >> page->shift);
		if (is_realtime)
			ns += page->realtime_offset_ns;
		__asm__ volatile("" : : : "memory");
	} while ((sequence & 1) || sequence != page->sequence);
	return ns;
}

VDSO int64_t vdso_clock_gettime(int32_t clock, struct linux_timespec *to)
{
	bool is_realtime = clock == LINUX_CLOCK_REALTIME || clock == LINUX_CLOCK_REALTIME_COARSE || clock == LINUX_CLOCK_TAI;

	if (!is_realtime && clock != LINUX_CLOCK_MONOTONIC && clock != LINUX_CLOCK_MONOTONIC_RAW &&
	    clock != LINUX_CLOCK_MONOTONIC_COARSE && clock != LINUX_CLOCK_BOOTTIME)
		return real_call(CALL_CLOCK_GETTIME, (uint64_t)(int64_t)clock, (uint64_t)to, 0);
	uint64_t ns = now_ns(is_realtime);
	to->seconds = (int64_t)(ns / NS_PER_S);
	to->nanoseconds = (int64_t)(ns % NS_PER_S);
	return 0;
}

VDSO int64_t vdso_gettimeofday(struct linux_timeval *to, struct linux_timezone *zone)
{
	if (to) {
		uint64_t ns = now_ns(true);
		to->seconds = (int64_t)(ns / NS_PER_S);
		to->microseconds = (int64_t)(ns % NS_PER_S / 1000);
	}
	if (zone) {
		zone->minutes_west = 0;
		zone->dst = 0;
	}
	return 0;
}

VDSO int64_t vdso_time(int64_t *to)
{
	int64_t seconds = (int64_t)(now_ns(true) / NS_PER_S);
	if (to)
		*to = seconds;
	return seconds;
}

VDSO int64_t vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	(void)unused;
	return real_call(CALL_GETCPU, (uint64_t)cpu, (uint64_t)node, 0);
}
