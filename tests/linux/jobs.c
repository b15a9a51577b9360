/* tests/linux/jobs.c - sessions, groups, stops, orphans, who may signal whom: the rules of procd as programs see them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PATIENCE_MS = 10000 };

static void pause_ms(long ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL); }

/* The wait status of a child of ours that ends soon. */
static int status_of(pid_t child)
{
	int status = -1;

	CHECK_EQ(waitpid(child, &status, 0), child);
	return status;
}

/* A child that waits to be killed. */
static pid_t start_sleeper(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		for (;;)
			pause();
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	status_of(child);
}

/* Runs what in a child; 0 when it returned 0. */
static int in_child(int (*what)(void))
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		_exit(what());
	return status_of(child);
}

/* ---- Stops ---- */

TEST(waitid_tells_a_stop_a_continue_and_an_end_apart)
{
	pid_t child = start_sleeper();
	siginfo_t info;

	CHECK_EQ(kill(child, SIGSTOP), 0);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED | WEXITED), 0);
	CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP && info.si_pid == child);
	memset(&info, 0, sizeof info);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(kill(child, SIGCONT), 0);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WCONTINUED), 0);
	CHECK(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT);
	CHECK_EQ(kill(child, SIGTERM), 0);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED), 0);
	CHECK(info.si_code == CLD_KILLED && info.si_status == SIGTERM);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == -1 && errno == ECHILD);
}

TEST(a_stopped_process_takes_its_signals_when_it_continues)
{
	pid_t child = start_sleeper();
	int status;

	CHECK_EQ(kill(child, SIGSTOP), 0);
	CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(kill(child, SIGTERM), 0);
	pause_ms(50);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	CHECK_EQ(kill(child, SIGCONT), 0);
	CHECK(WTERMSIG(status_of(child)) == SIGTERM);
}

static int stop_in_orphaned_group(void)
{
	/* A session of its own: its group's parent is outside of it. */
	if (setsid() < 0)
		return 1;
	raise(SIGTSTP);
	raise(SIGTTIN);
	raise(SIGTTOU);
	return 0;
}

TEST(nobody_could_continue_an_orphaned_group_so_it_does_not_stop)
{
	CHECK_EQ(in_child(stop_in_orphaned_group), 0);
}

static volatile sig_atomic_t hangups, continues;
static void count(int signal)
{
	hangups += signal == SIGHUP;
	continues += signal == SIGCONT;
}

/* A stopped grandchild in its own group, whose parent ends: it writes 'h' when hung up and continued. */
static void stopped_grandchild(int to)
{
	setpgid(0, 0);
	signal(SIGHUP, count);
	signal(SIGCONT, count);
	if (write(to, "r", 1) != 1)
		_exit(1);
	raise(SIGSTOP);
	for (int ms = 0; ms < PATIENCE_MS && !(hangups && continues); ms += 10)
		pause_ms(10);
	_exit(write(to, hangups && continues ? "h" : "n", 1) != 1);
}

TEST(a_stopped_group_that_is_orphaned_is_hung_up_and_continued)
{
	int ends[2];
	char byte = 0;

	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		pid_t grandchild = fork();
		if (grandchild == 0)
			stopped_grandchild(ends[1]);
		int status;
		waitpid(grandchild, &status, WUNTRACED);
		_exit(0);
	}
	close(ends[1]);
	CHECK_EQ(status_of(child), 0);
	CHECK(read(ends[0], &byte, 1) == 1 && byte == 'r');
	CHECK(read(ends[0], &byte, 1) == 1 && byte == 'h');
	close(ends[0]);
}

static int cont_discards_stop(void)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGTSTP);
	sigpending(&pending);
	if (!sigismember(&pending, SIGTSTP))
		return 1;
	kill(getpid(), SIGCONT);
	sigpending(&pending);
	if (sigismember(&pending, SIGTSTP) || !sigismember(&pending, SIGCONT))
		return 2;
	kill(getppid(), 0);
	return 0;
}

TEST(a_continue_discards_a_pending_stop)
{
	CHECK_EQ(in_child(cont_discards_stop), 0);
}

/* ---- Groups and sessions ---- */

