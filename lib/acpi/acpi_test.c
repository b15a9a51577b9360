/* lib/acpi/acpi_test.c - tables as firmware writes them are understood; broken ones leave their part unknown. */
#include "lib/acpi/acpi.h"
#include "lib/test/test.h"

/* Physical memory of 64 KiB at BASE. */
#define BASE 0xf0000ull
static uint8_t memory[65536];
static size_t used;

static const void *lend(void *context, uint64_t address, size_t bytes)
{
	(void)context;
	if (address < BASE || address - BASE > sizeof(memory) || bytes > sizeof(memory) - (address - BASE))
		return NULL;
	return memory + (address - BASE);
}

static const struct acpi_memory lender = { lend, NULL };

static void put(uint64_t address, uint64_t value, size_t size)
{
	memcpy(memory + (address - BASE), &value, size);
}

static void fix_sum(uint64_t address, size_t bytes, size_t at)
{
	uint8_t sum = 0;

	memory[address - BASE + at] = 0;
	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + memory[address - BASE + i]);
	memory[address - BASE + at] = (uint8_t)-sum;
}

/* A zeroed table with its header; fix_sum(address, bytes, 9) when its content is there. */
static uint64_t table(const char *signature, size_t bytes)
{
	uint64_t at = BASE + used;

	used += (bytes + 15) & ~(size_t)15;
	memcpy(memory + (at - BASE), signature, 4);
	put(at + 4, bytes, 4);
	return at;
}

/* Root pointer and RSDT over the given tables; each gets its sum. */
static uint64_t root(const uint64_t *tables, size_t count)
{
	uint64_t rsdt = table("RSDT", 36 + count * 4), rsdp = BASE + used;

	used += 48;
	for (size_t i = 0; i < count; i++) {
		uint32_t bytes;

		memcpy(&bytes, memory + (tables[i] - BASE) + 4, 4);
		fix_sum(tables[i], bytes, 9);
		put(rsdt + 36 + i * 4, tables[i], 4);
	}
	fix_sum(rsdt, 36 + count * 4, 9);
	memcpy(memory + (rsdp - BASE), "RSD PTR ", 8);
	put(rsdp + 16, rsdt, 4);
	fix_sum(rsdp, 20, 8);
	return rsdp;
}

static void set_up(void)
{
	memset(memory, 0, sizeof(memory));
	used = 0;
}

TEST(a_madt_names_cpus_controllers_and_overrides)
{
	struct acpi_info info;

	set_up();
	uint64_t madt = table("APIC", 44 + 8 * 3 + 12 + 10 + 12 + 16);
	uint64_t at = madt + 44;

	put(madt + 36, 0xfee00000, 4);
	for (int i = 0; i < 3; i++, at += 8) {
		put(at, 0 | 8 << 8 | (uint64_t)i << 24, 4);
		put(at + 4, i != 1, 4);         /* the second is not usable */
	}
	put(at, 1 | 12 << 8, 4), put(at + 4, 0xfec00000, 4), at += 12;
	put(at, 2 | 10 << 8, 4), put(at + 3, 9, 1), put(at + 4, 20, 4), put(at + 8, 0xf, 2), at += 10;
	put(at, 5 | 12 << 8, 2), put(at + 4, 0x1fee00000, 8), at += 12;
	put(at, 9 | 16 << 8, 2), put(at + 4, 300, 4), put(at + 8, 1, 4);
	CHECK_EQ(acpi_read(&lender, root(&madt, 1), &info), OK);
	CHECK(info.has_cpus);
	CHECK_EQ(info.cpu_count, 3);
	CHECK_EQ(info.cpu_id[1], 2);
	CHECK_EQ(info.cpu_id[2], 300);
	CHECK_EQ(info.local_controller, 0x1fee00000);
	CHECK_EQ(info.io_controller_count, 1);
	CHECK_EQ(info.io_controller[0].address, 0xfec00000);
	CHECK_EQ(info.isa[9].line, 20);
	CHECK(info.isa[9].active_low && info.isa[9].level);
	CHECK_EQ(info.isa[4].line, 4);
	CHECK(!info.isa[4].active_low && !info.isa[4].level);
}

TEST(an_entry_of_no_length_ends_the_madt)
{
	struct acpi_info info;

	set_up();
	uint64_t madt = table("APIC", 44 + 16);

	CHECK_EQ(acpi_read(&lender, root(&madt, 1), &info), OK);
	CHECK(info.has_cpus);
	CHECK_EQ(info.cpu_count, 0);
}

