/* kernel/arch/x86_64/machine.c - the machine around the CPUs: start-up order, serial port, power, random numbers, I/O ports. */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/mem/paging.h"
#include "lib/base/bits.h"

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

/* ACPI tables lie where the direct map reaches: the low 4 GiB, or memory that the map lists. */
static const void *lend_physical(void *context, uint64_t address, size_t bytes)
{
	const struct boot_info *boot = context;

	if (range_fits(address, bytes, 4ull << 30))
		return paddr_to_kernel(paddr(address));
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *m = &boot->memory[i];

		if (m->kind != BOOT_MEMORY_RESERVED && address >= m->start && range_fits(address - m->start, bytes, m->bytes))
			return paddr_to_kernel(paddr(address));
	}
	return NULL;
}

static void read_tables(const struct boot_info *boot)
{
	struct acpi_memory memory = { lend_physical, (void *)boot };
	uint64_t root = boot->acpi_rsdp ? boot->acpi_rsdp : acpi_find_root(&memory);

	if (acpi_read(&memory, root, &acpi_machine))
		klog("arch: no ACPI tables; one CPU, and power stays on\n");
}

void arch_init_early(const struct boot_info *boot)
{
	boot_cpu.arch.timer_deadline_ns = UINT64_MAX;
	apic_init_early();
	read_tables(boot);
	clock_init_boot();
	apic_timer_unmask();
}

err_t arch_init_late(const struct boot_info *boot UNUSED)
{
	lines_init();
	return OK;
}

/* ---- Power ---- */

enum { SLEEP_ENABLE = 1 << 13, SLEEP_TYPE_SHIFT = 10, SLEEP_CONTROL_ENABLE = 1 << 5, SLEEP_CONTROL_SHIFT = 2 };
enum { QEMU_SLEEP_PORT = 0x604, QEMU_SLEEP_TYPE = 0, RESET_CONTROL = 0xcf9, KEYBOARD_COMMAND = 0x64, KEYBOARD_RESET = 0xfe };

static void register_write8(struct acpi_register r, uint8_t v)
{
	volatile uint8_t *mapped;

	if (r.space == ACPI_IN_PORTS)
		port_write8((uint16_t)r.address, v);
	else if ((mapped = paging_map_device(paddr(r.address))))
		*mapped = v;
}

static void sleep_control_write(struct acpi_register r, uint8_t type)
{
	if (r.address && r.space == ACPI_IN_PORTS)
		port_write16((uint16_t)r.address, (uint16_t)(type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
}

NORETURN void arch_power_off(void)
{
	const struct acpi_info *a = &acpi_machine;

	if (a->sleep_control.address && a->has_sleep_type)
		register_write8(a->sleep_control, (uint8_t)(a->sleep_type_a << SLEEP_CONTROL_SHIFT | SLEEP_CONTROL_ENABLE));
	if (a->has_sleep_type) {
		sleep_control_write(a->control_a, a->sleep_type_a);
		sleep_control_write(a->control_b, a->sleep_type_b);
	}
	port_write16(QEMU_SLEEP_PORT, QEMU_SLEEP_TYPE << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
	klog("arch: the power stays on; it is safe to switch it off\n");
	arch_stop_others();
	cpu_halt();
}

/* An interrupt without a table to find its handler in: the CPU gives up, which resets the machine. */
NORETURN static void triple_fault(void)
{
	static const struct PACKED { uint16_t limit; uint64_t address; } none;

	__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
	cpu_halt();
}

NORETURN void arch_restart(void)
{
	if (acpi_machine.reset_works && acpi_machine.reset.address)
		register_write8(acpi_machine.reset, acpi_machine.reset_value);
	port_write8(RESET_CONTROL, 2);
	port_write8(RESET_CONTROL, 6);
	port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	clock_wait_ns(100000000);
	triple_fault();
}

enum { EMULATOR_EXIT_PORT = 0xf4, EMULATOR_EXIT_FAILED = 1 };

NORETURN void arch_end(void)
{
	port_write32(EMULATOR_EXIT_PORT, EMULATOR_EXIT_FAILED);
	cpu_halt();
}

/* ---- Random numbers, ports ---- */

uint64_t arch_random_seed(void)
{
	uint64_t value = 0;
	bool got = false;

	if (cpuid(1, 0).ecx & 1 << 30)
		for (int i = 0; i < 10 && !got; i++)
			__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(value), "=qm"(got) : : "cc");
	/* A CPU without it, or whose source failed: time is all there is. */
	return got ? value : arch_ticks() * 0x9e3779b97f4a7c15ull;
}

err_t arch_port_read(uint16_t port, uint8_t width, uint32_t *out)
{
	switch (width) {
	case 1: *out = port_read8(port); return OK;
	case 2: *out = port_read16(port); return OK;
	case 4: *out = port_read32(port); return OK;
	default: return ERR_INVAL;
	}
}

err_t arch_port_write(uint16_t port, uint8_t width, uint32_t value)
{
	switch (width) {
	case 1: port_write8(port, (uint8_t)value); return OK;
	case 2: port_write16(port, (uint16_t)value); return OK;
	case 4: port_write32(port, value); return OK;
	default: return ERR_INVAL;
	}
}
