/* kernel/arch/x86_64/lines.c - device interrupt lines: the I/O interrupt controllers, and who handles which line.
 *
 * A level line is masked from its interrupt to arch_irq_unmask. An edge line never is: the hardware forgets an edge that comes
 * while it is masked. A line's interrupts go to the CPU that let the last one through, where its driver runs.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/mem/paging.h"
#include "kernel/sync/spinlock.h"

enum { LINES_MAX = VECTOR_LINES_END - VECTOR_LINES, REGISTER_VERSION = 1, REGISTER_LINE = 0x10 };
enum { LINE_ACTIVE_LOW = 1 << 13, LINE_LEVEL = 1 << 15, LINE_MASKED = 1 << 16, LINE_CPU_MAX = 254 };

struct controller {
	volatile uint32_t *select, *window;
};

/* Members: [l] under lines_lock. */
struct line {
	const struct controller *controller;    /* [I] NULL: no such line */
	uint8_t pin;                            /* [I] */
	uint32_t mode;                          /* [I] vector and LINE_ bits, without the mask */
	void (*handler)(void *);                /* [l] NULL: free */
	void *argument;                         /* [l] */
};

static struct controller controllers[ACPI_IO_CONTROLLERS_MAX];
static struct line lines[LINES_MAX];
static struct spinlock lines_lock = SPINLOCK_INIT(RANK_INTERRUPT_LINES);

static uint32_t controller_read(const struct controller *c, uint32_t r)
{
	*c->select = r;
	return *c->window;
}

static void controller_write(const struct controller *c, uint32_t r, uint32_t v)
{
	*c->select = r;
	*c->window = v;
}

static void line_set_hardware(const struct line *l, bool masked)
{
	uint32_t here = cpu_this()->hardware_id;

	controller_write(l->controller, REGISTER_LINE + l->pin * 2 + 1, (here <= LINE_CPU_MAX ? here : boot_cpu.hardware_id) << 24);
	controller_write(l->controller, REGISTER_LINE + l->pin * 2, l->mode | (masked ? LINE_MASKED : 0));
}

/* ISA's lines as the overrides say; all above are PCI's: level, active low. */
static uint32_t line_mode(uint32_t line)
{
	for (uint32_t irq = 0; irq < ACPI_ISA_IRQS; irq++)
		if (acpi_machine.isa[irq].line == line && (irq != line || line < ACPI_ISA_IRQS))
			return (acpi_machine.isa[irq].active_low ? LINE_ACTIVE_LOW : 0) | (acpi_machine.isa[irq].level ? LINE_LEVEL : 0);
	return line < ACPI_ISA_IRQS ? 0 : LINE_ACTIVE_LOW | LINE_LEVEL;
}

static void controller_init(struct controller *c, uint64_t address, uint32_t first)
{
	volatile uint8_t *base = paging_map_device(paddr(address));

	if (!base) {
		klog("arch: the interrupt controller is out of reach at %lx\n", address);
		return;
	}
	c->select = (volatile uint32_t *)base;
	c->window = (volatile uint32_t *)(base + 0x10);
	uint32_t count = (controller_read(c, REGISTER_VERSION) >> 16 & 0xff) + 1;
	for (uint32_t pin = 0; pin < count; pin++) {
		uint32_t line = first + pin;

		controller_write(c, REGISTER_LINE + pin * 2, LINE_MASKED);
		if (line >= LINES_MAX || lines[line].controller)
			continue;
		lines[line] = (struct line){ .controller = c, .pin = (uint8_t)pin, .mode = (VECTOR_LINES + line) | line_mode(line) };
	}
}

void lines_init(void)
{
	if (acpi_machine.io_controller_count == 0)
		controller_init(&controllers[0], 0xfec00000, 0);
	for (uint32_t i = 0; i < acpi_machine.io_controller_count; i++)
		controller_init(&controllers[i], acpi_machine.io_controller[i].address, acpi_machine.io_controller[i].first_line);
}

/* NULL: there is none. */
static struct line *line_find(uint32_t isa_irq)
{
	uint32_t line = isa_irq < ACPI_ISA_IRQS ? acpi_machine.isa[isa_irq].line : isa_irq;

	return line < LINES_MAX && lines[line].controller ? &lines[line] : NULL;
}

err_t arch_irq_attach(uint32_t isa_irq, void (*handler)(void *), void *argument)
{
	struct line *l = line_find(isa_irq);
	err_t err = ERR_BUSY;

	if (!l)
		return ERR_INVAL;
	spin_lock(&lines_lock);
	if (!l->handler) {
		l->handler = handler;
		l->argument = argument;
		line_set_hardware(l, false);
		err = OK;
	}
	spin_unlock(&lines_lock);
	return err;
}

void arch_irq_detach(uint32_t isa_irq, const void *argument)
{
	struct line *l = line_find(isa_irq);

	if (!l)
		return;
	spin_lock(&lines_lock);
	if (l->handler && l->argument == argument) {
		line_set_hardware(l, true);
		l->handler = NULL;
	}
	spin_unlock(&lines_lock);
}

void arch_irq_unmask(uint32_t isa_irq)
{
	struct line *l = line_find(isa_irq);

	if (!l)
		return;
	spin_lock(&lines_lock);
	if (l->handler)
		line_set_hardware(l, false);
	spin_unlock(&lines_lock);
}

void lines_interrupt(uint32_t vector)
{
	struct line *l = &lines[vector - VECTOR_LINES];

	spin_lock(&lines_lock);
	if (l->mode & LINE_LEVEL)
		line_set_hardware(l, true);
	apic_end();
	if (l->handler)
		l->handler(l->argument);
	spin_unlock(&lines_lock);
}
