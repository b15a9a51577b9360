/* tests/linux/process_rules.c - fork, vfork, exec, wait and ids. With RULE in its environment it is the program that the tests execute. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/test/test.h"

extern char **environ;
static const char *self = "/proc/self/exe";

enum { MANY_STRINGS = 17, MANY_BYTES = 100000 };

/* ---- What the executed program does: its first argument says ---- */

static int executed(int argc, char **argv)
{
	if (!strcmp(argv[1], "status"))
		return atoi(argv[2]);
	if (!strcmp(argv[1], "arguments"))
		return argc == 5 && !strcmp(argv[2], "") && !strcmp(argv[3], "two words") && strlen(argv[4]) == 100000 &&
		       getenv("TEST_VALUE") && !strcmp(getenv("TEST_VALUE"), "yes") ? 0 : 1;
	if (!strcmp(argv[1], "many")) {
		for (int i = 2; i < argc; i++)
			if (strlen(argv[i]) != MANY_BYTES || argv[i][0] != 'a' + i || argv[i][MANY_BYTES - 1] != 'a' + i)
				return i;
		return argc == 2 + MANY_STRINGS && !strcmp(getenv("TEST_VALUE"), "last") ? 0 : 1;
	}
	if (!strcmp(argv[1], "signals")) {
		struct sigaction ignored, handled;
		sigset_t mask;
		sigaction(SIGUSR1, NULL, &ignored);
		sigaction(SIGUSR2, NULL, &handled);
		sigprocmask(SIG_SETMASK, NULL, &mask);
		return ignored.sa_handler == SIG_IGN && handled.sa_handler == SIG_DFL && sigismember(&mask, SIGTERM) == 1 ? 0 : 1;
	}
	if (!strcmp(argv[1], "child")) {
		sigset_t set;
		siginfo_t info;
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		pid_t child = fork();
		if (child == 0)
			_exit(4);
		return sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == child && info.si_status == 4 ? 0 : 1;
	}
	if (!strcmp(argv[1], "pid"))
		return getpid() == atoi(argv[2]) ? 0 : 1;
	if (!strcmp(argv[1], "alarm")) {
		pause();
		return 1;
	}
	if (!strcmp(argv[1], "auxiliary"))
		return getauxval(AT_PAGESZ) == 4096 && getauxval(AT_RANDOM) && getauxval(AT_SYSINFO_EHDR) && getauxval(AT_PHDR) &&
		       !strcmp((char *)getauxval(AT_EXECFN), argv[0]) && getauxval(AT_UID) == getuid() && getauxval(AT_CLKTCK) == 100 ? 0 : 1;
	return 99;
}

/* A constructor is not told its arguments by every C library; they lie below the environment. */
__attribute__((constructor)) static void run_executed(void)
{
	char **argv = environ - 2;
	int argc = 0;

	self = (const char *)getauxval(AT_EXECFN);
	if (!getenv("RULE"))
		return;
	for (; *(long *)argv != argc; argv--)
		argc++;
	_exit(executed(argc, argv + 1));
}

static int run(char *const *argv)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		setenv("RULE", "1", 1);
		execv(self, argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void nothing(int signal)
{
	(void)signal;
}

/* ---- Tests ---- */

TEST(a_child_gets_a_copy_and_its_own_number)
{
	volatile int value = 1;
	int status;
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		value = 2;
		_exit(getpid() != parent && getppid() == parent && syscall(SYS_gettid) == getpid() ? value : 0);
	}
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 2);
	CHECK(value == 1);
}

TEST(wait_says_what_there_is_to_say)
{
	int status;
	CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
	pid_t child = fork();
	if (child == 0) {
		usleep(30000);
		_exit(5);
	}
	CHECK(waitpid(child, &status, WNOHANG) == 0);
	siginfo_t info = { 0 };
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 5);
	struct rusage usage;
	CHECK(wait4(-1, &status, 0, &usage) == child && WEXITSTATUS(status) == 5);
}

TEST(a_stopped_child_is_reported_and_continues)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		for (;;)
			pause();
	}
	CHECK(kill(child, SIGSTOP) == 0);
	CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(kill(child, SIGCONT) == 0);
	CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
	CHECK(kill(child, SIGTERM) == 0);
	CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
}

TEST(a_vfork_child_shares_memory_and_holds_its_parent)
{
	static volatile int value;
	int status;
	pid_t child = vfork();
	if (child == 0) {
		value = 5;
		_exit(3);
	}
	CHECK(value == 5);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
}

