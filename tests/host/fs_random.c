/* tests/host/fs_random.c - random file operations whose every result is printed: the same on Linux and here.
 *
 * usage: fs_random DIRECTORY SEED STEPS. The directory must be new; run as root. Half of the operations are done as user 1000. What may
 * differ between file systems (inode numbers, directory sizes, order of listings) is left out.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

enum { HANDLES = 6, PATH_BYTES = 128 };

static uint64_t state;
static int handles[HANDLES];

static uint32_t dice(uint32_t sides)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % sides);
}

static const char *random_path(char *path)
{
	static const char *const words[] = { "a", "b", "c", "d", "e", "a", "b", "c", "d", ".", "..", "f" };
	uint32_t count = 1 + dice(3);

	path[0] = 0;
	if (dice(60) == 0)
		return path;
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			strcat(path, dice(20) ? "/" : "//");
		strcat(path, words[dice(12)]);
	}
	if (dice(12) == 0)
		strcat(path, "/");
	/* Not out of the directory: the first names go in before .. comes out. */
	if (strncmp(path, "..", 2) == 0 || strstr(path, "/../..") || (strncmp(path, "./", 2) == 0 && strstr(path, "..")))
		strcpy(path, "a/b");
	return path;
}

static void say(const char *what, const char *path, long result)
{
	if (result < 0)
		printf("%s %s: errno %d\n", what, path, errno);
	else
		printf("%s %s: %ld\n", what, path, result);
}

static void show(const char *what, const struct stat *s)
{
	printf("  %s mode %o links %lu owner %u:%u", what, s->st_mode, (unsigned long)s->st_nlink, s->st_uid, s->st_gid);
	if (!S_ISDIR(s->st_mode))
		printf(" size %lld", (long long)s->st_size);
	if (s->st_mtime < 1000000)
		printf(" modified %lld.%09ld", (long long)s->st_mtime, s->st_mtim.tv_nsec);
	printf("\n");
}

