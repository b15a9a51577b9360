/* tests/linux/signals.c - signals as POSIX and Linux have them. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

static volatile sig_atomic_t hits, order[16], last_value, last_sender, last_code;
static void *volatile last_address, *volatile handler_stack;

static void count(int number)
{
	order[hits++ & 15] = number;
}

static void inform(int number, siginfo_t *info, void *context)
{
	(void)context;
	order[hits++ & 15] = number;
	last_value = info->si_value.sival_int;
	last_sender = info->si_pid;
	last_code = info->si_code;
	last_address = info->si_addr;
	handler_stack = __builtin_frame_address(0);
}

static void handle(int number, void (*simple)(int), void (*full)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_flags = flags };

	if (full)
		action.sa_sigaction = full;
	else
		action.sa_handler = simple;
	CHECK_EQ(sigaction(number, &action, NULL), 0);
	hits = 0;
}

static sigset_t set_of(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

TEST(a_handler_runs_before_raise_returns)
{
	handle(SIGUSR1, count, NULL, 0);
	raise(SIGUSR1);
	CHECK_EQ(hits, 1);
	CHECK_EQ(order[0], SIGUSR1);
}

TEST(siginfo_says_who_and_what)
{
	handle(SIGUSR2, NULL, inform, SA_SIGINFO);
	CHECK_EQ(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 4711 }), 0);
	CHECK_EQ(hits, 1);
	CHECK_EQ(last_value, 4711);
	CHECK_EQ(last_sender, getpid());
	CHECK_EQ(last_code, SI_QUEUE);
}

TEST(a_blocked_signal_waits_until_it_is_unblocked)
{
	sigset_t set = set_of(SIGUSR1), pending;

	handle(SIGUSR1, count, NULL, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(hits, 0);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(hits, 1);
}

TEST(real_time_signals_queue_in_order)
{
	sigset_t set = set_of(SIGRTMIN);

	handle(SIGRTMIN, NULL, inform, SA_SIGINFO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 1; i <= 3; i++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }), 0);
	for (int i = 1; i <= 3; i++) {
		siginfo_t info;
		struct timespec none = { 0, 0 };
		CHECK_EQ(sigtimedwait(&set, &info, &none), SIGRTMIN);
		CHECK_EQ(info.si_value.sival_int, i);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(hits, 0);
}

TEST(the_handlers_own_signal_is_blocked_while_it_runs)
{
	handle(SIGUSR1, count, NULL, 0);
	struct sigaction old;
	sigaction(SIGUSR1, NULL, &old);
	CHECK(old.sa_handler == count);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(hits, 2);
}

TEST(reset_hand_falls_back_to_the_default)
{
	struct sigaction now;

	handle(SIGUSR1, count, NULL, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
}

static char alternate[64 * 1024];

TEST(a_handler_can_have_a_stack_of_its_own)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate }, old;

	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	handle(SIGUSR1, NULL, inform, SA_SIGINFO | SA_ONSTACK);
	raise(SIGUSR1);
	CHECK((char *)handler_stack > alternate && (char *)handler_stack < alternate + sizeof alternate);
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&stack, &old), 0);
	CHECK(old.ss_sp == alternate);
}

static sigjmp_buf escape;

static void jump_out(int number, siginfo_t *info, void *context)
{
	inform(number, info, context);
	siglongjmp(escape, 1);
}

TEST(a_wild_access_is_a_signal_with_its_address)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(SIGSEGV, NULL, jump_out, SA_SIGINFO);
	if (sigsetjmp(escape, 1) == 0)
		*(volatile char *)(page + 123) = 1;
	CHECK_EQ(hits, 1);
	CHECK(last_address == page + 123);
	CHECK_EQ(last_code, SEGV_ACCERR);
	munmap(page, 4096);
	if (sigsetjmp(escape, 1) == 0)
		*(volatile char *)page = 1;
	CHECK_EQ(hits, 2);
	CHECK_EQ(last_code, SEGV_MAPERR);
	signal(SIGSEGV, SIG_DFL);
}

TEST(a_division_by_zero_is_SIGFPE)
{
	volatile int zero = 0, result = 1;

	handle(SIGFPE, NULL, jump_out, SA_SIGINFO);
	if (sigsetjmp(escape, 1) == 0)
		result = result / zero;
	CHECK_EQ(hits, 1);
	CHECK_EQ(last_code, FPE_INTDIV);
	signal(SIGFPE, SIG_DFL);
}

/* A child that sends us a signal after a while. */
static pid_t signal_later(int number)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0) {
		usleep(50000);
		kill(parent, number);
		_exit(0);
	}
	return child;
}

