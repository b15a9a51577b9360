/* bench/linux_init.c - process 1 of the Linux that ./cathode bench compares with: runs /bench, powers off. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void console_open(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3 && fd >= 0; i++)
		dup2(fd, i);
}

/* Memory in use before anything was started, in KiB, as /proc/meminfo has it. */
static void memory_print(void)
{
	char line[128];
	unsigned long available;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "MemFree: %lu", &available) == 1)
			printf("KiB free\t%lu\n", available);
	if (file)
		fclose(file);
	fflush(stdout);
}

int main(void)
{
	int status;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	console_open();
	printf("BENCH BEGIN\n");
	memory_print();
	pid_t child = fork();
	if (child == 0) {
		execl("/bench", "/bench", (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("BENCH END %d\n", status);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
