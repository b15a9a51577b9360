/* drivers/iommud/machine.c - by the handles that we were given. */
#include "drivers/iommud/machine.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/physical.h"
#include "lib/native/startup.h"

err_t machine_dmar(struct acpi_dmar *out)
{
	handle_t phys = startup_handle("phys");
	struct acpi_memory memory = { .lend = physical_lend, .context = &phys };
	static struct acpi_info info;

	if (acpi_read(&memory, physical_acpi_root(startup_handle("boot")), &info) || !info.dmar || acpi_read_dmar(&memory, info.dmar, out))
		return ERR_NODEV;
	return OK;
}

err_t machine_viot(struct acpi_viot *out, struct acpi_info *info)
{
	handle_t phys = startup_handle("phys");
	struct acpi_memory memory = { .lend = physical_lend, .context = &phys };

	if (acpi_read(&memory, physical_acpi_root(startup_handle("boot")), info) || !info->viot || acpi_read_viot(&memory, info->viot, out))
		return ERR_NODEV;
	return OK;
}

volatile uint8_t *machine_map(uint64_t start, uint64_t bytes)
{
	return physical_map(startup_handle("phys"), start, bytes, MEM_UNCACHED, MAP_READ | MAP_WRITE);
}

err_t machine_tables(struct tables *t)
{
	handle_t state = startup_handle("state");
	struct mem_info info;

	if (!t->kept->physical) {
		TRY(result_error(handle_call(state, MEM_INFO, NULL, 0, &info, sizeof info, 0)));
		int64_t physical = handle_call(state, MEM_APPEND, NULL, 0, NULL, 0, TABLES_MAX);
		TRY(result_error(physical));
		t->kept->offset = info.bytes;
		t->kept->physical = (uint64_t)physical;
	}
	int64_t at = sys_map(0, state, 0, (size_t)TABLES_MAX * TABLE_BYTES, MAP_READ | MAP_WRITE | MAP_SHARED, t->kept->offset, HANDLE_NONE, 0);
	TRY(result_error(at));
	t->pages = (uint8_t *)at;
	return OK;
}
