/* tests/linux/files.c - what POSIX promises of files, in a fresh directory under /tmp. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

/* Every test starts in a new empty directory. */
static void start(void)
{
	static int count;
	char path[64];

	snprintf(path, sizeof path, "/tmp/files.%d.%d", getpid(), count++);
	CHECK_EQ(mkdir(path, 0755), 0);
	CHECK_EQ(chdir(path), 0);
	umask(022);
}

static int file_make(const char *name, const char *content)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	return fd;
}

static void file_put(const char *name, const char *content)
{
	close(file_make(name, content));
}

static const char *file_get(const char *name)
{
	static char content[4096];
	int fd = open(name, O_RDONLY);

	CHECK(fd >= 0);
	ssize_t count = read(fd, content, sizeof content - 1);
	CHECK(count >= 0);
	content[count] = 0;
	close(fd);
	return content;
}

static struct stat stat_of(const char *name)
{
	struct stat info;

	CHECK_EQ(lstat(name, &info), 0);
	return info;
}

TEST(open_creates_truncates_appends_and_excludes)
{
	start();
	file_put("a", "hello");
	CHECK(open("a", O_CREAT | O_EXCL | O_RDWR, 0644) == -1 && errno == EEXIST);
	CHECK(open("none", O_RDONLY) == -1 && errno == ENOENT);
	CHECK(open("a/b", O_RDONLY) == -1 && errno == ENOTDIR);
	CHECK(open(".", O_WRONLY) == -1 && errno == EISDIR);
	CHECK(open("a", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
	int fd = open("a", O_WRONLY | O_APPEND);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "!", 1), 1);
	close(fd);
	CHECK_STR(file_get("a"), "hello!");
	close(open("a", O_WRONLY | O_TRUNC));
	CHECK_EQ(stat_of("a").st_size, 0);
}

TEST(reading_and_writing_at_a_place_leaves_the_offset)
{
	char back[8] = "";

	start();
	int fd = file_make("a", "0123456789");
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_EQ(pread(fd, back, 2, 7), 2);
	CHECK_STR(back, "78");
	CHECK_EQ(pwrite(fd, "XY", 2, 0), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
	CHECK_EQ(lseek(fd, -2, SEEK_END), 8);
	CHECK(lseek(fd, -20, SEEK_CUR) == -1 && errno == EINVAL);
	CHECK_EQ(read(fd, back, 8), 2);
	CHECK_EQ(read(fd, back, 8), 0);
	close(fd);
	CHECK_STR(file_get("a"), "XY23456789");
}

TEST(vectors_are_one_transfer)
{
	char a[3] = "", b[4] = "";
	struct iovec out[] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } }, in[] = { { a, 2 }, { b, 3 } };

	start();
	int fd = file_make("a", "");
	CHECK_EQ(writev(fd, out, 3), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 2), 5);
	CHECK_STR(a, "ab");
	CHECK_STR(b, "cde");
	close(fd);
}

