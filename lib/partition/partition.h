/* lib/partition/partition.h - what a disk is divided into: GPT (UEFI 2.10, section 5) and MBR with logical partitions.
 *
 * Everything comes from the disk and may be anything: what lies outside the disk, is empty or overflows is left out. Pure: sectors are asked of
 * the caller.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { PARTITIONS_MAX = 128, PARTITION_NAME_BYTES = 73 };

struct partition {
	uint32_t number;                /* as Linux counts: GPT entries and primary ones from 1, logical ones from 5 */
	uint64_t first_byte, bytes;
	uint8_t mbr_type;               /* 0: GPT */
	uint8_t type[16], id[16];       /* GPT's GUIDs as they lie on the disk */
	char name[PARTITION_NAME_BYTES];        /* GPT: the printable part of its name, ended by a 0 */
};

struct partition_disk {
	uint64_t bytes;
	uint32_t sector_bytes;          /* a power of two, 512 to 4,096 */
	/* Whole sectors. */
	err_t (*read)(void *context, uint64_t offset, void *to, size_t bytes);
	void *context;
};

enum partition_table { PARTITION_TABLE_NONE, PARTITION_TABLE_MBR, PARTITION_TABLE_GPT, PARTITION_TABLE_GPT_BACKUP };

/* Fills out (room for PARTITIONS_MAX) in the order of numbers. The errors of read. */
err_t partition_scan(const struct partition_disk *d, struct partition *out, uint32_t *count, enum partition_table *table) NONNULL MUST_CHECK;
