/* servers/procd/cpu.h - what /proc/cpuinfo says of a CPU; one file per architecture. */
#pragma once
#include <stdint.h>
#include "servers/procd/text.h"

void cpu_describe(struct text *t, uint32_t index, uint32_t count, uint64_t hz);
