/* drivers/acpid/acpi.c - ACPICA's start, and asking it in fewer words. */
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/osl.h"
#include "lib/base/string.h"
#include "lib/native/print.h"

enum { TABLES_FIRST = 32, INTERRUPTS_BY_IO_APIC = 1, PCI_BUS_NUMBERS = 0x18, DEPTH_MAX = 16, LOOP_S_MAX = 1 };

bool is_failed(const char *what, acpi_status status)
{
	if (ACPI_SUCCESS(status))
		return false;
	print("acpid: %s: %s\n", what, acpi_format_exception(status));
	return true;
}

err_t acpi_start(bool only_main_table)
{
	acpi_gbl_max_loop_iterations = LOOP_S_MAX;
	acpi_gbl_disable_ssdt_table_install = only_main_table;
	if (is_failed("ACPICA does not start", acpi_initialize_subsystem()) ||
	    is_failed("no tables", acpi_initialize_tables(NULL, TABLES_FIRST, TRUE)) || is_failed("the tables' code", acpi_load_tables()))
		return ERR_NODEV;
	notices_start();
	if (is_failed("the hardware cannot be taken over", acpi_enable_subsystem(ACPI_FULL_INITIALIZATION)) ||
	    is_failed("the devices' start", acpi_initialize_objects(ACPI_FULL_INITIALIZATION)))
		return ERR_NODEV;
	acpi_status status = execute(ACPI_ROOT_OBJECT, "_PIC", INTERRUPTS_BY_IO_APIC);
	if (status != AE_NOT_FOUND)
		(void)is_failed("_PIC", status);
	buttons_start();
	(void)is_failed("events", acpi_update_all_gpes());
	osl_run_queue();
	(void)is_failed("memory", acpi_purge_cached_objects());
	return OK;
}

/* ---- Asking ---- */

acpi_status execute(acpi_handle object, const char *method, u64 value)
{
	union acpi_object argument = { .integer = { ACPI_TYPE_INTEGER, value } };
	struct acpi_object_list arguments = { 1, &argument };

	return acpi_evaluate_object(object, (char *)method, &arguments, NULL);
}

bool evaluate_integer(acpi_handle object, const char *name, u64 *out)
{
	union acpi_object value;
	struct acpi_buffer buffer = { sizeof value, &value };

	if (ACPI_FAILURE(acpi_evaluate_object_typed(object, (char *)name, NULL, &buffer, ACPI_TYPE_INTEGER)))
		return false;
	*out = value.integer.value;
	return true;
}

union acpi_object *evaluate_package(acpi_handle object, const char *name)
{
	struct acpi_buffer buffer = { ACPI_ALLOCATE_BUFFER, NULL };

	return ACPI_SUCCESS(acpi_evaluate_object_typed(object, (char *)name, NULL, &buffer, ACPI_TYPE_PACKAGE)) ? buffer.pointer : NULL;
}

u64 package_number(const union acpi_object *package, u32 index)
{
	if (index >= package->package.count || package->package.elements[index].type != ACPI_TYPE_INTEGER)
		return 0;
	return package->package.elements[index].integer.value;
}

void object_name(acpi_handle object, char name[ACPI_NAMESEG_SIZE + 1])
{
	struct acpi_buffer buffer = { ACPI_NAMESEG_SIZE + 1, name };

	if (ACPI_FAILURE(acpi_get_name(object, ACPI_SINGLE_NAME, &buffer)))
		memcpy(name, "????", ACPI_NAMESEG_SIZE + 1);
}

static bool info_is(const struct acpi_device_info *info, const char *id)
{
	if (info->valid & ACPI_VALID_HID && strcmp(info->hardware_id.string, id) == 0)
		return true;
	for (u32 i = 0; info->valid & ACPI_VALID_CID && i < info->compatible_id_list.count; i++)
		if (strcmp(info->compatible_id_list.ids[i].string, id) == 0)
			return true;
	return false;
}

bool device_is(acpi_handle object, const char *id)
{
	struct acpi_device_info *info;

	if (ACPI_FAILURE(acpi_get_object_info(object, &info)))
		return false;
	bool is = info_is(info, id);
	ACPI_FREE(info);
	return is;
}

/* ---- PCI ---- */

static bool place(acpi_handle object, struct device_config *out, bool *is_root, u32 depth);

static bool bus_behind(acpi_handle object, u16 *segment, u8 *bus, u32 depth)
{
	struct device_config c;
	bool is_root;
	u64 value;

	if (!place(object, &c, &is_root, depth))
		return false;
	*segment = c.segment;
	*bus = c.bus;
	if (is_root)
		return true;
	struct acpi_pci_id id = { c.segment, c.bus, c.slot_function >> 3, c.slot_function & 7 };
	if (ACPI_FAILURE(acpi_os_read_pci_configuration(&id, PCI_BUS_NUMBERS, &value, 32)))
		return false;
	*bus = (u8)(value >> 8);
	return *bus != 0 && *bus != UINT8_MAX;
}

/* Up to the root of its bus, then down again. */
static bool place(acpi_handle object, struct device_config *out, bool *is_root, u32 depth)
{
	acpi_handle parent;
	u64 value;

	*out = (struct device_config){ 0 };
	*is_root = device_is(object, "PNP0A03") || device_is(object, "PNP0A08");
	if (*is_root) {
		out->bus = evaluate_integer(object, "_BBN", &value) ? (u8)value : 0;
		out->segment = evaluate_integer(object, "_SEG", &value) ? (u16)value : 0;
		return true;
	}
	if (depth == 0 || !evaluate_integer(object, "_ADR", &value) || ACPI_FAILURE(acpi_get_parent(object, &parent)) ||
	    !bus_behind(parent, &out->segment, &out->bus, depth - 1))
		return false;
	/* Function 0xffff: all of the slot. */
	out->slot_function = (u8)((value >> 16 & 0x1f) << 3 | ((value & 0xffff) == 0xffff ? 0 : value & 7));
	return true;
}

bool device_place(acpi_handle object, struct device_config *out, bool *is_root) { return place(object, out, is_root, DEPTH_MAX); }
bool device_bus_behind(acpi_handle object, u16 *segment, u8 *bus) { return bus_behind(object, segment, bus, DEPTH_MAX); }
