/* tests/linux/setuid.c - set-uid and set-gid programs, and what those who execute them may try. With RULE in its environment it is such a program. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { USER = 1000, GROUP = 4242, OUTPUT = 9 };

extern char **environ;
#define PROGRAM "/tmp/setuid-program"

/* ---- What the executed program does: its first argument says. 42: it has root's effective id and the user's real one. ---- */

static bool is_elevated(void)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) == 0 && real == USER && effective == 0 && saved == 0;
}

static int executed(int argc, char **argv)
{
	if (argc < 2)
		return 99;
	if (!strcmp(argv[1], "ids"))
		return is_elevated() && getgid() == USER && getegid() == USER ? 42 : geteuid() == USER ? 1 : 2;
	if (!strcmp(argv[1], "group")) {
		gid_t real, effective, saved;
		getresgid(&real, &effective, &saved);
		return real == USER && effective == GROUP && saved == GROUP && geteuid() == USER ? 42 : getegid() == USER ? 1 : 2;
	}
	if (!strcmp(argv[1], "secure"))
		return getauxval(AT_SECURE) == 1 && getauxval(AT_UID) == USER && getauxval(AT_EUID) == 0 &&
		       !strcmp((const char *)getauxval(AT_EXECFN), PROGRAM) ? 42 : 1;
	if (!strcmp(argv[1], "pid"))
		return is_elevated() && getpid() == atoi(argv[2]) && syscall(SYS_gettid) == getpid() && getppid() == atoi(argv[3]) ? 42 : 1;
	if (!strcmp(argv[1], "state")) {
		struct sigaction ignored, handled;
		struct itimerval timer;
		char name[100];
		sigset_t mask;
		sigaction(SIGUSR1, NULL, &ignored);
		sigaction(SIGUSR2, NULL, &handled);
		sigprocmask(SIG_SETMASK, NULL, &mask);
		getitimer(ITIMER_REAL, &timer);
		return is_elevated() && ignored.sa_handler == SIG_IGN && handled.sa_handler == SIG_DFL && sigismember(&mask, SIGTERM) == 1 &&
		       sigismember(&mask, SIGHUP) == 0 && umask(0) == 027 && getcwd(name, sizeof(name)) && !strcmp(name, "/home/user") &&
		       argc == 4 && !strcmp(argv[2], "") && strlen(argv[3]) == 50000 && getenv("TEST_VALUE") && !strcmp(getenv("TEST_VALUE"), "yes") &&
		       fcntl(OUTPUT, F_GETFD) == 0 && fcntl(OUTPUT + 1, F_GETFD) == -1 && timer.it_value.tv_sec > 500 ? 42 : 1;
	}
	if (!strcmp(argv[1], "pause")) {
		if (!is_elevated() || write(OUTPUT, "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	/* It drops what it has, and still is nobody else's to look into. */
	if (!strcmp(argv[1], "drop")) {
		if (!is_elevated() || setuid(USER) || write(OUTPUT, "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	if (!strcmp(argv[1], "shell")) {
		execl("/bin/busybox", "busybox", "sh", "-c", "exit 7", (char *)NULL);
		return 1;
	}
	return 98;
}

/* A constructor is not told its arguments by every C library; they lie below the environment. */
__attribute__((constructor)) static void run_executed(void)
{
	char **argv = environ - 2;
	int argc = 0;

	if (!getenv("RULE"))
		return;
	for (; *(long *)argv != argc; argv--)
		argc++;
	_exit(executed(argc, argv + 1));
}

/* ---- Those who execute it ---- */

static void copy_program(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	static char buffer[1 << 16];
	ssize_t n;

	unlink(path);
	int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		CHECK(write(to, buffer, (size_t)n) == n);
	close(from);
	close(to);
	CHECK(chown(path, uid, gid) == 0 && chmod(path, mode) == 0);
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setgid(USER) || setuid(USER) || chdir("/home/user"))
		_exit(97);
	setenv("RULE", "1", 1);
}

static int status_of(pid_t child)
{
	int status = -1;

	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* How `what` ends as the user. */
static int as_user(void (*what)(void *), void *argument)
{
	pid_t child = fork();

	if (child == 0) {
		become_user();
		what(argument);
		_exit(96);
	}
	return status_of(child);
}

static void exec_rule(void *rule)
{
	execl(PROGRAM, PROGRAM, rule, (char *)NULL);
	_exit(errno == EACCES ? 95 : 94);
}

static int run(const char *rule) { return as_user(exec_rule, (void *)rule); }

/* ---- Tests ---- */

TEST(a_set_uid_program_has_its_owners_id_and_the_users)
{
	copy_program(PROGRAM, 0, 0, 04755);
	CHECK_EQ(run("ids"), 42);
	CHECK_EQ(run("secure"), 42);
	/* What it executes is not to trust its environment either, but it is. */
	CHECK_EQ(run("shell"), 7);
	CHECK(chmod(PROGRAM, 0755) == 0);
	CHECK_EQ(run("ids"), 1);
}

TEST(a_set_gid_program_has_its_group)
{
	copy_program(PROGRAM, 0, GROUP, 02755);
	CHECK_EQ(run("group"), 42);
	/* Without the group's x it would be for mandatory locking. */
	CHECK(chmod(PROGRAM, 02745) == 0);
	CHECK_EQ(run("group"), 1);
}

TEST(who_may_not_execute_it_does_not)
{
	copy_program(PROGRAM, 0, 0, 04750);
	CHECK_EQ(run("ids"), 95);
}

static void exec_with_pid(void *argument)
{
	char pid[20], parent[20];

	(void)argument;
	sprintf(pid, "%d", getpid());
	sprintf(parent, "%d", getppid());
	execl(PROGRAM, PROGRAM, "pid", pid, parent, (char *)NULL);
}

TEST(it_is_the_same_process_to_others)
{
	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(as_user(exec_with_pid, NULL), 42);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void exec_with_state(void *argument)
{
	static char longest[50001];
	struct itimerval timer = { .it_value.tv_sec = 1000 };
	sigset_t mask;

	(void)argument;
	memset(longest, 'x', sizeof(longest) - 1);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, exit);
	umask(027);
	setenv("TEST_VALUE", "yes", 1);
	setitimer(ITIMER_REAL, &timer, NULL);
	dup2(2, OUTPUT);
	dup3(2, OUTPUT + 1, O_CLOEXEC);
	execl(PROGRAM, PROGRAM, "state", "", longest, (char *)NULL);
}

TEST(what_exec_keeps_is_kept)
{
	copy_program(PROGRAM, 0, 0, 04755);
	CHECK_EQ(as_user(exec_with_state, NULL), 42);
}

static void forbid_and_exec(void *forks)
{
	int status;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(90);
	if (!forks)
		exec_rule("ids");
	pid_t child = fork();
	if (child == 0)
		exec_rule("ids");
	_exit(waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 91);
}

TEST(no_new_privileges_are_gained_by_who_said_so)
{
	copy_program(PROGRAM, 0, 0, 04755);
	CHECK_EQ(as_user(forbid_and_exec, NULL), 1);
	CHECK_EQ(as_user(forbid_and_exec, ""), 1);
}

/* A child that executes the program, and has said that it runs. */
static pid_t start_running(const char *rule)
{
	int ends[2];
	char c;

	CHECK(pipe(ends) == 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], OUTPUT);
		close(ends[0]);
		close(ends[1]);
		become_user();
		exec_rule((void *)rule);
	}
	close(ends[1]);
	CHECK(read(ends[0], &c, 1) == 1);
	close(ends[0]);
	return child;
}

/* Exit status: a bit for each thing that the user could look into. */
static void inspect(void *pid_of)
{
	static const char *const names[] = { "environ", "maps", "fd", "mem", "cwd/.", "root/.", "fd/9" };
	int pid = *(int *)pid_of, found = 0;
	char path[100];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		sprintf(path, "/proc/%d/%s", pid, names[i]);
		if (open(path, O_RDONLY) >= 0)
			found |= 1 << i;
	}
	if (ptrace(PTRACE_ATTACH, pid, 0, 0) != -1)
		found |= 128;
	_exit(found);
}

TEST(nobody_but_root_looks_into_it)
{
	char path[100];

	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 2; i++) {
		pid_t child = start_running(i ? "drop" : "pause");
		CHECK_EQ(as_user(inspect, &child), 0);
		sprintf(path, "/proc/%d/environ", child);
		int environment = open(path, O_RDONLY);
		CHECK(environment >= 0);
		close(environment);
		CHECK(kill(child, SIGKILL) == 0);
		CHECK_EQ(status_of(child), 1000 + SIGKILL);
	}
}

static void kill_it(void *pid) { _exit(kill(*(pid_t *)pid, SIGTERM) ? 1 : 0); }

TEST(the_real_user_may_signal_it)
{
	copy_program(PROGRAM, 0, 0, 04755);
	pid_t child = start_running("pause");
	CHECK_EQ(as_user(kill_it, &child), 0);
	CHECK_EQ(status_of(child), 1000 + SIGTERM);
}

/* ---- Hostile callers ---- */

static void *disturb(void *argument)
{
	char *memory = argument;

	for (unsigned i = 0; ; i++) {
		memory[i * 4099 % 65536] = (char)i;
		close((int)(3 + i % 20));
		(void)!dup2(2, (int)(3 + (i + 7) % 20));
		environ[0] = memory;
	}
	return NULL;
}

static void exec_disturbed(void *argument)
{
	static char memory[65536];
	pthread_t thread;

	(void)argument;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread, NULL, disturb, memory))
			_exit(89);
	char *const arguments[] = { PROGRAM, "ids", NULL }, *const environment[] = { "RULE=1", NULL };
	execve(PROGRAM, arguments, environment);
}

