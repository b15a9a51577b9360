/* drivers/pcid/access.c - configuration space in memory, where ACPI says so, else through two ports. */
#include "drivers/pcid/access.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/native/handle.h"
#include "lib/native/physical.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { BUS_SHIFT = 20, FUNCTION_SHIFT = 12, CONFIG_SHORT = 256, BUSES = 256 };
enum { PORT_ADDRESS = 0, PORT_DATA = 4 };
#define PORT_ENABLE 0x80000000u

static struct {
	handle_t physical, ports;
	struct acpi_info acpi;
	volatile uint8_t *bus[ACPI_SEGMENTS_MAX][BUSES];        /* mapped when first needed */
	struct pci_host host;
} access;

err_t access_memory(uint64_t start, uint64_t bytes, handle_t *out)
{
	struct mem_window window = { .offset = start, .bytes = bytes };

	return handle_call_get(access.physical, MEM_PHYSICAL, &window, sizeof window, MEM_UNCACHED, out);
}

err_t access_ports(uint16_t first, uint32_t count, handle_t *out)
{
	char ref[24];

	(void)fmt(ref, sizeof ref, "port:%x+%u", first, (unsigned)count);
	return handle_open("mem", ref, OPEN_READ | OPEN_WRITE, out);
}

volatile uint8_t *access_map(uint64_t start, uint64_t bytes)
{
	return physical_map(access.physical, start, bytes, MEM_UNCACHED, MAP_READ | MAP_WRITE);
}

void access_unmap(volatile uint8_t *at, uint64_t bytes) { (void)sys_unmap(0, HANDLE_NONE, (uint64_t)at, bytes); }

/* ---- The firmware's tables ---- */

static void read_tables(void)
{
	struct acpi_memory memory = { .lend = physical_lend, .context = &access.physical };

	if (acpi_read(&memory, physical_acpi_root(startup_handle("boot")), &access.acpi))
		access.acpi.segment_count = 0;
}

uint32_t access_root_count(void) { return MAX_OF(access.acpi.segment_count, 1u); }

void access_root(uint32_t n, uint16_t *segment, uint8_t *first_bus)
{
	*segment = access.acpi.segment_count ? access.acpi.segment[n].segment : 0;
	*first_bus = access.acpi.segment_count ? access.acpi.segment[n].first_bus : 0;
}

const struct acpi_info *access_acpi(void) { return &access.acpi; }

/* ---- Configuration space ---- */

/* segment_count: none. */
static uint32_t find_segment(struct pci_address a)
{
	uint32_t n = 0;

	while (n < access.acpi.segment_count && (access.acpi.segment[n].segment != a.segment || a.bus < access.acpi.segment[n].first_bus ||
	                                         a.bus > access.acpi.segment[n].last_bus))
		n++;
	return n;
}

uint64_t access_register(struct pci_address a, uint32_t offset)
{
	uint32_t n = find_segment(a);

	if (n == access.acpi.segment_count)
		return 0;
	return access.acpi.segment[n].address + ((uint64_t)a.bus << BUS_SHIFT) + ((uint64_t)a.slot_function << FUNCTION_SHIFT) + offset;
}

/* NULL: not in memory. */
static volatile uint8_t *in_memory(struct pci_address a, uint32_t offset)
{
	uint32_t n = find_segment(a);

	if (n == access.acpi.segment_count)
		return NULL;
	volatile uint8_t **bus = &access.bus[n][a.bus];
	if (!*bus)
		*bus = access_map(access.acpi.segment[n].address + ((uint64_t)a.bus << BUS_SHIFT), 1 << BUS_SHIFT);
	return *bus ? *bus + ((uint32_t)a.slot_function << FUNCTION_SHIFT) + offset : NULL;
}

static bool select_ports(struct pci_address a, uint32_t offset)
{
	uint32_t address = PORT_ENABLE | (uint32_t)a.bus << 16 | (uint32_t)a.slot_function << 8 | (offset & ~3u);

	return a.segment == 0 && offset < CONFIG_SHORT && sys_write(0, access.ports, &address, sizeof address, PORT_ADDRESS) == sizeof address;
}

static uint32_t read_config(void *context UNUSED, struct pci_address a, uint32_t offset, uint32_t bytes)
{
	volatile uint8_t *at = in_memory(a, offset);
	uint32_t value = UINT32_MAX >> (32 - bytes * 8);

	if (at)
		return bytes == 1 ? *at : bytes == 2 ? *(volatile uint16_t *)at : *(volatile uint32_t *)at;
	if (!access.acpi.segment_count && select_ports(a, offset))
		(void)sys_read(0, access.ports, &value, bytes, PORT_DATA + (offset & 3));
	return value;
}

static void write_config(void *context UNUSED, struct pci_address a, uint32_t offset, uint32_t bytes, uint32_t value)
{
	volatile uint8_t *at = in_memory(a, offset);

	if (at && bytes == 1)
		*at = (uint8_t)value;
	else if (at && bytes == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else if (at)
		*(volatile uint32_t *)at = value;
	else if (!access.acpi.segment_count && select_ports(a, offset))
		(void)sys_write(0, access.ports, &value, bytes, PORT_DATA + (offset & 3));
}

static void wait(void *context UNUSED, uint64_t ns) { sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + ns); }

void access_init(void)
{
	access.physical = startup_handle("phys");
	access.ports = startup_handle("config");
	read_tables();
	access.host = (struct pci_host){
		.read = read_config, .write = write_config, .wait = wait,
		.config_bytes = access.acpi.segment_count ? DEVICE_CONFIG_BYTES : CONFIG_SHORT,
	};
	if (!access.acpi.segment_count)
		print("pcid: configuration space is reached by ports\n");
}

const struct pci_host *access_host(void) { return &access.host; }
