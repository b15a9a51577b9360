/* lib/acpi/acpi.c - reads ACPI tables (ACPI 6.5, chapter 5) from memory that is not to be trusted.
 *
 * Every table is lent whole, after its length was read and bounded; every field is then fetched through get(), which answers
 * zero beyond the end. Fields are unaligned.
 */
#include "lib/acpi/acpi.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum {
	HEADER_BYTES = 36, TABLE_BYTES_MAX = 1 << 20, TABLES_MAX = 64, BYTECODE_BYTES_MAX = 4 << 20,
	RSDP_BYTES = 20, RSDP2_BYTES = 36,
};

struct table {
	const uint8_t *bytes;
	size_t count;
};

/* size bytes (1-8), little endian, at offset; 0 when they are not there. */
static uint64_t get(const struct table *t, size_t offset, size_t size)
{
	uint64_t v = 0;

	if (!range_fits(offset, size, t->count))
		return 0;
	memcpy(&v, t->bytes + offset, size);
	return v;
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t s = 0;

	for (size_t i = 0; i < count; i++)
		s = (uint8_t)(s + bytes[i]);
	return s;
}

static bool table_open(const struct acpi_memory *m, uint64_t address, const char *signature, size_t max, struct table *out)
{
	const uint8_t *header = address ? m->lend(m->context, address, HEADER_BYTES) : NULL;
	struct table head = { header, HEADER_BYTES };
	size_t count;

	if (!header || (signature && memcmp(header, signature, 4)))
		return false;
	count = get(&head, 4, 4);
	if (count < HEADER_BYTES || count > max)
		return false;
	out->bytes = m->lend(m->context, address, count);
	out->count = count;
	return out->bytes && sum(out->bytes, count) == 0;
}

/* ---- MADT: CPUs and interrupt controllers ---- */

enum madt_entry {
	MADT_CPU = 0, MADT_IO_CONTROLLER = 1, MADT_OVERRIDE = 2, MADT_LOCAL_ADDRESS = 5, MADT_CPU_X2 = 9,
};
enum { MADT_ENTRIES = 44, CPU_USABLE = 1 << 0 };

static void add_cpu(struct acpi_info *out, uint32_t id, uint32_t flags)
{
	if (!(flags & CPU_USABLE))
		return;
	for (uint32_t i = 0; i < out->cpu_count; i++)
		if (out->cpu_id[i] == id)
			return;
	if (out->cpu_count < ACPI_CPUS_MAX)
		out->cpu_id[out->cpu_count++] = id;
	else
		out->cpus_left_out++;
}

static void add_override(struct acpi_info *out, const struct table *e)
{
	uint32_t irq = (uint32_t)get(e, 3, 1), flags = (uint32_t)get(e, 8, 2);

	if (get(e, 2, 1) != 0 || irq >= ACPI_ISA_IRQS)
		return;
	out->isa[irq].line = (uint32_t)get(e, 4, 4);
	out->isa[irq].active_low = (flags & 3) == 3;
	out->isa[irq].level = (flags >> 2 & 3) == 3;
}

static void read_madt_entry(struct acpi_info *out, const struct table *e)
{
	switch (get(e, 0, 1)) {
	case MADT_CPU:
		add_cpu(out, (uint32_t)get(e, 3, 1), (uint32_t)get(e, 4, 4));
		break;
	case MADT_CPU_X2:
		add_cpu(out, (uint32_t)get(e, 4, 4), (uint32_t)get(e, 8, 4));
		break;
	case MADT_IO_CONTROLLER:
		if (out->io_controller_count == ACPI_IO_CONTROLLERS_MAX || get(e, 4, 4) == 0)
			break;
		out->io_controller[out->io_controller_count].address = get(e, 4, 4);
		out->io_controller[out->io_controller_count++].first_line = (uint32_t)get(e, 8, 4);
		break;
	case MADT_OVERRIDE:
		add_override(out, e);
		break;
	case MADT_LOCAL_ADDRESS:
		out->local_controller = get(e, 4, 8);
		break;
	}
}

