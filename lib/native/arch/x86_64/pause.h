/* lib/native/arch/x86_64/pause.h - said to the CPU while waiting for another one. */
#pragma once
#include "lib/base/attr.h"

static ALWAYS_INLINE void cpu_pause(void) { __asm__ volatile("pause"); }
