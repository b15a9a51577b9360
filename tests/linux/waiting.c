/* tests/linux/waiting.c - poll, select, epoll, eventfd, timers, and descriptors that do not block. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

static int ends[2];

static void pipe_make(int flags)
{
	CHECK_EQ(pipe2(ends, flags), 0);
}

static void pipe_close(void)
{
	close(ends[0]);
	close(ends[1]);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

TEST(an_empty_pipe_that_must_not_block_says_EAGAIN)
{
	char byte, block[4096] = { 0 };

	pipe_make(O_NONBLOCK);
	CHECK(read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
	ssize_t all = 0, count;
	while ((count = write(ends[1], block, sizeof block)) > 0)
		all += count;
	CHECK(count == -1 && errno == EAGAIN);
	CHECK(all >= 4096);
	pipe_close();
}

TEST(poll_tells_readable_writable_and_hung_up_apart)
{
	struct pollfd entries[2];

	pipe_make(0);
	entries[0] = (struct pollfd){ ends[0], POLLIN, 0 };
	entries[1] = (struct pollfd){ ends[1], POLLOUT, 0 };
	CHECK_EQ(poll(entries, 2, 0), 1);
	CHECK(entries[0].revents == 0 && entries[1].revents == POLLOUT);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(poll(entries, 2, 0), 2);
	CHECK_EQ(entries[0].revents, POLLIN);
	close(ends[1]);
	CHECK_EQ(poll(entries, 1, 0), 1);
	CHECK_EQ(entries[0].revents, POLLIN | POLLHUP);
	char byte;
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(poll(entries, 1, 0), 1);
	CHECK_EQ(entries[0].revents, POLLHUP);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	entries[0].fd = 999;
	CHECK_EQ(poll(entries, 1, 0), 1);
	CHECK_EQ(entries[0].revents, POLLNVAL);
	close(ends[0]);
}

TEST(a_pipe_without_reader_is_EPIPE)
{
	pipe_make(0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
}

TEST(poll_waits_as_long_as_it_is_told)
{
	pipe_make(0);
	struct pollfd entry = { ends[0], POLLIN, 0 };
	long long start = now_ms();
	CHECK_EQ(poll(&entry, 1, 60), 0);
	CHECK(now_ms() - start >= 59);
	pipe_close();
}

static pid_t write_later(int fd)
{
	pid_t child = fork();

	if (child == 0) {
		usleep(50000);
		_exit(write(fd, "12345678", 8) != 8);
	}
	return child;
}

TEST(poll_wakes_when_something_comes)
{
	pipe_make(0);
	struct pollfd entry = { ends[0], POLLIN, 0 };
	pid_t child = write_later(ends[1]);
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	CHECK_EQ(test_wait(child), 0);
	pipe_close();
}

TEST(select_finds_the_right_ones)
{
	fd_set read_set, write_set;
	struct timeval none = { 0, 0 };

	pipe_make(0);
	FD_ZERO(&read_set);
	FD_ZERO(&write_set);
	FD_SET(ends[0], &read_set);
	FD_SET(ends[1], &write_set);
	CHECK_EQ(select(ends[1] + 1, &read_set, &write_set, NULL, &none), 1);
	CHECK(!FD_ISSET(ends[0], &read_set) && FD_ISSET(ends[1], &write_set));
	FD_SET(ends[0], &read_set);
	pid_t child = write_later(ends[1]);
	CHECK_EQ(select(ends[0] + 1, &read_set, NULL, NULL, NULL), 1);
	CHECK_EQ(test_wait(child), 0);
	pipe_close();
}

static void nothing(int number)
{
	(void)number;
}

TEST(ppoll_lets_a_signal_in_only_while_it_waits)
{
	sigset_t block, none;
	struct sigaction action = { .sa_handler = nothing };

	pipe_make(0);
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	struct pollfd entry = { ends[0], POLLIN, 0 };
	struct timespec limit = { 20, 0 };
	CHECK(ppoll(&entry, 1, &limit, &none) == -1 && errno == EINTR);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	pipe_close();
}

TEST(epoll_reports_levels_and_edges)
{
	int queue = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 }, got;
	char byte;

	CHECK(queue >= 0);
	pipe_make(O_NONBLOCK);
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK(epoll_ctl(queue, EPOLL_CTL_ADD, ends[0], &event) == -1 && errno == EEXIST);
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	CHECK_EQ(write(ends[1], "ab", 2), 2);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
		CHECK(got.events == EPOLLIN && got.data.u64 == 77);
	}
	event.events = EPOLLIN | EPOLLET;
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_MOD, ends[0], &event), 0);
	CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	CHECK_EQ(write(ends[1], "c", 1), 1);
	CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_DEL, ends[0], NULL), 0);
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	pipe_close();
	close(queue);
}

TEST(an_epoll_in_an_epoll_is_ready_when_it_has_something)
{
	int inner = epoll_create1(0), outer = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN }, got;

	pipe_make(0);
	CHECK_EQ(epoll_ctl(inner, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), 0);
	CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
	pid_t child = write_later(ends[1]);
	CHECK_EQ(epoll_wait(outer, &got, 1, 20000), 1);
	CHECK_EQ(test_wait(child), 0);
	pipe_close();
	close(inner);
	close(outer);
}

TEST(epolls_do_not_watch_each_other)
{
	int one = epoll_create1(0), other = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };

	CHECK(epoll_ctl(one, EPOLL_CTL_ADD, one, &event) == -1 && errno == EINVAL);
	CHECK_EQ(epoll_ctl(one, EPOLL_CTL_ADD, other, &event), 0);
	CHECK(epoll_ctl(other, EPOLL_CTL_ADD, one, &event) == -1 && errno == ELOOP);
	close(one);
	close(other);
}

TEST(a_one_shot_rests_until_it_is_armed_again)
{
	int queue = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 5 }, got;

	pipe_make(0);
	CHECK_EQ(write(ends[1], "ab", 2), 2);
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
	CHECK_EQ(write(ends[1], "c", 1), 1);
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_MOD, ends[0], &event), 0);
	CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
	pipe_close();
	close(queue);
}

TEST(all_that_are_ready_come_though_one_asks_for_one_at_a_time)
{
	enum { PIPES = 20 };
	int queue = epoll_create1(0), pipes[PIPES][2];
	struct epoll_event event = { .events = EPOLLIN }, got;
	unsigned seen = 0;

	for (unsigned i = 0; i < PIPES; i++) {
		CHECK_EQ(pipe(pipes[i]), 0);
		event.data.u32 = i;
		CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, pipes[i][0], &event), 0);
		CHECK_EQ(write(pipes[i][1], "x", 1), 1);
	}
	for (unsigned i = 0; i < PIPES; i++) {
		CHECK_EQ(epoll_wait(queue, &got, 1, 1000), 1);
		seen |= 1u << got.data.u32;
	}
	CHECK_EQ(seen, (1u << PIPES) - 1);
	for (unsigned i = 0; i < PIPES; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	CHECK_EQ(epoll_wait(queue, &got, 1, 0), 0);
	close(queue);
}

static int shared_queue;
static volatile bool is_over;

static void *wait_on_shared(void *unused)
{
	struct epoll_event got[4];

	(void)unused;
	while (!is_over)
		for (int i = 0, count = epoll_wait(shared_queue, got, 4, 1); i < count; i++)
			if (got[i].data.u32 != 77)
				return "an event that nobody asked for";
	return NULL;
}

TEST(threads_wait_while_descriptors_come_and_go)
{
	enum { THREADS = 3, ROUNDS = 300 };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 77 };
	pthread_t thread[THREADS];
	void *wrong;

	shared_queue = epoll_create1(0);
	is_over = false;
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, wait_on_shared, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pipe_make(0);
		CHECK_EQ(epoll_ctl(shared_queue, EPOLL_CTL_ADD, ends[0], &event), 0);
		CHECK_EQ(write(ends[1], "x", 1), 1);
		CHECK_EQ(epoll_ctl(shared_queue, EPOLL_CTL_MOD, ends[0], &event), 0);
		if (i % 2)
			CHECK_EQ(epoll_ctl(shared_queue, EPOLL_CTL_DEL, ends[0], NULL), 0);
		pipe_close();
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(thread[i], &wrong), 0);
		CHECK(wrong == NULL);
	}
	close(shared_queue);
}

TEST(a_timer_that_is_set_again_tells_what_was_left_and_forgets_what_came)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 }, late = { .it_value.tv_sec = 100 }, off = { 0 }, old;
	struct pollfd entry = { fd, POLLIN, 0 };
	uint64_t count;

	CHECK_EQ(timerfd_settime(fd, 0, &soon, NULL), 0);
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	CHECK_EQ(timerfd_settime(fd, 0, &late, NULL), 0);
	CHECK(read(fd, &count, 8) == -1 && errno == EAGAIN);
	CHECK_EQ(timerfd_settime(fd, 0, &off, &old), 0);
	CHECK(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
	CHECK_EQ(poll(&entry, 1, 5), 0);
	CHECK_EQ(timerfd_settime(fd, 0, &soon, &old), 0);
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
	close(fd);
}

TEST(an_absolute_timer_goes_by_the_clock_it_was_made_with)
{
	for (int i = 0; i < 2; i++) {
		clockid_t clock = i ? CLOCK_REALTIME : CLOCK_MONOTONIC;
		int fd = timerfd_create(clock, 0);
		struct itimerspec at = { 0 }, left;
		uint64_t count;

		CHECK_EQ(clock_gettime(clock, &at.it_value), 0);
		at.it_value.tv_sec += 100;
		CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL), 0);
		CHECK_EQ(timerfd_gettime(fd, &left), 0);
		CHECK(left.it_value.tv_sec >= 90 && left.it_value.tv_sec <= 100);
		at.it_value.tv_sec -= 100;
		CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL), 0);
		CHECK_EQ(read(fd, &count, 8), 8);
		CHECK_EQ(count, 1);
		CHECK_EQ(timerfd_gettime(fd, &left), 0);
		CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
		close(fd);
	}
}

TEST(an_eventfd_adds_up)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	uint64_t value = 4;

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, &value, 8), 8);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 7);
	CHECK(read(fd, &value, 8) == -1 && errno == EAGAIN);
	close(fd);
	fd = eventfd(2, EFD_SEMAPHORE);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 1);
	close(fd);
}

TEST(a_timerfd_counts_its_periods)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec setting = { { 0, 10 * 1000 * 1000 }, { 0, 10 * 1000 * 1000 } };
	uint64_t count;

	CHECK(fd >= 0);
	CHECK_EQ(timerfd_settime(fd, 0, &setting, NULL), 0);
	usleep(55000);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK(count >= 5);
	struct pollfd entry = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	close(fd);
}

TEST(an_epoll_takes_nothing_that_never_changes)
{
	struct epoll_event event = { .events = EPOLLIN };
	int queue = epoll_create1(0), file = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDWR);

	CHECK(queue >= 0 && file >= 0 && null >= 0);
	CHECK(epoll_ctl(queue, EPOLL_CTL_ADD, file, &event) == -1 && errno == EPERM);
	CHECK(epoll_ctl(queue, EPOLL_CTL_ADD, null, &event) == -1 && errno == EPERM);
	close(queue);
	close(file);
	close(null);
}

TEST(epolls_watch_epolls_five_deep)
{
	struct epoll_event event = { .events = EPOLLIN };
	int chain[6];

	pipe_make(0);
	for (int i = 0; i < 6; i++) {
		chain[i] = epoll_create1(0);
		int result = epoll_ctl(chain[i], EPOLL_CTL_ADD, i ? chain[i - 1] : ends[0], &event);
		CHECK(i < 5 ? result == 0 : result == -1 && (errno == EINVAL || errno == ELOOP));
	}
	CHECK_EQ(epoll_wait(chain[4], &event, 1, 0), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(chain[4], &event, 1, 1000), 1);
	for (int i = 0; i < 6; i++)
		close(chain[i]);
	pipe_close();
}

TEST(a_timerfd_refuses_unknown_flags)
{
	struct itimerspec when = { .it_value.tv_sec = 1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(fd >= 0);
	CHECK(timerfd_settime(fd, 0x1000, &when, NULL) == -1 && errno == EINVAL);
	close(fd);
}

TEST(a_large_write_arrives_whole_at_a_slow_reader)
{
	enum { BYTES = 1 << 20 };
	static unsigned char block[8192];
	size_t got = 0;
	ssize_t count;

	pipe_make(0);
	pid_t child = fork();
	if (child == 0) {
		static unsigned char all[BYTES];
		for (size_t i = 0; i < BYTES; i++)
			all[i] = (unsigned char)(i * 7 + i / 251);
		close(ends[0]);
		_exit(write(ends[1], all, BYTES) != BYTES);
	}
	close(ends[1]);
	while ((count = read(ends[0], block, sizeof block)) > 0)
		for (ssize_t i = 0; i < count; i++, got++)
			CHECK(block[i] == (unsigned char)(got * 7 + got / 251));
	CHECK_EQ(got, BYTES);
	CHECK_EQ(test_wait(child), 0);
	close(ends[0]);
}

TEST(the_clock_read_by_a_call_and_without_one_is_the_same_clock)
{
	struct timespec before, between, after;
	int backwards = 0;

	for (int i = 0; i < 10000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &between);
		clock_gettime(CLOCK_MONOTONIC, &after);
		backwards += before.tv_sec > between.tv_sec || (before.tv_sec == between.tv_sec && before.tv_nsec > between.tv_nsec);
		backwards += between.tv_sec > after.tv_sec || (between.tv_sec == after.tv_sec && between.tv_nsec > after.tv_nsec);
	}
	CHECK_EQ(backwards, 0);
}
