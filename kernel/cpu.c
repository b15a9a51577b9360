/* kernel/cpu.c - the CPUs that there are; arch code fills them in as they come. */
#include "kernel/cpu.h"

struct cpu *cpus[CPU_MAX];
uint32_t cpu_count = 1;
