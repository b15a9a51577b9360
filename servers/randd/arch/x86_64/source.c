/* servers/randd/arch/x86_64/source.c - chance on x86_64: RDSEED or RDRAND, and the time stamp counter. */
#include "servers/randd/source.h"

enum { TRIES = 64, LEAF1_RDRAND = 1 << 30, LEAF7_RDSEED = 1 << 18, SCRATCH_WORDS = 4096 };

static void cpuid(uint32_t leaf, uint32_t *ebx, uint32_t *ecx)
{
	uint32_t eax = leaf, edx;

	*ecx = 0;
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(*ebx), "+c"(*ecx), "=d"(edx));
}

static bool has_rdrand(void)
{
	uint32_t ebx, ecx;

	cpuid(1, &ebx, &ecx);
	return ecx & LEAF1_RDRAND;
}

static bool has_rdseed(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (eax < 7)
		return false;
	cpuid(7, &ebx, &ecx);
	return ebx & LEAF7_RDSEED;
}

static bool rdrand(uint64_t *out)
{
	bool ok = false;

	for (int i = 0; i < TRIES && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

static bool rdseed(uint64_t *out)
{
	bool ok = false;

	for (int i = 0; i < TRIES && !ok; i++) {
		__asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
		if (!ok)
			__builtin_ia32_pause();
	}
	return ok;
}

bool source_hardware(uint64_t *to, size_t words)
{
	bool use_seed = has_rdseed(), use_rand = has_rdrand(), differs = false;

	if (!use_seed && !use_rand)
		return false;
	for (size_t i = 0; i < words; i++) {
		if (!(use_seed && rdseed(&to[i])) && !(use_rand && rdrand(&to[i])))
			return false;
		/* Some broken ones say the same for ever. */
		differs |= i > 0 && to[i] != to[i - 1];
	}
	return differs;
}

static uint64_t stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void source_stamps(uint64_t *to, size_t count)
{
	static volatile uint32_t scratch[SCRATCH_WORDS];
	uint64_t walk = stamp();

	for (size_t i = 0; i < count; i++) {
		/* Cache misses and what else the machine does decide how long this takes. */
		for (unsigned n = 0; n < 8; n++) {
			walk = walk * 6364136223846793005ull + 1442695040888963407ull;
			scratch[walk >> 52] += (uint32_t)walk;
		}
		to[i] = stamp();
		walk ^= to[i];
	}
}
