/* kernel/sched/clock.h - wall-clock time over the cpu's monotonic clock, and the shared time page. */
#pragma once
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct memobj;

err_t clock_init(void) MUST_CHECK;
/* ns since boot; the same on every CPU. */
static inline uint64_t clock_now_ns(void);
uint64_t clock_realtime_ns(void);
uint64_t clock_realtime_offset_ns(void);
void clock_set_realtime(uint64_t ns);
/* The page that time:page maps. Borrowed. */
struct memobj *clock_page(void);

uint64_t arch_clock_ns(void);
static inline uint64_t clock_now_ns(void) { return arch_clock_ns(); }