static void read_madt(struct acpi_info *out, const struct table *t)
{
	out->has_cpus = true;
	out->local_controller = get(t, 36, 4);
	for (size_t at = MADT_ENTRIES; at + 2 <= t->count; ) {
		struct table entry = { t->bytes + at, (size_t)get(t, at + 1, 1) };

		if (entry.count < 2 || entry.count > t->count - at)
			return;
		read_madt_entry(out, &entry);
		at += entry.count;
	}
}

/* ---- FADT: power and the timer; DSDT: the sleep type ---- */

enum { FADT_RESET_WORKS = 1 << 10, FADT_TIMER_32 = 1 << 8, FADT_NO_LEGACY_POWER = 1 << 20 };

/* A generic address at `wide` when it is there and says something, else the old port field. */
static struct acpi_register read_register(const struct table *t, size_t wide, size_t port)
{
	uint64_t space = get(t, wide, 1), address = get(t, wide + 4, 8);

	if (address && (space == ACPI_IN_MEMORY || (space == ACPI_IN_PORTS && address <= UINT16_MAX)))
		return (struct acpi_register){ address, (uint8_t)space };
	return (struct acpi_register){ port ? get(t, port, 4) & UINT16_MAX : 0, ACPI_IN_PORTS };
}

/* One small number in bytecode: Zero, One, or a byte constant. */
static bool read_small(const struct table *t, size_t *at, uint8_t *out)
{
	uint64_t op = get(t, *at, 1);

	if (!range_fits(*at, op == 0x0a ? 2 : 1, t->count))
		return false;
	if (op <= 1)
		*out = (uint8_t)op;
	else if (op == 0x0a)
		*out = (uint8_t)get(t, *at + 1, 1);
	else
		return false;
	*at += op == 0x0a ? 2 : 1;
	return true;
}

/* Name (_S5_, Package (n) { a, b, ... }): found by its look, since the rest needs no interpreter. */
static bool read_sleep_type(struct acpi_info *out, const struct table *t)
{
	for (size_t at = HEADER_BYTES; at + 8 < t->count; at++) {
		size_t value = at + 4;

		if (memcmp(t->bytes + at, "_S5_", 4) || get(t, value, 1) != 0x12)
			continue;
		value += 2 + (get(t, value + 1, 1) >> 6) + 1;   /* package op, its length field, count of elements */
		if (read_small(t, &value, &out->sleep_type_a) && read_small(t, &value, &out->sleep_type_b))
			return true;
	}
	return false;
}

static void read_fadt(struct acpi_info *out, const struct acpi_memory *m, const struct table *t)
{
	uint32_t flags = (uint32_t)get(t, 112, 4);
	uint64_t dsdt = get(t, 140, 8);
	struct table bytecode;

	out->has_power = true;
	out->century_index = (uint8_t)get(t, 108, 1);
	out->reset_works = flags & FADT_RESET_WORKS;
	out->reset = read_register(t, 116, 0);
	out->reset_value = (uint8_t)get(t, 128, 1);
	if (flags & FADT_NO_LEGACY_POWER) {
		out->sleep_control = read_register(t, 244, 0);
	} else {
		out->control_a = read_register(t, 172, 64);
		out->control_b = read_register(t, 184, 68);
		out->timer = read_register(t, 208, 76);
		out->timer_is_32_bits = flags & FADT_TIMER_32;
	}
	if (table_open(m, dsdt ? dsdt : get(t, 40, 4), "DSDT", BYTECODE_BYTES_MAX, &bytecode))
		out->has_sleep_type = read_sleep_type(out, &bytecode);
}

/* ---- HPET and PCI segments ---- */

static void read_hpet(struct acpi_info *out, const struct table *t)
{
	if (get(t, 40, 1) == ACPI_IN_MEMORY)
		out->hpet = get(t, 44, 8);
}

static void read_mcfg(struct acpi_info *out, const struct table *t)
{
	for (size_t at = 44; at + 16 <= t->count && out->segment_count < ACPI_SEGMENTS_MAX; at += 16) {
		out->segment[out->segment_count].address = get(t, at, 8);
		out->segment[out->segment_count].segment = (uint16_t)get(t, at + 8, 2);
		out->segment[out->segment_count].first_bus = (uint8_t)get(t, at + 10, 1);
		out->segment[out->segment_count++].last_bus = (uint8_t)get(t, at + 11, 1);
	}
}

