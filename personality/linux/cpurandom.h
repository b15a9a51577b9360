/* personality/linux/cpurandom.h - the CPU's own random numbers, for what must be had without asking anybody. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline bool cpu_has_random(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & 1u << 30;
}

/* False: it has none just now. All zeroes and all ones are what broken ones give. */
static inline bool cpu_random(uint64_t *out)
{
	uint8_t is_there;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(is_there) : : "cc");
	return is_there && *out != 0 && *out != UINT64_MAX;
}