TEST(other_threads_that_go_on_change_nothing)
{
	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(as_user(exec_disturbed, NULL), 42);
}

static void *leave(void *delay)
{
	for (volatile uintptr_t i = 0; i < (uintptr_t)delay; i++)
		continue;
	_exit(3);
}

static void exec_leaving(void *delay)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, leave, delay))
		_exit(89);
	exec_rule("ids");
}

TEST(who_ends_itself_halfway_has_ended_or_become_it)
{
	int ended = 0, executed = 0;

	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 40; i++) {
		int status = as_user(exec_leaving, (void *)(uintptr_t)(i * i * 2000));
		CHECK(status == 3 || status == 42);
		*(status == 3 ? &ended : &executed) += 1;
	}
	printf("# %d ended, %d executed\n", ended, executed);
}

TEST(who_is_killed_halfway_is_dead)
{
	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();
		if (child == 0) {
			become_user();
			exec_rule("ids");
		}
		usleep((useconds_t)(i * 400));
		kill(child, SIGKILL);
		int status = status_of(child);
		CHECK(status == 42 || status == 1000 + SIGKILL);
		CHECK(kill(child, 0) == -1 && errno == ESRCH);
	}
}

static void exec_by_vfork(void *argument)
{
	volatile int value = 5;
	int status;

	(void)argument;
	pid_t child = vfork();
	if (child == 0) {
		value = 6;
		execl(PROGRAM, PROGRAM, "ids", (char *)NULL);
		_exit(94);
	}
	_exit(child > 0 && value == 6 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 88);
}