static void do_open(void)
{
	static const int access[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const int more[] = { O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_CREAT, O_PATH };
	char path[PATH_BYTES];
	uint32_t h = dice(HANDLES);
	int flags = access[dice(3)] | O_NONBLOCK;
	mode_t mode = dice(3) ? 0666 : dice(010000);

	for (int i = 0; i < 8; i++)
		if (dice(i == 0 ? 2 : i == 7 ? 12 : 5) == 0)
			flags |= more[i];
	/* With O_CREAT, kernels disagree about the one, and say EACCES in sticky directories for the other. */
	if (flags & (O_DIRECTORY | O_NOFOLLOW))
		flags &= ~O_CREAT;
	if (handles[h] >= 0)
		close(handles[h]);
	handles[h] = open(random_path(path), flags, mode);
	printf("open %o %o ", flags, mode);
	say("", path, handles[h] < 0 ? -1 : 0);
}

static void do_handle(void)
{
	int fd = handles[dice(HANDLES)];
	char text[64];
	struct stat s;
	long n;

	if (fd < 0 || fstat(fd, &s))
		return;
	/* A FIFO's end is a pipe of the kernel's here: its attributes are not the node's. */
	if (S_ISFIFO(s.st_mode))
		return;
	show("fstat", &s);
	uint32_t what = dice(6);
	/* What a write takes of set-user-id goes by who opened the file here, by who writes on Linux. */
	if (what < 2 && (s.st_mode & 06000))
		return;
	switch (what) {
	case 0:
		n = pwrite(fd, "0123456789", 1 + dice(10), dice(30));
		say("pwrite", "", n);
		break;
	case 1:
		n = write(fd, "abcdefghij", 1 + dice(10));
		say("write", "", n);
		break;
	case 2:
		n = pread(fd, text, sizeof(text), dice(20));
		say("pread", "", n);
		if (n > 0)
			for (long i = 0; i < n; i++)
				printf("%02x%s", (unsigned char)text[i], i == n - 1 ? "\n" : "");
		break;
	case 3:
		say("ftruncate", "", ftruncate(fd, dice(50)));
		break;
	case 4:
		if (S_ISREG(s.st_mode))
			say("lseek", "", lseek(fd, (long)dice(40) - 10, (int)dice(3)));
		break;
	default:
		say("fchmod", "", fchmod(fd, dice(010000)));
	}
}

static void do_rename(void)
{
	char old[PATH_BYTES], new[PATH_BYTES], both[PATH_BYTES * 2 + 4];
	static const unsigned ways[] = { 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	unsigned way = ways[dice(5)];
	long result;
	int error;

	/* (An empty new name is refused before the old one is looked at.) */
	while (!*random_path(new))
		;
	result = syscall(SYS_renameat2, AT_FDCWD, random_path(old), AT_FDCWD, new, way);
	error = errno;

	snprintf(both, sizeof(both), "%s -> %s", old, new);
	errno = error;
	printf("rename %u ", way);
	say("", both, result);
}

static void do_link(void)
{
	char old[PATH_BYTES], new[PATH_BYTES], both[PATH_BYTES * 2 + 4];
	int flags = dice(3) ? 0 : AT_SYMLINK_FOLLOW;
	long result;
	int error;

	while (!*random_path(new))
		;
	result = linkat(AT_FDCWD, random_path(old), AT_FDCWD, new, flags);
	error = errno;

	snprintf(both, sizeof(both), "%s -> %s", old, new);
	errno = error;
	say("link", both, result);
}

static void do_stat(void)
{
	char path[PATH_BYTES];
	struct stat s;
	int flags = dice(2) ? AT_SYMLINK_NOFOLLOW : 0;
	int result = fstatat(AT_FDCWD, random_path(path), &s, flags);

	say("stat", path, result);
	if (result == 0)
		show(path, &s);
}

static void do_attributes(void)
{
	char path[PATH_BYTES];
	static const unsigned owners[] = { 0, 1000, 1001, (unsigned)-1 };
	struct timespec times[2] = { { dice(1000), dice(1000000000) }, { dice(1000), dice(1000000000) } };

	random_path(path);
	switch (dice(5)) {
	case 0:
		say("chmod", path, chmod(path, dice(4) ? 0700 | dice(0100) : dice(010000)));
		break;
	case 1: {
		unsigned uid = owners[dice(4)], gid = owners[dice(4)];
		printf("%d %d ", (int)uid, (int)gid);
		say("chown", path, fchownat(AT_FDCWD, path, uid, gid, dice(2) ? AT_SYMLINK_NOFOLLOW : 0));
		break;
	}
	case 2:
		if (dice(4) == 0)
			times[0].tv_nsec = UTIME_OMIT;
		if (dice(6) == 0)
			times[1].tv_nsec = UTIME_NOW;
		say("utimens", path, utimensat(AT_FDCWD, path, times, dice(2) ? AT_SYMLINK_NOFOLLOW : 0));
		break;
	case 3:
		say("truncate", path, truncate(path, dice(60)));
		break;
	default:
		say("access", path, faccessat(AT_FDCWD, path, (int)dice(8), AT_EACCESS));
	}
}

static void do_make(void)
{
	char path[PATH_BYTES], target[PATH_BYTES];
	long n;

	random_path(path);
	switch (dice(6)) {
	case 0: case 1:
		say("mkdir", path, mkdir(path, dice(3) ? 0777 : dice(010000)));
		break;
	case 2:
		random_path(target);
		say("symlink", path, symlink(target, path));
		break;
	case 3:
		say("mkfifo", path, mknod(path, S_IFIFO | 0666, 0));
		break;
	case 4:
		say("mknod", path, mknod(path, S_IFREG | 0640, 0));
		break;
	default:
		n = readlink(path, target, sizeof(target));
		say("readlink", path, n);
	}
}

static void do_remove(void)
{
	char path[PATH_BYTES];

	random_path(path);
	if (dice(2))
		say("unlink", path, unlink(path));
	else
		say("rmdir", path, rmdir(path));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
	struct dirent **entries;
	char child[4096];
	struct stat s;
	int count = scandir(path, &entries, NULL, by_name);

	for (int i = 0; i < count; i++) {
		if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..")) {
			snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
			if (lstat(child, &s) == 0) {
				show(child, &s);
				if (S_ISDIR(s.st_mode))
					list(child);
			}
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void step(void)
{
	/* Root half of the time; else a user, who owns little at first. */
	if (setegid(dice(2) ? 0 : 1000) || seteuid(dice(2) ? 0 : 1000))
		printf("cannot change user\n");
	printf("[%u:%u] ", geteuid(), getegid());
	switch (dice(9)) {
	case 0: case 1:
		do_open();
		break;
	case 2:
		do_handle();
		break;
	case 3:
		do_rename();
		break;
	case 4:
		do_link();
		break;
	case 5:
		do_stat();
		break;
	case 6:
		do_attributes();
		break;
	case 7:
		do_make();
		break;
	default:
		do_remove();
	}
	if (seteuid(0) || setegid(0))
		printf("cannot change back\n");
}

/* Links and .. lead up out of where we work, but not out of the directory we were given. */
static int descend(void)
{
	for (int i = 0; i < 6; i++)
		if (mkdir("x", 01777) || chmod("x", 01777) || chdir("x"))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long steps;

	if (argc != 4 || mkdir(argv[1], 0777) || chdir(argv[1]) || descend()) {
		fprintf(stderr, "usage: fs_random NEW-DIRECTORY SEED STEPS\n");
		return 2;
	}
	state = strtoull(argv[2], NULL, 0);
	steps = strtoul(argv[3], NULL, 0);
	umask(022);
	memset(handles, -1, sizeof(handles));
	for (unsigned long i = 1; i <= steps; i++) {
		printf("%lu ", i);
		step();
		printf("\n");
		if (i % 500 == 0)
			list(".");
	}
	return 0;
}
