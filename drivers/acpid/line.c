/* drivers/acpid/line.c - where PCI interrupt pins lead: what _PRT says of each bus, and the link devices that it names. */
#include "drivers/acpid/acpid.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { WHOLE_SLOT = 0xffff, LINKS_MAX = 16, LINK_PATH_BYTES = 40 };

static struct {
	struct device_route route[DEVICE_ROUTES_MAX];
	u32 count, left_out;
	/* Asked already: a table has the same few for all its slots. */
	u32 link_count;
	struct link { char path[LINK_PATH_BYTES]; u32 index, line; } link[LINKS_MAX];
} lines;

/* ---- Links ---- */

/* The current one of the link's: index tells which, if it has several. */
static acpi_status resource_found(struct acpi_resource *resource, void *context)
{
	struct link *l = context;

	if (resource->type == ACPI_RESOURCE_TYPE_IRQ && l->index < resource->data.irq.interrupt_count)
		l->line = resource->data.irq.interrupts[l->index];
	else if (resource->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ && l->index < resource->data.extended_irq.interrupt_count)
		l->line = resource->data.extended_irq.interrupts[l->index];
	return AE_OK;
}

/* 0: it leads nowhere. */
static u32 link_line(acpi_handle bus, char *path, u32 index)
{
	struct link l = { .index = index };
	acpi_handle link;

	for (u32 i = 0; i < lines.link_count; i++)
		if (lines.link[i].index == index && strcmp(lines.link[i].path, path) == 0)
			return lines.link[i].line;
	if (is_failed(path, acpi_get_handle(bus, path, &link)) || is_failed(path, acpi_walk_resources(link, "_CRS", resource_found, &l)))
		l.line = 0;
	if (lines.link_count < LINKS_MAX && string_copy(l.path, path, sizeof l.path) < sizeof l.path)
		lines.link[lines.link_count++] = l;
	return l.line;
}

/* ---- Buses ---- */

static void line_add(u16 segment, u8 bus, u8 slot, u32 pin, u32 line)
{
	if (line == 0 || line > UINT8_MAX || pin > 3)
		return;
	if (lines.count == DEVICE_ROUTES_MAX) {
		lines.left_out++;
		return;
	}
	lines.route[lines.count++] = (struct device_route){ .segment = segment, .bus = bus, .slot = slot, .pin = (u8)(pin + 1), .line = line };
}

static acpi_status bus_found(acpi_handle object, u32 depth UNUSED, void *context UNUSED, void **result UNUSED)
{
	struct acpi_buffer buffer = { ACPI_ALLOCATE_BUFFER, NULL };
	acpi_handle table;
	u16 segment;
	u8 bus;

	if (ACPI_FAILURE(acpi_get_handle(object, "_PRT", &table)) || !device_bus_behind(object, &segment, &bus) ||
	    is_failed("_PRT", acpi_get_irq_routing_table(object, &buffer)))
		return AE_OK;
	for (struct acpi_pci_routing_table *e = buffer.pointer; e->length > 0; e = (void *)((char *)e + e->length)) {
		u32 line = e->source[0] ? link_line(object, e->source, e->source_index) : e->source_index;

		if ((e->address & WHOLE_SLOT) == WHOLE_SLOT)
			line_add(segment, bus, (u8)(e->address >> 16 & 0x1f), e->pin, line);
	}
	ACPI_FREE(buffer.pointer);
	return AE_OK;
}

void lines_tell(void)
{
	handle_t pci = startup_handle("pci");

	lines.count = lines.left_out = lines.link_count = 0;
	(void)is_failed("PCI buses", acpi_walk_namespace(ACPI_TYPE_DEVICE, ACPI_ROOT_OBJECT, ACPI_UINT32_MAX, bus_found, NULL, NULL, NULL));
	if (lines.left_out)
		print("acpid: %u interrupt pins too many\n", lines.left_out);
	int64_t result = lines.count ? handle_call(pci, DEVICE_ROUTES, lines.route, lines.count * sizeof *lines.route, NULL, 0, 0) : 0;
	if (result < 0)
		print("acpid: pcid does not want to know where %u interrupt pins lead: error %d\n", lines.count, (int)-result);
}