TEST(cpus_beyond_the_limit_are_counted_not_stored)
{
	struct acpi_info info;

	set_up();
	uint64_t madt = table("APIC", 44 + 8 * 100);

	for (uint64_t i = 0; i < 100; i++) {
		put(madt + 44 + i * 8, 0 | 8 << 8 | i << 24, 4);
		put(madt + 44 + i * 8 + 4, 1, 4);
	}
	CHECK_EQ(acpi_read(&lender, root(&madt, 1), &info), OK);
	CHECK_EQ(info.cpu_count, ACPI_CPUS_MAX);
	CHECK_EQ(info.cpus_left_out, 100 - ACPI_CPUS_MAX);
}

TEST(the_sleep_type_is_found_in_bytecode)
{
	static const uint8_t code[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00 };
	struct acpi_info info;

	set_up();
	uint64_t dsdt = table("DSDT", 36 + 20 + sizeof(code));

	memcpy(memory + (dsdt - BASE) + 36 + 7, code, sizeof(code));
	fix_sum(dsdt, 36 + 20 + sizeof(code), 9);
	uint64_t fadt = table("FACP", 244);

	put(fadt + 40, dsdt, 4);
	put(fadt + 64, 0x604, 4);
	put(fadt + 76, 0x608, 4);
	put(fadt + 112, 1 << 10, 4);
	put(fadt + 116, 1, 1), put(fadt + 120, 0xcf9, 8), put(fadt + 128, 15, 1);
	CHECK_EQ(acpi_read(&lender, root(&fadt, 1), &info), OK);
	CHECK(info.has_power && info.has_sleep_type && info.reset_works);
	CHECK_EQ(info.sleep_type_a, 5);
	CHECK_EQ(info.sleep_type_b, 1);
	CHECK_EQ(info.control_a.address, 0x604);
	CHECK_EQ(info.timer.address, 0x608);
	CHECK_EQ(info.reset.address, 0xcf9);
	CHECK_EQ(info.reset_value, 15);
}

TEST(a_sleep_type_cut_off_by_the_tables_end_is_none)
{
	static const uint8_t code[] = { 0x08, '_', 'S', '5', '_', 0x12, 0xc6, 0x04, 0x0a };
	struct acpi_info info;

	set_up();
	uint64_t dsdt = table("DSDT", 36 + sizeof(code));

	memcpy(memory + (dsdt - BASE) + 36, code, sizeof(code));
	fix_sum(dsdt, 36 + sizeof(code), 9);
	uint64_t fadt = table("FACP", 116);

	put(fadt + 40, dsdt, 4);
	CHECK_EQ(acpi_read(&lender, root(&fadt, 1), &info), OK);
	CHECK(!info.has_sleep_type);
}

TEST(a_broken_table_leaves_the_others)
{
	struct acpi_info info;

	set_up();
	uint64_t tables[3] = { table("HPET", 56), table("MCFG", 60), table("APIC", 44) };

	put(tables[0] + 44, 0xfed00000, 8);
	put(tables[1] + 44, 0xb0000000, 8);
	put(tables[1] + 55, 0xff, 1);
	uint64_t rsdp = root(tables, 3);

	memory[tables[2] - BASE + 40] ^= 1;
	CHECK_EQ(acpi_read(&lender, rsdp, &info), OK);
	CHECK_EQ(info.hpet, 0xfed00000);
	CHECK_EQ(info.segment_count, 1);
	CHECK_EQ(info.segment[0].address, 0xb0000000);
	CHECK_EQ(info.segment[0].last_bus, 0xff);
	CHECK(!info.has_cpus);
}

TEST(a_table_longer_than_memory_is_not_read)
{
	struct acpi_info info;

	set_up();
	uint64_t hpet = table("HPET", 56), rsdp = root(&hpet, 1);

	put(hpet + 4, 0x7fffffff, 4);
	CHECK_EQ(acpi_read(&lender, rsdp, &info), OK);
	CHECK_EQ(info.hpet, 0);
}

TEST(without_a_root_there_are_defaults)
{
	struct acpi_info info;

	set_up();
	CHECK_EQ(acpi_read(&lender, 0, &info), ERR_INVAL);
	CHECK_EQ(acpi_read(&lender, BASE, &info), ERR_INVAL);
	CHECK_EQ(acpi_read(&lender, UINT64_MAX - 8, &info), ERR_INVAL);
	CHECK_EQ(info.isa[15].line, 15);
	CHECK(!info.has_cpus && !info.has_power);
}

TEST(the_root_pointer_is_found_in_firmware_memory)
{
	set_up();
	uint64_t hpet = table("HPET", 56), rsdp = root(&hpet, 1);

	CHECK_EQ(acpi_find_root(&lender), rsdp);
}

