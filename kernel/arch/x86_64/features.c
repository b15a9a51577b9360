/* kernel/arch/x86_64/features.c - the control registers of a CPU: what it can protect us with is on, as far as CPUID says it has it.
 *
 * A bit is never tried: some machines hang when a control register gets one that they do not know.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"

enum { FEATURE_REQUIRED_EDX = 1 << 0 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 13 | 1 << 16 | 1 << 24 };  /* FPU TSC MSR PAE PGE PAT FXSR */

/* Entries 0-3 as the CPU starts with, but 1 (PWT alone) is write-combining; the upper half repeats the lower. */
#define PAT_VALUE 0x0007010600070106ull

/* Which states user code may have in its registers, beside x87 and SSE: AVX (2), AVX-512 (5-7). Not protection keys. */
enum { EFER_SYSCALL = 1 << 0, EFER_NX = 1 << 11 };
enum { XCR0_BASE = 3, XCR0_AVX = 4, XCR0_AVX512 = 0xe0 };

uint32_t fpu_state_bytes;
/* From how many bytes on a copy goes by AVX registers (usercopy.S). Not with AVX-512: such a move would clear the upper half of a user's register. */
enum { WIDE_LEAST_BYTES = 256 };
uint64_t wide_least_bytes = UINT64_MAX;
extern const uint64_t smap_sites_start[], smap_sites_end[];

static void xcr0_write(uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

/* The kernel's stac and clac become no-ops, on a CPU that does not know them. Text is still writable. */
static void blank_smap_sites(void)
{
	static const uint8_t nop[3] = { 0x0f, 0x1f, 0x00 };

	for (const uint64_t *site = smap_sites_start; site < smap_sites_end; site++)
		for (int i = 0; i < 3; i++)
			((uint8_t *)*site)[i] = nop[i];
}

static uint64_t cr4_wanted(struct cpuid basic, struct cpuid structured)
{
	uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;

	if (basic.edx & 1 << 7)
		cr4 |= CR4_MCE;
	if (structured.ebx & 1 << 7)
		cr4 |= CR4_SMEP;
	if (structured.ebx & 1 << 20)
		cr4 |= CR4_SMAP;
	if (structured.ecx & 1 << 2)
		cr4 |= CR4_UMIP;
	return cr4;
}

static void init_fpu(void)
{
	struct cpuid states = cpuid(0xd, 0);
	uint64_t xcr0 = XCR0_BASE;

	xcr0 |= states.eax & XCR0_AVX;
	if ((xcr0 & XCR0_AVX) && (states.eax & XCR0_AVX512) == XCR0_AVX512)
		xcr0 |= XCR0_AVX512;
	xcr0_write(xcr0);
	if ((xcr0 & (XCR0_AVX | XCR0_AVX512)) == XCR0_AVX)
		wide_least_bytes = WIDE_LEAST_BYTES;
	fpu_state_bytes = cpuid(0xd, 0).ebx;    /* of the states that are now on */
}

static void init_syscall(void)
{
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SYSCALL | EFER_NX);
	msr_write(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
	msr_write(MSR_CSTAR, 0);
	msr_write(MSR_FMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT);
}

void features_init_cpu(void)
{
	struct cpuid basic = cpuid(1, 0), structured = {0};

	if (cpuid(0, 0).eax >= 7)
		structured = cpuid(7, 0);
	if ((basic.edx & FEATURE_REQUIRED_EDX) != FEATURE_REQUIRED_EDX)
		boot_stop("the CPU lacks a feature that every 64-bit one has");
	if (!(cpuid(0x80000001, 0).edx & 1 << 20))
		boot_stop("the CPU cannot forbid execution (NX)");
	if (!(basic.ecx & 1 << 26) || !(structured.ebx & 1 << 0))
		boot_stop("the CPU lacks XSAVE or FSGSBASE");
	msr_write(MSR_PAT, PAT_VALUE);
	if (!(structured.ebx & 1 << 20) && cpu_this() == &boot_cpu)
		blank_smap_sites();
	cr4_write(cr4_wanted(basic, structured));
	cr0_write((cr0_read() & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_WP | CR0_NE | CR0_MP | CR0_AM);
	init_fpu();
	init_syscall();
}
