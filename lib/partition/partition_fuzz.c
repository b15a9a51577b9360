/* lib/partition/partition_fuzz.c - any disk gives partitions that lie on it. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/crc32.h"
#include "lib/base/string.h"
#include "lib/partition/partition.h"

enum { DISK_SECTORS = 80, SECTOR = 512 };

static err_t disk_read(void *context, uint64_t offset, void *to, size_t bytes)
{
	ASSERT(range_fits(offset, bytes, DISK_SECTORS * SECTOR));
	memcpy(to, (uint8_t *)context + offset, bytes);
	return OK;
}

/* Checksums that fit, so that what they guard is reached. */
static void seal(uint8_t *disk)
{
	uint8_t *h = disk + SECTOR;
	uint32_t crc = crc32(0, disk + 2 * SECTOR, 8 * 128);
	static const uint8_t start[] = { 0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54, 0, 0, 1, 0, 92, 0, 0, 0, 0, 0, 0, 0 };

	memcpy(h, start, sizeof(start));
	h[80] = 8, h[81] = h[82] = h[83] = 0;
	memcpy(h + 88, &crc, 4);
	crc = crc32(0, h, 92);
	memcpy(h + 16, &crc, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[DISK_SECTORS * SECTOR];
	static struct partition p[PARTITIONS_MAX];
	struct partition_disk d = { sizeof(disk), SECTOR, disk_read, disk };
	enum partition_table table;
	uint32_t count;

	memset(disk, 0, sizeof(disk));
	memcpy(disk, data, MIN_OF(size, sizeof(disk)));
	for (int round = 0; round < 2; round++, seal(disk)) {
		ASSERT(partition_scan(&d, p, &count, &table) == OK);
		ASSERT(count <= PARTITIONS_MAX);
		for (uint32_t i = 0; i < count; i++) {
			ASSERT(range_fits(p[i].first_byte, p[i].bytes, d.bytes) && p[i].bytes > 0 && p[i].first_byte > 0);
			ASSERT(memchr(p[i].name, 0, sizeof(p[i].name)));
		}
	}
	return 0;
}