/* ---- DMAR: Intel's IOMMUs ---- */

enum { DMAR_ENTRIES = 48, DMAR_UNIT = 0, DMAR_UNIT_BYTES = 16, DMAR_HAS_THE_REST = 1 << 0, DMAR_REMAPS_INTERRUPTS = 1 << 0, DMAR_WIDTH_MAX = 64 };

static void read_dmar_unit(struct acpi_dmar *out, const struct table *e)
{
	uint64_t address = get(e, 8, 8);

	if (e->count < DMAR_UNIT_BYTES || out->count == ACPI_IOMMUS_MAX || !address || address % 4096)
		return;
	out->unit[out->count].address = address;
	out->unit[out->count].segment = (uint16_t)get(e, 6, 2);
	out->unit[out->count++].has_the_rest = get(e, 4, 1) & DMAR_HAS_THE_REST;
}

err_t acpi_read_dmar(const struct acpi_memory *m, uint64_t address, struct acpi_dmar *out)
{
	struct table t;

	*out = (struct acpi_dmar){ 0 };
	if (!table_open(m, address, "DMAR", TABLE_BYTES_MAX, &t))
		return ERR_INVAL;
	out->address_bits = (uint32_t)get(&t, 36, 1) + 1;
	out->can_remap_interrupts = get(&t, 37, 1) & DMAR_REMAPS_INTERRUPTS;
	for (size_t at = DMAR_ENTRIES; at + 4 <= t.count; ) {
		struct table entry = { t.bytes + at, (size_t)get(&t, at + 2, 2) };

		if (entry.count < 4 || entry.count > t.count - at)
			break;
		if (get(&entry, 0, 2) == DMAR_UNIT)
			read_dmar_unit(out, &entry);
		at += entry.count;
	}
	return out->count && out->address_bits <= DMAR_WIDTH_MAX ? OK : ERR_INVAL;
}

/* ---- VIOT: virtio's IOMMUs (ACPI 6.5, 5.2.33) ---- */

enum { VIOT_COUNT = 36, VIOT_FIRST = 38, VIOT_RANGE = 1, VIOT_PCI_IOMMU = 3, VIOT_RANGE_BYTES = 24, VIOT_IOMMU_BYTES = 16 };

/* The node at this offset, if it is whole. */
static bool viot_node(const struct table *t, size_t at, struct table *out)
{
	if (at < VIOT_FIRST || at + 4 > t->count)
		return false;
	*out = (struct table){ t->bytes + at, (size_t)get(t, at + 2, 2) };
	return out->count >= 4 && out->count <= t->count - at;
}

/* A range of functions behind the IOMMU at `iommu` in the table. */
static void read_viot_range(struct acpi_viot *out, const struct table *n, size_t iommu)
{
	uint16_t segment = (uint16_t)get(n, 8, 2), first = (uint16_t)get(n, 12, 2), last = (uint16_t)get(n, 14, 2);

	if (n->count < VIOT_RANGE_BYTES || out->count == ACPI_RANGES_MAX || segment != get(n, 10, 2) || first > last || get(n, 16, 2) != iommu)
		return;
	out->range[out->count].endpoint = (uint32_t)get(n, 4, 4);
	out->range[out->count].segment = segment;
	out->range[out->count].first = first;
	out->range[out->count++].last = last;
}

static bool find_viot_iommu(struct acpi_viot *out, const struct table *t, size_t at, size_t left, size_t *where)
{
	struct table n;

	for (; left > 0 && viot_node(t, at, &n); left--, at += n.count)
		if (get(&n, 0, 1) == VIOT_PCI_IOMMU && n.count >= VIOT_IOMMU_BYTES) {
			out->segment = (uint16_t)get(&n, 4, 2);
			out->address = (uint16_t)get(&n, 6, 2);
			*where = at;
			return true;
		}
	return false;
}

