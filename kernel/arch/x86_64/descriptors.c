/* kernel/arch/x86_64/descriptors.c - segment, task and interrupt descriptor tables: written once per CPU (GDT, TSS) or once at all (IDT). */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "lib/base/string.h"

struct PACKED table_pointer {
	uint16_t limit;
	uint64_t address;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

enum { GATE_KERNEL = 0x8e, GATE_USER = 0xee, VECTOR_COUNT = 256 };

/* Accessed bits are set, so that loading a selector never writes here. No 32-bit user code: its SYSCALL would enter elsewhere. */
static const uint64_t segments[GDT_ENTRIES] = {
	[SELECTOR_BOOT_CODE32 / 8] = 0x00cf9b000000ffff,
	[SELECTOR_KERNEL_CODE / 8] = 0x00af9b000000ffff,
	[SELECTOR_KERNEL_DATA / 8] = 0x00cf93000000ffff,
	[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff,
	[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff,
};

static struct gate idt[VECTOR_COUNT] ALIGNED(16);

/* Vectors that run on a stack of their own (index in tss.ist, from 1): non-maskable, double fault, machine check. */
static const uint8_t vector_stack[VECTOR_COUNT] = { [2] = 1, [8] = 2, [18] = 3 };

static void idt_fill(void)
{
	for (uint32_t v = 0; v < VECTOR_COUNT; v++) {
		uint64_t entry = (uint64_t)trap_stubs + v * TRAP_STUB_BYTES;

		idt[v] = (struct gate){
			.offset_low = (uint16_t)entry, .offset_middle = (uint16_t)(entry >> 16), .offset_high = (uint32_t)(entry >> 32),
			.selector = SELECTOR_KERNEL_CODE, .stack = vector_stack[v],
			.type = v == 3 || v == 4 ? GATE_USER : GATE_KERNEL,     /* int3 and into are user code's to say */
		};
	}
}

static void gdt_fill(struct arch_cpu *a)
{
	uint64_t tss = (uint64_t)&a->tss, limit = sizeof(a->tss) - 1;

	memcpy(a->gdt, segments, sizeof(segments));
	a->gdt[SELECTOR_TSS / 8] = limit | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	a->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
}

/* Above each stack lies the address of struct cpu, which entry.S fetches there. */
static void tss_fill(struct cpu *c, uint8_t *ist_stacks)
{
	c->arch.tss.io_map_base = sizeof(c->arch.tss);
	for (int i = 0; i < IST_STACKS; i++) {
		uint8_t *top = ist_stacks + (i + 1) * IST_STACK_BYTES - 16;

		*(struct cpu **)top = c;
		c->arch.tss.ist[i] = (uint64_t)top;
	}
}

void descriptors_init_cpu(struct cpu *c, uint8_t *ist_stacks)
{
	struct table_pointer gdt_pointer = { sizeof(c->arch.gdt) - 1, (uint64_t)c->arch.gdt };
	struct table_pointer idt_pointer = { sizeof(idt) - 1, (uint64_t)idt };

	c->self = c;
	gdt_fill(&c->arch);
	tss_fill(c, ist_stacks);
	if (idt[0].type == 0)
		idt_fill();
	__asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2" : : "m"(gdt_pointer), "m"(idt_pointer), "r"(SELECTOR_TSS) : "memory");
	msr_write(MSR_KERNEL_GS_BASE, 0);
	msr_write(MSR_GS_BASE, (uint64_t)c);
}