TEST(a_vfork_child_may_leave_a_child_behind)
{
	int ends[2], status;
	char c;
	CHECK(pipe(ends) == 0);
	pid_t child = vfork();
	if (child == 0) {
		if (fork() == 0) {
			close(ends[1]);
			(void)!read(ends[0], &c, 1);
			_exit(0);
		}
		_exit(4);
	}
	/* The grandchild lives until we close this. */
	close(ends[1]);
	close(ends[0]);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4);
}

TEST(posix_spawn_starts_a_program)
{
	char *argv[] = { (char *)self, "status", "23", NULL };
	int status;
	pid_t child;
	setenv("RULE", "1", 1);
	int result = posix_spawn(&child, self, NULL, NULL, argv, environ);
	unsetenv("RULE");
	CHECK(result == 0);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 23);
	CHECK(posix_spawn(&child, "/no/such/program", NULL, NULL, argv, environ) == ENOENT);
}

TEST(exec_passes_arguments_and_environment)
{
	static char big[100001];
	memset(big, 'x', sizeof(big) - 1);
	char *argv[] = { (char *)self, "arguments", "", "two words", big, NULL };
	setenv("TEST_VALUE", "yes", 1);
	CHECK(run(argv) == 0);
	unsetenv("TEST_VALUE");
	CHECK(run((char *[]){ (char *)self, "auxiliary", NULL }) == 0);
}

TEST(exec_keeps_pid_mask_and_ignored_signals)
{
	sigset_t set, old;
	char number[16];
	int status;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, nothing);
	sigprocmask(SIG_BLOCK, &set, &old);
	CHECK(run((char *[]){ (char *)self, "signals", NULL }) == 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	pid_t child = fork();
	if (child == 0) {
		snprintf(number, sizeof(number), "%d", getpid());
		setenv("RULE", "1", 1);
		execl(self, self, "pid", number, NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
}

static long mapped_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmSize: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static __attribute__((noinline)) pid_t start_many(int by_vfork, char **argv, char **environment)
{
	pid_t child = by_vfork ? vfork() : fork();

	if (child == 0) {
		execve(self, argv, environment);
		_exit(127);
	}
	return child;
}

/* Of nearly two megabytes, from a process and from a vfork child, whose parent gets its memory back. */
TEST(many_and_long_arguments_arrive_whole)
{
	static char strings[MANY_STRINGS][MANY_BYTES + 1];
	char *argv[3 + MANY_STRINGS] = { "x", "many" }, *environment[] = { "RULE=1", "TEST_VALUE=last", NULL };
	long before = 0;

	for (int i = 0; i < MANY_STRINGS; i++) {
		memset(strings[i], 'a' + i + 2, MANY_BYTES);
		argv[2 + i] = strings[i];
	}
	for (int i = 0; i < 6; i++) {
		int status;
		pid_t child = start_many(i % 2, argv, environment);
		CHECK(waitpid(child, &status, 0) == child && status == 0);
		if (i == 1)
			before = mapped_kib();
	}
	CHECK_EQ(mapped_kib(), before);
}

TEST(an_alarm_goes_on_over_exec)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(1);
		setenv("RULE", "1", 1);
		execl(self, self, "alarm", NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

TEST(a_failed_exec_leaves_everything_as_it_was)
{
	char *argv[] = { "x", NULL };
	CHECK(execv("/no/such/file", argv) == -1 && errno == ENOENT);
	CHECK(execv("/", argv) == -1 && errno == EACCES);
	CHECK(syscall(SYS_execve, 8L, argv, environ) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_execve, self, 8L, environ) == -1 && errno == EFAULT);
	static char *many[64];
	static char big[100001];
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 63; i++)
		many[i] = big;
	CHECK(execv(self, many) == -1 && errno == E2BIG);
}

TEST(many_children_come_and_go)
{
	int bad = 0, status;
	for (int i = 0; i < 1000; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(i & 127);
		if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != (i & 127))
			bad++;
	}
	CHECK(bad == 0);
}

TEST(children_live_side_by_side)
{
	enum { COUNT = 50 };
	int seen = 0, status;
	for (int i = 0; i < COUNT; i++) {
		pid_t child = fork();
		if (child == 0) {
			usleep(1000);
			_exit(1);
		}
		CHECK(child > 0);
	}
	while (wait(&status) > 0)
		seen += WEXITSTATUS(status);
	CHECK(seen == COUNT);
}

TEST(shared_memory_is_shared_with_children)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(word != MAP_FAILED);
	pid_t child = fork();
	if (child == 0) {
		*word = 99;
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child && *word == 99);
	munmap((void *)word, 4096);
}

