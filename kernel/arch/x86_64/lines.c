/* kernel/arch/x86_64/lines.c - device interrupts: the lines of the I/O interrupt controllers, messages, and who handles which.
 *
 * A message is a line without a controller: a vector that a device writes to a CPU itself.
 * A level line is masked from its interrupt to arch_irq_unmask. An edge line never is: the hardware forgets an edge that comes
 * while it is masked. A line's interrupts go to the CPU that let the last one through, where its driver runs.
 */
#include "abi/proto/kernel.h"
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/mem/paging.h"
#include "kernel/sync/spinlock.h"

enum { LINES_MAX = VECTOR_MESSAGES - VECTOR_LINES, ALL_MAX = VECTOR_LINES_END - VECTOR_LINES, REGISTER_VERSION = 1, REGISTER_LINE = 0x10 };
enum { LINE_ACTIVE_LOW = 1 << 13, LINE_LEVEL = 1 << 15, LINE_MASKED = 1 << 16, LINE_CPU_MAX = 254 };

#define MESSAGE_ADDRESS 0xfee00000u

struct controller {
	volatile uint32_t *select, *window;
};

/* Members: [l] under lines_lock. */
struct line {
	const struct controller *controller;    /* [I] NULL: a message, or (below LINES_MAX) no such line */
	uint8_t pin;                            /* [I] */
	uint32_t mode;                          /* [I] vector and LINE_ bits, without the mask */
	bool (*handler)(void *);                /* [l] NULL: free */
	void *argument;                         /* [l] */
};

static struct controller controllers[ACPI_IO_CONTROLLERS_MAX];
static struct line lines[ALL_MAX];
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

/* Whom it can interrupt, if not the CPU it should. */
static uint32_t line_target(const struct cpu *c) { return c->hardware_id <= LINE_CPU_MAX ? c->hardware_id : boot_cpu.hardware_id; }

static void line_set_hardware(const struct line *l, bool masked)
{
	if (!l->controller)
		return;
	controller_write(l->controller, REGISTER_LINE + l->pin * 2 + 1, line_target(cpu_this()) << 24);
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

	return line >= ALL_MAX || (line < LINES_MAX && !lines[line].controller) ? NULL : &lines[line];
}

err_t arch_irq_attach(uint32_t isa_irq, bool (*handler)(void *), void *argument)
{
	struct line *l = line_find(isa_irq);
	err_t err = ERR_BUSY;

	if (!l || !l->controller)
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

err_t arch_message_attach(bool (*handler)(void *), void *argument, uint32_t *number, struct irq_message *out)
{
	static uint32_t next_cpu;       /* [l] */
	uint32_t n = LINES_MAX;

	spin_lock(&lines_lock);
	while (n < ALL_MAX && lines[n].handler)
		n++;
	if (n < ALL_MAX) {
		lines[n].handler = handler;
		lines[n].argument = argument;
		*out = (struct irq_message){ .address = MESSAGE_ADDRESS | line_target(cpus[next_cpu++ % cpu_count]) << 12, .data = VECTOR_LINES + n };
	}
	spin_unlock(&lines_lock);
	*number = n;
	return n < ALL_MAX ? OK : ERR_NOSPC;
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
	if (l->handler && l->handler(l->argument))
		line_set_hardware(l, true);
	spin_unlock(&lines_lock);
}
