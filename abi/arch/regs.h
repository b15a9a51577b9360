/* abi/arch/regs.h - the registers of the cpu this is compiled for. */
#pragma once
#if defined(__x86_64__)
#include "abi/arch/x86_64/regs.h"
#endif
