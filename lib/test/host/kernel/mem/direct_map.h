/* lib/test/host/kernel/mem/direct_map.h - in host tests physical memory is an arena (lib/test/host/machine.h). */
#pragma once
#include <stdint.h>

extern uint64_t machine_direct_map;
#define DIRECT_MAP_BASE machine_direct_map
