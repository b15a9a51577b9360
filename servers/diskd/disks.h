/* servers/diskd/disks.h - which disks there are, what they are called, and how they are divided.
 *
 * Names are Linux's: virtio disks vda, vdb..., SATA and USB ones sda, sdb..., NVMe nvme0n1...; a partition's number follows, after a p
 * when the name ends in a digit. Numbers of devices too (Documentation/admin-guide/devices.txt): 16 minors per disk; what Linux
 * gives out as it goes (virtio, NVMe) is 254 and 259 here. Talks to drivers through struct disks_outside only: runs on the host.
 */
#pragma once
#include "abi/proto/disk.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"
#include "lib/partition/partition.h"

enum { DISK_NAME_BYTES = 16, INSTANCE_BYTES = 48, DISKS_MAX = 64, DISK_MINORS = 16, DISK_LIST_BYTES = 2048 };

/* Calls that may wait for a driver. */
struct disks_outside {
	/* The text of a driver's scheme; *bytes at most room. */
	err_t (*list)(handle_t root, char *text, size_t room, size_t *bytes);
	err_t (*open)(handle_t at, const char *ref, uint64_t open_flags, handle_t *out);
	err_t (*info)(handle_t disk, struct disk_info *out);
	err_t (*read)(handle_t disk, uint64_t offset, void *to, size_t bytes);
	void (*close)(handle_t h);
	/* A block device's file came or went. */
	void (*node)(const char *name, uint32_t major, uint32_t minor, bool is_there);
	void (*say)(const char *name, const char *what);
};

struct disk_part {
	uint32_t number;
	uint64_t first_byte, bytes;
};

struct disk {
	struct list_node link;
	char name[DISK_NAME_BYTES], instance[INSTANCE_BYTES];
	uint32_t major, minor;          /* of the whole; a partition's minor is more by its number, where it fits */
	handle_t handle;                /* ours, of the driver's */
	struct disk_info info;
	uint32_t part_count;
	struct disk_part part[PARTITIONS_MAX];
};

struct disks {
	struct list_node list;          /* of disk.link, by name as they came */
	const struct disks_outside *outside;
};

/* A disk or one of its partitions. */
struct disk_place {
	const struct disk *disk;
	const struct disk_part *part;   /* NULL: the whole */
};

void disks_init(struct disks *d, const struct disks_outside *outside) NONNULL;
/* All disks of the driver behind root, which is kept on OK. What this instance had before goes. INVAL: instance; errors of the driver. */
err_t disks_attach(struct disks *d, const char *instance, size_t instance_bytes, uint32_t index, handle_t root) NONNULL MUST_CHECK;
/* NOENT: nothing of this instance. */
err_t disks_detach(struct disks *d, const char *instance, size_t instance_bytes) NONNULL MUST_CHECK;
/* By name or device number. NOENT: no such disk (a partition is none). */
err_t disks_rescan(struct disks *d, const char *name, size_t name_bytes) NONNULL MUST_CHECK;
/* By name (vda1) or by device number (254:1). NOENT. */
err_t disks_find(const struct disks *d, const char *name, size_t name_bytes, struct disk_place *out) NONNULL MUST_CHECK;
/* The n-th disk or partition (from 0): false when there are fewer. */
bool disks_nth(const struct disks *d, uint32_t n, struct disk_place *out) NONNULL;
void disk_place_name(const struct disk_place *p, char name[DISK_NAME_BYTES]) NONNULL;
/* What to open at the disk's handle for it. */
void disk_place_ref(const struct disk_place *p, char *ref, size_t bytes) NONNULL;
/* major << 32 | minor. */
uint64_t disk_place_number(const struct disk_place *p) NONNULL;
