/* lib/partition/partition_test.c - tables as sgdisk, fdisk and accidents write them. */
#include <stdlib.h>
#include "lib/base/crc32.h"
#include "lib/partition/partition.h"
#include "lib/test/test.h"

enum { SECTORS = 4096, SECTOR = 512 };
static uint8_t disk[SECTORS * SECTOR];
static uint32_t reads;
static uint64_t fail_at;

static err_t disk_read(void *context, uint64_t offset, void *to, size_t bytes)
{
	(void)context;
	reads++;
	CHECK(offset % SECTOR == 0 && offset <= sizeof(disk) && bytes <= sizeof(disk) - offset);
	if (fail_at && offset / SECTOR == fail_at)
		return ERR_IO;
	memcpy(to, disk + offset, bytes);
	return OK;
}

static const struct partition_disk whole = { sizeof(disk), SECTOR, disk_read, NULL };
static struct partition got[PARTITIONS_MAX];
static uint32_t count;
static enum partition_table table;

static void put32(size_t at, uint32_t v) { memcpy(disk + at, &v, 4); }
static void put64(size_t at, uint64_t v) { memcpy(disk + at, &v, 8); }

static void clear(void)
{
	memset(disk, 0, sizeof(disk));
	fail_at = reads = 0;
}

static void mbr_entry(size_t sector, uint32_t index, uint8_t type, uint32_t first, uint32_t length)
{
	size_t at = sector * SECTOR + 446 + index * 16;

	disk[at + 4] = type;
	put32(at + 8, first);
	put32(at + 12, length);
	disk[sector * SECTOR + 510] = 0x55;
	disk[sector * SECTOR + 511] = 0xaa;
}

static void gpt_entry(size_t table_at, uint32_t index, uint64_t first, uint64_t last, const char *name)
{
	size_t at = table_at * SECTOR + index * 128;

	memset(disk + at, 0x11 + index, 32);
	put64(at + 32, first);
	put64(at + 40, last);
	for (size_t i = 0; name[i]; i++)
		disk[at + 56 + 2 * i] = (uint8_t)name[i];
}

static void gpt_header(size_t here, size_t entries)
{
	size_t at = here * SECTOR;

	memcpy(disk + at, "EFI PART", 8);
	put32(at + 8, 0x10000);
	put32(at + 12, 92);
	put64(at + 24, here);
	put64(at + 72, entries);
	put32(at + 80, 128);
	put32(at + 84, 128);
	put32(at + 88, crc32(0, disk + entries * SECTOR, 128 * 128));
	put32(at + 16, 0);
	put32(at + 16, crc32(0, disk + at, 92));
}

static void gpt_disk(void)
{
	clear();
	mbr_entry(0, 0, 0xee, 1, SECTORS - 1);
	for (size_t t = 2; t < SECTORS; t += SECTORS - 33 - 2) {
		gpt_entry(t, 0, 64, 1063, "boot");
		gpt_entry(t, 2, 2048, 3000, "root");
	}
	gpt_header(1, 2);
	gpt_header(SECTORS - 1, SECTORS - 33);
}

static void scan(void) { CHECK_EQ(partition_scan(&whole, got, &count, &table), OK); }

TEST(an_empty_disk_has_none)
{
	clear();
	scan();
	CHECK_EQ(count, 0);
	CHECK_EQ(table, PARTITION_TABLE_NONE);
}

TEST(gpt_partitions_keep_their_numbers)
{
	gpt_disk();
	scan();
	CHECK_EQ(table, PARTITION_TABLE_GPT);
	CHECK_EQ(count, 2);
	CHECK_EQ(got[0].number, 1);
	CHECK_EQ(got[0].first_byte, 64 * SECTOR);
	CHECK_EQ(got[0].bytes, 1000 * SECTOR);
	CHECK_STR(got[0].name, "boot");
	CHECK_EQ(got[1].number, 3);
	CHECK_STR(got[1].name, "root");
	CHECK_EQ(got[1].mbr_type, 0);
}

TEST(a_damaged_gpt_is_read_from_its_backup)
{
	gpt_disk();
	disk[SECTOR + 40] ^= 1;
	scan();
	CHECK_EQ(table, PARTITION_TABLE_GPT_BACKUP);
	CHECK_EQ(count, 2);
	gpt_disk();
	disk[2 * SECTOR + 33] ^= 1;     /* an entry */
	scan();
	CHECK_EQ(table, PARTITION_TABLE_GPT_BACKUP);
	CHECK_EQ(got[0].first_byte, 64 * SECTOR);
}

