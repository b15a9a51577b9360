/* kernel/arch/x86_64/machine.c - the machine around the CPUs: start-up order, serial port, I/O ports. */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/mem/paging.h"

struct acpi_info acpi_machine;

/* ---- Serial port (16550 at COM1) ---- */

enum {
	SERIAL = 0x3f8, SERIAL_DATA = 0, SERIAL_INTERRUPTS = 1, SERIAL_FIFO = 2, SERIAL_FORMAT = 3, SERIAL_MODEM = 4, SERIAL_STATUS = 5,
	SERIAL_SENT = 1 << 5, SERIAL_PATIENCE = 100000,
};

static void serial_init(void)
{
	port_write8(SERIAL + SERIAL_INTERRUPTS, 0);
	port_write8(SERIAL + SERIAL_FORMAT, 0x80);      /* divisor: 115200 / 1 */
	port_write8(SERIAL + SERIAL_DATA, 1);
	port_write8(SERIAL + SERIAL_INTERRUPTS, 0);
	port_write8(SERIAL + SERIAL_FORMAT, 3);         /* 8 bits, no parity, 1 stop */
	port_write8(SERIAL + SERIAL_FIFO, 7);
	port_write8(SERIAL + SERIAL_MODEM, 3);
}

/* A port that is not there, or stuck, is not waited for. */
static void serial_put(char c)
{
	for (int i = 0; i < SERIAL_PATIENCE && !(port_read8(SERIAL + SERIAL_STATUS) & SERIAL_SENT); i++)
		arch_pause();
	port_write8(SERIAL + SERIAL_DATA, (uint8_t)c);
}

void arch_serial_write(const char *bytes, size_t count)
{
	static bool ready;

	if (!ready)
		serial_init();
	ready = true;
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			serial_put('\r');
		serial_put(bytes[i]);
	}
}

/* ---- Start ---- */

/* The root is noted for who reads them later: init does. */
static void read_tables(void)
{
	struct acpi_memory memory = { .lend = paging_lend };

	if (!boot_copy.acpi_rsdp)
		boot_copy.acpi_rsdp = acpi_find_root(&memory);
	if (acpi_read(&memory, boot_copy.acpi_rsdp, &acpi_machine))
		klog("arch: no ACPI tables: one CPU\n");
}

void arch_init_early(void)
{
	apic_init_early();
	read_tables();
	clock_init_boot();
	apic_timer_unmask();
	lines_init();
}

/* ---- End ---- */

enum { EMULATOR_EXIT_PORT = 0xf4, EMULATOR_EXIT_FAILED = 1 };

NORETURN void arch_end(void)
{
	port_write32(EMULATOR_EXIT_PORT, EMULATOR_EXIT_FAILED);
	cpu_halt();
}

/* ---- Ports ---- */

uint32_t arch_port_read(uint16_t port, size_t width)
{
	return width == 1 ? port_read8(port) : width == 2 ? port_read16(port) : port_read32(port);
}

void arch_port_write(uint16_t port, size_t width, uint32_t value)
{
	if (width == 1)
		port_write8(port, (uint8_t)value);
	else if (width == 2)
		port_write16(port, (uint16_t)value);
	else
		port_write32(port, value);
}