TEST(a_vfork_child_becomes_it_and_its_parent_goes_on)
{
	copy_program(PROGRAM, 0, 0, 04755);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(as_user(exec_by_vfork, NULL), 42);
}

/* ---- Hostile files ---- */

static void write_and_exec(void *fd)
{
	if (pwrite(*(int *)fd, "\177", 1, 0) != 1)
		_exit(87);
	exec_rule("ids");
}

TEST(what_a_user_could_write_to_is_not_elevated)
{
	copy_program(PROGRAM, USER, USER, 0755);
	int fd = -1;
	CHECK(seteuid(USER) == 0);
	fd = open(PROGRAM, O_RDWR);
	CHECK(seteuid(0) == 0);
	CHECK(fd >= 0 && chown(PROGRAM, 0, 0) == 0 && chmod(PROGRAM, 04755) == 0);
	CHECK_EQ(run("ids"), 42);
	CHECK_EQ(as_user(write_and_exec, &fd), 1);
	close(fd);
}

static volatile bool stops;
static void *rewrite(void *argument)
{
	int fd = open(PROGRAM, O_RDWR);
	char byte;

	(void)argument;
	while (!stops && pread(fd, &byte, 1, 0) == 1 && pwrite(fd, &byte, 1, 0) == 1)
		usleep(200);
	close(fd);
	return NULL;
}

TEST(a_file_that_is_rewritten_meanwhile_is_executed_as_it_was_or_not_at_all)
{
	pthread_t thread;

	copy_program(PROGRAM, 0, 0, 04755);
	stops = false;
	CHECK(pthread_create(&thread, NULL, rewrite, NULL) == 0);
	for (int i = 0; i < 20; i++) {
		int status = run("ids");
		CHECK(status == 42 || status == 126);
	}
	stops = true;
	pthread_join(thread, NULL);
	CHECK_EQ(run("ids"), 42);
}

TEST(a_script_is_not_elevated)
{
	static const char script[] = "#!/bin/busybox sh\nexit $(busybox id -u | busybox wc -c)\n";

	unlink(PROGRAM);
	int fd = open(PROGRAM, O_WRONLY | O_CREAT, 0755);
	CHECK(write(fd, script, sizeof(script) - 1) == sizeof(script) - 1 && close(fd) == 0 && chmod(PROGRAM, 04755) == 0);
	CHECK_EQ(run("ids"), 5);        /* "1000\n" */
}

static void exec_jailed(void *argument)
{
	(void)argument;
	execl("/program", "/program", "ids", (char *)NULL);
	_exit(94);
}

TEST(in_another_root_nothing_is_elevated)
{
	mkdir("/tmp/jail", 0755);
	copy_program("/tmp/jail/program", 0, 0, 04755);
	pid_t child = fork();
	if (child == 0) {
		if (chroot("/tmp/jail") || setgroups(0, NULL) || setgid(USER) || setuid(USER))
			_exit(97);
		setenv("RULE", "1", 1);
		exec_jailed(NULL);
	}
	CHECK_EQ(status_of(child), 1);
	unlink("/tmp/jail/program");
	rmdir("/tmp/jail");
}

static void exec_memory(void *argument)
{
	static char buffer[1 << 16];
	int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("own", 0);
	char *const arguments[] = { PROGRAM, "ids", NULL };
	ssize_t n;

	(void)argument;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			_exit(86);
	if (fchmod(to, 04777) && errno != EPERM && errno != EINVAL && errno != EOPNOTSUPP)
		_exit(85);
	fexecve(to, arguments, environ);
	_exit(1);
}

TEST(what_is_not_a_file_of_the_system_is_not_elevated)
{
	CHECK_EQ(as_user(exec_memory, NULL), 1);
	unlink(PROGRAM);
}
