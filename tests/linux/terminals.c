/* tests/linux/terminals.c - pseudo-terminals, termios and job control, as POSIX and Linux have them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PATIENCE_MS = 20000 };

static int master = -1, slave = -1;
static char slave_name[64];

static void open_master(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0);
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, slave_name, sizeof slave_name), 0);
}

static void open_pair(void)
{
	open_master();
	slave = open(slave_name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
}

static void close_pair(void)
{
	close(slave);
	close(master);
}

static void type(const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), (ssize_t)strlen(text));
}

/* What comes from fd until wanted has come, or patience ends. */
static const char *read_until(int fd, const char *wanted)
{
	static char text[4096];
	size_t bytes = 0;

	text[0] = 0;
	while (!strstr(text, wanted) && bytes < sizeof text - 1) {
		struct pollfd p = { fd, POLLIN, 0 };
		if (poll(&p, 1, PATIENCE_MS) != 1)
			break;
		ssize_t got = read(fd, text + bytes, sizeof text - 1 - bytes);
		if (got <= 0)
			break;
		bytes += (size_t)got;
		text[bytes] = 0;
	}
	return text;
}

static void set_raw(unsigned char min, unsigned char tenths)
{
	struct termios t;

	CHECK_EQ(tcgetattr(slave, &t), 0);
	cfmakeraw(&t);
	t.c_cc[VMIN] = min;
	t.c_cc[VTIME] = tenths;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void say(const char *word)
{
	if (write(1, word, strlen(word)) < 0)
		_exit(99);
}

/* A child that leads a session with the slave as controlling terminal and as 0, 1 and 2. */
static pid_t start_session(void (*run)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	int fd = open(slave_name, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		_exit(98);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	close(master);
	alarm(60);
	run();
	_exit(0);
}

static int end_of(pid_t pid)
{
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void keep_quiet(void)
{
	struct termios t;

	tcgetattr(0, &t);
	t.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(0, TCSANOW, &t);
}

TEST(a_slave_is_a_terminal_with_a_name)
{
	struct stat by_path, by_fd;

	open_pair();
	CHECK_EQ(strncmp(slave_name, "/dev/pts/", 9), 0);
	CHECK(isatty(slave));
	CHECK(isatty(master));
	CHECK_STR(ttyname(slave), slave_name);
	CHECK_EQ(stat(slave_name, &by_path), 0);
	CHECK_EQ(fstat(slave, &by_fd), 0);
	CHECK(S_ISCHR(by_path.st_mode));
	CHECK_EQ(by_path.st_rdev, by_fd.st_rdev);
	CHECK_EQ(by_path.st_rdev >> 8 & 0xfff, 136);
	close_pair();
}

TEST(slaves_are_listed_while_their_master_is_open)
{
	struct dirent *e;
	bool found = false;

	open_pair();
	DIR *d = opendir("/dev/pts");
	CHECK(d);
	while ((e = readdir(d)))
		found |= strcmp(e->d_name, slave_name + 9) == 0;
	closedir(d);
	CHECK(found);
	close_pair();
	CHECK(access(slave_name, F_OK) == -1 && errno == ENOENT);
}

TEST(a_locked_slave_cannot_be_opened)
{
	char name[64];
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	CHECK_EQ(ptsname_r(m, name, sizeof name), 0);
	CHECK(open(name, O_RDWR | O_NOCTTY) == -1 && errno == EIO);
	close(m);
}

TEST(lines_are_edited_and_echoed)
{
	char line[64];

	open_pair();
	type("lx\x7fs\r");
	CHECK_EQ(read(slave, line, sizeof line), 3);
	CHECK_MEM(line, "ls\n", 3);
	CHECK_STR(read_until(master, "\n"), "lx\b \bs\r\n");
	type("gone\x15kept\x04");
	CHECK_EQ(read(slave, line, sizeof line), 4);
	CHECK_MEM(line, "kept", 4);
	type("\x04");
	CHECK_EQ(read(slave, line, sizeof line), 0);
	close_pair();
}

TEST(output_newlines_become_return_and_newline)
{
	struct termios t;

	open_pair();
	CHECK_EQ(write(slave, "a\nb", 3), 3);
	CHECK_STR(read_until(master, "b"), "a\r\nb");
	CHECK_EQ(tcgetattr(slave, &t), 0);
	t.c_oflag &= ~(tcflag_t)OPOST;
	CHECK_EQ(tcsetattr(slave, TCSADRAIN, &t), 0);
	CHECK_EQ(write(slave, "a\nb", 3), 3);
	CHECK_STR(read_until(master, "b"), "a\nb");
	close_pair();
}

TEST(raw_reads_obey_min_and_time)
{
	char bytes[16];

	open_pair();
	set_raw(0, 2);
	long long start = now_ms();
	CHECK_EQ(read(slave, bytes, 16), 0);
	CHECK(now_ms() - start >= 190);
	set_raw(0, 0);
	CHECK_EQ(read(slave, bytes, 16), 0);
	type("abc");
	CHECK_EQ(read(slave, bytes, 16), 3);
	set_raw(3, 1);
	type("de");
	CHECK_EQ(read(slave, bytes, 16), 2);
	close_pair();
}

TEST(a_terminal_that_must_not_block_says_EAGAIN)
{
	char bytes[16];

	open_pair();
	CHECK_EQ(fcntl(slave, F_SETFL, O_NONBLOCK), 0);
	CHECK(read(slave, bytes, 16) == -1 && errno == EAGAIN);
	CHECK_EQ(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	CHECK(read(master, bytes, 16) == -1 && errno == EAGAIN);
	close_pair();
}

TEST(poll_tells_of_both_ends)
{
	struct pollfd m, s;
	char bytes[16];

	open_pair();
	m = (struct pollfd){ master, POLLIN | POLLOUT, 0 };
	s = (struct pollfd){ slave, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&m, 1, 0), 1);
	CHECK_EQ(m.revents, POLLOUT);
	CHECK_EQ(poll(&s, 1, 0), 1);
	CHECK_EQ(s.revents, POLLOUT);
	type("x\n");
	s.events = POLLIN;
	CHECK_EQ(poll(&s, 1, PATIENCE_MS), 1);
	CHECK_EQ(s.revents, POLLIN);
	CHECK_EQ(read(slave, bytes, 16), 2);
	CHECK_EQ(poll(&s, 1, 0), 0);
	m.events = POLLIN;
	CHECK_EQ(poll(&m, 1, PATIENCE_MS), 1);
	close_pair();
}

TEST(waiting_bytes_are_counted_and_flushed)
{
	struct pollfd p;
	int count = -1;

	open_pair();
	type("abc\n");
	/* Linux hands over what was typed a little later. */
	p = (struct pollfd){ slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, PATIENCE_MS), 1);
	CHECK_EQ(ioctl(slave, FIONREAD, &count), 0);
	CHECK_EQ(count, 4);
	CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
	CHECK_EQ(ioctl(slave, FIONREAD, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(tcdrain(slave), 0);
	close_pair();
}

TEST(the_size_can_be_set_from_either_end)
{
	struct winsize size = { 33, 99, 0, 0 }, got = { 0 };

	open_pair();
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
	CHECK_EQ(ioctl(slave, TIOCGWINSZ, &got), 0);
	CHECK(got.ws_row == 33 && got.ws_col == 99);
	close_pair();
}

TEST(a_master_without_slaves_reads_EIO_after_the_rest)
{
	char bytes[16];

	open_pair();
	CHECK_EQ(write(slave, "bye", 3), 3);
	close(slave);
	CHECK_EQ(read(master, bytes, 16), 3);
	CHECK(read(master, bytes, 16) == -1 && errno == EIO);
	close(master);
}

TEST(a_slave_without_a_master_reads_its_end_and_cannot_write)
{
	char bytes[16];

	open_pair();
	close(master);
	CHECK_EQ(read(slave, bytes, 16), 0);
	CHECK(write(slave, "x", 1) == -1 && errno == EIO);
	close(slave);
}

TEST(packet_mode_tells_of_flow_control_and_flushes)
{
	int on = 1;
	char bytes[16];

	open_pair();
	CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_EQ(read(master, bytes, 16), 2);
	CHECK(bytes[0] == TIOCPKT_DATA && bytes[1] == 'x');
	CHECK_EQ(tcflush(slave, TCOFLUSH), 0);
	CHECK_EQ(read(master, bytes, 16), 1);
	CHECK(bytes[0] & TIOCPKT_FLUSHWRITE);
	close_pair();
}

TEST(without_a_controlling_terminal_there_is_no_dev_tty)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		_exit(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? 0 : 1);
	}
	CHECK_EQ(end_of(pid), 0);
}

static void show_tty(void)
{
	int fd = open("/dev/tty", O_RDWR);
	bool good = fd >= 0 && tcgetpgrp(fd) == getpid() && tcgetsid(0) == getpid() && ttyname(0) && !strcmp(ttyname(0), slave_name);

	say(good ? "same" : "other");
}

TEST(dev_tty_is_the_controlling_terminal)
{
	open_master();
	pid_t pid = start_session(show_tty);
	CHECK_STR(read_until(master, "e"), "same");
	CHECK_EQ(end_of(pid), 0);
	close(master);
}

static void wait_for_ever(void)
{
	keep_quiet();
	say("ready");
	for (;;)
		pause();
}

TEST(control_c_interrupts_the_foreground)
{
	open_master();
	pid_t pid = start_session(wait_for_ever);
	CHECK_STR(read_until(master, "ready"), "ready");
	type("\x03");
	int status = end_of(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	close(master);
}

static volatile sig_atomic_t caught;
static void catch(int signal) { caught = signal; }

static void catch_resize(void)
{
	struct winsize size = { 0 };

	keep_quiet();
	signal(SIGWINCH, catch);
	say("ready");
	while (!caught)
		usleep(10000);
	ioctl(0, TIOCGWINSZ, &size);
	say(caught == SIGWINCH && size.ws_col == 123 ? "resized" : "wrong");
}

TEST(a_new_size_is_a_signal)
{
	struct winsize size = { 40, 123, 0, 0 };

	open_master();
	pid_t pid = start_session(catch_resize);
	CHECK_STR(read_until(master, "ready"), "ready");
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
	CHECK_STR(read_until(master, "d"), "resized");
	CHECK_EQ(end_of(pid), 0);
	close(master);
}

TEST(closing_the_master_hangs_up_the_session)
{
	open_master();
	pid_t pid = start_session(wait_for_ever);
	CHECK_STR(read_until(master, "ready"), "ready");
	close(master);
	int status = end_of(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

/* A shell's work: a job in its own group in the foreground, and back. */
static pid_t start_job(void (*run)(void), bool in_foreground)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		if (in_foreground) {
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(0, getpid());
			signal(SIGTTOU, SIG_DFL);
		}
		run();
		_exit(0);
	}
	setpgid(pid, pid);
	return pid;
}

static void job_control(void)
{
	int status;

	keep_quiet();
	pid_t job = start_job(wait_for_ever, true);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTSTP)
		say("not stopped by ^Z");
	signal(SIGTTOU, SIG_IGN);
	if (tcsetpgrp(0, getpid()))
		say("cannot take the terminal back");
	say("stopped");
	if (tcsetpgrp(0, job) || kill(-job, SIGCONT) || waitpid(job, &status, WCONTINUED) != job || !WIFCONTINUED(status))
		say("cannot continue");
	say("continued");
	if (waitpid(job, &status, 0) != job || !WIFSIGNALED(status) || WTERMSIG(status) != SIGINT)
		say("not ended by ^C");
	if (tcsetpgrp(0, getpid()))
		say("cannot take the terminal back again");
	say("done");
}

TEST(jobs_stop_continue_and_end_from_the_keyboard)
{
	open_master();
	pid_t pid = start_session(job_control);
	CHECK_STR(read_until(master, "ready"), "ready");
	type("\x1a");
	CHECK_STR(read_until(master, "continued"), "stoppedcontinued");
	type("\x03");
	CHECK_STR(read_until(master, "done"), "done");
	CHECK_EQ(end_of(pid), 0);
	close(master);
}

static void read_a_line(void)
{
	char line[16];
	ssize_t got = read(0, line, sizeof line);

	say(got == 3 ? "read" : "unread");
}

static void read_ignoring(void)
{
	char byte;

	signal(SIGTTIN, SIG_IGN);
	say(read(0, &byte, 1) == -1 && errno == EIO ? "EIO" : "no EIO");
}

static void background_reads(void)
{
	int status;

	keep_quiet();
	signal(SIGTTOU, SIG_IGN);
	pid_t job = start_job(read_a_line, false);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTIN)
		say("not stopped");
	say("stopped");
	tcsetpgrp(0, job);
	kill(-job, SIGCONT);
	waitpid(job, &status, 0);
	tcsetpgrp(0, getpid());
	job = start_job(read_ignoring, false);
	waitpid(job, &status, 0);
	say("done");
}

TEST(a_background_read_stops_or_fails)
{
	open_master();
	pid_t pid = start_session(background_reads);
	CHECK_STR(read_until(master, "stopped"), "stopped");
	type("ab\n");
	CHECK_STR(read_until(master, "done"), "readEIOdone");
	CHECK_EQ(end_of(pid), 0);
	close(master);
}

static void write_a_word(void) { say("word"); }

static void background_writes(void)
{
	struct termios t;
	int status;

	keep_quiet();
	signal(SIGTTOU, SIG_DFL);
	waitpid(start_job(write_a_word, false), &status, 0);
	tcgetattr(0, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &t);
	pid_t job = start_job(write_a_word, false);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU)
		say("not stopped");
	say("stopped");
	kill(-job, SIGKILL);
	waitpid(job, &status, 0);
	say("done");
}

