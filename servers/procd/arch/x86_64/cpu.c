/* servers/procd/arch/x86_64/cpu.c - /proc/cpuinfo from CPUID (AMD64 APM vol. 3, appendix E). */
#include "servers/procd/cpu.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

struct cpuid { uint32_t a, b, c, d; };

static struct cpuid cpuid_get(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
	return r;
}

enum word { LEAF_1_D, LEAF_1_C, LEAF_7_B, LEAF_EXTENDED_D, LEAF_EXTENDED_C };
/* In the order in which Linux lists them. */
static const struct { enum word word; uint8_t bit; const char *name; } features[] = {
	{ LEAF_1_D, 0, "fpu" }, { LEAF_1_D, 4, "tsc" }, { LEAF_1_D, 5, "msr" }, { LEAF_1_D, 6, "pae" }, { LEAF_1_D, 8, "cx8" },
	{ LEAF_1_D, 9, "apic" }, { LEAF_1_D, 13, "pge" }, { LEAF_1_D, 15, "cmov" }, { LEAF_1_D, 16, "pat" },
	{ LEAF_1_D, 19, "clflush" }, { LEAF_1_D, 23, "mmx" }, { LEAF_1_D, 24, "fxsr" }, { LEAF_1_D, 25, "sse" },
	{ LEAF_1_D, 26, "sse2" }, { LEAF_EXTENDED_D, 11, "syscall" }, { LEAF_EXTENDED_D, 20, "nx" },
	{ LEAF_EXTENDED_D, 26, "pdpe1gb" }, { LEAF_EXTENDED_D, 27, "rdtscp" }, { LEAF_EXTENDED_D, 29, "lm" },
	{ LEAF_1_C, 0, "pni" }, { LEAF_1_C, 1, "pclmulqdq" }, { LEAF_1_C, 9, "ssse3" }, { LEAF_1_C, 12, "fma" },
	{ LEAF_1_C, 13, "cx16" }, { LEAF_1_C, 17, "pcid" }, { LEAF_1_C, 19, "sse4_1" }, { LEAF_1_C, 20, "sse4_2" },
	{ LEAF_1_C, 22, "movbe" }, { LEAF_1_C, 23, "popcnt" }, { LEAF_1_C, 25, "aes" }, { LEAF_1_C, 26, "xsave" },
	{ LEAF_1_C, 28, "avx" }, { LEAF_1_C, 29, "f16c" }, { LEAF_1_C, 30, "rdrand" }, { LEAF_1_C, 31, "hypervisor" },
	{ LEAF_EXTENDED_C, 0, "lahf_lm" }, { LEAF_EXTENDED_C, 5, "abm" }, { LEAF_7_B, 0, "fsgsbase" }, { LEAF_7_B, 3, "bmi1" },
	{ LEAF_7_B, 5, "avx2" }, { LEAF_7_B, 7, "smep" }, { LEAF_7_B, 8, "bmi2" }, { LEAF_7_B, 9, "erms" },
	{ LEAF_7_B, 18, "rdseed" }, { LEAF_7_B, 19, "adx" }, { LEAF_7_B, 20, "smap" }, { LEAF_7_B, 29, "sha_ni" },
};

static void show_features(struct text *t, const uint32_t words[])
{
	text_string(t, "flags\t\t:");
	for (size_t i = 0; i < ARRAY_COUNT(features); i++)
		if (words[features[i].word] >> features[i].bit & 1)
			text_format(t, " %s", features[i].name);
}

static void get_brand(char brand[49], uint32_t last_extended)
{
	brand[0] = brand[48] = 0;
	if (last_extended < 0x80000004)
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid r = cpuid_get(0x80000002 + i, 0);
		memcpy(brand + 16 * i, &r, 16);
	}
}

static void get_vendor(char vendor[13], const struct cpuid *leaf_0)
{
	memcpy(vendor, &leaf_0->b, 4);
	memcpy(vendor + 4, &leaf_0->d, 4);
	memcpy(vendor + 8, &leaf_0->c, 4);
	vendor[12] = 0;
}

void cpu_describe(struct text *t, uint32_t index, uint32_t count, uint64_t hz)
{
	struct cpuid base = cpuid_get(0, 0), one = cpuid_get(1, 0), last = cpuid_get(0x80000000, 0);
	struct cpuid seven = base.a >= 7 ? cpuid_get(7, 0) : (struct cpuid){ 0 };
	struct cpuid extended = last.a >= 0x80000001 ? cpuid_get(0x80000001, 0) : (struct cpuid){ 0 };
	const uint32_t words[] = { one.d, one.c, seven.b, extended.d, extended.c };
	uint32_t family = one.a >> 8 & 15, model = one.a >> 4 & 15;
	char vendor[13], brand[49];

	if (family == 6 || family == 15)
		model |= one.a >> 12 & 0xf0;
	if (family == 15)
		family += one.a >> 20 & 0xff;
	get_vendor(vendor, &base);
	get_brand(brand, last.a);
	text_format(t, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
	            index, vendor, family, model, brand, one.a & 15);
	text_format(t, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
	            (unsigned long)(hz / 1000000), (unsigned long)(hz / 1000 % 1000), count, index, count);
	show_features(t, words);
	text_format(t, "\nbogomips\t: %lu.%02lu\n\n", (unsigned long)(hz / 500000), (unsigned long)(hz / 5000 % 100));
}