err_t acpi_read_viot(const struct acpi_memory *m, uint64_t address, struct acpi_viot *out)
{
	struct table t, n;
	size_t iommu;

	*out = (struct acpi_viot){ 0 };
	if (!table_open(m, address, "VIOT", TABLE_BYTES_MAX, &t))
		return ERR_INVAL;
	size_t count = (size_t)get(&t, VIOT_COUNT, 2), at = (size_t)get(&t, VIOT_FIRST, 2);
	if (!find_viot_iommu(out, &t, at, count, &iommu))
		return ERR_INVAL;
	for (; count > 0 && viot_node(&t, at, &n); count--, at += n.count)
		if (get(&n, 0, 1) == VIOT_RANGE)
			read_viot_range(out, &n, iommu);
	return OK;
}

/* ---- The root ---- */

static void read_table(struct acpi_info *out, const struct acpi_memory *m, uint64_t address)
{
	struct table t;

	if (!table_open(m, address, NULL, TABLE_BYTES_MAX, &t))
		return;
	if (!memcmp(t.bytes, "APIC", 4) && !out->has_cpus)
		read_madt(out, &t);
	else if (!memcmp(t.bytes, "FACP", 4) && !out->has_power)
		read_fadt(out, m, &t);
	else if (!memcmp(t.bytes, "HPET", 4) && !out->hpet)
		read_hpet(out, &t);
	else if (!memcmp(t.bytes, "MCFG", 4) && !out->segment_count)
		read_mcfg(out, &t);
	else if (!memcmp(t.bytes, "DMAR", 4) && !out->dmar)
		out->dmar = address;
	else if (!memcmp(t.bytes, "VIOT", 4) && !out->viot)
		out->viot = address;
}

/* ISA's own ways, which the overrides then change: line n for interrupt n, edge, active high. */
static void set_defaults(struct acpi_info *out)
{
	*out = (struct acpi_info){0};
	for (uint32_t i = 0; i < ACPI_ISA_IRQS; i++)
		out->isa[i].line = i;
}

static bool rsdp_is_valid(const uint8_t *bytes)
{
	return bytes && !memcmp(bytes, "RSD PTR ", 8) && sum(bytes, RSDP_BYTES) == 0;
}

err_t acpi_read(const struct acpi_memory *m, uint64_t rsdp, struct acpi_info *out)
{
	const uint8_t *bytes = rsdp ? m->lend(m->context, rsdp, RSDP_BYTES) : NULL;
	struct table root = { bytes, RSDP_BYTES }, list = {0};
	size_t entry_bytes = 4;

	set_defaults(out);
	if (!rsdp_is_valid(bytes))
		return ERR_INVAL;
	out->root_table = get(&root, 16, 4);
	if (get(&root, 15, 1) >= 2 && (bytes = m->lend(m->context, rsdp, RSDP2_BYTES))) {
		struct table wide = { bytes, RSDP2_BYTES };

		if (get(&wide, 24, 8) && table_open(m, get(&wide, 24, 8), "XSDT", TABLE_BYTES_MAX, &list)) {
			out->root_table = get(&wide, 24, 8);
			entry_bytes = 8;
		}
	}
	if (entry_bytes == 4 && !table_open(m, out->root_table, "RSDT", TABLE_BYTES_MAX, &list))
		return ERR_INVAL;
	for (size_t i = 0, at = HEADER_BYTES; i < TABLES_MAX && at + entry_bytes <= list.count; i++, at += entry_bytes)
		read_table(out, m, get(&list, at, entry_bytes));
	return OK;
}

static uint64_t find_root_in(const struct acpi_memory *m, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at += 16)
		if (rsdp_is_valid(m->lend(m->context, at, RSDP_BYTES)))
			return at;
	return 0;
}

uint64_t acpi_find_root(const struct acpi_memory *m)
{
	const uint8_t *pointer = m->lend(m->context, 0x40e, 2);
	uint64_t area = pointer ? (uint64_t)(pointer[0] | pointer[1] << 8) << 4 : 0;
	uint64_t found = area ? find_root_in(m, area, area + 1024) : 0;

	return found ? found : find_root_in(m, 0xe0000, 0x100000);
}