TEST(setpgid_keeps_its_rules)
{
	pid_t child = start_sleeper(), other = start_sleeper();
	char *words[] = { "sleep", "100", NULL };

	CHECK_EQ(setpgid(child, child), 0);
	CHECK_EQ(getpgid(child), child);
	CHECK_EQ(setpgid(other, child), 0);
	CHECK(setpgid(other, 99999) == -1 && errno == EPERM);
	CHECK(setpgid(99999, 0) == -1 && errno == ESRCH);
	CHECK(setpgid(child, -1) == -1 && errno == EINVAL);
	end(other);
	end(child);
	int ends[2];
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		_exit(execv("/bin/sleep", words));
	close(ends[1]);
	char byte;
	CHECK_EQ(read(ends[0], &byte, 1), 0);   /* it has executed */
	close(ends[0]);
	CHECK(setpgid(child, child) == -1 && errno == EACCES);
	end(child);
}

static int lead_twice(void)
{
	pid_t session = setsid();

	if (session != getpid() || getsid(0) != session || getpgrp() != session)
		return 1;
	if (setsid() != -1 || errno != EPERM)
		return 2;
	if (setpgid(0, 0) != -1 || errno != EPERM)
		return 3;
	return 0;
}

TEST(a_session_has_one_leader_who_stays)
{
	CHECK_EQ(in_child(lead_twice), 0);
}

TEST(children_are_waited_for_by_group)
{
	pid_t one = start_sleeper(), two = start_sleeper();

	CHECK_EQ(setpgid(two, two), 0);
	kill(one, SIGKILL);
	kill(two, SIGKILL);
	CHECK_EQ(waitpid(-two, NULL, 0), two);
	CHECK(waitpid(-two, NULL, 0) == -1 && errno == ECHILD);
	CHECK_EQ(waitpid(0, NULL, 0), one);
}

/* ---- Parents ---- */

static int reap_as_subreaper(void)
{
	int status;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0) {
			pause_ms(100);
			_exit(7);
		}
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		return 2;
	pid_t grandchild = wait(&status);
	return grandchild > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 3;
}

TEST(a_subreaper_gets_the_orphans)
{
	CHECK_EQ(in_child(reap_as_subreaper), 0);
}

TEST(a_death_signal_comes_with_the_parents_death)
{
	int ends[2];
	char byte;

	CHECK_EQ(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(ends[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		_exit(read(ends[0], &byte, 1) != 1);
	}
	close(ends[1]);
	CHECK_EQ(status_of(child), 0);
	CHECK_EQ(read(ends[0], &byte, 1), 0);   /* nobody writes any more */
	close(ends[0]);
}

static int ignore_children(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++)
		if (fork() == 0) {
			pause_ms(20 * i);
			_exit(i);
		}
	return wait(NULL) == -1 && errno == ECHILD ? 0 : 1;
}

static void nothing(int signal) { (void)signal; }

static int keep_no_zombies(void)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_NOCLDWAIT };

	sigaction(SIGCHLD, &action, NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	int result;
	while ((result = waitpid(child, NULL, 0)) == -1 && errno == EINTR)
		;
	return result == -1 && errno == ECHILD ? 0 : 1;
}

TEST(who_ignores_SIGCHLD_has_no_zombies)
{
	CHECK_EQ(in_child(ignore_children), 0);
	CHECK_EQ(in_child(keep_no_zombies), 0);
}

static void *wait_for(void *child)
{
	return (void *)(intptr_t)waitpid(*(pid_t *)child, NULL, 0);
}

TEST(of_two_threads_that_wait_for_a_child_one_gets_it)
{
	pthread_t one, two;
	void *first, *second;
	pid_t child = start_sleeper();

	CHECK_EQ(pthread_create(&one, NULL, wait_for, &child), 0);
	CHECK_EQ(pthread_create(&two, NULL, wait_for, &child), 0);
	pause_ms(100);
	kill(child, SIGKILL);
	pthread_join(one, &first);
	pthread_join(two, &second);
	CHECK((intptr_t)first == child || (intptr_t)second == child);
	CHECK((intptr_t)first == -1 || (intptr_t)second == -1);
}

static int interrupted_wait(void)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	pid_t child = start_sleeper();
	alarm(1);
	if (waitpid(child, NULL, 0) != -1 || errno != EINTR)
		return 1;
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	pid_t killer = fork();
	if (killer == 0) {
		pause_ms(1500);
		kill(child, SIGKILL);
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		return 2;
	return waitpid(killer, NULL, 0) == killer ? 0 : 3;
}

TEST(a_handler_ends_a_wait_unless_it_restarts)
{
	CHECK_EQ(in_child(interrupted_wait), 0);
}

