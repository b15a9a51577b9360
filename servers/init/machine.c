/* servers/init/machine.c - finds the tables in physical memory; power is a few writes to the registers that they name. */
#include "servers/init/machine.h"
#include "abi/boot.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"

enum { PAGE = 4096 };
enum { SLEEP_ENABLE = 1 << 13, SLEEP_TYPE_SHIFT = 10, SLEEP_CONTROL_ENABLE = 1 << 5, SLEEP_CONTROL_SHIFT = 2 };
/* What works without tables: QEMU's power register, a PC's reset register and its keyboard controller. */
enum { QEMU_SLEEP_PORT = 0x604, RESET_CONTROL_PORT = 0xcf9, KEYBOARD_PORT = 0x64, KEYBOARD_RESET = 0xfe };

static struct {
	handle_t namespace, physical;
	struct acpi_info acpi;
} machine;

static void *map_physical(uint64_t start, uint64_t bytes, enum mem_cache cache, uint64_t flags)
{
	uint64_t first = round_down(start, PAGE);
	struct mem_window window = { .offset = first, .bytes = round_up(start + bytes, PAGE) - first };
	handle_t h;

	if (bytes > UINT64_MAX - PAGE - start || handle_call_get(machine.physical, MEM_PHYSICAL, &window, sizeof window, cache, &h))
		return NULL;
	int64_t at = sys_map(0, h, 0, window.bytes, flags | MAP_SHARED, 0, HANDLE_NONE, 0);
	handle_close(h);
	return at < 0 ? NULL : (char *)at + (start - first);
}

static const void *lend(void *context UNUSED, uint64_t address, size_t bytes)
{
	return map_physical(address, bytes, MEM_CACHED, MAP_READ);
}

void machine_init(handle_t namespace)
{
	struct acpi_memory memory = { .lend = lend };
	uint64_t root = 0;
	handle_t boot;

	machine.namespace = namespace;
	if (handle_open_in(namespace, "mem", "phys", OPEN_READ | OPEN_WRITE, &machine.physical))
		machine.physical = HANDLE_NONE;
	if (handle_open_in(namespace, "sys", "boot", OPEN_READ, &boot) == OK) {
		if (handle_read_at(boot, &root, sizeof root, offsetof(struct boot_info, acpi_rsdp)))
			root = 0;
		handle_close(boot);
	}
	if (acpi_read(&memory, root, &machine.acpi))
		print("init: no ACPI tables: the power may stay on\n");
}

const struct acpi_info *machine_acpi(void) { return &machine.acpi; }

static void port_write(uint16_t port, uint32_t value, size_t bytes)
{
	char ref[24];
	handle_t h;

	(void)fmt(ref, sizeof ref, "port:%x+%u", port, (unsigned)bytes);
	if (handle_open_in(machine.namespace, "mem", ref, OPEN_WRITE, &h))
		return;
	(void)!handle_write_at(h, &value, bytes, 0);
	handle_close(h);
}

static void register_write(struct acpi_register r, uint32_t value, size_t bytes)
{
	volatile uint8_t *at;

	if (r.address && r.space == ACPI_IN_PORTS)
		port_write((uint16_t)r.address, value, bytes);
	else if (r.address && bytes == 1 && (at = map_physical(r.address, 1, MEM_UNCACHED, MAP_READ | MAP_WRITE)))
		*at = (uint8_t)value;
}

static void power_off(const struct acpi_info *a)
{
	if (a->has_sleep_type) {
		register_write(a->sleep_control, a->sleep_type_a << SLEEP_CONTROL_SHIFT | SLEEP_CONTROL_ENABLE, 1);
		register_write(a->control_a, a->sleep_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE, 2);
		register_write(a->control_b, a->sleep_type_b << SLEEP_TYPE_SHIFT | SLEEP_ENABLE, 2);
	}
	port_write(QEMU_SLEEP_PORT, SLEEP_ENABLE, 2);
}

static void restart(const struct acpi_info *a)
{
	if (a->reset_works)
		register_write(a->reset, a->reset_value, 1);
	port_write(RESET_CONTROL_PORT, 2, 1);
	port_write(RESET_CONTROL_PORT, 6, 1);
	port_write(KEYBOARD_PORT, KEYBOARD_RESET, 1);
}

void machine_power(enum power how)
{
	if (how == POWER_RESTART)
		restart(&machine.acpi);
	else
		power_off(&machine.acpi);
	print("init: the machine stays on; it is safe to switch it off\n");
}
