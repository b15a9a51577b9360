/* kernel/arch/x86_64/apic.c - the local interrupt controller of each CPU: its timer, and interrupts to other CPUs.
 *
 * Reached through memory (xAPIC), or through MSRs where firmware has already switched it to x2APIC.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/mem/paging.h"

enum apic_register {
	APIC_ID = 0x20, APIC_PRIORITY = 0x80, APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0, APIC_IN_SERVICE = 0x100, APIC_COMMAND = 0x300, APIC_COMMAND_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350, APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380, APIC_TIMER_CURRENT = 0x390, APIC_TIMER_DIVIDE = 0x3e0,
};
enum {
	SPURIOUS_ENABLE = 1 << 8, LVT_MASKED = 1 << 16, LVT_NMI = 4 << 8, DIVIDE_BY_16 = 3,
	COMMAND_BUSY = 1 << 12, COMMAND_ASSERT = 1 << 14,
	BASE_X2 = 1 << 10, BASE_ENABLE = 1 << 11, XAPIC_ID_MAX = 254,
};
#define BASE_ADDRESS 0x000ffffffffff000ull
enum { PIC1_COMMAND = 0x20, PIC1_DATA = 0x21, PIC2_COMMAND = 0xa0, PIC2_DATA = 0xa1, PIC_VECTORS = 0x20 };

static volatile uint8_t *registers;     /* NULL: x2APIC */

static uint32_t apic_read(enum apic_register r)
{
	if (registers)
		return *(volatile uint32_t *)(registers + r);
	return (uint32_t)msr_read(MSR_X2APIC + (uint32_t)r / 16);
}

static void apic_write(enum apic_register r, uint32_t v)
{
	if (registers)
		*(volatile uint32_t *)(registers + r) = v;
	else
		msr_write(MSR_X2APIC + (uint32_t)r / 16, v);
}

/* The old controller: moved away from the exceptions' vectors and silenced. */
static void pic_mask(void)
{
	port_write8(PIC1_COMMAND, 0x11);
	port_write8(PIC2_COMMAND, 0x11);
	port_write8(PIC1_DATA, PIC_VECTORS);
	port_write8(PIC2_DATA, PIC_VECTORS + 8);
	port_write8(PIC1_DATA, 4);
	port_write8(PIC2_DATA, 2);
	port_write8(PIC1_DATA, 1);
	port_write8(PIC2_DATA, 1);
	port_write8(PIC1_DATA, 0xff);
	port_write8(PIC2_DATA, 0xff);
}

void apic_init_early(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	pic_mask();
	if (!(base & BASE_X2)) {
		registers = paging_map_device(paddr(base & BASE_ADDRESS));
		if (!registers)
			boot_stop("the local interrupt controller cannot be mapped");
	}
	apic_init_cpu();
	boot_cpu.hardware_id = apic_id();
}

void apic_init_cpu(void)
{
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | BASE_ENABLE | (registers ? 0 : BASE_X2));
	apic_write(APIC_PRIORITY, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_EOI, 0);
}

void apic_end(void) { apic_write(APIC_EOI, 0); }

/* What no handler wants: a spurious interrupt is not acknowledged, one that a device sent to a wrong vector must be, lest it blocks others. */
void apic_end_unexpected(uint32_t vector)
{
	if (apic_read(APIC_IN_SERVICE + vector / 32 * 16) & 1u << vector % 32)
		apic_end();
}

bool apic_can_reach(uint32_t hardware_id) { return !registers || hardware_id <= XAPIC_ID_MAX; }

uint32_t apic_id(void) { return registers ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID); }

void apic_send(uint32_t hardware_id, uint32_t what)
{
	if (!registers) {
		/* Not ordered with memory by itself: what the other is to see must be there first. */
		__asm__ volatile("mfence\n\tlfence" ::: "memory");
		msr_write(MSR_X2APIC + APIC_COMMAND / 16, (uint64_t)hardware_id << 32 | COMMAND_ASSERT | what);
		return;
	}
	while (apic_read(APIC_COMMAND) & COMMAND_BUSY)
		arch_pause();
	apic_write(APIC_COMMAND_HIGH, hardware_id << 24);
	apic_write(APIC_COMMAND, COMMAND_ASSERT | what);
}

uint32_t apic_timer_count(void) { return apic_read(APIC_TIMER_CURRENT); }
void apic_timer_start(uint32_t count) { apic_write(APIC_TIMER_INITIAL, count); }
void apic_timer_unmask(void) { apic_write(APIC_LVT_TIMER, VECTOR_TIMER); }
