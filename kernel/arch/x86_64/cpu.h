/* kernel/arch/x86_64/cpu.h - what the files of kernel/arch/x86_64 share: instructions, registers, each other's functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/arch/x86_64/regs.h"
#include "abi/boot.h"
#include "abi/error.h"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/cpu.h"
#include "lib/acpi/acpi.h"
#include "kernel/mem/addr.h"

/* ---- Instructions ---- */

enum { CR0_TS = 1 << 3, CR0_AM = 1 << 18, CR0_WP = 1 << 16, CR0_NE = 1 << 5, CR0_MP = 1 << 1, CR0_EM = 1 << 2 };
enum {
	CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11,
	CR4_FSGSBASE = 1 << 16, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
};
enum msr {
	MSR_APIC_BASE = 0x1b, MSR_PAT = 0x277, MSR_X2APIC = 0x800,
};
#define MSR_EFER        0xc0000080u
#define MSR_STAR        0xc0000081u
#define MSR_LSTAR       0xc0000082u
#define MSR_CSTAR       0xc0000083u
#define MSR_FMASK       0xc0000084u
#define MSR_GS_BASE     0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

struct cpuid { uint32_t eax, ebx, ecx, edx; };

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c;
	__asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx) : "a"(leaf), "c"(subleaf));
	return c;
}

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#define CR_ACCESS(name)                                                                 \
static inline uint64_t name##_read(void)                                                \
{                                                                                       \
	uint64_t value;                                                                 \
	__asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");             \
	return value;                                                                   \
}                                                                                       \
static inline void name##_write(uint64_t value)                                         \
{                                                                                       \
	__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                 \
}
CR_ACCESS(cr0)
CR_ACCESS(cr2)
CR_ACCESS(cr3)
CR_ACCESS(cr4)
#undef CR_ACCESS

static inline void port_write8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline void port_write16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
static inline void port_write32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }
static inline uint8_t port_read8(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline uint16_t port_read16(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline uint32_t port_read32(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

static inline void invlpg(uint64_t address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
static inline uint64_t fs_base_read(void) { uint64_t v; __asm__ volatile("rdfsbase %0" : "=r"(v)); return v; }
static inline void fs_base_write(uint64_t v) { __asm__ volatile("wrfsbase %0" : : "r"(v)); }

/* The user's GS base waits in the other register while the kernel runs. No interrupt may come between. */
static inline uint64_t user_gs_base_read(void)
{
	uint64_t v;
	__asm__ volatile("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(v) : : "memory");
	return v;
}

static inline uint64_t user_gs_base_exchange(uint64_t v)
{
	uint64_t old;
	__asm__ volatile("swapgs\n\trdgsbase %0\n\twrgsbase %1\n\tswapgs" : "=&r"(old) : "r"(v) : "memory");
	return old;
}

/* ---- What the image is made of (kernel.ld, start.S, entry.S) ---- */

typedef uint64_t page_table_t[512];
#define DIRECT_MAP_BYTES (512ull << 30)         /* one entry of the root */
extern page_table_t boot_root, direct_map_top, image_directory, boot_directory[4];
extern char image_text_start[], image_text_end[], image_rodata_start[], image_data_start[], image_end[];
extern char image_physical_start[], image_physical_end[];
extern char trampoline_start[], trampoline_end[], syscall_entry[];
extern const uint8_t trap_stubs[];
enum { TRAP_STUB_BYTES = 16 };

/* Physical address of something in the image. */
static inline paddr_t image_to_paddr(const void *p) { return paddr((uint64_t)p - KERNEL_VIRTUAL); }

/* ---- Start (boot.c, features.c, descriptors.c) ---- */

extern struct cpu boot_cpu;
extern struct boot_info boot_copy;              /* checked and normalized; what kernel_main gets */
extern paddr_t trampoline_page;                 /* a page below 1 MiB; raw 0: none */

/* Says why on the serial port and ends. For what a loader or the machine did wrong, before panic is of use. */
NORETURN void boot_stop(const char *why) NONNULL;
NORETURN void boot_main(uint64_t from, uint64_t pointer);
/* What the next CPU to start runs on (it takes the stack, leaving NULL) and calls; at first the boot CPU's. */
extern _Atomic(void *) start_stack;
extern void (*start_entry)(void);
/* Control registers, SYSCALL, memory types, FPU of this CPU: what CPUID says it has. */
void features_init_cpu(void);
/* GS base, GDT, TSS, IDT of this CPU. ist_stacks: IST_STACKS of IST_STACK_BYTES. */
enum { IST_STACKS = 3 };
void descriptors_init_cpu(struct cpu *c, uint8_t *ist_stacks) NONNULL;
/* Kernel half: final tables, the image's pages with their protection, all RAM in the direct map. */
void paging_init(struct boot_info *boot) NONNULL;
/* Physical memory to read, for who follows somebody's pointers (lib/boot, lib/acpi); NULL: it is nowhere (address 0), or the
 * direct map does not reach it (before paging_init: beyond 4 GiB). */
const void *paging_lend(void *context, uint64_t address, size_t bytes);
extern uint32_t fpu_state_bytes;                /* [I] */

/* ---- Traps (trap.c, called by entry.S) ---- */

void trap_from_user(struct regs *r, uint64_t vector, uint64_t error) NONNULL;
void trap_from_kernel(struct regs *r, uint64_t vector, uint64_t error) NONNULL;
void trap_on_own_stack(struct regs *r, uint64_t vector, uint64_t error) NONNULL;
/* The registers to return to are not such as IRET takes. */
void trap_bad_return(struct regs *r) NONNULL;

/* ---- Interrupt controllers (apic.c, lines.c) ---- */

void apic_init_early(void);             /* the boot CPU's: masks the old controller, maps the local one */
void apic_init_cpu(void);               /* enables this CPU's local one */
void apic_end(void);                    /* end of interrupt */
void apic_end_unexpected(uint32_t vector);
uint32_t apic_id(void);
bool apic_can_reach(uint32_t hardware_id);
/* what: a vector, or one of these (STARTUP with a page's number). */
enum { APIC_NMI = 4 << 8, APIC_INIT = 5 << 8, APIC_STARTUP = 6 << 8 };
void apic_send(uint32_t hardware_id, uint32_t what);
uint32_t apic_timer_count(void);
void apic_timer_start(uint32_t count);  /* divided by 16, one shot; 0 stops */
void apic_timer_unmask(void);
void lines_init(void);
void lines_interrupt(uint32_t vector);

/* ---- Time, CPUs (clock.c, smp.c) ---- */

void clock_init_boot(void);             /* calibrates; needs acpi_machine */
void smp_stop_here(struct regs *r);     /* panic elsewhere: writes this CPU's trace, halts */
_Noreturn void cpu_halt(void);

extern struct acpi_info acpi_machine;   /* [I] after arch_init_early */
