/* tests/linux/signal_rules.c - signals as Linux programs expect them. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/test/test.h"

static volatile sig_atomic_t count, last_signal, last_code, last_pid;
static volatile uintptr_t last_address;
static volatile intptr_t last_value;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last_signal = signal;
	last_code = info->si_code;
	last_pid = info->si_pid;
	last_address = (uintptr_t)info->si_addr;
	last_value = (intptr_t)info->si_value.sival_ptr;
}

static void handle(int signal, int flags)
{
	struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };
	sigemptyset(&a.sa_mask);
	CHECK(sigaction(signal, &a, NULL) == 0);
	count = last_signal = 0;
}

TEST(raise_runs_the_handler_before_it_returns)
{
	handle(SIGUSR1, 0);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(count == 1 && last_signal == SIGUSR1 && last_code == SI_TKILL && last_pid == getpid());
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(count == 2 && last_code == SI_USER);
}

TEST(a_masked_signal_waits_until_it_is_unmasked)
{
	sigset_t set, old, pending;
	handle(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	raise(SIGUSR2);
	raise(SIGUSR2);
	CHECK(count == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2) == 1 && sigismember(&pending, SIGUSR1) == 0);
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	CHECK(count == 1);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2) == 0);
}

TEST(realtime_signals_queue_with_their_values)
{
	sigset_t set, old;
	handle(SIGRTMIN + 3, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (intptr_t i = 1; i <= 5; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_ptr = (void *)i }) == 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK(count == 5 && last_code == SI_QUEUE && last_value == 5);
}

static volatile int nested;
static void nest(int signal)
{
	if (nested++ == 0) {
		raise(signal);
		CHECK(nested == 1);
	}
}

TEST(a_signal_is_masked_in_its_handler)
{
	signal(SIGUSR1, nest);
	nested = 0;
	raise(SIGUSR1);
	CHECK(nested == 2);
}

static sigjmp_buf back;
static void jump(int signal)
{
	siglongjmp(back, signal);
}

TEST(a_wild_pointer_is_a_segv_that_a_handler_can_leave)
{
	signal(SIGSEGV, jump);
	int *volatile wild = (int *)8;
	for (volatile int i = 0; i < 3; i++) {
		int caught = sigsetjmp(back, 1);
		if (!caught)
			*wild = 1;
		CHECK(caught == SIGSEGV);
	}
	signal(SIGSEGV, SIG_DFL);
}

static void *fault_page;
static void mend(int signal, siginfo_t *info, void *context)
{
	note(signal, info, context);
	mprotect(fault_page, 4096, PROT_READ | PROT_WRITE);
}

TEST(a_fault_handler_can_mend_the_page)
{
	struct sigaction a = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };
	fault_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(fault_page != MAP_FAILED);
	sigaction(SIGSEGV, &a, NULL);
	count = 0;
	*(volatile char *)fault_page = 5;
	CHECK(count == 1 && last_code == SEGV_ACCERR && last_address == (uintptr_t)fault_page && *(char *)fault_page == 5);
	munmap(fault_page, 4096);
	signal(SIGSEGV, SIG_DFL);
}

static void skip_division(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	note(signal, info, context);
	c->uc_mcontext.gregs[REG_RIP] += 2;     /* div %ecx */
	c->uc_mcontext.gregs[REG_RAX] = 77;
}

TEST(a_handler_can_change_registers)
{
	struct sigaction a = { .sa_sigaction = skip_division, .sa_flags = SA_SIGINFO };
	unsigned result = 1, high = 0;
	sigaction(SIGFPE, &a, NULL);
	count = 0;
	__asm__ volatile("divl %%ecx" : "+a"(result), "+d"(high) : "c"(0));
	CHECK(count == 1 && last_code == FPE_INTDIV && result == 77);
	signal(SIGFPE, SIG_DFL);
}

