/* bench/linux/files.c - rows of files, directories and paths: tmpfs on Linux, ramfs on Cathode. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_BYTES = 65536, ENTRIES = 1000, LISTING = 32768 };
static const char path[] = "/tmp/bench.file";
static const char folder[] = "/tmp/bench.entries";
static const char walk[] = "/tmp/bench.a/b/c/d/e/f/g";         /* eight components */
static int file;
static char block[FILE_BYTES];

static bool file_set_up(void)
{
	REQUIRE((file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644)) >= 0);
	REQUIRE(write(file, block, FILE_BYTES) == FILE_BYTES);
	return true;
}

static void file_tear_down(void)
{
	close(file);
	unlink(path);
}

/* open() for reading and close() of /tmp/bench.file. */
static void open_close(int count)
{
	while (count--) {
		int fd = open(path, O_RDONLY);
		REQUIRE(fd >= 0);
		close(fd);
	}
}

/* Three descriptors, closed by close_range() to the highest number that there can be. */
static void close_range_3(int count)
{
	while (count--) {
		int fd = dup(1);
		REQUIRE(fd >= 0 && dup(1) >= 0 && dup(1) >= 0 && syscall(SYS_close_range, fd, ~0u, 0) == 0);
	}
}

/* stat() of /tmp/bench.file. */
static void stat_file(int count)
{
	struct stat info;

	while (count--)
		REQUIRE(stat(path, &info) == 0);
}

static void read_some(int count, size_t bytes)
{
	while (count--)
		REQUIRE(pread(file, block, bytes, 0) == (ssize_t)bytes);
}

static void write_some(int count, size_t bytes)
{
	while (count--)
		REQUIRE(pwrite(file, block, bytes, 0) == (ssize_t)bytes);
}

/* One pread() or pwrite() at the start of a file that is in memory. */
static void read_1b(int count) { read_some(count, 1); }
static void read_4k(int count) { read_some(count, 4096); }
static void read_64k(int count) { read_some(count, 65536); }
static void write_1b(int count) { write_some(count, 1); }
static void write_4k(int count) { write_some(count, 4096); }
static void write_64k(int count) { write_some(count, 65536); }

static void entry_name(char *name, size_t room, int number)
{
	snprintf(name, room, "%s/entry-%03d", folder, number);
}

static bool entries_set_up(void)
{
	char name[64];

	REQUIRE(mkdir(folder, 0755) == 0);
	for (int i = 0; i < ENTRIES; i++) {
		entry_name(name, sizeof name, i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		REQUIRE(fd >= 0 && close(fd) == 0);
	}
	REQUIRE((file = open(folder, O_RDONLY | O_DIRECTORY)) >= 0);
	return true;
}

static void entries_tear_down(void)
{
	char name[64];

	close(file);
	for (int i = 0; i < ENTRIES; i++) {
		entry_name(name, sizeof name, i);
		unlink(name);
	}
	rmdir(folder);
}

/* getdents64() in pieces of 32 KiB until all of a directory of 1,000 was read; an lseek() back to its start is part of it. */
static void getdents_1000(int count)
{
	while (count--) {
		long some, all = 0;

		REQUIRE(lseek(file, 0, SEEK_SET) == 0);
		while ((some = syscall(SYS_getdents64, file, block, LISTING)) > 0)
			all += some;
		REQUIRE(some == 0 && all > ENTRIES * 24);
	}
}

/* What `ls -l` and `find -size` do: the same, and fstatat() of each name relative to the directory. */
static void list_stat_1000(int count)
{
	struct entry { uint64_t node; int64_t offset; uint16_t bytes; uint8_t kind; char name[]; };
	struct stat info;

	while (count--) {
		long some;
		int seen = 0;

		REQUIRE(lseek(file, 0, SEEK_SET) == 0);
		while ((some = syscall(SYS_getdents64, file, block, LISTING)) > 0)
			for (long at = 0; at < some; at += ((struct entry *)(block + at))->bytes, seen++)
				REQUIRE(fstatat(file, ((struct entry *)(block + at))->name, &info, AT_SYMLINK_NOFOLLOW) == 0);
		REQUIRE(some == 0 && seen == ENTRIES + 2);
	}
}

/* What ld.so does with each library: open(), read() of its headers, fstat(), four mmap()s, close(); then munmap(). */
static void library_load(int count)
{
	enum { PAGE = 4096, PAGES = FILE_BYTES / PAGE, HEADERS = 832 };
	struct stat info;

	while (count--) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		REQUIRE(fd >= 0 && read(fd, block, HEADERS) == HEADERS && fstat(fd, &info) == 0);
		char *at = mmap(NULL, FILE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
		REQUIRE(at != MAP_FAILED);
		REQUIRE(mmap(at + PAGE, 8 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE) != MAP_FAILED);
		REQUIRE(mmap(at + 12 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 12 * PAGE) != MAP_FAILED);
		REQUIRE(mmap(at + 14 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
		close(fd);
		at[12 * PAGE]++;
		munmap(at, PAGES * PAGE);
	}
}

static void walk_each(int (*each)(const char *name))
{
	char name[sizeof walk];

	for (size_t i = sizeof "/tmp/bench.a" - 1; i < sizeof walk; i++)
		if (walk[i] == '/' || walk[i] == '\0') {
			snprintf(name, i + 1, "%s", walk);
			REQUIRE(each(name) == 0);
		}
}

static int folder_make(const char *name)
{
	return mkdir(name, 0755);
}

static bool walk_set_up(void)
{
	walk_each(folder_make);
	return true;
}

static void walk_tear_down(void)
{
	char name[sizeof walk];

	for (size_t i = sizeof walk - 1; i >= sizeof "/tmp/bench.a" - 1; i--)
		if (walk[i] == '/' || walk[i] == '\0') {
			snprintf(name, i + 1, "%s", walk);
			rmdir(name);
		}
}

/* stat() of a path of eight components. */
static void path_walk_8(int count)
{
	struct stat info;

	while (count--)
		REQUIRE(stat(walk, &info) == 0);
}

#define OF_FILE .set_up = file_set_up, .tear_down = file_tear_down
const struct row file_rows[] = {
	{ .name = "open-close", .run = open_close, .count = 100, OF_FILE },
	{ .name = "close-range-3", .run = close_range_3, .count = 10 },
	{ .name = "stat", .run = stat_file, .count = 100, OF_FILE },
	{ .name = "read-1b", .run = read_1b, .count = 200, OF_FILE },
	{ .name = "read-4k", .run = read_4k, .count = 100, OF_FILE },
	{ .name = "read-64k", .run = read_64k, .count = 20, OF_FILE },
	{ .name = "write-1b", .run = write_1b, .count = 200, OF_FILE },
	{ .name = "write-4k", .run = write_4k, .count = 100, OF_FILE },
	{ .name = "write-64k", .run = write_64k, .count = 20, OF_FILE },
	{ .name = "getdents-1000", .run = getdents_1000, .count = 2, .set_up = entries_set_up, .tear_down = entries_tear_down },
	{ .name = "list-stat-1000", .run = list_stat_1000, .count = 1, .set_up = entries_set_up, .tear_down = entries_tear_down },
	{ .name = "library-load", .run = library_load, .count = 20, OF_FILE },
	{ .name = "path-walk-8", .run = path_walk_8, .count = 100, .set_up = walk_set_up, .tear_down = walk_tear_down },
	{ 0 },
};