TEST(a_background_write_stops_under_tostop)
{
	open_master();
	pid_t pid = start_session(background_writes);
	CHECK_STR(read_until(master, "done"), "wordstoppeddone");
	CHECK_EQ(end_of(pid), 0);
	close(master);
}

static void leave_a_job(void)
{
	keep_quiet();
	signal(SIGHUP, SIG_IGN);
	pid_t job = fork();
	if (job == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(0, getpid());
		signal(SIGHUP, catch);
		say("ready");
		while (!caught)
			usleep(10000);
		say("hung up");
		_exit(0);
	}
	char byte;
	/* The job takes the terminal, so this waits in the background until the parent kills us. */
	signal(SIGTTIN, SIG_IGN);
	while (read(0, &byte, 1) != 1)
		usleep(10000);
}

TEST(the_leaders_end_hangs_up_the_foreground)
{
	open_master();
	pid_t pid = start_session(leave_a_job);
	CHECK_STR(read_until(master, "ready"), "ready");
	kill(pid, SIGKILL);
	CHECK(WIFSIGNALED(end_of(pid)));
	CHECK_STR(read_until(master, "hung up"), "hung up");
	close(master);
}

TEST(a_flood_arrives_whole)
{
	enum { BYTES = 200000 };
	static char buffer[8192];
	ssize_t got;
	int total = 0;

	open_pair();
	set_raw(1, 0);
	pid_t pid = fork();
	if (pid == 0) {
		memset(buffer, 'x', sizeof buffer);
		for (int left = BYTES; left > 0;) {
			ssize_t done = write(slave, buffer, left < 8192 ? (size_t)left : 8192);
			if (done <= 0)
				_exit(1);
			left -= (int)done;
		}
		_exit(0);
	}
	while (total < BYTES && (got = read(master, buffer, sizeof buffer)) > 0)
		total += (int)got;
	CHECK_EQ(total, BYTES);
	CHECK_EQ(end_of(pid), 0);
	close_pair();
}
