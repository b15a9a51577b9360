/* tests/linux/thread_rules.c - threads, futexes and what the C library builds on them. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/test/test.h"

static void *add_one(void *argument)
{
	return (void *)((intptr_t)argument + 1);
}

TEST(a_thread_starts_ends_and_is_joined)
{
	pthread_t thread;
	void *result;
	for (intptr_t i = 0; i < 200; i++) {
		CHECK(pthread_create(&thread, NULL, add_one, (void *)i) == 0);
		CHECK(pthread_join(thread, &result) == 0 && (intptr_t)result == i + 1);
	}
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static void *count_up(void *argument)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		if (i % 1000 == 0)
			sched_yield();
	}
	return argument;
}

TEST(a_mutex_keeps_threads_apart)
{
	pthread_t threads[8];
	counter = 0;
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, count_up, NULL) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(counter == 160000);
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;
static void *ping(void *argument)
{
	int mine = (int)(intptr_t)argument;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != mine)
			pthread_cond_wait(&condition, &mutex);
		turn = !mine;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST(a_condition_hands_over)
{
	pthread_t other;
	turn = 0;
	CHECK(pthread_create(&other, NULL, ping, (void *)1) == 0);
	ping((void *)0);
	CHECK(pthread_join(other, NULL) == 0);
}

TEST(a_timed_wait_times_out)
{
	struct timespec deadline, before, after;
	clock_gettime(CLOCK_REALTIME, &before);
	deadline = before;
	deadline.tv_nsec += 30000000;
	deadline.tv_sec += deadline.tv_nsec / 1000000000;
	deadline.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	CHECK(pthread_cond_timedwait(&condition, &mutex, &deadline) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	clock_gettime(CLOCK_REALTIME, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 30000000);
}

static __thread int own = 5;
static void *use_own(void *argument)
{
	int was = own;
	own = (int)(intptr_t)argument;
	sched_yield();
	return (void *)(intptr_t)(was == 5 && own == (int)(intptr_t)argument);
}

TEST(each_thread_has_its_own_variables)
{
	pthread_t threads[4];
	void *result;
	for (intptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, use_own, (void *)i) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)1);
	CHECK(own == 5);
}

static atomic_int handled_by;
static void note_thread(int signal)
{
	(void)signal;
	handled_by = (int)syscall(SYS_gettid);
}

static atomic_int other_tid;
static void *wait_for_signal(void *argument)
{
	other_tid = (int)syscall(SYS_gettid);
	while (!handled_by)
		usleep(1000);
	return argument;
}

TEST(a_signal_reaches_the_thread_it_is_for)
{
	pthread_t thread;
	handled_by = other_tid = 0;
	signal(SIGUSR1, note_thread);
	CHECK(pthread_create(&thread, NULL, wait_for_signal, NULL) == 0);
	while (!other_tid)
		sched_yield();
	CHECK(pthread_kill(thread, SIGUSR1) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(handled_by == other_tid && other_tid != (int)syscall(SYS_gettid));
	CHECK(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1) == -1 && errno == ESRCH);
}

TEST(a_signal_for_all_goes_to_who_does_not_mask_it)
{
	pthread_t thread;
	sigset_t set, old;
	handled_by = other_tid = 0;
	signal(SIGUSR2, note_thread);
	CHECK(pthread_create(&thread, NULL, wait_for_signal, NULL) == 0);
	while (!other_tid)
		sched_yield();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(handled_by == other_tid);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void *sleep_long(void *argument)
{
	sleep(1000);
	return argument;
}

TEST(a_blocked_thread_can_be_cancelled)
{
	pthread_t thread;
	void *result;
	CHECK(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
	usleep(10000);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

static void *end_process(void *argument)
{
	(void)argument;
	_exit(17);
}

TEST(exit_by_any_thread_ends_the_process)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, end_process, NULL);
		for (;;)
			pause();
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 17);
}

static void *linger(void *argument)
{
	usleep(20000);
	_exit(argument ? 18 : 0);
}

TEST(the_first_thread_may_end_before_others)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, linger, (void *)1);
		pthread_exit(NULL);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 18);
}

static void *fork_in_thread(void *argument)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(syscall(SYS_gettid) == getpid() ? 9 : 1);
	return (void *)(intptr_t)(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9 && argument);
}

TEST(fork_in_a_threaded_process_has_one_thread)
{
	pthread_t busy, forker;
	void *result;
	CHECK(pthread_create(&busy, NULL, sleep_long, NULL) == 0);
	CHECK(pthread_create(&forker, NULL, fork_in_thread, (void *)1) == 0);
	CHECK(pthread_join(forker, &result) == 0 && result == (void *)1);
	pthread_cancel(busy);
	pthread_join(busy, NULL);
}

static void *take_and_leave(void *argument)
{
	pthread_mutex_lock(argument);
	return NULL;
}

TEST(a_robust_mutex_tells_of_its_dead_owner)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t robust;
	pthread_t thread;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK(pthread_mutex_init(&robust, &attributes) == 0);
	CHECK(pthread_create(&thread, NULL, take_and_leave, &robust) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(&robust) == 0 && pthread_mutex_unlock(&robust) == 0);
}

static int futex(void *address, int operation, int value, const void *timeout, void *address2, int value3)
{
	return (int)syscall(SYS_futex, address, operation, value, timeout, address2, value3);
}

TEST(futexes_answer_errors)
{
	struct timespec soon = { 0, 5000000 }, bad = { 0, -1 };
	int word = 1;
	CHECK(futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0) == -1 && errno == EAGAIN);
	CHECK(futex(&word, FUTEX_WAIT, 1, &soon, NULL, 0) == -1 && errno == ETIMEDOUT);
	CHECK(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0) == -1 && errno == EINVAL);
	CHECK(futex((void *)8, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EFAULT);
	CHECK(futex((char *)&word + 1, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
	CHECK(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0);
	CHECK(futex(&word, 99, 1, NULL, NULL, 0) == -1 && errno == ENOSYS);
}

static void *spin(void *argument)
{
	atomic_int *word = argument;
	while (!*word)
		;
	return NULL;
}

TEST(a_spinning_thread_does_not_stop_the_others)
{
	pthread_t thread;
	atomic_int word = 0;
	CHECK(pthread_create(&thread, NULL, spin, &word) == 0);
	usleep(20000);
	word = 1;
	CHECK(pthread_join(thread, NULL) == 0);
}

static void *exec_here(void *argument)
{
	char *words[] = { "sh", "-c", "exit 33", NULL };
	(void)argument;
	execv("/bin/sh", words);
	_exit(1);
}

TEST(exec_by_any_thread_replaces_the_whole_process)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		pthread_t busy, other;
		pthread_create(&busy, NULL, sleep_long, NULL);
		pthread_create(&other, NULL, exec_here, NULL);
		for (;;)
			pause();
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

static void *fork_often(void *argument)
{
	long bad = 0;
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			/* What the C library's and the system's locks would deadlock on. */
			free(malloc(100));
			_exit(i);
		}
		bad += child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != i;
	}
	(void)argument;
	return (void *)bad;
}

TEST(threads_fork_at_the_same_time)
{
	pthread_t threads[4];
	void *result;
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, fork_often, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], &result) == 0 && result == NULL);
}

static pthread_barrier_t barrier;
static void *meet(void *argument)
{
	pthread_barrier_wait(&barrier);
	return argument;
}

TEST(many_threads_live_at_once)
{
	enum { COUNT = 100 };
	pthread_t threads[COUNT];
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	CHECK(pthread_barrier_init(&barrier, NULL, COUNT + 1) == 0);
	for (int i = 0; i < COUNT; i++)
		CHECK(pthread_create(&threads[i], &attributes, meet, NULL) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < COUNT; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static atomic_int killed_ready;
static void *wait_in_read(void *argument)
{
	char c;
	killed_ready++;
	return read(*(int *)argument, &c, 1) ? argument : NULL;
}

TEST(a_killed_process_goes_with_all_its_threads)
{
	int ends[2], status;
	CHECK(pipe(ends) == 0);
	pid_t child = fork();
	if (child == 0) {
		pthread_t threads[4];
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, wait_in_read, &ends[0]);
		for (;;)
			;
	}
	usleep(50000);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(ends[0]);
	close(ends[1]);
}
