/* bench/linux_init.c - process 1 of the Linux that ./cathode bench compares with: runs /bench with the kernel's arguments, powers off. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void console_open(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3 && fd >= 0; i++)
		dup2(fd, i);
}

/* Loads /modules/0.ko, 1.ko..., as many as there are. */
static void modules_load(void)
{
	char path[32];

	for (int i = 0; ; i++) {
		snprintf(path, sizeof path, "/modules/%d.ko", i);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0))
			perror(path);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	int status;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/tmp", "tmpfs", 0, NULL);
	console_open();
	modules_load();
	printf("BENCH BEGIN\n");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		argv[0] = "/bench";
		execv("/bench", argv);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("BENCH END %d\n", status);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
