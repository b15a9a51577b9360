/* personality/linux/vdso.h - the time functions that run without entering anything: see vdso.S. */
#pragma once
#include <stdint.h>
#include "personality/linux/abi.h"

int64_t vdso_clock_gettime(int32_t clock, struct linux_timespec *to);
int64_t vdso_gettimeofday(struct linux_timeval *to, struct linux_timezone *zone);
int64_t vdso_time(int64_t *to);
int64_t vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused);
