/* servers/procd/arch/x86_64/random.c - RDRAND, stirred with the time stamp counter for CPUs without it. */
#include "servers/procd/random.h"
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/bits.h"
#include "lib/base/string.h"

static bool has_rdrand(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 30 & 1;
}

static uint64_t rdrand(void)
{
	uint64_t value = 0;

	/* It may be out of numbers for a moment; then 0 is stirred in. */
	__asm__ volatile("rdrand %0" : "+r"(value) : : "cc");
	return value;
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* SplitMix64's finalizer (Steele, Lea, Flood 2014). */
static uint64_t stir(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void random_fill(void *to, size_t bytes)
{
	static uint64_t state;
	const bool rdrand_works = has_rdrand();

	for (size_t at = 0; at < bytes; at += sizeof state) {
		state += 0x9e3779b97f4a7c15ull + rdtsc();
		uint64_t value = stir(state) ^ (rdrand_works ? rdrand() : 0);
		memcpy((uint8_t *)to + at, &value, MIN_OF(bytes - at, sizeof value));
	}
}
