/* personality/linux/block.c - block devices: what ioctl says and does beyond reading and writing (linux/fs.h, linux/hdreg.h). */
#include "abi/proto/disk.h"
#include "abi/proto/file.h"
#include "lib/base/fmt.h"
#include "personality/linux/call.h"
#include "personality/linux/file.h"

static int64_t disk_info(uint64_t fd, struct disk_info *out)
{
	return native_call((handle_t)fd, DISK_INFO, REQUEST_INTERRUPTIBLE, NULL, 0, out, sizeof(*out), 0);
}

/* A number of the disk's, as wide as this request wants it. */
static int64_t number_of(uint32_t request, const struct disk_info *info, uint64_t *value, size_t *bytes)
{
	*bytes = sizeof(uint32_t);
	switch (request) {
	case LINUX_BLKROGET:
		*value = (info->disk_flags & DISK_READ_ONLY) != 0;
		return 0;
	case LINUX_BLKGETSIZE:
		*value = info->bytes / 512;
		*bytes = sizeof(uint64_t);
		return 0;
	case LINUX_BLKGETSIZE64:
		*value = info->bytes;
		*bytes = sizeof(uint64_t);
		return 0;
	case LINUX_BLKSSZGET:
		*value = info->sector_bytes;
		return 0;
	case LINUX_BLKBSZGET:
		*value = 4096;
		return 0;
	case LINUX_BLKPBSZGET:
		*value = info->physical_sector_bytes;
		return 0;
	case LINUX_BLKIOMIN:
		*value = info->physical_sector_bytes;
		return 0;
	case LINUX_BLKIOOPT:
	case LINUX_BLKALIGNOFF:
		*value = 0;
		return 0;
	case LINUX_BLKROTATIONAL:
		*value = (info->disk_flags & DISK_ROTATES) != 0;
		*bytes = sizeof(uint16_t);
		return 0;
	default:
		return ERR_NOTTY;
	}
}

static int64_t number_give(uint64_t fd, uint32_t request, uint64_t argument)
{
	struct disk_info info;
	uint64_t value;
	size_t bytes;
	int64_t result = disk_info(fd, &info);

	if (result < 0)
		return result;
	if ((result = number_of(request, &info, &value, &bytes)) < 0)
		return result;
	return user_write(argument, &value, bytes);
}

/* BLKDISCARD, BLKZEROOUT: the argument is two numbers, start and length. */
static int64_t range_do(uint64_t fd, uint32_t code, uint64_t argument)
{
	struct disk_range range;
	int64_t result = user_read(&range, argument, sizeof(range));

	if (result < 0)
		return result;
	return native_call((handle_t)fd, code, 0, &range, sizeof(range), NULL, 0, 0);
}

/* BLKRRPART: partitions are diskd's affair, which knows the disk by its number. */
static int64_t table_read_again(uint64_t fd)
{
	struct file_stat stat;
	char number[24];
	int64_t result = native_call((handle_t)fd, FILE_STAT, 0, "", 0, &stat, sizeof(stat), 0), disks;

	if (result < 0)
		return result;
	if ((stat.mode & MODE_TYPE) != MODE_BLOCK)
		return ERR_NOTTY;
	if ((disks = NATIVE_OPEN("disk", "", OPEN_READ | OPEN_PRIVATE)) < 0)
		return disks;
	size_t bytes = fmt(number, sizeof(number), "%u:%u", (uint32_t)(stat.rdev >> 32), (uint32_t)stat.rdev);
	result = native_call((handle_t)disks, DISK_RESCAN, 0, number, bytes, NULL, 0, 0);
	native(OP_CLOSE, 0, (handle_t)disks, 0, 0, 0, 0, 0, 0);
	return result == ERR_NOENT ? ERR_INVAL : result;
}

int64_t block_ioctl(uint64_t fd, uint32_t request, uint64_t argument)
{
	switch (request) {
	case LINUX_BLKROGET: case LINUX_BLKGETSIZE: case LINUX_BLKGETSIZE64: case LINUX_BLKSSZGET: case LINUX_BLKBSZGET: case LINUX_BLKPBSZGET:
	case LINUX_BLKIOMIN: case LINUX_BLKIOOPT: case LINUX_BLKALIGNOFF: case LINUX_BLKROTATIONAL:
		return number_give(fd, request, argument);
	case LINUX_BLKFLSBUF:
		return native_call((handle_t)fd, DISK_FLUSH, 0, NULL, 0, NULL, 0, 0);
	case LINUX_BLKRRPART:
		return table_read_again(fd);
	case LINUX_BLKDISCARD:
		return range_do(fd, DISK_DISCARD, argument);
	case LINUX_BLKZEROOUT:
		return range_do(fd, DISK_ZERO, argument);
	default:
		return ERR_NOTTY;
	}
}
