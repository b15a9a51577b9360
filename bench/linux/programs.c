/* bench/linux/programs.c - rows of whole programs: Debian's busybox, the same file on both systems. */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS = 8, FILES = 12, FILE_BYTES = 4096 };
static const char busybox[] = "/bin/busybox", tree[] = "/tmp/bench.tree";

static bool busybox_is_there(void)
{
	return access(busybox, X_OK) == 0;
}

static void shell_run(const char *script)
{
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		execl(busybox, "sh", "-c", script, (char *)NULL);
		_exit(1);
	}
	child_wait(child);
}

/* A shell's loop that runs a program 200 times and waits for it each time. */
static void shell_spawns(int count)
{
	while (count--)
		shell_run("i=0; while [ $i -lt 200 ]; do /bin/busybox true || exit 1; i=$((i+1)); done");
}

/* Text that neither compresses to nothing nor not at all. */
static void text_fill(char *text, unsigned seed)
{
	for (int i = 0; i < FILE_BYTES; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = i % 17 == 16 ? '\n' : (char)('a' + (seed >> 16) % 13);
	}
}

static void tree_name(char *name, size_t room, int folder, int file)
{
	if (file < 0)
		snprintf(name, room, "%s/folder-%d", tree, folder);
	else
		snprintf(name, room, "%s/folder-%d/file-%d", tree, folder, file);
}

static bool tree_set_up(void)
{
	char name[64], text[FILE_BYTES];

	if (!busybox_is_there())
		return false;
	REQUIRE(mkdir(tree, 0755) == 0);
	for (int folder = 0; folder < FOLDERS; folder++) {
		tree_name(name, sizeof name, folder, -1);
		REQUIRE(mkdir(name, 0755) == 0);
		for (int file = 0; file < FILES; file++) {
			tree_name(name, sizeof name, folder, file);
			text_fill(text, (unsigned)(folder * FILES + file));
			int fd = open(name, O_WRONLY | O_CREAT, 0644);
			REQUIRE(fd >= 0 && write(fd, text, FILE_BYTES) == FILE_BYTES && close(fd) == 0);
		}
	}
	return true;
}

static void tree_tear_down(void)
{
	char name[64];

	for (int folder = 0; folder < FOLDERS; folder++) {
		for (int file = 0; file < FILES; file++) {
			tree_name(name, sizeof name, folder, file);
			unlink(name);
		}
		tree_name(name, sizeof name, folder, -1);
		rmdir(name);
	}
	rmdir(tree);
}

/* `tar c | gzip -1` of a tree of 96 files of 4 KiB. */
static void tar_gzip(int count)
{
	while (count--)
		shell_run("/bin/busybox tar c -C /tmp bench.tree | /bin/busybox gzip -1");
}

const struct row program_rows[] = {
	{ .name = "shell-200-spawns", .run = shell_spawns, .count = 1, .set_up = busybox_is_there, .flags = ROW_LONG },
	{ .name = "tar-gzip", .run = tar_gzip, .count = 1, .set_up = tree_set_up, .tear_down = tree_tear_down, .flags = ROW_LONG },
	{ 0 },
};