static volatile double scratch_double;
static void use_floats(int signal)
{
	(void)signal;
	double x = 1.5;
	for (int i = 0; i < 10; i++)
		x = x * 1.1 + 0.25;
	scratch_double = x;
	unsigned mode = 0x5f80;         /* rounds up */
	__asm__ volatile("ldmxcsr %0" : : "m"(mode));
}

TEST(floating_point_state_survives_a_handler)
{
	double a = 3.25, b = -7.5, sum;
	unsigned mode;
	signal(SIGUSR1, use_floats);
	__asm__ volatile("movsd %1, %%xmm5\n\tmovsd %2, %%xmm15\n\t"
	                 "movl $200, %%eax\n\tmovl %3, %%edi\n\tmovl %4, %%esi\n\tsyscall\n\t"      /* tkill */
	                 "addsd %%xmm15, %%xmm5\n\tmovsd %%xmm5, %0"
	                 : "=m"(sum) : "m"(a), "m"(b), "r"((int)syscall(SYS_gettid)), "i"(SIGUSR1)
	                 : "rax", "rdi", "rsi", "rcx", "r11", "xmm5", "xmm15", "memory");
	CHECK(sum == -4.25);
	__asm__ volatile("stmxcsr %0" : "=m"(mode));
	CHECK((mode & 0x6000) == 0);
}

static char alternate[65536];
static volatile uintptr_t handler_stack;
static void on_stack(int signal)
{
	char here;
	(void)signal;
	handler_stack = (uintptr_t)&here;
	stack_t now;
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
}

TEST(a_handler_runs_on_the_alternate_stack)
{
	stack_t s = { .ss_sp = alternate, .ss_size = sizeof(alternate) }, old;
	struct sigaction a = { .sa_handler = on_stack, .sa_flags = SA_ONSTACK };
	CHECK(sigaltstack(&s, NULL) == 0);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	CHECK(handler_stack >= (uintptr_t)alternate && handler_stack < (uintptr_t)alternate + sizeof(alternate));
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0 && old.ss_sp == alternate);
	s.ss_flags = SS_DISABLE;
	CHECK(sigaltstack(&s, NULL) == 0);
}

static volatile int overflow_depth;
static int (*volatile again)(int);
static int overflow(int n)
{
	volatile char frame[4096];
	frame[0] = (char)n;
	overflow_depth++;
	return again(n + 1) + frame[0];
}