TEST(groups_and_sessions_follow_the_rules)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		int ok = getpgrp() == getpgid(getppid()) && setpgid(0, 0) == 0 && getpgrp() == getpid() && setsid() == -1 && errno == EPERM;
		_exit(ok ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
	child = fork();
	if (child == 0)
		_exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
}

TEST(credentials_can_be_given_up_for_good)
{
	int status;
	if (getuid() != 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		int ok = setgid(1000) == 0 && setuid(1000) == 0 && getuid() == 1000 && geteuid() == 1000 && getegid() == 1000 &&
		         setuid(0) == -1 && errno == EPERM;
		_exit(ok ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
	CHECK(getuid() == 0);
}

TEST(an_orphan_gets_a_new_parent)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0) {
		pid_t old = getpid();
		if (fork() == 0) {
			for (int i = 0; i < 1000 && getppid() == old; i++)
				usleep(1000);
			*word = getppid() != old ? 1 : 2;
			_exit(0);
		}
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	for (int i = 0; i < 2000 && *word == 0; i++)
		usleep(1000);
	CHECK(*word == 1);
	munmap((void *)word, 4096);
}

static volatile sig_atomic_t children_ended;
static void on_child(int signal) { (void)signal; children_ended++; }

TEST(SIGCHLD_comes_to_who_blocks_or_handles_it)
{
	sigset_t set, old;
	siginfo_t info;
	struct sigaction action = { .sa_handler = on_child };
	pid_t child;

	/* Nobody sees it, then it is blocked, then there is a handler. */
	CHECK((child = fork()) >= 0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == child);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	if ((child = fork()) == 0)
		_exit(3);
	CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == child && info.si_status == 3);
	CHECK(waitpid(child, NULL, 0) == child);
	sigprocmask(SIG_SETMASK, &old, NULL);
	children_ended = 0;
	sigaction(SIGCHLD, &action, NULL);
	if ((child = fork()) == 0)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == child || errno == EINTR);
	while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
		;
	CHECK(children_ended == 1);
	signal(SIGCHLD, SIG_DFL);
	/* Who blocks it over an exec has it there. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(run((char *[]){ (char *)self, "child", NULL }) == 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

TEST(a_child_inherits_that_its_children_leave_no_zombies)
{
	int status;
	signal(SIGCHLD, SIG_IGN);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			_exit(0);
		_exit(wait(NULL) == -1 && errno == ECHILD ? 0 : 1);
	}
	/* Waits until it is gone, and gets no status. */
	CHECK(waitpid(child, &status, 0) == -1 && errno == ECHILD);
	signal(SIGCHLD, SIG_DFL);
	if ((child = fork()) == 0) {
		int told[2];
		char byte;
		signal(SIGCHLD, SIG_IGN);
		if (pipe(told))
			_exit(3);
		pid_t second = fork();
		if (second == 0) {
			close(told[1]);
			if (fork() == 0)
				_exit(0);
			bool is_alone = wait(NULL) == -1 && errno == ECHILD;
			_exit(read(told[0], &byte, 1) == 0 && is_alone ? 0 : 1);        /* not before the parent wants to know */
		}
		signal(SIGCHLD, SIG_DFL);
		close(told[1]);
		_exit(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 0 ? 0 : 2);
	}
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
}

TEST(a_child_sees_where_its_parent_puts_it)
{
	int status, told[2];
	char byte = 0;
	CHECK(pipe(told) == 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		/* Read once before, so that what is read after cannot be the first answer. */
		bool ok = getppid() == parent && getpgrp() == getpgid(parent) && write(told[1], &byte, 1) == 1;
		for (int i = 0; i < 2000 && getpgrp() != getpid(); i++)
			usleep(1000);
		_exit(ok && getpgrp() == getpid() && getpgid(0) == getpid() ? 0 : 1);
	}
	CHECK(read(told[0], &byte, 1) == 1 && setpgid(child, child) == 0);
	close(told[0]);
	close(told[1]);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
	child = vfork();
	if (child == 0)
		_exit(getppid() == parent && getpid() != parent ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
}

TEST(numbers_that_are_not_there_are_refused)
{
	CHECK(kill(999999, 0) == -1 && errno == ESRCH);
	CHECK(kill(getpid(), 65) == -1 && errno == EINVAL);
	CHECK(kill(getpid(), 0) == 0);
	CHECK(syscall(400) == -1 && errno == ENOSYS);
	CHECK(syscall(100000) == -1 && errno == ENOSYS);
	CHECK(syscall(-1) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_wait4, -1, 8L, 0, 0) == -1);
}