TEST(use_of_waited_children_adds_up)
{
	struct rusage before, after, child_usage;

	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &before), 0);
	pid_t child = fork();
	if (child == 0) {
		for (clock_t start = clock(); clock() - start < CLOCKS_PER_SEC / 20;)
			;
		_exit(0);
	}
	CHECK_EQ(wait4(child, NULL, 0, &child_usage), child);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &after), 0);
	long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec - before.ru_utime.tv_usec +
	            (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	CHECK(used >= 40000);
	CHECK(child_usage.ru_utime.tv_usec + child_usage.ru_stime.tv_usec >= 40000 || child_usage.ru_utime.tv_sec > 0);
}

/* ---- Signals between processes ---- */

static int take_queued(void)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < 5; i++)
			if (sigqueue(getppid(), SIGRTMIN, (union sigval){ .sival_int = i }))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 5; i++) {
		if (sigwaitinfo(&set, &info) != SIGRTMIN || info.si_value.sival_int != i)
			return 2;
		if (info.si_pid != child || info.si_code != SI_QUEUE || info.si_uid != getuid())
			return 3;
	}
	return waitpid(child, NULL, 0) == child ? 0 : 4;
}

TEST(queued_signals_arrive_in_order_with_their_senders)
{
	CHECK_EQ(in_child(take_queued), 0);
}

static int drop_to(uid_t uid)
{
	return setresgid(uid, uid, uid) || setresuid(uid, uid, uid);
}

TEST(a_user_signals_his_own_processes_only)
{
	pid_t roots = start_sleeper(), users = fork(), other;

	if (users == 0) {
		if (drop_to(1000))
			_exit(1);
		for (;;)
			pause();
	}
	pause_ms(100);
	other = fork();
	if (other == 0) {
		if (drop_to(1000))
			_exit(1);
		if (kill(roots, SIGTERM) != -1 || errno != EPERM)
			_exit(2);
		if (kill(roots, SIGCONT))       /* the same session */
			_exit(3);
		if (kill(users, 0))
			_exit(4);
		_exit(kill(users, SIGTERM) ? 5 : 0);
	}
	CHECK_EQ(status_of(other), 0);
	CHECK(WTERMSIG(status_of(users)) == SIGTERM);
	end(roots);
}

static int bounded(void)
{
	struct rlimit few = { 4, 4 };
	int made = 0, refused = 0;
	pid_t children[8];

	if (setrlimit(RLIMIT_NPROC, &few) || drop_to(1234))
		return 1;
	for (int i = 0; i < 8; i++) {
		pid_t child = fork();
		if (child == 0)
			for (;;)
				pause();
		if (child > 0)
			children[made++] = child;
		else
			refused += errno == EAGAIN;
	}
	for (int i = 0; i < made; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	if (made != 3 || refused != 5)
		return 2;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child ? 0 : 3;
}

TEST(RLIMIT_NPROC_bounds_a_users_processes)
{
	CHECK_EQ(in_child(bounded), 0);
}

TEST(limits_and_niceness_of_another_process_are_changed)
{
	struct rlimit limit = { 100, 200 }, old;
	pid_t child = start_sleeper();

	CHECK_EQ(prlimit(child, RLIMIT_CORE, &limit, NULL), 0);
	CHECK_EQ(prlimit(child, RLIMIT_CORE, NULL, &old), 0);
	CHECK(old.rlim_cur == 100 && old.rlim_max == 200);
	CHECK_EQ(setpriority(PRIO_PROCESS, (id_t)child, 7), 0);
	errno = 0;
	CHECK_EQ(getpriority(PRIO_PROCESS, (id_t)child), 7);
	CHECK_EQ(setpriority(PRIO_PROCESS, (id_t)child, -5), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, (id_t)child), -5);
	end(child);
	CHECK(prlimit(child, RLIMIT_CORE, NULL, &old) == -1 && errno == ESRCH);
}

TEST(a_thread_of_another_process_is_signalled)
{
	pid_t child = start_sleeper();

	CHECK_EQ(syscall(SYS_tgkill, child, child, 0), 0);
	CHECK(syscall(SYS_tgkill, child, 99999, 0) == -1 && errno == ESRCH);
	CHECK_EQ(syscall(SYS_tgkill, child, child, SIGTERM), 0);
	CHECK(WTERMSIG(status_of(child)) == SIGTERM);
}