TEST(a_stack_overflow_is_caught_on_the_alternate_stack)
{
	pid_t child = fork();
	int status;
	if (child == 0) {
		stack_t s = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
		struct sigaction a = { .sa_handler = jump, .sa_flags = SA_ONSTACK };
		sigaltstack(&s, NULL);
		sigaction(SIGSEGV, &a, NULL);
		again = overflow;
		if (sigsetjmp(back, 1) == 0)
			overflow(0);
		_exit(overflow_depth > 100 ? 42 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void arm_us(long us)
{
	struct itimerval t = { .it_value = { us / 1000000, us % 1000000 } };
	CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

TEST(a_timer_interrupts_a_blocking_read)
{
	int ends[2];
	char c;
	CHECK(pipe(ends) == 0);
	handle(SIGALRM, 0);
	arm_us(30000);
	CHECK(read(ends[0], &c, 1) == -1 && errno == EINTR);
	CHECK(count == 1);
	close(ends[0]);
	close(ends[1]);
}

static int restart_ends[2];
static void feed(int signal)
{
	(void)signal;
	count++;
	CHECK(write(restart_ends[1], "x", 1) == 1);
}

TEST(sa_restart_makes_the_read_go_on)
{
	struct sigaction a = { .sa_handler = feed, .sa_flags = SA_RESTART };
	char c = 0;
	CHECK(pipe(restart_ends) == 0);
	sigaction(SIGALRM, &a, NULL);
	count = 0;
	arm_us(30000);
	CHECK(read(restart_ends[0], &c, 1) == 1 && c == 'x');
	CHECK(count == 1);
	close(restart_ends[0]);
	close(restart_ends[1]);
}

TEST(an_interval_timer_goes_on)
{
	struct itimerval t = { { 0, 10000 }, { 0, 10000 } }, none = { { 0, 0 }, { 0, 0 } }, left;
	handle(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
	while (count < 5)
		pause();
	CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_interval.tv_usec == 10000);
	CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

TEST(sigsuspend_waits_with_its_mask_and_puts_the_old_one_back)
{
	sigset_t block, none, now;
	handle(SIGALRM, 0);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &block, NULL);
	arm_us(20000);
	usleep(40000);
	CHECK(count == 0);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR);
	CHECK(count == 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM) == 1);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
}

TEST(sigtimedwait_takes_a_signal_or_times_out)
{
	struct timespec short_time = { 0, 20000000 };
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(sigtimedwait(&set, &info, &short_time) == -1 && errno == EAGAIN);
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 9 });
	CHECK(sigtimedwait(&set, &info, &short_time) == SIGUSR2 && info.si_code == SI_QUEUE && info.si_value.sival_int == 9);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(nanosleep_says_what_is_left)
{
	struct timespec long_time = { 10, 0 }, left = { 0, 0 };
	handle(SIGALRM, 0);
	arm_us(30000);
	CHECK(nanosleep(&long_time, &left) == -1 && errno == EINTR);
	CHECK(left.tv_sec == 9);
}

TEST(an_ignored_signal_does_not_end_a_sleep)
{
	struct timespec t = { 0, 60000000 }, before, after;
	signal(SIGALRM, SIG_IGN);
	arm_us(10000);
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK(nanosleep(&t, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 60000000);
}

TEST(sa_resethand_lasts_once)
{
	struct sigaction now;
	handle(SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK(count == 1);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
}

TEST(sigkill_and_sigstop_cannot_be_caught)
{
	struct sigaction a = { .sa_handler = SIG_IGN };
	CHECK(sigaction(SIGKILL, &a, NULL) == -1 && errno == EINVAL);
	CHECK(sigaction(SIGSTOP, &a, NULL) == -1 && errno == EINVAL);
	CHECK(sigaction(65, &a, NULL) == -1 && errno == EINVAL);
}

TEST(a_signal_ends_a_child_with_its_number)
{
	static const int fatal[] = { SIGTERM, SIGSEGV, SIGKILL, SIGABRT };
	int status;
	for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
		pid_t child = fork();
		if (child == 0) {
			signal(fatal[i], SIG_DFL);
			raise(fatal[i]);
			_exit(1);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == fatal[i]);
	}
}

TEST(a_parent_hears_of_its_child)
{
	int status;
	handle(SIGCHLD, SA_RESTART);
	pid_t child = fork();
	if (child == 0)
		_exit(7);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
	CHECK(count == 1 && last_signal == SIGCHLD && last_code == CLD_EXITED && last_pid == child);
	signal(SIGCHLD, SIG_DFL);
}

TEST(another_process_interrupts_us)
{
	pid_t parent = getpid();
	handle(SIGUSR1, 0);
	pid_t child = fork();
	if (child == 0) {
		usleep(20000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	while (count == 0)
		pause();
	CHECK(last_pid == child && last_code == SI_USER);
	CHECK(waitpid(child, NULL, 0) == child);
}

TEST(a_spinning_program_is_interrupted)
{
	handle(SIGALRM, 0);
	arm_us(20000);
	while (count == 0)
		;
	CHECK(count == 1);
}

TEST(posix_timers_send_their_value)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 55 };
	struct itimerspec t = { { 0, 5000000 }, { 0, 5000000 } }, left;
	timer_t id;
	handle(SIGRTMIN + 1, 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
	CHECK(timer_settime(id, 0, &t, NULL) == 0);
	while (count < 3)
		usleep(1000);
	CHECK(last_code == SI_TIMER && (int)last_value == 55);
	CHECK(timer_gettime(id, &left) == 0 && left.it_interval.tv_nsec == 5000000);
	CHECK(timer_delete(id) == 0);
}

TEST(a_queued_signal_has_one_receiver)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	/* As kill has it, these would be everybody and our group. */
	CHECK(syscall(SYS_rt_sigqueueinfo, -1, SIGUSR1, &info) == -1 && errno == ESRCH);
	CHECK(syscall(SYS_rt_sigqueueinfo, 0, SIGUSR1, &info) == -1 && errno == ESRCH);
}

TEST(clocks_and_timers_refuse_what_makes_no_sense)
{
	struct timespec time = { 0, 1 };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_signo = SIGUSR1 };
	int id;

	CHECK(syscall(SYS_clock_getres, -1, &time) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_clock_gettime, 99, &time) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL) == -1 && errno == EOPNOTSUPP);
	CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
	CHECK(syscall(SYS_timer_settime, id, 0, NULL, NULL) == -1 && errno == EINVAL);
	CHECK_EQ(syscall(SYS_timer_delete, id), 0);
}