static uint64_t dmar_table(void)
{
	uint64_t at = table("DMAR", 48 + 24 + 40 + 16);

	put(at + 36, 38, 1), put(at + 37, 1, 1);
	put(at + 48, 0, 2), put(at + 50, 24, 2), put(at + 52, 1, 1), put(at + 54, 2, 2), put(at + 56, 0xfed90000, 8);
	put(at + 72, 1, 2), put(at + 74, 40, 2);                /* reserved memory: not ours */
	put(at + 112, 0, 2), put(at + 114, 16, 2), put(at + 120, 0xfed91000, 8);
	return at;
}

TEST(intels_iommus_are_found)
{
	struct acpi_info info;
	struct acpi_dmar d;

	set_up();
	uint64_t at = dmar_table();
	CHECK_EQ(acpi_read(&lender, root(&at, 1), &info), OK);
	CHECK_EQ(info.dmar, at);
	CHECK_EQ(acpi_read_dmar(&lender, info.dmar, &d), OK);
	CHECK_EQ(d.address_bits, 39u);
	CHECK(d.can_remap_interrupts);
	CHECK_EQ(d.count, 2u);
	CHECK_EQ(d.unit[0].address, 0xfed90000u);
	CHECK_EQ(d.unit[0].segment, 2);
	CHECK(d.unit[0].has_the_rest && !d.unit[1].has_the_rest);
}

TEST(a_broken_dmar_is_none)
{
	struct acpi_dmar d;

	set_up();
	uint64_t at = dmar_table();
	put(at + 50, 0, 2);             /* an entry of no length */
	fix_sum(at, 128, 9);
	CHECK_EQ(acpi_read_dmar(&lender, at, &d), ERR_INVAL);
	put(at + 50, 24, 2), put(at + 56, 0xfed90008, 8);
	put(at + 114, 200, 2);          /* beyond the end */
	fix_sum(at, 128, 9);
	CHECK_EQ(acpi_read_dmar(&lender, at, &d), ERR_INVAL);
	CHECK_EQ(acpi_read_dmar(&lender, 0, &d), ERR_INVAL);
	CHECK_EQ(acpi_read_dmar(&lender, 0xfff00000, &d), ERR_INVAL);
}

static uint64_t viot_table(void)
{
	uint64_t at = table("VIOT", 48 + 16 + 24 + 24 + 24);

	put(at + 36, 4, 2), put(at + 38, 48, 2);
	put(at + 48, 1, 1), put(at + 50, 24, 2), put(at + 52, 0x100, 4), put(at + 60, 0x08, 2), put(at + 62, 0xff, 2), put(at + 64, 72, 2);
	put(at + 72, 3, 1), put(at + 74, 16, 2), put(at + 78, 0x10, 2);
	put(at + 88, 1, 1), put(at + 90, 24, 2), put(at + 98, 1, 2), put(at + 102, 9, 2), put(at + 104, 72, 2);        /* two segments: left out */
	put(at + 112, 1, 1), put(at + 114, 24, 2), put(at + 126, 9, 2), put(at + 128, 48, 2);                          /* another's */
	return at;
}

TEST(a_virtio_iommu_and_what_is_behind_it_are_found)
{
	struct acpi_info info;
	struct acpi_viot v;

	set_up();
	uint64_t at = viot_table();
	CHECK_EQ(acpi_read(&lender, root(&at, 1), &info), OK);
	CHECK_EQ(info.viot, at);
	CHECK_EQ(acpi_read_viot(&lender, info.viot, &v), OK);
	CHECK_EQ(v.segment, 0);
	CHECK_EQ(v.address, 0x10);
	CHECK_EQ(v.count, 1u);
	CHECK_EQ(v.range[0].endpoint, 0x100u);
	CHECK(v.range[0].first == 8 && v.range[0].last == 0xff);
}

TEST(a_broken_viot_is_none)
{
	struct acpi_viot v;

	set_up();
	uint64_t at = viot_table();
	put(at + 50, 0, 2);             /* a node of no length, before the IOMMU */
	fix_sum(at, 136, 9);
	CHECK_EQ(acpi_read_viot(&lender, at, &v), ERR_INVAL);
	put(at + 50, 24, 2), put(at + 74, 200, 2);      /* beyond the end */
	fix_sum(at, 136, 9);
	CHECK_EQ(acpi_read_viot(&lender, at, &v), ERR_INVAL);
	put(at + 74, 16, 2), put(at + 38, 0xfff0, 2);
	fix_sum(at, 136, 9);
	CHECK_EQ(acpi_read_viot(&lender, at, &v), ERR_INVAL);
	put(at + 38, 48, 2), put(at + 36, 1, 2);        /* the IOMMU is not among them */
	fix_sum(at, 136, 9);
	CHECK_EQ(acpi_read_viot(&lender, at, &v), ERR_INVAL);
	CHECK_EQ(acpi_read_viot(&lender, 0, &v), ERR_INVAL);
}
