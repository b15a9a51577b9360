/* tests/linux/sockets.c - AF_UNIX: pairs, names, connections, messages, and what travels with them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/test/test.h"

static int pair[2];

static void pair_make(int type)
{
	CHECK_EQ(socketpair(AF_UNIX, type, 0, pair), 0);
}

static void pair_close(void)
{
	close(pair[0]);
	close(pair[1]);
}

/* path "@x": abstract. */
static socklen_t address(struct sockaddr_un *un, const char *path)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(un->sun_path, path);
	if (*path == '@')
		un->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + (*path != '@');
}

static int bound(int type, const char *path)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, path);
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0);
	if (*path != '@')
		unlink(path);
	CHECK_EQ(bind(fd, (struct sockaddr *)&un, length), 0);
	return fd;
}

static int listening(int type, const char *path)
{
	int fd = bound(type, path);

	CHECK_EQ(listen(fd, 5), 0);
	return fd;
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, path);

	return connect(fd, (struct sockaddr *)&un, length);
}

static int connected(int type, const char *path)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK_EQ(connect_to(fd, path), 0);
	return fd;
}

static int ready_of(int fd, int events)
{
	struct pollfd p = { fd, (short)events, 0 };

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

/* Sends bytes and fds, which may be none. */
static ssize_t send_fds(int to, const char *bytes, size_t count, const int *fds, int fd_count)
{
	union { char bytes[CMSG_SPACE(64 * sizeof(int))]; struct cmsghdr align; } control;
	struct iovec v = { (void *)bytes, count };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd_count) {
		memset(&control, 0, sizeof control);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)fd_count * sizeof(int));
	}
	return sendmsg(to, &m, 0);
}

struct got {
	ssize_t bytes;
	int fds[64], fd_count, flags;
	struct ucred from;
	int has_from;
};

static struct got receive(int from, char *bytes, size_t count, size_t control_room, int flags)
{
	union { char bytes[4096]; struct cmsghdr align; } control;
	struct iovec v = { bytes, count };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = control_room };
	struct got g = { .bytes = recvmsg(from, &m, flags) };

	if (g.bytes < 0)
		return g;
	g.flags = m.msg_flags;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == SCM_RIGHTS) {
			g.fd_count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(g.fds, CMSG_DATA(c), (size_t)g.fd_count * sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&g.from, CMSG_DATA(c), sizeof g.from);
			g.has_from = 1;
		}
	}
	return g;
}

TEST(a_pair_carries_bytes_both_ways)
{
	char text[16];
	struct stat info;

	pair_make(SOCK_STREAM);
	CHECK_EQ(write(pair[0], "hello", 5), 5);
	CHECK_EQ(send(pair[1], "yes", 3, 0), 3);
	CHECK_EQ(recv(pair[1], text, 3, 0), 3);
	CHECK_EQ(read(pair[1], text + 3, 10), 2);
	CHECK(memcmp(text, "hello", 5) == 0);
	CHECK_EQ(recv(pair[0], text, 10, 0), 3);
	CHECK(memcmp(text, "yes", 3) == 0);
	CHECK_EQ(fstat(pair[0], &info), 0);
	CHECK(S_ISSOCK(info.st_mode));
	CHECK(lseek(pair[0], 0, SEEK_CUR) == -1 && errno == ESPIPE);
	pair_close();
}