/* The personality need not tell the kernel of a mask at once: what comes meanwhile waits all the same. */
TEST(what_another_process_sends_while_masked_neither_runs_nor_ends_a_wait)
{
	sigset_t set, old;
	int channel[2];
	char byte = 0;
	pid_t parent = getpid();
	CHECK(pipe(channel) == 0);
	handle(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (int round = 1; round <= 20; round++) {
		sigprocmask(SIG_BLOCK, &set, &old);
		pid_t child = fork();
		if (child == 0) {
			kill(parent, SIGUSR2);
			usleep(2000);
			_exit(write(channel[1], &byte, 1) != 1);
		}
		CHECK(read(channel[0], &byte, 1) == 1);
		CHECK(count == round - 1);
		sigprocmask(SIG_SETMASK, &old, NULL);
		CHECK(count == round && last_pid == child);
		CHECK(waitpid(child, NULL, 0) == child);
	}
	close(channel[0]);
	close(channel[1]);
}

static void *wait_unmasked(void *set)
{
	sigset_t old;
	pthread_sigmask(SIG_UNBLOCK, set, &old);
	for (int i = 0; i < 5000 && count == 0; i++)
		usleep(1000);
	return NULL;
}

TEST(what_the_first_thread_masked_the_second_takes)
{
	sigset_t set, old;
	pthread_t thread;
	pid_t parent = getpid();
	handle(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	CHECK(pthread_create(&thread, NULL, wait_unmasked, &set) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(kill(parent, SIGUSR2) != 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(count == 1);
	CHECK(waitpid(child, NULL, 0) == child);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK(count == 1);
}

static volatile sig_atomic_t own_depth, own_deepest, own_sent;

static void nest_own(int signal)
{
	own_depth++;
	if (own_depth > own_deepest)
		own_deepest = own_depth;
	if (own_depth < 5 && own_sent++ < 20)
		raise(signal == SIGUSR1 ? SIGUSR2 : SIGUSR1);
	own_depth--;
}

TEST(signals_sent_to_oneself_in_handlers_nest_and_the_masks_come_back)
{
	struct sigaction a = { .sa_handler = nest_own, .sa_flags = SA_NODEFER };
	sigset_t before, after;
	sigprocmask(SIG_SETMASK, NULL, &before);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	own_deepest = own_depth = own_sent = 0;
	CHECK(raise(SIGUSR1) == 0 && own_deepest == 5 && own_depth == 0);
	/* With the masks of handlers the second one of the same kind waits. */
	a.sa_flags = 0;
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	own_deepest = own_depth = own_sent = 0;
	CHECK(raise(SIGUSR1) == 0 && own_deepest == 2 && own_depth == 0 && own_sent > 20);
	sigprocmask(SIG_SETMASK, NULL, &after);
	CHECK(sigismember(&before, SIGUSR1) == sigismember(&after, SIGUSR1) && sigismember(&before, SIGUSR2) == sigismember(&after, SIGUSR2));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}