TEST(a_gpt_damaged_twice_is_none)
{
	gpt_disk();
	disk[SECTOR + 40] ^= 1;
	disk[(SECTORS - 1) * SECTOR + 40] ^= 1;
	scan();
	CHECK_EQ(count, 0);
	CHECK_EQ(table, PARTITION_TABLE_NONE);
}

TEST(an_old_backup_does_not_come_back_on_a_disk_divided_anew)
{
	gpt_disk();
	memset(disk, 0, 34 * SECTOR);
	mbr_entry(0, 1, 0x83, 100, 200);
	scan();
	CHECK_EQ(table, PARTITION_TABLE_MBR);
	CHECK_EQ(count, 1);
	CHECK_EQ(got[0].number, 2);
	CHECK_EQ(got[0].mbr_type, 0x83);
}

TEST(logical_partitions_count_from_five)
{
	clear();
	mbr_entry(0, 0, 0x83, 64, 100);
	mbr_entry(0, 1, 0x0f, 1000, 3000);
	mbr_entry(1000, 0, 0x83, 10, 90);
	mbr_entry(1000, 1, 0x05, 500, 100);
	mbr_entry(1500, 0, 0x82, 10, 50);
	scan();
	CHECK_EQ(count, 4);
	CHECK_EQ(got[2].number, 5);
	CHECK_EQ(got[2].first_byte, 1010 * SECTOR);
	CHECK_EQ(got[3].number, 6);
	CHECK_EQ(got[3].first_byte, 1510 * SECTOR);
	CHECK_EQ(got[3].bytes, 50 * SECTOR);
}

TEST(a_circle_of_logical_partitions_ends)
{
	clear();
	mbr_entry(0, 0, 0x05, 1000, 3000);
	mbr_entry(1000, 0, 0x83, 10, 90);
	mbr_entry(1000, 1, 0x05, 500, 100);
	mbr_entry(1500, 0, 0x83, 10, 50);
	mbr_entry(1500, 1, 0x05, 500, 100);
	scan();
	CHECK(count <= PARTITIONS_MAX && reads < 100);
}

TEST(what_lies_outside_the_disk_is_left_out)
{
	clear();
	mbr_entry(0, 0, 0x83, SECTORS - 10, 11);
	mbr_entry(0, 1, 0x83, 0xffffffff, 0xffffffff);
	mbr_entry(0, 2, 0x83, 0, 10);
	mbr_entry(0, 3, 0x83, 10, SECTORS - 10);
	scan();
	CHECK_EQ(count, 1);
	CHECK_EQ(got[0].number, 4);
	gpt_disk();
	gpt_entry(2, 4, 100, 99, "backwards");
	gpt_entry(2, 5, 100, UINT64_MAX, "endless");
	gpt_entry(2, 6, SECTORS - 1, SECTORS, "beyond");
	gpt_header(1, 2);
	scan();
	CHECK_EQ(count, 2);
}

TEST(impossible_headers_are_not_believed)
{
	static const struct { uint32_t at, value; } bad[] = {
		{ 8, 0x20000 }, { 12, 10 }, { 12, 513 }, { 24, 2 }, { 72, SECTORS }, { 80, 1025 }, { 80, 0xffffffff }, { 84, 64 }, { 84, 129 }, { 84, 1024 },
	};
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		gpt_disk();
		put32(SECTOR + bad[i].at, bad[i].value);
		put32(SECTOR + 16, 0);
		put32(SECTOR + 16, crc32(0, disk + SECTOR, 92));
		scan();
		CHECK_EQ(table, PARTITION_TABLE_GPT_BACKUP);
	}
}

TEST(an_error_of_the_disk_is_told)
{
	gpt_disk();
	for (fail_at = 1; fail_at <= 2; fail_at++)
		CHECK_EQ(partition_scan(&whole, got, &count, &table), ERR_IO);
}

TEST(tiny_disks_have_none)
{
	struct partition_disk tiny = whole;

	for (tiny.bytes = 0; tiny.bytes < 3 * SECTOR; tiny.bytes += SECTOR) {
		clear();
		mbr_entry(0, 0, 0xee, 1, 1);
		CHECK_EQ(partition_scan(&tiny, got, &count, &table), OK);
		CHECK(count == 0 || got[0].first_byte + got[0].bytes <= tiny.bytes);
	}
}