TEST(a_stream_has_no_boundaries_and_peek_takes_nothing)
{
	char text[16];

	pair_make(SOCK_STREAM);
	CHECK_EQ(write(pair[0], "ab", 2), 2);
	CHECK_EQ(write(pair[0], "cd", 2), 2);
	CHECK_EQ(recv(pair[1], text, sizeof text, MSG_PEEK), 4);
	CHECK_EQ(recv(pair[1], text, sizeof text, 0), 4);
	CHECK(memcmp(text, "abcd", 4) == 0);
	CHECK(recv(pair[1], text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(recv(pair[1], text, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN);
	pair_close();
}

static void check_packets(int type)
{
	char text[16];

	pair_make(type);
	CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
	CHECK_EQ(send(pair[0], "", 0, 0), 0);
	CHECK_EQ(write(pair[0], "ef", 2), 2);
	CHECK_EQ(recv(pair[1], text, sizeof text, MSG_PEEK), 4);
	CHECK_EQ(recv(pair[1], text, 2, 0), 2);         /* the rest of that one is gone */
	CHECK_EQ(recv(pair[1], text, sizeof text, 0), 0);
	CHECK_EQ(recv(pair[1], text, 1, MSG_PEEK | MSG_TRUNC), 2);
	struct got g = receive(pair[1], text, 1, 0, 0);
	CHECK_EQ(g.bytes, 1);
	CHECK(g.flags & MSG_TRUNC);
	CHECK(recv(pair[1], text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(send(pair[0], text, 1 << 24, 0) == -1);
	pair_close();
}

TEST(datagrams_keep_their_boundaries)
{
	check_packets(SOCK_DGRAM);
}

TEST(sequenced_packets_keep_their_boundaries)
{
	check_packets(SOCK_SEQPACKET);
}

TEST(the_end_of_one_side_is_seen_by_the_other)
{
	char byte;

	signal(SIGPIPE, SIG_IGN);
	pair_make(SOCK_STREAM);
	CHECK_EQ(ready_of(pair[0], POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
	CHECK_EQ(write(pair[1], "x", 1), 1);
	CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
	CHECK_EQ(ready_of(pair[0], POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(pair[0], &byte, 1), 1);
	CHECK_EQ(read(pair[0], &byte, 1), 0);
	CHECK(write(pair[1], "x", 1) == -1 && errno == EPIPE);
	CHECK_EQ(write(pair[0], "y", 1), 1);
	CHECK_EQ(read(pair[1], &byte, 1), 1);
	close(pair[1]);
	CHECK_EQ(ready_of(pair[0], POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK(send(pair[0], "x", 1, 0) == -1 && errno == EPIPE);
	CHECK_EQ(read(pair[0], &byte, 1), 0);
	close(pair[0]);
	signal(SIGPIPE, SIG_DFL);
}

TEST(a_reader_that_shuts_down_reads_the_end)
{
	char byte;

	pair_make(SOCK_STREAM);
	CHECK_EQ(shutdown(pair[0], SHUT_RD), 0);
	CHECK_EQ(read(pair[0], &byte, 1), 0);
	CHECK(send(pair[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	pair_close();
}

static volatile sig_atomic_t broken;
static void on_pipe(int signal) { (void)signal; broken++; }

TEST(SIGPIPE_comes_unless_it_was_not_wanted)
{
	pair_make(SOCK_STREAM);
	signal(SIGPIPE, on_pipe);
	close(pair[1]);
	broken = 0;
	CHECK(send(pair[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	CHECK_EQ(broken, 0);
	CHECK(send(pair[0], "x", 1, 0) == -1 && errno == EPIPE);
	CHECK_EQ(broken, 1);
	CHECK(write(pair[0], "x", 1) == -1 && errno == EPIPE);
	CHECK_EQ(broken, 2);
	signal(SIGPIPE, SIG_DFL);
	close(pair[0]);
}

static void check_server(int type, const char *path)
{
	struct sockaddr_un un, expected;
	socklen_t length, expected_length = address(&expected, path);
	char text[8];
	int server = listening(type, path);

	CHECK_EQ(ready_of(server, POLLIN), 0);
	int client = connected(type, path);
	CHECK_EQ(ready_of(server, POLLIN), POLLIN);
	CHECK_EQ(send(client, "early", 5, 0), 5);
	length = sizeof un;
	int peer = accept(server, (struct sockaddr *)&un, &length);
	CHECK(peer >= 0);
	CHECK_EQ(length, sizeof(sa_family_t));
	CHECK_EQ(un.sun_family, AF_UNIX);
	CHECK_EQ(recv(peer, text, sizeof text, 0), 5);
	CHECK_EQ(send(peer, "late", 4, 0), 4);
	CHECK_EQ(recv(client, text, sizeof text, 0), 4);
	for (int i = 0; i < 2; i++) {
		length = sizeof un;
		CHECK_EQ((i ? getsockname : getpeername)(i ? peer : client, (struct sockaddr *)&un, &length), 0);
		CHECK_EQ(length, expected_length);
		CHECK(memcmp(&un, &expected, length) == 0);
	}
	length = sizeof un;
	CHECK_EQ(getpeername(peer, (struct sockaddr *)&un, &length), 0);
	CHECK_EQ(length, sizeof(sa_family_t));
	CHECK(connect_to(client, path) == -1 && errno == EISCONN);
	close(peer);
	CHECK_EQ(recv(client, text, sizeof text, 0), 0);
	close(client);
	close(server);
	client = socket(AF_UNIX, type, 0);
	CHECK(connect_to(client, path) == -1 && errno == ECONNREFUSED);
	close(client);
	if (*path != '@')
		unlink(path);
}

TEST(a_server_at_a_path_is_found_and_its_clients_are_accepted)
{
	check_server(SOCK_STREAM, "server.socket");
}

TEST(a_server_with_an_abstract_name_too)
{
	check_server(SOCK_STREAM, "@cathode-test");
}

TEST(sequenced_packets_have_servers_as_well)
{
	check_server(SOCK_SEQPACKET, "server.socket");
}

TEST(a_socket_is_a_file_whose_permissions_count)
{
	struct stat info;
	int server = listening(SOCK_STREAM, "guarded.socket"), status;

	CHECK_EQ(stat("guarded.socket", &info), 0);
	CHECK(S_ISSOCK(info.st_mode));
	CHECK(open("guarded.socket", O_RDWR) == -1 && errno == ENXIO);
	CHECK_EQ(chmod("guarded.socket", 0600), 0);
	if (getuid() == 0) {
		pid_t child = fork();
		if (child == 0) {
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);
			_exit(setuid(1000) != 0 || connect_to(fd, "guarded.socket") != -1 || errno != EACCES);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
	}
	int second = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un un;
	socklen_t length = address(&un, "guarded.socket");
	CHECK(bind(second, (struct sockaddr *)&un, length) == -1 && errno == EADDRINUSE);
	length = address(&un, "another.socket");
	CHECK(bind(server, (struct sockaddr *)&un, length) == -1 && errno == EINVAL);
	CHECK_EQ(unlink("guarded.socket"), 0);
	CHECK(connect_to(second, "guarded.socket") == -1 && errno == ENOENT);
	close(second);
	close(server);
}

TEST(connecting_says_what_is_wrong)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = bound(SOCK_DGRAM, "some.datagram");
	char byte;

	CHECK(connect_to(fd, "@nobody-has-this-name") == -1 && errno == ECONNREFUSED);
	CHECK(connect_to(fd, "some.datagram") == -1 && errno == EPROTOTYPE);
	unlink("some.datagram");
	close(open("plain-file", O_CREAT | O_WRONLY, 0644));
	CHECK(connect_to(fd, "plain-file") == -1 && errno == ECONNREFUSED);
	unlink("plain-file");
	CHECK(recv(fd, &byte, 1, 0) == -1 && errno == EINVAL);
	CHECK(send(fd, &byte, 1, MSG_NOSIGNAL) == -1 && errno == ENOTCONN);
	CHECK(listen(fd, 1) == -1 && errno == EINVAL);
	CHECK(accept(fd, NULL, NULL) == -1 && errno == EINVAL);
	CHECK(accept(other, NULL, NULL) == -1 && errno == EOPNOTSUPP);
	close(other);
	CHECK(getpeername(fd, NULL, NULL) == -1 && errno == ENOTCONN);
	close(fd);
	CHECK(send(0x7fff, &byte, 1, 0) == -1 && errno == EBADF);
	int file = open("/dev/null", O_RDWR);
	CHECK(send(file, &byte, 1, 0) == -1 && errno == ENOTSOCK);
	CHECK(recv(file, &byte, 1, 0) == -1 && errno == ENOTSOCK);
	CHECK(listen(file, 1) == -1 && errno == ENOTSOCK);
	close(file);
	CHECK(socket(AF_UNIX, 77, 0) == -1);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 55) == -1 && errno == EPROTONOSUPPORT);
}

TEST(a_server_that_must_not_wait_says_EAGAIN)
{
	int server = listening(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, "@cathode-nonblocking");

	CHECK(accept(server, NULL, NULL) == -1 && errno == EAGAIN);
	CHECK_EQ(fcntl(server, F_GETFD), FD_CLOEXEC);
	int client = connected(SOCK_STREAM, "@cathode-nonblocking");
	int peer = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(peer >= 0);
	CHECK_EQ(fcntl(peer, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(peer, F_GETFL) & O_NONBLOCK);
	char byte;
	CHECK(read(peer, &byte, 1) == -1 && errno == EAGAIN);
	close(peer);
	close(client);
	close(server);
}

TEST(a_connection_that_no_number_is_left_for_waits)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0no number is left" };
	struct rlimit old, none;
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), taken;
	char byte = 0;

	CHECK(bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 4) == 0);
	CHECK_EQ(connect(client, (struct sockaddr *)&name, sizeof name), 0);
	CHECK_EQ(write(client, "x", 1), 1);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ (rlim_t)client + 1, old.rlim_max };
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (dup(client) >= 0)
		continue;
	CHECK(accept(server, NULL, NULL) == -1 && errno == EMFILE);
	CHECK(accept(server, NULL, NULL) == -1 && errno == EMFILE);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	taken = accept(server, NULL, NULL);
	CHECK(taken >= 0);
	CHECK(read(taken, &byte, 1) == 1 && byte == 'x');
	close(taken);
	close(client);
	close(server);
}

TEST(a_server_that_does_not_accept_fills_up_and_goes_on)
{
	enum { MANY = 400 };
	int server = listening(SOCK_STREAM, "@cathode-full"), clients[MANY], count = 0;
	char byte = 0;

	while (count < MANY) {
		clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CHECK(clients[count] >= 0);
		if (connect_to(clients[count++], "@cathode-full") != 0)
			break;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK(count > 5 && count < MANY);
	int peer = accept(server, NULL, NULL), last = clients[count - 1];
	CHECK_EQ(connect_to(last, "@cathode-full"), 0);         /* the one that was refused is as good as new */
	close(peer);
	CHECK_EQ(read(clients[0], &byte, 1), 0);
	close(server);                                          /* and with it all that nobody accepted */
	CHECK(send(last, "x", 1, MSG_NOSIGNAL) == -1 && (errno == EPIPE || errno == ECONNRESET));
	for (int i = 0; i < count; i++)
		close(clients[i]);
}

TEST(who_waits_for_a_full_server_gets_in_when_there_is_room)
{
	enum { MANY = 400 };
	int server = listening(SOCK_STREAM, "@cathode-waiting"), clients[MANY], count = 0, status;
	struct pollfd coming = { .fd = server, .events = POLLIN };

	for (; count < MANY; count++) {
		clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect_to(clients[count], "@cathode-waiting") != 0)
			break;
	}
	CHECK(count < MANY && errno == EAGAIN);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < 3; i++)
			if (connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "@cathode-waiting") != 0)
				_exit(1);
		_exit(0);
	}
	usleep(50000);                                          /* so that it does wait; without, it is just a weaker test */
	for (int i = 0; i < count + 3; i++) {
		CHECK_EQ(poll(&coming, 1, 20000), 1);
		close(accept(server, NULL, NULL));
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	for (int i = 0; i <= count; i++)
		close(clients[i]);
	close(server);
}

TEST(datagrams_say_where_they_come_from)
{
	struct sockaddr_un un, expected;
	socklen_t length, expected_length = address(&expected, "@cathode-client");
	int server = bound(SOCK_DGRAM, "server.datagram"), client = bound(SOCK_DGRAM, "@cathode-client");
	char text[8];

	length = address(&un, "server.datagram");
	CHECK_EQ(sendto(client, "ask", 3, 0, (struct sockaddr *)&un, length), 3);
	length = sizeof un;
	CHECK_EQ(recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&un, &length), 3);
	CHECK_EQ(length, expected_length);
	CHECK(memcmp(&un, &expected, length) == 0);
	CHECK_EQ(sendto(server, "reply", 5, 0, (struct sockaddr *)&un, length), 5);
	CHECK_EQ(recv(client, text, sizeof text, 0), 5);
	CHECK_EQ(connect_to(client, "server.datagram"), 0);
	CHECK_EQ(send(client, "direct", 6, 0), 6);
	CHECK_EQ(write(client, "plain", 5), 5);
	CHECK_EQ(recv(server, text, sizeof text, 0), 6);
	length = sizeof un;
	CHECK_EQ(recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&un, &length), 5);
	CHECK(memcmp(&un, &expected, length) == 0);
	close(server);
	CHECK(send(client, "x", 1, 0) == -1 && errno == ECONNREFUSED);
	close(client);
	client = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(send(client, "x", 1, 0) == -1 && errno == ENOTCONN);
	close(client);
	unlink("server.datagram");
}

TEST(bind_without_a_name_makes_one)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t length = sizeof un;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK_EQ(bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&un, &length), 0);
	CHECK_EQ(length, sizeof(sa_family_t) + 6);
	CHECK_EQ(un.sun_path[0], 0);
	close(fd);
}

TEST(descriptors_travel_with_bytes)
{
	int ends[2];
	char text[8] = { 0 };

	CHECK_EQ(pipe(ends), 0);
	pair_make(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "before", 6, 0), 6);
	CHECK_EQ(send_fds(pair[0], "x", 1, &ends[0], 1), 1);
	CHECK_EQ(send(pair[0], "after", 5, 0), 5);
	close(ends[0]);
	CHECK_EQ(write(ends[1], "through", 7), 7);
	struct got g = receive(pair[1], text, sizeof text, 512, MSG_CMSG_CLOEXEC);
	CHECK_EQ(g.bytes, 7);           /* those before it come along, those after it do not */
	CHECK_EQ(g.fd_count, 1);
	CHECK_EQ(fcntl(g.fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(g.fds[0], text, sizeof text), 7);
	CHECK(memcmp(text, "through", 7) == 0);
	close(g.fds[0]);
	CHECK_EQ(recv(pair[1], text, sizeof text, 0), 5);
	close(ends[1]);
	pair_close();
}

static void check_many_fds(int type)
{
	enum { COUNT = 20 };
	int ends[2], fds[COUNT];
	char text[8];

	CHECK_EQ(pipe(ends), 0);
	pair_make(type);
	for (int i = 0; i < COUNT; i++)
		fds[i] = ends[i % 2];
	CHECK_EQ(send_fds(pair[0], "x", 1, fds, COUNT), 1);
	struct got g = receive(pair[1], text, sizeof text, 1024, 0);
	CHECK_EQ(g.fd_count, COUNT);
	CHECK_EQ(write(g.fds[COUNT - 1], "1", 1), 1);
	CHECK_EQ(read(g.fds[0], text, 1), 1);
	for (int i = 0; i < g.fd_count; i++)
		close(g.fds[i]);
	CHECK_EQ(send_fds(pair[0], "x", 1, fds, COUNT), 1);
	g = receive(pair[1], text, sizeof text, CMSG_SPACE(2 * sizeof(int)), 0);        /* room for two */
	CHECK_EQ(g.bytes, 1);
	CHECK_EQ(g.fd_count, 2);
	CHECK(g.flags & MSG_CTRUNC);
	for (int i = 0; i < g.fd_count; i++)
		close(g.fds[i]);
	CHECK_EQ(send_fds(pair[0], "x", 1, fds, 1), 1);
	CHECK_EQ(recv(pair[1], text, 1, 0), 1);         /* who does not ask loses it */
	fds[0] = 0x7fff;
	CHECK(send_fds(pair[0], "x", 1, fds, 1) == -1 && errno == EBADF);
	CHECK(send_fds(pair[0], "x", 1, fds, 2) == -1 && errno == EBADF);
	close(ends[1]);
	CHECK_EQ(read(ends[0], text, 1), 0);            /* nobody kept the write end */
	close(ends[0]);
	pair_close();
}

TEST(many_descriptors_travel_in_one_message)
{
	check_many_fds(SOCK_STREAM);
	check_many_fds(SOCK_DGRAM);
	check_many_fds(SOCK_SEQPACKET);
}

TEST(a_chain_of_sockets_within_sockets_is_dropped_at_once)
{
	enum { DEPTH = 150 };
	int held[DEPTH], fd = -1;

	for (int i = 0; i < DEPTH; i++) {
		pair_make(SOCK_DGRAM);
		if (fd >= 0) {
			CHECK_EQ(send_fds(pair[0], "x", 1, &fd, 1), 1);
			close(fd);
		}
		fd = pair[1];
		held[i] = pair[0];
	}
	for (int i = 0; i < DEPTH; i++)
		close(held[i]);
	close(fd);
	pair_make(SOCK_STREAM);
	CHECK_EQ(send_fds(pair[0], "x", 1, &pair[1], 1), 1);    /* a socket in its own queue */
	pair_close();
}

TEST(a_socket_is_still_itself_after_travelling)
{
	int server = listening(SOCK_STREAM, "@cathode-travel"), client;
	char text[8];

	pair_make(SOCK_STREAM);
	client = connected(SOCK_STREAM, "@cathode-travel");
	CHECK_EQ(send_fds(pair[0], "x", 1, &client, 1), 1);
	close(client);
	int peer = accept(server, NULL, NULL);
	CHECK_EQ(send(peer, "hello", 5, 0), 5);
	struct got g = receive(pair[1], text, 1, 512, 0);
	CHECK_EQ(g.fd_count, 1);
	CHECK_EQ(recv(g.fds[0], text, sizeof text, 0), 5);
	close(g.fds[0]);
	CHECK_EQ(recv(peer, text, sizeof text, 0), 0);
	close(peer);
	close(server);
	pair_close();
}

static struct ucred peer_of(int fd)
{
	struct ucred u = { 0 };
	socklen_t length = sizeof u;

	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &length), 0);
	CHECK_EQ(length, sizeof u);
	return u;
}

TEST(the_other_side_is_known)
{
	int server = listening(SOCK_STREAM, "@cathode-credentials"), status;

	pid_t child = fork();
	if (child == 0) {
		if (getuid() == 0 && (setgid(1001) || setuid(1000)))
			_exit(2);
		int fd = connected(SOCK_STREAM, "@cathode-credentials");
		struct ucred u = peer_of(fd);
		char byte;
		_exit(u.pid != getppid() || read(fd, &byte, 1) != 1);
	}
	int peer = accept(server, NULL, NULL);
	struct ucred u = peer_of(peer);
	CHECK_EQ(u.pid, child);
	CHECK_EQ(u.uid, getuid() == 0 ? 1000 : getuid());
	CHECK_EQ(u.gid, getuid() == 0 ? 1001 : getgid());
	CHECK_EQ(write(peer, "x", 1), 1);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(peer);
	close(server);
	pair_make(SOCK_STREAM);
	CHECK_EQ(peer_of(pair[0]).pid, getpid());
	pair_close();
}

TEST(credentials_come_with_messages_when_asked_for)
{
	int on = 1;
	char text[8];

	for (int i = 0; i < 3; i++) {
		static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
		pair_make(types[i]);
		CHECK_EQ(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
		pid_t child = fork();
		if (child == 0)
			_exit(send(pair[0], "x", 1, 0) != 1);
		struct got g = receive(pair[1], text, sizeof text, 512, 0);
		CHECK_EQ(g.bytes, 1);
		CHECK(g.has_from);
		if (types[i] != SOCK_STREAM)            /* of a mere stream only who made it is known here */
			CHECK_EQ(g.from.pid, child);
		CHECK_EQ(g.from.uid, getuid());
		CHECK_EQ(waitpid(child, NULL, 0), child);
		pair_close();
	}
}

TEST(options_say_what_a_socket_is)
{
	int value = 0;
	socklen_t length = sizeof value;
	int server = listening(SOCK_SEQPACKET, "@cathode-options");

	CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_TYPE, &value, &length), 0);
	CHECK_EQ(value, SOCK_SEQPACKET);
	CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
	CHECK_EQ(value, AF_UNIX);
	CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_ERROR, &value, &length), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_SNDBUF, &value, &length), 0);
	CHECK(value >= 4096);
	value = 65536;
	CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_SNDBUF, &value, sizeof value), 0);
	CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), 0);
	CHECK(setsockopt(server, SOL_SOCKET, 7777, &value, sizeof value) == -1 && errno == ENOPROTOOPT);
	CHECK(setsockopt(server, SOL_SOCKET, SO_SNDBUF, &value, 1) == -1 && errno == EINVAL);
	close(server);
}

