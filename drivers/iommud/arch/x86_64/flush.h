/* drivers/iommud/arch/x86_64/flush.h - makes what was written visible to an IOMMU that does not look into the CPU's caches. */
#pragma once
#include <stddef.h>
#include <stdint.h>

static inline void flush_range(const volatile void *at, size_t bytes)
{
	enum { CACHE_LINE = 64 };

	for (uintptr_t p = (uintptr_t)at & ~(uintptr_t)(CACHE_LINE - 1); p < (uintptr_t)at + bytes; p += CACHE_LINE)
		__asm__ volatile("clflush (%0)" : : "r"(p) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}