TEST(a_file_with_holes_reads_as_zeros)
{
	char back[16];

	start();
	int fd = file_make("a", "x");
	CHECK_EQ(pwrite(fd, "end", 3, 10000000), 3);
	struct stat info = stat_of("a");
	CHECK_EQ(info.st_size, 10000003);
	CHECK(info.st_blocks < 1000);
	CHECK_EQ(pread(fd, back, 16, 5000000), 16);
	CHECK_MEM(back, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	close(fd);
}

TEST(truncation_cuts_and_zeros)
{
	char back[8];

	start();
	int fd = file_make("a", "abcdefgh");
	CHECK_EQ(ftruncate(fd, 3), 0);
	CHECK_EQ(ftruncate(fd, 8), 0);
	CHECK_EQ(pread(fd, back, 8, 0), 8);
	CHECK_MEM(back, "abc\0\0\0\0\0", 8);
	CHECK_EQ(truncate("a", 1), 0);
	CHECK_EQ(stat_of("a").st_size, 1);
	CHECK(truncate(".", 1) == -1 && errno == EISDIR);
	close(fd);
}

TEST(a_file_without_a_name_lives_while_it_is_open)
{
	char back[8];

	start();
	int fd = file_make("a", "still");
	CHECK_EQ(unlink("a"), 0);
	CHECK(access("a", F_OK) == -1 && errno == ENOENT);
	struct stat info;
	CHECK_EQ(fstat(fd, &info), 0);
	CHECK_EQ(info.st_nlink, 0);
	CHECK_EQ(pread(fd, back, 8, 0), 5);
	CHECK_EQ(write(fd, "more", 4), 4);
	close(fd);
}

TEST(links_count_and_share)
{
	start();
	file_put("a", "x");
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(stat_of("a").st_nlink, 2);
	CHECK(stat_of("a").st_ino == stat_of("b").st_ino);
	file_put("b", "changed");
	CHECK_STR(file_get("a"), "changed");
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(stat_of("b").st_nlink, 1);
	CHECK(link(".", "d") == -1 && errno == EPERM);
	CHECK(link("b", "b") == -1 && errno == EEXIST);
}

TEST(symbolic_links_are_followed_or_not)
{
	char target[16] = "";

	start();
	file_put("a", "content");
	CHECK_EQ(symlink("a", "l"), 0);
	CHECK_STR(file_get("l"), "content");
	CHECK(S_ISLNK(stat_of("l").st_mode));
	CHECK_EQ(stat_of("l").st_size, 1);
	CHECK_EQ(readlink("l", target, sizeof target), 1);
	CHECK_STR(target, "a");
	CHECK(open("l", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
	CHECK_EQ(symlink("loop", "loop"), 0);
	CHECK(open("loop", O_RDONLY) == -1 && errno == ELOOP);
	CHECK_EQ(symlink("nowhere", "dangling"), 0);
	CHECK(open("dangling", O_RDONLY) == -1 && errno == ENOENT);
	close(open("dangling", O_CREAT | O_WRONLY, 0644));
	CHECK_EQ(access("nowhere", F_OK), 0);
	CHECK_EQ(unlink("l"), 0);
	CHECK_EQ(access("a", F_OK), 0);
	CHECK(readlink("a", target, sizeof target) == -1 && errno == EINVAL);
}

TEST(rename_replaces_at_once_and_knows_its_limits)
{
	start();
	file_put("a", "A");
	file_put("b", "B");
	CHECK_EQ(rename("a", "b"), 0);
	CHECK_STR(file_get("b"), "A");
	CHECK(access("a", F_OK) == -1);
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK(rename("d", "d/e/f") == -1 && errno == EINVAL);
	CHECK(rename("b", "d") == -1 && errno == EISDIR);
	CHECK(rename("d", "b") == -1 && errno == ENOTDIR);
	CHECK_EQ(mkdir("full", 0755), 0);
	file_put("full/x", "");
	CHECK(rename("d", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	CHECK_EQ(mkdir("empty", 0755), 0);
	CHECK_EQ(rename("d", "empty"), 0);
	CHECK_EQ(access("empty/e", F_OK), 0);
	CHECK_EQ(rename("b", "b"), 0);
	CHECK(rename("none", "x") == -1 && errno == ENOENT);
}

TEST(directories_count_their_children_and_must_be_empty_to_go)
{
	start();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK(mkdir("d", 0755) == -1 && errno == EEXIST);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(stat_of("d").st_nlink, 3);
	CHECK(rmdir("d") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	CHECK(unlink("d") == -1 && errno == EISDIR);
	CHECK_EQ(rmdir("d/e"), 0);
	CHECK_EQ(rmdir("d"), 0);
	file_put("f", "");
	CHECK(rmdir("f") == -1 && errno == ENOTDIR);
	CHECK(rmdir(".") == -1 && errno == EINVAL);
}

TEST(a_large_directory_lists_each_name_once_even_while_it_shrinks)
{
	enum { COUNT = 1500 };
	static char seen[COUNT];
	char name[32];
	int found = 0;

	start();
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "file-%d", i);
		file_put(name, "");
	}
	DIR *directory = opendir(".");
	CHECK(directory != NULL);
	struct dirent *entry;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] == 'f') {
			int number = atoi(entry->d_name + 5);
			CHECK(!seen[number]++);
			CHECK_EQ(entry->d_type, DT_REG);
			CHECK_EQ(unlink(entry->d_name), 0);
			found++;
		}
	closedir(directory);
	CHECK_EQ(found, COUNT);
}

TEST(names_and_paths_have_their_limits)
{
	char name[300], path[5000] = "";

	start();
	memset(name, 'n', sizeof name);
	name[255] = 0;
	file_put(name, "");
	name[255] = 'n';
	name[256] = 0;
	CHECK(open(name, O_CREAT | O_WRONLY, 0644) == -1 && errno == ENAMETOOLONG);
	while (strlen(path) < 4096)
		strcat(path, "./");
	CHECK(open(path, O_RDONLY) == -1 && errno == ENAMETOOLONG);
	CHECK(open("", O_RDONLY) == -1 && errno == ENOENT);
}

TEST(modes_and_the_mask_are_kept)
{
	start();
	umask(027);
	close(open("a", O_CREAT | O_WRONLY, 0666));
	CHECK_EQ(stat_of("a").st_mode & 07777, 0640);
	CHECK_EQ(chmod("a", 04751), 0);
	CHECK_EQ(stat_of("a").st_mode & 07777, 04751);
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(stat_of("d").st_mode & 07777, 0750);
	CHECK_EQ(umask(022), 027);
}

/* Runs the check as user 1000 in a child: 0 when it holds. */
static int as_user(bool (*holds)(void))
{
	pid_t child = fork();

	if (child == 0)
		_exit(setgid(1000) || setuid(1000) ? 2 : !holds());
	return test_wait(child);
}

static bool cannot_read(void) { return open("secret", O_RDONLY) == -1 && errno == EACCES && access("secret", R_OK) == -1; }
static bool cannot_search(void) { return open("closed/x", O_RDONLY) == -1 && errno == EACCES; }
static bool cannot_create(void) { return open("new", O_CREAT | O_WRONLY, 0644) == -1 && errno == EACCES; }
static bool cannot_unlink_in_sticky(void) { return unlink("sticky/roots") == -1 && (errno == EPERM || errno == EACCES); }
static bool cannot_give_away(void) { return chown("mine", 0, 0) == -1 && errno == EPERM; }
static bool cannot_chmod(void) { return chmod("secret", 0777) == -1 && errno == EPERM; }
static bool owner_can_create(void) { return open("users/new", O_CREAT | O_WRONLY, 0644) >= 0; }
static bool group_bits_count(void) { return open("grouped", O_RDONLY) == -1 && errno == EACCES; }

TEST(permissions_bind_users)
{
	start();
	if (geteuid() != 0)
		SKIP("not root");
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	CHECK_EQ(mkdir("closed", 0700), 0);
	file_put("closed/x", "");
	CHECK_EQ(mkdir("sticky", 0755), 0);
	CHECK_EQ(chmod("sticky", 01777), 0);
	file_put("sticky/roots", "");
	file_put("mine", "");
	CHECK_EQ(chown("mine", 1000, 1000), 0);
	CHECK_EQ(mkdir("users", 0755), 0);
	CHECK_EQ(chown("users", 1000, 1000), 0);
	file_put("grouped", "");
	CHECK_EQ(chown("grouped", 0, 1000), 0);
	CHECK_EQ(chmod("grouped", 0604), 0);
	CHECK_EQ(as_user(cannot_read), 0);
	CHECK_EQ(as_user(cannot_search), 0);
	CHECK_EQ(as_user(cannot_create), 0);
	CHECK_EQ(as_user(cannot_unlink_in_sticky), 0);
	CHECK_EQ(as_user(cannot_give_away), 0);
	CHECK_EQ(as_user(cannot_chmod), 0);
	CHECK_EQ(as_user(owner_can_create), 0);
	CHECK_EQ(as_user(group_bits_count), 0);
	CHECK_EQ(stat_of("users/new").st_uid, 1000);
}

TEST(times_have_nanoseconds_and_follow_what_happens)
{
	struct timespec times[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };

	start();
	file_put("a", "x");
	CHECK_EQ(utimensat(AT_FDCWD, "a", times, 0), 0);
	struct stat info = stat_of("a");
	CHECK(info.st_atim.tv_sec == 1000000000 && info.st_atim.tv_nsec == 123456789);
	CHECK(info.st_mtim.tv_sec == 1100000000 && info.st_mtim.tv_nsec == 987654321);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	CHECK_EQ(utimensat(AT_FDCWD, "a", times, 0), 0);
	info = stat_of("a");
	CHECK_EQ(info.st_atim.tv_sec, 1000000000);
	CHECK(info.st_mtim.tv_sec > 1600000000);
	times[0] = times[1] = (struct timespec){ 5, 0 };
	CHECK_EQ(utimensat(AT_FDCWD, "a", times, 0), 0);
	int fd = open("a", O_WRONLY);
	CHECK_EQ(write(fd, "y", 1), 1);
	close(fd);
	CHECK(stat_of("a").st_mtim.tv_sec > 1600000000);
}

TEST(descriptors_are_duplicated_and_flagged)
{
	start();
	int fd = file_make("a", "abc"), copy = dup(fd);
	CHECK(copy > fd);
	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 1);
	CHECK_EQ(dup2(fd, 50), 50);
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_EQ(fcntl(fd, F_DUPFD, 60), 60);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 60), 61);
	CHECK_EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(60, F_GETFD), 0);
	CHECK_EQ(fcntl(60, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(60, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_RDWR);
	CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
	CHECK(fcntl(copy, F_GETFL) & O_APPEND);
	for (int i = 50; i < 62; i++)
		close(i);
	close(copy);
	CHECK(close(copy) == -1 && errno == EBADF);
	int lowest = dup(fd);
	CHECK_EQ(lowest, copy);
	close(lowest);
	close(fd);
}

TEST(ranges_of_descriptors_are_closed_or_flagged)
{
	start();
	int fd = file_make("a", "abc");
	for (int i = 50; i < 60; i += 3)
		CHECK_EQ(dup2(fd, i), i);
	CHECK_EQ(dup2(fd, 1000), 1000);
	CHECK_EQ(syscall(SYS_close_range, 51u, 56u, 4), 0);     /* CLOSE_RANGE_CLOEXEC */
	CHECK_EQ(fcntl(50, F_GETFD), 0);
	CHECK_EQ(fcntl(53, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(56, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(59, F_GETFD), 0);
	CHECK_EQ(syscall(SYS_close_range, 53u, 53u, 0), 0);
	CHECK(fcntl(53, F_GETFD) == -1 && errno == EBADF);
	CHECK_EQ(fcntl(56, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(syscall(SYS_close_range, 53u, ~0u, 0), 0);
	CHECK(fcntl(56, F_GETFD) == -1 && fcntl(59, F_GETFD) == -1 && fcntl(1000, F_GETFD) == -1);
	CHECK_EQ(fcntl(50, F_GETFD), 0);
	CHECK_EQ(syscall(SYS_close_range, 2000u, ~0u, 0), 0);
	CHECK_EQ(syscall(SYS_close_range, ~0u, ~0u, 0), 0);
	CHECK(syscall(SYS_close_range, 5u, 4u, 0) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_close_range, 5u, 6u, 8) == -1 && errno == EINVAL);
	/* What the program's own image holds is none of them. */
	CHECK(stat_of("a").st_size == 3);
	close(50);
	close(fd);
}

/* dup2 says of a bad descriptor what close does, and leaves the other as it is. */
TEST(a_descriptor_that_is_none_is_not_duplicated)
{
	start();
	int fd = file_make("a", "abc");
	CHECK(dup2(57, fd) == -1 && errno == EBADF);
	CHECK(dup2(-1, fd) == -1 && errno == EBADF);
	CHECK(dup2(1 << 20, fd) == -1 && errno == EBADF);
	CHECK(dup2(fd, -1) == -1 && errno == EBADF);
	CHECK(dup2(fd, 1 << 20) == -1 && errno == EBADF);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 3);
	close(fd);
}

TEST(whole_file_locks_exclude_each_other)
{
	start();
	int one = file_make("a", ""), two = open("a", O_RDWR);
	CHECK_EQ(flock(one, LOCK_EX), 0);
	CHECK(flock(two, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	CHECK_EQ(flock(one, LOCK_SH), 0);
	CHECK_EQ(flock(two, LOCK_SH | LOCK_NB), 0);
	close(one);
	CHECK_EQ(flock(two, LOCK_EX | LOCK_NB), 0);
	close(two);
}

/* The last handle's end is all that tells: nobody asks the server for anything afterwards. */
TEST(a_close_gives_a_lock_to_who_waits)
{
	start();
	int fd = file_make("a", "text"), status;
	int pipes[2];
	char c;

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	pid_t child = fork();
	if (child == 0) {
		int own = open("a", O_RDWR);
		close(fd);
		close(pipes[0]);
		_exit(own < 0 || write(pipes[1], "x", 1) != 1 || flock(own, LOCK_EX) != 0);
	}
	close(pipes[1]);
	CHECK_EQ(read(pipes[0], &c, 1), 1);
	usleep(50000);
	alarm(20);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	alarm(0);
}

static long memory_free_kib(void)
{
	char text[4096] = "", *at;
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);

	close(fd);
	return n > 0 && (at = strstr(text, "MemFree:")) ? atol(at + 8) : -1;
}

TEST(a_removed_file_is_gone_with_its_last_close)
{
	enum { KIB = 8 << 10 };
	static char block[64 << 10];

	start();
	for (int round = 0; round < 4; round++) {
		int fd = open("big", O_CREAT | O_RDWR, 0644);
		for (int i = 0; i < KIB / 64; i++)
			CHECK_EQ(write(fd, block, sizeof block), (ssize_t)sizeof block);
		/* Closed after it was removed; removed after it was closed; a copy of the handle; never had a name. */
		int copy = round == 2 ? dup(fd) : -1;
		if (round == 1)
			close(fd);
		CHECK_EQ(unlink("big"), 0);
		long before = memory_free_kib(), after = before;
		if (round != 1)
			close(fd);
		else
			before -= KIB;
		if (copy >= 0)
			close(copy);
		for (int i = 0; i < 100 && (after = memory_free_kib()) < before + KIB * 3 / 4; i++)
			usleep(10000);
		CHECK(after >= before + KIB * 3 / 4);
	}
}

/* What was closed is closed for whoever asks next. */
TEST(a_close_comes_before_the_next_question)
{
	struct statvfs before, after;

	start();
	int fd = open(".", O_TMPFILE | O_RDWR, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(statvfs(".", &before), 0);
	for (int i = 0; i < 16; i++) {
		int other = open(".", O_TMPFILE | O_RDWR, 0644);
		CHECK(other >= 0);
		CHECK_EQ(close(other), 0);
		CHECK_EQ(statvfs(".", &after), 0);
		CHECK_EQ(after.f_files - after.f_ffree, before.f_files - before.f_ffree);
	}
	close(fd);
}

TEST(range_locks_belong_to_processes)
{
	start();
	int fd = file_make("a", "0123456789");
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3 };
	CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		struct flock test = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 4, .l_len = 1 };
		if (fcntl(fd, F_SETLK, &test) != -1 || (errno != EAGAIN && errno != EACCES))
			_exit(1);
		if (fcntl(fd, F_GETLK, &test) || test.l_type != F_WRLCK || test.l_pid != parent || test.l_start != 2 || test.l_len != 3)
			_exit(2);
		test = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1 };
		_exit(fcntl(fd, F_SETLK, &test) ? 3 : 0);
	}
	CHECK_EQ(test_wait(child), 0);
	close(fd);
}

TEST(relative_calls_start_at_their_directory)
{
	start();
	CHECK_EQ(mkdir("d", 0755), 0);
	file_put("d/f", "inside");
	int directory = open("d", O_RDONLY | O_DIRECTORY), fd = openat(directory, "f", O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(mkdirat(directory, "e", 0755), 0);
	CHECK_EQ(renameat(directory, "f", AT_FDCWD, "moved"), 0);
	CHECK_STR(file_get("moved"), "inside");
	CHECK_EQ(unlinkat(directory, "e", AT_REMOVEDIR), 0);
	CHECK_EQ(fchdir(directory), 0);
	char path[PATH_MAX];
	CHECK(getcwd(path, sizeof path) && strcmp(path + strlen(path) - 2, "/d") == 0);
	CHECK(openat(999, "x", O_RDONLY) == -1 && errno == EBADF);
	close(directory);
}

TEST(a_fifo_connects_two_processes)
{
	char back[8] = "";

	start();
	CHECK_EQ(mkfifo("fifo", 0644), 0);
	CHECK(S_ISFIFO(stat_of("fifo").st_mode));
	CHECK(open("fifo", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
	pid_t child = fork();
	if (child == 0) {
		int fd = open("fifo", O_WRONLY);
		_exit(write(fd, "through", 7) != 7);
	}
	int fd = open("fifo", O_RDONLY);
	CHECK_EQ(read(fd, back, 7), 7);
	CHECK_STR(back, "through");
	CHECK_EQ(read(fd, back, 7), 0);
	CHECK_EQ(test_wait(child), 0);
	close(fd);
}

TEST(sendfile_and_copies_move_bytes)
{
	start();
	int from = file_make("from", "0123456789"), to = file_make("to", "");
	off_t offset = 4;
	CHECK_EQ(sendfile(to, from, &offset, 100), 6);
	CHECK_EQ(offset, 10);
	close(from);
	close(to);
	CHECK_STR(file_get("to"), "456789");
}

TEST(appends_of_many_processes_do_not_overwrite_each_other)
{
	enum { WRITERS = 6, LINES = 100 };

	start();
	file_put("log", "");
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0) {
			int fd = open("log", O_WRONLY | O_APPEND);
			char line[16];
			memset(line, 'a' + i, 15);
			line[15] = '\n';
			for (int j = 0; j < LINES; j++)
				if (write(fd, line, 16) != 16)
					_exit(1);
			_exit(0);
		}
	for (int i = 0, status; i < WRITERS; i++)
		CHECK(wait(&status) > 0 && status == 0);
	CHECK_EQ(stat_of("log").st_size, WRITERS * LINES * 16);
	FILE *file = fopen("log", "r");
	char line[64];
	while (fgets(line, sizeof line, file))
		CHECK(strspn(line, (char[]){ line[0], 0 }) == 15);
	fclose(file);
}

TEST(the_file_system_knows_its_size)
{
	struct statvfs info;

	CHECK_EQ(statvfs("/tmp", &info), 0);
	CHECK(info.f_bsize >= 512 && info.f_blocks >= info.f_bfree && info.f_namemax == 255);
}

TEST(device_nodes_behave)
{
	char block[64] = "xxxx";
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(write(fd, block, 64), 64);
	CHECK_EQ(read(fd, block, 64), 0);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	CHECK_EQ(read(fd, block, 64), 64);
	for (int i = 0; i < 64; i++)
		CHECK(block[i] == 0);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	CHECK(write(fd, block, 1) == -1 && errno == ENOSPC);
	close(fd);
	char other[64];
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, block, 64), 64);
	CHECK_EQ(read(fd, other, 64), 64);
	CHECK(memcmp(block, other, 64) != 0);
	close(fd);
	CHECK(open("/dev/tty", O_RDWR) >= 0 || errno == ENXIO || errno == EIO);
}

TEST(a_file_without_a_name_gets_one)
{
	struct stat info;
	char link[64];

	start();
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "text", 4), 4);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, link, AT_FDCWD, "named", 0) == -1 && errno == EXDEV);       /* that would be a link to the link */
	CHECK_EQ(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
	close(fd);
	CHECK_STR(file_get("named"), "text");
	CHECK(stat("named", &info) == 0 && info.st_nlink == 1);
}