TEST(scattered_pieces_are_gathered)
{
	static char big[3][40000];
	char text[3][4] = { "" };
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } }, in[3] = { { text[0], 1 }, { text[1], 3 }, { text[2], 4 } };
	struct iovec large[3] = { { big[0], 20000 }, { big[1], 10000 }, { big[2], 30000 } };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 3 };

	pair_make(SOCK_SEQPACKET);
	CHECK_EQ(sendmsg(pair[0], &m, 0), 6);
	m.msg_iov = in;
	CHECK_EQ(recvmsg(pair[1], &m, 0), 6);
	CHECK(memcmp(text[0], "a", 1) == 0 && memcmp(text[1], "bcd", 3) == 0 && memcmp(text[2], "ef", 2) == 0);
	CHECK_EQ(writev(pair[0], out, 3), 6);
	CHECK_EQ(read(pair[1], big[0], 100), 6);
	memset(big, 'x', sizeof big);
	m.msg_iov = large;
	CHECK_EQ(sendmsg(pair[0], &m, 0), 60000);
	memset(big, 0, sizeof big);
	CHECK_EQ(recvmsg(pair[1], &m, 0), 60000);
	CHECK(big[0][19999] == 'x' && big[1][9999] == 'x' && big[2][29999] == 'x' && big[2][30000] == 0);
	pair_close();
}

