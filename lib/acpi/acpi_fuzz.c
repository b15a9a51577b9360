/* lib/acpi/acpi_fuzz.c - firmware memory with all the tables in it, then changed by the input: 3 bytes (where, what) each.
 *
 * Sums are made right in what is lent, so that changes get deep; and what is lent is a copy of just that size, so that the sanitizer sees
 * a byte read beyond it.
 */
#include "lib/acpi/acpi.h"
#include <stdlib.h>
#include <string.h>

enum { BYTES = 2048, LENT_MAX = 256 };
static uint8_t memory[BYTES];
static uint8_t *lent[LENT_MAX];
static uint32_t lent_count;

static void sum_right(uint8_t *bytes, size_t count, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

static const void *lend(void *context, uint64_t address, size_t bytes)
{
	uint8_t *copy;

	(void)context;
	if (lent_count == LENT_MAX || address > BYTES || bytes > BYTES - address || bytes == 0)
		return NULL;
	copy = malloc(bytes);
	if (!copy)
		return NULL;
	memcpy(copy, memory + address, bytes);
	if (bytes >= 20 && !memcmp(copy, "RSD PTR ", 8))
		sum_right(copy, 20, 8);
	else if (bytes >= 36)
		sum_right(copy, bytes, 9);
	return lent[lent_count++] = copy;
}

static void put(size_t at, uint64_t value, size_t bytes)
{
	memcpy(memory + at, &value, bytes);
}

static void table(size_t at, const char *signature, size_t bytes)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, bytes, 4);
}

static void firmware(void)
{
	static const char *const name[] = { "APIC", "FACP", "HPET", "MCFG" };
	static const uint8_t sleep[] = { '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 5, 0, 0 };

	memset(memory, 0, sizeof(memory));
	memcpy(memory + 16, "RSD PTR ", 8);
	put(16 + 15, 2, 1), put(16 + 16, 64, 4), put(16 + 24, 128, 8);
	table(64, "RSDT", 52), table(128, "XSDT", 68);
	for (size_t i = 0; i < 4; i++) {
		put(64 + 36 + i * 4, 256 + i * 256, 4);
		put(128 + 36 + i * 8, 256 + i * 256, 8);
		table(256 + i * 256, name[i], 250);
	}
	for (size_t i = 0, at = 256 + 44; i < 12; i++, at += 12)
		put(at, i % 10 | 12 << 8, 2), put(at + 4, 1, 4);
	put(512 + 40, 1280, 4), put(512 + 64, 0x604, 4);
	table(1536, "DMAR", 200);
	put(1536 + 36, 0x0126, 2), put(1536 + 50, 24, 2), put(1536 + 52, 1, 1), put(1536 + 56, 0xfed90000, 8), put(1536 + 72, 1, 2), put(1536 + 74, 40, 2);
	table(1280, "DSDT", 200);
	memcpy(memory + 1280 + 100, sleep, sizeof(sleep));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct acpi_memory m = { lend, NULL };
	struct acpi_info info;
	struct acpi_dmar dmar;
	struct acpi_viot viot;

	firmware();
	for (; size >= 3; data += 3, size -= 3)
		memory[(data[0] | data[1] << 8) % BYTES] = data[2];
	lent_count = 0;
	(void)!acpi_read(&m, 16, &info);
	(void)!acpi_read_dmar(&m, 1536, &dmar);
	/* The same bytes as the other table. */
	memcpy(memory + 1536, "VIOT", 4);
	(void)!acpi_read_viot(&m, 1536, &viot);
	if (viot.count > ACPI_RANGES_MAX)
		__builtin_trap();
	if (dmar.count > ACPI_IOMMUS_MAX)
		__builtin_trap();
	if (info.cpu_count > ACPI_CPUS_MAX || info.io_controller_count > ACPI_IO_CONTROLLERS_MAX || info.segment_count > ACPI_SEGMENTS_MAX)
		__builtin_trap();
	for (uint32_t i = 0; i < lent_count; i++)
		free(lent[i]);
	return 0;
}