TEST(a_read_is_interrupted_by_a_handler)
{
	int ends[2];
	char byte;

	handle(SIGUSR1, count, NULL, 0);
	CHECK_EQ(pipe(ends), 0);
	pid_t child = signal_later(SIGUSR1);
	CHECK(read(ends[0], &byte, 1) == -1 && errno == EINTR);
	CHECK_EQ(hits, 1);
	test_wait(child);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_read_with_SA_RESTART_goes_on)
{
	int ends[2];
	char byte = 0;

	handle(SIGUSR1, count, NULL, SA_RESTART);
	CHECK_EQ(pipe(ends), 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(byte, 'x');
	CHECK_EQ(hits, 1);
	test_wait(child);
	close(ends[0]);
	close(ends[1]);
}

TEST(sigsuspend_waits_with_another_mask)
{
	sigset_t set = set_of(SIGUSR1), old, none;

	handle(SIGUSR1, count, NULL, 0);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid_t child = signal_later(SIGUSR1);
	sigemptyset(&none);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR);
	CHECK_EQ(hits, 1);
	sigset_t now;
	sigprocmask(SIG_SETMASK, &old, &now);
	CHECK(sigismember(&now, SIGUSR1));
	test_wait(child);
}

TEST(an_interval_timer_ticks)
{
	struct itimerval timer = { { 0, 10000 }, { 0, 10000 } }, off = { { 0, 0 }, { 0, 0 } };

	handle(SIGALRM, count, NULL, SA_RESTART);
	CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (hits < 3)
		pause();
	CHECK_EQ(setitimer(ITIMER_REAL, &off, NULL), 0);
}

TEST(alarm_ends_a_process_that_does_not_care)
{
	pid_t child = fork();

	if (child == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(1);
		for (;;)
			pause();
	}
	int status = test_wait(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

TEST(a_busy_process_takes_signals_too)
{
	handle(SIGUSR1, count, NULL, 0);
	pid_t child = signal_later(SIGUSR1);
	while (hits == 0)
		continue;
	test_wait(child);
}

TEST(an_ignored_signal_does_nothing_and_stays_ignored_over_exec)
{
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 9", (char *)NULL);
		_exit(1);
	}
	CHECK_EQ(test_wait(child), 9 << 8);
	signal(SIGUSR1, SIG_DFL);
}

TEST(a_child_stops_and_continues_and_its_parent_sees_it)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		for (;;)
			pause();
	kill(child, SIGSTOP);
	CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	kill(child, SIGCONT);
	CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
	CHECK(WIFCONTINUED(status));
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(the_end_of_a_child_is_SIGCHLD_with_its_status)
{
	sigset_t set = set_of(SIGCHLD);
	siginfo_t info;

	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(33);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_status, 33);
	CHECK_EQ(info.si_code, CLD_EXITED);
	test_wait(child);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(registers_survive_a_handler)
{
	double f[8];

	handle(SIGUSR1, count, NULL, 0);
	for (int i = 0; i < 8; i++)
		f[i] = i * 1.5;
	for (int round = 0; round < 100; round++) {
		double sum = 0;
		for (int i = 0; i < 8; i++)
			sum += f[i];
		raise(SIGUSR1);
		for (int i = 0; i < 8; i++)
			sum -= f[i];
		CHECK(sum == 0);
	}
	CHECK_EQ(hits, 100);
}

TEST(a_group_is_signalled_as_one)
{
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	pid_t leader = fork();
	if (leader == 0) {
		setpgid(0, 0);
		pid_t second = fork();
		if (second != 0 && write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char byte;
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(kill(-leader, SIGTERM), 0);
	CHECK_EQ(test_wait(leader), SIGTERM);
	close(ends[0]);
	close(ends[1]);
}