TEST(MSG_WAITALL_waits_for_all)
{
	char text[8];

	pair_make(SOCK_STREAM);
	pid_t child = fork();
	if (child == 0) {
		CHECK_EQ(write(pair[0], "abc", 3), 3);
		usleep(20000);
		_exit(write(pair[0], "de", 2) != 2);
	}
	CHECK_EQ(recv(pair[1], text, 5, MSG_WAITALL), 5);
	CHECK(memcmp(text, "abcde", 5) == 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	pair_close();
}

TEST(a_full_socket_says_so_and_goes_on_when_read)
{
	static char block[4096];
	ssize_t all = 0, count;

	pair_make(SOCK_STREAM | SOCK_NONBLOCK);
	while ((count = write(pair[0], block, sizeof block)) > 0)
		all += count;
	CHECK(count == -1 && errno == EAGAIN);
	CHECK_EQ(ready_of(pair[0], POLLOUT), 0);
	int pending = 0;
	CHECK_EQ(ioctl(pair[1], FIONREAD, &pending), 0);
	CHECK_EQ(pending, all);
	while (all > 0 && (count = read(pair[1], block, sizeof block)) > 0)
		all -= count;
	CHECK_EQ(all, 0);
	CHECK_EQ(ready_of(pair[0], POLLOUT), POLLOUT);
	pair_close();
}

TEST(epoll_tells_of_connections_bytes_and_ends)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u32 = 1 };
	int server = listening(SOCK_STREAM, "@cathode-epoll"), queue = epoll_create1(0);

	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, server, &event), 0);
	CHECK_EQ(epoll_wait(queue, &event, 1, 0), 0);
	int client = connected(SOCK_STREAM, "@cathode-epoll");
	CHECK_EQ(epoll_wait(queue, &event, 1, 1000), 1);
	CHECK_EQ(event.data.u32, 1);
	int peer = accept(server, NULL, NULL);
	event = (struct epoll_event){ .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u32 = 2 };
	CHECK_EQ(epoll_ctl(queue, EPOLL_CTL_ADD, peer, &event), 0);
	CHECK_EQ(epoll_wait(queue, &event, 1, 0), 0);
	CHECK_EQ(write(client, "x", 1), 1);
	CHECK_EQ(epoll_wait(queue, &event, 1, 1000), 1);
	CHECK_EQ(event.events, EPOLLIN);
	close(client);
	CHECK_EQ(epoll_wait(queue, &event, 1, 1000), 1);
	CHECK_EQ(event.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
	close(peer);
	close(queue);
	close(server);
}

