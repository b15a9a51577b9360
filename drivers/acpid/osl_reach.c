/* drivers/acpid/osl_reach.c - ACPICA's OS layer: what it reaches outside of itself. Memory, ports, configuration space, its interrupt. */
#include "drivers/acpid/osl.h"
#include "abi/boot.h"
#include "abi/proto/device.h"
#include "drivers/acpid/range.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/physical.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { PAGE = 4096, BITS_PER_BYTE = 8, CONFIG_WIDTH_MAX = 4, REFUSALS_TOLD = 16 };

static struct {
	struct boot_memory memory[BOOT_MEMORY_MAX];
	uint32_t memory_count;
	uint64_t root;
	handle_t physical, ports, pci;
	uint32_t refusals;
} reach;

/* Bytecode that keeps trying would fill the log. */
static void refused(const char *what, uint64_t at, uint64_t bytes)
{
	if (reach.refusals++ < REFUSALS_TOLD)
		print("acpid: the firmware's bytecode may not reach %llu bytes of %s at %#llx\n", (unsigned long long)bytes, what, (unsigned long long)at);
}

err_t osl_init(struct server *s)
{
	handle_t boot = startup_handle("boot");
	uint32_t count = 0;
	err_t err;

	osl_loop(s);
	reach.physical = startup_handle("phys");
	reach.ports = startup_handle("ports");
	reach.pci = startup_handle("pci");
	if (boot == HANDLE_NONE || (err = handle_read_at(boot, &count, sizeof count, offsetof(struct boot_info, memory_count))) || count > BOOT_MEMORY_MAX)
		return ERR_NOENT;
	if (count && (err = handle_read_at(boot, reach.memory, count * sizeof *reach.memory, offsetof(struct boot_info, memory))))
		return err;
	reach.memory_count = count;
	reach.root = physical_acpi_root(boot);
	return reach.root ? OK : ERR_NODEV;
}

/* ---- Memory ---- */

acpi_physical_address acpi_os_get_root_pointer(void) { return reach.root; }

void *acpi_os_map_memory(acpi_physical_address at, acpi_size bytes)
{
	bool is_table = range_is_table(reach.memory, reach.memory_count, at, bytes);
	void *mapped = NULL;

	if (range_has_memory(reach.memory, reach.memory_count, at, bytes))
		mapped = physical_map(reach.physical, at, bytes, is_table ? MEM_CACHED : MEM_UNCACHED, MAP_READ | MAP_WRITE);
	if (!mapped)
		refused("memory", at, bytes);
	return mapped;
}

void acpi_os_unmap_memory(void *at, acpi_size bytes)
{
	uint64_t start = round_down((uint64_t)at, PAGE), end = round_up((uint64_t)at + bytes, PAGE);

	(void)sys_unmap(0, HANDLE_NONE, start, end - start);
}

acpi_status acpi_os_read_memory(acpi_physical_address address, u64 *value, u32 width)
{
	volatile void *at = acpi_os_map_memory(address, width / BITS_PER_BYTE);

	if (!at)
		return AE_ACCESS;
	*value = width == 8 ? *(volatile u8 *)at : width == 16 ? *(volatile u16 *)at : width == 32 ? *(volatile u32 *)at : *(volatile u64 *)at;
	acpi_os_unmap_memory((void *)at, width / BITS_PER_BYTE);
	return AE_OK;
}

acpi_status acpi_os_write_memory(acpi_physical_address address, u64 value, u32 width)
{
	volatile void *at = acpi_os_map_memory(address, width / BITS_PER_BYTE);

	if (!at)
		return AE_ACCESS;
	if (width == 8)
		*(volatile u8 *)at = (u8)value;
	else if (width == 16)
		*(volatile u16 *)at = (u16)value;
	else if (width == 32)
		*(volatile u32 *)at = (u32)value;
	else
		*(volatile u64 *)at = value;
	acpi_os_unmap_memory((void *)at, width / BITS_PER_BYTE);
	return AE_OK;
}

/* ACPICA asks before it follows a table's pointer within what is mapped. */
u8 acpi_os_readable(void *at UNUSED, acpi_size bytes UNUSED) { return TRUE; }
u8 acpi_os_writable(void *at UNUSED, acpi_size bytes UNUSED) { return TRUE; }

/* ---- Ports ---- */

