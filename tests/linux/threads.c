/* tests/linux/threads.c - POSIX threads of a static C program: start, join, locks, conditions, their own variables. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { THREADS = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long shared, turn;
static _Thread_local long own;

static void start_all(pthread_t *threads, void *(*run)(void *))
{
	for (long i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, run, (void *)i), 0);
}

static void join_all(pthread_t *threads)
{
	for (long i = 0; i < THREADS; i++) {
		void *result;
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, i);
	}
}

static void *count_locked(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		long seen = shared;
		if (i % 64 == 0)
			sched_yield();
		shared = seen + 1;
		pthread_mutex_unlock(&lock);
	}
	return argument;
}

TEST(a_mutex_lets_one_thread_in_at_a_time)
{
	pthread_t threads[THREADS];

	shared = 0;
	start_all(threads, count_locked);
	join_all(threads);
	CHECK_EQ(shared, THREADS * ROUNDS);
}

static void *take_turns(void *argument)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		while (turn % THREADS != (long)argument)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return argument;
}

TEST(a_condition_wakes_those_who_wait)
{
	pthread_t threads[THREADS];

	turn = 0;
	start_all(threads, take_turns);
	join_all(threads);
	CHECK_EQ(turn, THREADS * 100);
}

static void *use_own(void *argument)
{
	own = (long)argument * 1000;
	for (int i = 0; i < 500; i++) {
		own++;
		if (i % 50 == 0)
			sched_yield();
	}
	return own == (long)argument * 1000 + 500 ? argument : (void *)-1L;
}

TEST(each_thread_has_its_own_variables)
{
	pthread_t threads[THREADS];

	own = -5;
	start_all(threads, use_own);
	join_all(threads);
	CHECK_EQ(own, -5);
}

static void *tell_id(void *argument)
{
	*(long *)argument = syscall(SYS_gettid);
	return NULL;
}

TEST(a_thread_has_an_id_of_its_own_and_the_same_process)
{
	pthread_t thread;
	long id = 0;

	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK_EQ(pthread_create(&thread, NULL, tell_id, &id), 0);
	pthread_join(thread, NULL);
	CHECK(id != 0 && id != getpid());
}

TEST(many_threads_one_after_the_other_leave_nothing_behind)
{
	for (int i = 0; i < 300; i++) {
		pthread_t thread;
		long id;
		CHECK_EQ(pthread_create(&thread, NULL, tell_id, &id), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
}

TEST(a_timed_wait_ends_in_time)
{
	struct timespec start, until, now;

	clock_gettime(CLOCK_REALTIME, &start);
	until = start;
	until.tv_nsec += 50 * 1000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&lock);
	CHECK_EQ(pthread_cond_timedwait(&changed, &lock, &until), ETIMEDOUT);
	pthread_mutex_unlock(&lock);
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK((now.tv_sec - start.tv_sec) * 1000000000LL + now.tv_nsec - start.tv_nsec >= 50 * 1000 * 1000);
}

static sem_t semaphore;

static void *post_later(void *argument)
{
	usleep(10000);
	sem_post(&semaphore);
	return argument;
}

TEST(a_semaphore_is_waited_for)
{
	pthread_t thread;

	CHECK_EQ(sem_init(&semaphore, 0, 0), 0);
	CHECK_EQ(pthread_create(&thread, NULL, post_later, NULL), 0);
	CHECK_EQ(sem_wait(&semaphore), 0);
	pthread_join(thread, NULL);
}

static atomic_int interrupted;

static void note_signal(int number)
{
	(void)number;
	interrupted = (int)syscall(SYS_gettid);
}

static void *sleep_long(void *argument)
{
	*(atomic_int *)argument = (int)syscall(SYS_gettid);
	struct timespec long_time = { 30, 0 };
	return (void *)(long)(nanosleep(&long_time, NULL) == -1 && errno == EINTR);
}

TEST(a_signal_for_a_thread_interrupts_that_thread)
{
	struct sigaction action = { .sa_handler = note_signal };
	atomic_int id = 0;
	pthread_t thread;
	void *result;

	sigaction(SIGUSR1, &action, NULL);
	CHECK_EQ(pthread_create(&thread, NULL, sleep_long, &id), 0);
	while (!id)
		usleep(1000);
	usleep(20000);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((long)result, 1);
	CHECK_EQ(interrupted, id);
}

static void *fork_there(void *argument)
{
	pid_t child = fork();

	if (child == 0)
		_exit(syscall(SYS_gettid) == getpid() ? 7 : 8);
	*(pid_t *)argument = child;
	return NULL;
}

TEST(a_fork_in_a_thread_makes_a_process_of_one_thread)
{
	pthread_t thread;
	pid_t child;

	CHECK_EQ(pthread_create(&thread, NULL, fork_there, &child), 0);
	pthread_join(thread, NULL);
	CHECK(test_wait(child) == 7 << 8);
}
