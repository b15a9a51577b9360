/* tests/linux/processes.c - fork, exec, wait, groups, limits; storms of children and of messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { STORM = 1000, AT_ONCE = 50, PING_PONGS = 10000 };

TEST(a_thousand_children_are_started_and_waited_for)
{
	int seen = 0, status;

	for (int i = 0; i < STORM; i++) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0)
			_exit(i % 200);
		if ((i + 1) % AT_ONCE == 0)
			for (int j = 0; j < AT_ONCE; j++, seen++)
				CHECK(wait(&status) > 0 && WIFEXITED(status));
	}
	CHECK_EQ(seen, STORM);
	CHECK(wait(&status) == -1 && errno == ECHILD);
}

TEST(ten_thousand_messages_go_back_and_forth)
{
	int there[2], back[2];

	CHECK(pipe(there) == 0 && pipe(back) == 0);
	pid_t child = fork();
	if (child == 0) {
		int number;
		close(there[1]);
		while (read(there[0], &number, sizeof number) == sizeof number) {
			number++;
			if (write(back[1], &number, sizeof number) != sizeof number)
				_exit(1);
		}
		_exit(0);
	}
	close(there[0]);
	for (int i = 0; i < PING_PONGS; i++) {
		int number = i;
		CHECK(write(there[1], &number, sizeof number) == sizeof number);
		CHECK(read(back[0], &number, sizeof number) == sizeof number && number == i + 1);
	}
	close(there[1]);
	CHECK_EQ(test_wait(child), 0);
	close(back[0]);
	close(back[1]);
}

TEST(memory_is_copied_by_fork_and_not_shared)
{
	static volatile int data = 1;
	volatile int *heap = malloc(sizeof *heap), stack = 1;

	*heap = 1;
	pid_t child = fork();
	if (child == 0) {
		data = *heap = stack = 2;
		_exit(data + *heap + stack);
	}
	CHECK_EQ(test_wait(child), 6 << 8);
	CHECK(data == 1 && *heap == 1 && stack == 1);
	free((void *)heap);
}

TEST(a_vfork_child_borrows_the_memory_until_it_execs)
{
	volatile int touched = 0;
	pid_t child = vfork();

	if (child == 0) {
		touched = 1;
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	CHECK_EQ(touched, 1);
	CHECK_EQ(test_wait(child), 0);
}

TEST(offsets_are_shared_and_tables_are_not)
{
	char path[] = "/tmp/processes.XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, "abcdef", 6) == 6);
	pid_t child = fork();
	if (child == 0) {
		lseek(fd, 2, SEEK_SET);
		close(fd);
		_exit(0);
	}
	CHECK_EQ(test_wait(child), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
	close(fd);
	unlink(path);
}

static int run_script(const char *text, char *output, size_t bytes)
{
	char path[] = "/tmp/script.XXXXXX";
	int fd = mkstemp(path), ends[2];
	size_t got = 0;
	ssize_t count;

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fchmod(fd, 0755);
	close(fd);
	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execl(path, "name", "one", "two words", (char *)NULL);
		_exit(errno);
	}
	close(ends[1]);
	while ((count = read(ends[0], output + got, bytes - 1 - got)) > 0)
		got += (size_t)count;
	output[got] = 0;
	close(ends[0]);
	int status = test_wait(child);
	unlink(path);
	return status;
}

TEST(a_script_is_run_by_its_interpreter)
{
	char output[512];

	CHECK_EQ(run_script("#!/bin/sh\necho \"$1|$2|$#\"\nexit 5\n", output, sizeof output), 5 << 8);
	CHECK_STR(output, "one|two words|2\n");
	CHECK_EQ(run_script("#!/bin/sh -e\nfalse\necho no\n", output, sizeof output), 1 << 8);
	CHECK_STR(output, "");
}

TEST(what_cannot_be_executed_says_why)
{
	char output[64];
	char *none[] = { "x", NULL };

	CHECK_EQ(run_script("#!/no/such/interpreter\n", output, sizeof output), ENOENT << 8);
	CHECK_EQ(run_script("neither script nor ELF\n", output, sizeof output), ENOEXEC << 8);
	CHECK(execv("/etc/passwd", none) == -1 && errno == EACCES);
	CHECK(execv("/etc", none) == -1 && errno == EACCES);
	CHECK(execv("/no/such/file", none) == -1 && errno == ENOENT);
	CHECK(execv("/etc/passwd/x", none) == -1 && errno == ENOTDIR);
}

TEST(exec_keeps_what_it_should_and_closes_what_was_asked)
{
	int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char command[256];

	snprintf(command, sizeof command, "test -e /proc/self/fd/%d || exit 1; test ! -e /proc/self/fd/%d || exit 2; test \"$A\" = b || exit 3; test $$ = $PID", kept, closed);
	pid_t child = fork();
	if (child == 0) {
		char pid[32];
		snprintf(pid, sizeof pid, "PID=%d", getpid());
		char *words[] = { "sh", "-c", command, NULL }, *environment[] = { "A=b", pid, "PATH=/bin:/usr/bin", NULL };
		execve("/bin/sh", words, environment);
		_exit(9);
	}
	CHECK_EQ(test_wait(child), 0);
	close(kept);
	close(closed);
}

TEST(many_and_long_arguments_arrive)
{
	enum { COUNT = 500 };
	static char word[COUNT][64], *words[COUNT + 4] = { "sh", "-c", "test $# = 499 && eval last=\\${$#} && test ${#last} = 60" };

	for (int i = 0; i < COUNT; i++) {
		memset(word[i], 'x', 60);
		words[3 + i] = word[i];
	}
	pid_t child = fork();
	if (child == 0) {
		execv("/bin/sh", words);
		_exit(9);
	}
	CHECK_EQ(test_wait(child), 0);
}

TEST(waitid_can_leave_the_child_to_be_waited_for)
{
	siginfo_t info = { 0 };
	pid_t child = fork();

	if (child == 0)
		_exit(12);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_status, 12);
	CHECK_EQ(test_wait(child), 12 << 8);
}

TEST(waiting_without_hanging_finds_nothing_yet)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	CHECK_EQ(test_wait(child), SIGKILL);
}

TEST(orphans_get_a_new_parent)
{
	int ends[2];
	pid_t parent = 0;

	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		pid_t own = getpid();
		if (fork() == 0) {
			for (int i = 0; i < 500 && getppid() == own; i++)
				usleep(10000);
			pid_t now = getppid();
			_exit(write(ends[1], &now, sizeof now) != sizeof now);
		}
		_exit(0);
	}
	CHECK_EQ(test_wait(child), 0);
	CHECK_EQ(read(ends[0], &parent, sizeof parent), sizeof parent);
	CHECK(parent != child && parent > 0);
	close(ends[0]);
	close(ends[1]);
}

TEST(sessions_and_groups_are_inherited_and_changed)
{
	pid_t child = fork();

	if (child == 0) {
		if (getpgrp() != getpgid(getppid()) || getsid(0) != getsid(getppid()))
			_exit(1);
		if (setsid() != getpid() || getpgrp() != getpid() || getsid(0) != getpid())
			_exit(2);
		_exit(setsid() == -1 && errno == EPERM ? 0 : 3);
	}
	CHECK_EQ(test_wait(child), 0);
}

TEST(credentials_can_be_dropped_but_not_taken_back)
{
	if (geteuid() != 0)
		SKIP("not root");
	pid_t child = fork();
	if (child == 0) {
		gid_t group = 100;
		if (setgroups(1, &group) || setgid(1000) || setuid(1000))
			_exit(1);
		if (getuid() != 1000 || geteuid() != 1000 || getgid() != 1000)
			_exit(2);
		if (setuid(0) == 0 || errno != EPERM)
			_exit(3);
		if (open("/etc/passwd", O_WRONLY) >= 0 || errno != EACCES)
			_exit(4);
		if (kill(1, SIGTERM) == 0 || errno != EPERM)
			_exit(5);
		_exit(0);
	}
	CHECK_EQ(test_wait(child), 0);
}

TEST(limits_are_kept_and_enforced)
{
	struct rlimit limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK(limit.rlim_cur > 16);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit small = { 10, 10 };
		int fd = 0;
		if (setrlimit(RLIMIT_NOFILE, &small))
			_exit(1);
		for (int i = 0; i < 20 && fd >= 0; i++)
			fd = dup(0);
		_exit(fd == -1 && errno == EMFILE ? 0 : 2);
	}
	CHECK_EQ(test_wait(child), 0);
}

TEST(the_system_says_what_it_is)
{
	struct utsname name;
	struct sysinfo info;

	CHECK_EQ(uname(&name), 0);
	CHECK_STR(name.machine, "x86_64");
	CHECK(name.sysname[0] && name.release[0]);
	CHECK_EQ(sysinfo(&info), 0);
	CHECK(info.totalram * info.mem_unit > 16 << 20 && info.freeram <= info.totalram && info.procs > 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	CHECK_EQ(sysconf(_SC_PAGESIZE), 4096);
}

TEST(time_goes_forward_and_sleep_is_long_enough)
{
	struct timespec start, end, nap = { 0, 30 * 1000 * 1000 };

	clock_gettime(CLOCK_MONOTONIC, &start);
	CHECK_EQ(nanosleep(&nap, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK((end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec >= nap.tv_nsec);
	for (int i = 0; i < 10000; i++) {
		start = end;
		clock_gettime(CLOCK_MONOTONIC, &end);
		CHECK(end.tv_sec > start.tv_sec || (end.tv_sec == start.tv_sec && end.tv_nsec >= start.tv_nsec));
	}
	CHECK(time(NULL) > 1600000000);
}

TEST(use_of_the_cpu_is_counted)
{
	struct rusage use;
	volatile unsigned long work = 0;

	do {
		for (int i = 0; i < 1000000; i++)
			work += (unsigned)i;
		CHECK_EQ(getrusage(RUSAGE_SELF, &use), 0);
	} while (use.ru_utime.tv_sec == 0 && use.ru_utime.tv_usec < 20000 && work < 1ul << 50);
	CHECK(use.ru_utime.tv_sec > 0 || use.ru_utime.tv_usec >= 20000);
}

TEST(a_process_can_be_named)
{
	char name[16];

	CHECK_EQ(prctl(PR_SET_NAME, "new-name"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK_STR(name, "new-name");
}

static int clone_child(void *argument)
{
	*(volatile int *)argument = 5;
	return 3;
}

TEST(clone_can_share_memory_without_being_a_thread)
{
	static char stack[64 * 1024];
	volatile int value = 0;
	pid_t child = clone(clone_child, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)&value);

	CHECK(child > 0);
	CHECK_EQ(test_wait(child), 3 << 8);
	CHECK_EQ(value, 5);
}