acpi_status acpi_os_read_port(acpi_io_address port, u32 *value, u32 width)
{
	u32 found = 0, bytes = width / BITS_PER_BYTE;

	if (port > UINT16_MAX || !range_has_ports((u32)port, bytes)) {
		refused("ports", port, bytes);
		return AE_ACCESS;
	}
	if (handle_read_at(reach.ports, &found, bytes, port))
		return AE_IO_ERROR;
	*value = found;
	return AE_OK;
}

acpi_status acpi_os_write_port(acpi_io_address port, u32 value, u32 width)
{
	u32 bytes = width / BITS_PER_BYTE;

	if (port > UINT16_MAX || !range_has_ports((u32)port, bytes)) {
		refused("ports", port, bytes);
		return AE_ACCESS;
	}
	return handle_write_at(reach.ports, &value, bytes, port) ? AE_IO_ERROR : AE_OK;
}

/* ---- Configuration space: pcid's; wider accesses go by its widest ---- */

static int64_t config_call(const struct acpi_pci_id *id, u32 offset, u32 bytes, u32 value, enum device_config_way way)
{
	struct device_config c = {
		.segment = id->segment, .bus = (uint8_t)id->bus, .slot_function = (uint8_t)(id->device << 3 | (id->function & 7)),
		.offset = offset, .bytes = bytes, .value = value,
	};

	return handle_call(reach.pci, DEVICE_CONFIG, &c, sizeof c, NULL, 0, way);
}

acpi_status acpi_os_read_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 *value, u32 width)
{
	u32 bytes = width / BITS_PER_BYTE, step = MIN_OF(bytes, (u32)CONFIG_WIDTH_MAX);

	*value = 0;
	for (u32 done = 0; done < bytes; done += step) {
		int64_t found = config_call(id, offset + done, step, 0, DEVICE_CONFIG_READ);

		if (found < 0)
			return AE_IO_ERROR;
		*value |= (u64)found << done * BITS_PER_BYTE;
	}
	return AE_OK;
}

acpi_status acpi_os_write_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 value, u32 width)
{
	u32 bytes = width / BITS_PER_BYTE, step = MIN_OF(bytes, (u32)CONFIG_WIDTH_MAX);

	for (u32 done = 0; done < bytes; done += step)
		if (config_call(id, offset + done, step, (u32)(value >> done * BITS_PER_BYTE), DEVICE_CONFIG_WRITE) < 0) {
			refused("configuration space", offset, bytes);
			return AE_ACCESS;
		}
	return AE_OK;
}

/* ---- The interrupt ---- */

static struct {
	handle_t handle;
	struct server_watch watch;
	acpi_osd_handler handler;
	void *context;
} interrupt = { .handle = HANDLE_NONE };

static void interrupt_came(struct server_watch *w, uint32_t found UNUSED)
{
	uint64_t count;

	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof count, -1) != sizeof count)
		return;
	interrupt.handler(interrupt.context);
	(void)!sys_write(0, w->handle, &count, sizeof count, -1);
}

bool osl_wait_interrupt(uint64_t timeout_ns)
{
	struct poll_entry wait = { .handle = interrupt.handle, .wanted = READY_READ };
	uint64_t now_ns = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);

	if (interrupt.handle == HANDLE_NONE || sys_poll(0, HANDLE_NONE, &wait, 1, now_ns + timeout_ns) <= 0)
		return false;
	interrupt_came(&interrupt.watch, READY_READ);
	return true;
}

acpi_status acpi_os_install_interrupt_handler(u32 line, acpi_osd_handler handler, void *context)
{
	char ref[12];
	err_t err;

	if (interrupt.handle != HANDLE_NONE)
		return AE_ALREADY_EXISTS;
	(void)fmt(ref, sizeof ref, "%u", line);
	if ((err = handle_open("irq", ref, OPEN_READ | OPEN_WRITE, &interrupt.handle))) {
		print("acpid: interrupt %u cannot be had: error %d\n", line, -err);
		return AE_NOT_ACQUIRED;
	}
	interrupt.handler = handler;
	interrupt.context = context;
	osl_watch(&interrupt.watch, interrupt.handle, interrupt_came);
	return AE_OK;
}

acpi_status acpi_os_remove_interrupt_handler(u32 line UNUSED, acpi_osd_handler handler)
{
	if (interrupt.handle == HANDLE_NONE || interrupt.handler != handler)
		return AE_NOT_EXIST;
	osl_unwatch(&interrupt.watch);
	handle_close(interrupt.handle);
	interrupt.handle = HANDLE_NONE;
	return AE_OK;
}
