/* abi/proto/disk.h - structs of disks and partitions (disk.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum disk_flags {
	DISK_READ_ONLY = 1 << 0,
	DISK_HAS_FLUSH = 1 << 1,        /* it has a volatile cache; without one DISK_FLUSH is trivially true */
	DISK_HAS_DISCARD = 1 << 2,
	DISK_HAS_ZERO = 1 << 3,
	DISK_REMOVABLE = 1 << 4,
	DISK_ROTATES = 1 << 5,
};

enum { DISK_TEXT_BYTES = 48 };
struct disk_info {
	uint64_t bytes;
	uint32_t sector_bytes;          /* smallest transfer: a power of two, 512 to 4,096 */
	uint32_t physical_sector_bytes; /* what the medium writes at once; at least sector_bytes */
	uint32_t transfer_bytes_max;    /* of one device request; READ and WRITE may be longer */
	uint32_t disk_flags;
	uint32_t queues, queue_depth;
	uint64_t first_byte;            /* of a partition: where it starts on the disk */
	char model[DISK_TEXT_BYTES], serial[DISK_TEXT_BYTES];   /* ended by a 0 */
};

struct disk_range { uint64_t offset, bytes; };

struct disk_statistics {
	uint64_t reads, read_bytes, writes, written_bytes, flushes, discards, zeroes, errors;
	uint64_t in_flight, waited_ns;  /* waited_ns: sum over finished requests */
};