TEST(many_clients_at_once_are_all_served)
{
	enum { CLIENTS = 16, ROUNDS = 50 };
	int server = listening(SOCK_STREAM, "crowd.socket"), failed = 0, status;

	for (int i = 0; i < CLIENTS; i++) {
		if (fork() != 0)
			continue;
		int fd = connected(SOCK_STREAM, "crowd.socket");
		for (int round = 0; round < ROUNDS; round++) {
			char byte = (char)(i + round), back = 0;
			if (write(fd, &byte, 1) != 1 || read(fd, &back, 1) != 1 || back != (char)(byte + 1))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		int peer = accept(server, NULL, NULL);
		if (fork() != 0) {
			close(peer);
			continue;
		}
		char byte;
		while (read(peer, &byte, 1) == 1) {
			byte++;
			if (write(peer, &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	for (int i = 0; i < 2 * CLIENTS; i++) {
		CHECK(wait(&status) > 0);
		failed += status != 0;
	}
	CHECK_EQ(failed, 0);
	close(server);
	unlink("crowd.socket");
}

/* The process with this name, if there is one (here: the server of abstract names; on Linux there is none). */
static pid_t process_named(const char *name)
{
	DIR *processes = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (processes && !found && (e = readdir(processes))) {
		char path[300], comm[64] = "";
		snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
		FILE *f = fopen(path, "r");
		if (f && fgets(comm, sizeof comm, f) && strcspn(comm, "\n") == strlen(name) && !strncmp(comm, name, strlen(name)))
			found = atoi(e->d_name);
		if (f)
			fclose(f);
	}
	if (processes)
		closedir(processes);
	return found;
}

TEST(connections_outlive_the_server_of_names)
{
	int server = listening(SOCK_STREAM, "@cathode-lasting"), client = connected(SOCK_STREAM, "@cathode-lasting");
	int peer = accept(server, NULL, NULL);
	pid_t names = process_named("unixd");
	char byte = 0;

	if (names > 1 && getuid() == 0)
		CHECK_EQ(kill(names, SIGKILL), 0);
	CHECK_EQ(write(client, "x", 1), 1);
	CHECK_EQ(read(peer, &byte, 1), 1);
	CHECK_EQ(byte, 'x');
	int second = listening(SOCK_STREAM, "@cathode-after"), other = connected(SOCK_STREAM, "@cathode-after");
	CHECK_EQ(write(peer, "y", 1), 1);
	CHECK_EQ(read(client, &byte, 1), 1);
	CHECK_EQ(byte, 'y');
	close(other);
	close(second);
	close(peer);
	close(client);
	close(server);
}

TEST(wild_pointers_are_EFAULT)
{
	void *volatile hidden = (void *)0x10;   /* the compiler would warn */
	void *wild = hidden;
	struct msghdr m = { .msg_iov = wild, .msg_iovlen = 1 };
	struct iovec v = { wild, 4 };
	char byte;

	pair_make(SOCK_SEQPACKET);
	/* (As they are: a C library looks into the header itself.) */
	CHECK(syscall(SYS_sendmsg, pair[0], wild, 0) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_recvmsg, pair[0], wild, MSG_DONTWAIT) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_sendmsg, pair[0], &m, 0) == -1 && errno == EFAULT);
	CHECK(send(pair[0], wild, 4, 0) == -1 && errno == EFAULT);
	m.msg_iov = &v;
	CHECK(sendmsg(pair[0], &m, 0) == -1 && errno == EFAULT);
	CHECK(recv(pair[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
	CHECK(recv(pair[1], wild, 4, 0) == -1 && errno == EFAULT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, wild) == -1 && errno == EFAULT);
	CHECK(bind(pair[0], wild, 16) == -1 && errno == EFAULT);
	pair_close();
}