TEST(what_is_no_directory_has_no_names)
{
	struct stat info;
	int ends[2], file;

	start();
	file = file_make("file", "x");
	CHECK_EQ(pipe(ends), 0);
	CHECK(fstatat(ends[0], "name", &info, 0) == -1 && errno == ENOTDIR);
	CHECK(fstatat(file, "name", &info, 0) == -1 && errno == ENOTDIR);
	CHECK(faccessat(ends[0], "name", F_OK, 0) == -1 && errno == ENOTDIR);
	CHECK(openat(file, "name", O_RDONLY) == -1 && errno == ENOTDIR);
	CHECK(symlinkat("x", ends[0], "name") == -1 && errno == ENOTDIR);
	CHECK(linkat(ends[0], "a", AT_FDCWD, "b", 0) == -1 && errno == ENOTDIR);
	CHECK(fstatat(AT_FDCWD, "file", &info, 0x4000000) == -1 && errno == EINVAL);
	CHECK(linkat(AT_FDCWD, "file", AT_FDCWD, "b", 0x4000000) == -1 && errno == EINVAL);
	close(ends[0]);
	close(ends[1]);
	close(file);
}

TEST(sendfile_says_at_once_where_it_cannot_send)
{
	off_t offset = 0;
	int in, readable;

	start();
	in = file_make("in", "x");
	file_put("out", "");
	readable = open("out", O_RDONLY);
	CHECK(sendfile(-1, in, &offset, 0) == -1 && errno == EBADF);
	CHECK(sendfile(readable, in, &offset, 1) == -1 && errno == EBADF);
	CHECK(sendfile(in, readable, (off_t *)8, 1) == -1 && errno == EFAULT);
	close(in);
	close(readable);
}

TEST(both_ends_of_a_pipe_are_one_file)
{
	struct stat one, two, other;
	char path[64], name[2][64] = { "", "" };
	int ends[2], more[2];

	CHECK(pipe(ends) == 0 && pipe(more) == 0);
	CHECK(fstat(ends[0], &one) == 0 && fstat(ends[1], &two) == 0 && fstat(more[0], &other) == 0);
	CHECK(one.st_ino == two.st_ino && one.st_dev == two.st_dev);
	CHECK(one.st_ino != other.st_ino);
	int twin = dup(ends[0]);
	CHECK(fstat(twin, &two) == 0 && two.st_ino == one.st_ino);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", ends[i]);
		CHECK(readlink(path, name[i], sizeof name[i] - 1) > 0);
	}
	CHECK_STR(name[0], name[1]);
	close(twin);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(more[i]);
	}
}

/* Each of four children does so until none is left; how often it did is its status. */
static int children_sum(int (*work)(int fd), int fd)
{
	int sum = 0, status;

	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			_exit(work(fd));
	for (int i = 0; i < 4; i++) {
		CHECK(wait(&status) > 0 && WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	return sum;
}

static int read_bytes(int fd)
{
	int count = 0;
	char byte;

	while (count < 255 && read(fd, &byte, 1) == 1)
		count++;
	return count;
}

static int write_bytes(int fd)
{
	int count = 0;

	while (count < 250 && write(fd, "x", 1) == 1)
		count++;
	return count;
}

TEST(processes_that_share_an_offset_get_different_bytes)
{
	struct stat info;

	start();
	for (int round = 0; round < 5; round++) {
		int fd = open("shared", O_CREAT | O_RDWR | O_TRUNC, 0644);
		CHECK_EQ(children_sum(write_bytes, fd), 1000);
		CHECK(fstat(fd, &info) == 0 && info.st_size == 1000);
		CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1000);
		CHECK_EQ(ftruncate(fd, 600), 0);
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		CHECK_EQ(children_sum(read_bytes, fd), 600);
		close(fd);
	}
}

TEST(a_descriptor_of_a_name_is_none_of_a_file)
{
	struct stat info;
	int queued, fd;

	start();
	file_put("file", "x");
	CHECK((fd = open("file", O_PATH)) >= 0);
	/* (By number: the C libraries help themselves.) */
	CHECK(syscall(SYS_fchmod, fd, 0600) == -1 && errno == EBADF);
	CHECK(syscall(SYS_fchown, fd, 0, 0) == -1 && errno == EBADF);
	CHECK(ioctl(fd, FIONREAD, &queued) == -1 && errno == EBADF);
	CHECK(ftruncate(fd, 0) == -1 && errno == EBADF);
	CHECK_EQ(fstat(fd, &info), 0);
	CHECK_EQ(fchownat(fd, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH), 0);
	close(fd);
}
