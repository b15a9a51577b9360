/* personality/linux/socket.c - AF_UNIX sockets: making, naming, connecting, accepting, options.
 *
 * A name, in the file system or of unixd's, stands for a write end of a socket's pipe. To connect a stream is to make
 * a peer of the own socket and to send it there; to accept is to receive it.
 */
#include "personality/linux/socket.h"
#include "abi/proto/file.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/path.h"

static bool is_connecting(uint32_t kind) { return kind == PIPE_STREAM || kind == PIPE_SEQUENCE; }

int64_t socket_info(uint64_t fd, struct pipe_info *out)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	return socket_result(native_call((handle_t)fd, PIPE_INFO, 0, NULL, 0, out, sizeof(*out), 0));
}

static int64_t set_info(handle_t h, const struct pipe_info *info)
{
	return native_call(h, PIPE_NAME, REQUEST_KERNEL, info, sizeof(*info), NULL, 0, 0);
}

static int64_t open_at(handle_t at, const char *ref, uint64_t open_flags)
{
	return native(OP_OPEN, 0, at, 0, 0, (uint64_t)ref, strlen(ref), open_flags, 0);
}

/* ---- making ---- */

static int64_t make(uint64_t family, uint64_t type, uint64_t protocol, uint64_t more_flags)
{
	uint64_t flags = OPEN_READ | OPEN_WRITE | more_flags |
	                 (file_open_flags((uint32_t)type) & (OPEN_NONBLOCK | OPEN_CLOEXEC));

	if (type & ~(uint64_t)(LINUX_SOCK_TYPE | LINUX_SOCK_NONBLOCK | LINUX_SOCK_CLOEXEC))
		return ERR_INVAL;
	if (family != LINUX_AF_UNIX)
		return -LINUX_EAFNOSUPPORT;
	if (protocol != 0 && protocol != LINUX_AF_UNIX)
		return -LINUX_EPROTONOSUPPORT;
	switch (type & LINUX_SOCK_TYPE) {
	case LINUX_SOCK_STREAM:
		return NATIVE_OPEN("pipe", "stream", flags);
	case LINUX_SOCK_DGRAM:
	case LINUX_SOCK_RAW:
		return NATIVE_OPEN("pipe", "datagram", flags);
	case LINUX_SOCK_SEQPACKET:
		return NATIVE_OPEN("pipe", "sequence", flags);
	default:
		return -LINUX_ESOCKTNOSUPPORT;
	}
}

int64_t linux_socket(struct thread *t, const uint64_t *a)
{
	(void)t;
	return make((uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], 0);
}

int64_t linux_socketpair(struct thread *t, const uint64_t *a)
{
	int32_t fds[2];
	int64_t result = make((uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], 0);

	(void)t;
	if (result < 0)
		return result;
	fds[0] = (int32_t)result;
	result = open_at(fds[0], "peer", file_open_flags((uint32_t)a[1]) & (OPEN_NONBLOCK | OPEN_CLOEXEC));
	if (result < 0)
		goto close_first;
	fds[1] = (int32_t)result;
	if ((result = user_write(a[3], fds, sizeof(fds))) >= 0)
		return 0;
	native_close(fds[1]);
close_first:
	native_close(fds[0]);
	return result;
}

/* ---- names ---- */

/* A program's address: the name in `name`, 0 behind it; its length without trailing 0s of a path. Empty: family only. */
static int64_t read_address(uint64_t address, uint64_t bytes, char name[PIPE_NAME_MAX + 1])
{
	struct linux_sockaddr_un un;
	int64_t result;

	if (bytes < sizeof(un.family) || bytes > sizeof(un))
		return ERR_INVAL;
	if ((result = user_read(&un, address, bytes)) < 0)
		return result;
	if (un.family != LINUX_AF_UNIX)
		return ERR_INVAL;
	bytes -= sizeof(un.family);
	memcpy(name, un.path, bytes);
	name[bytes] = 0;
	return (int64_t)(bytes && name[0] ? strlen(name) : bytes);
}

int64_t socket_write_name(uint64_t address, uint64_t length, const char *name, uint32_t name_bytes)
{
	struct linux_sockaddr_un un = { .family = LINUX_AF_UNIX };
	uint32_t room, bytes = (uint32_t)sizeof(un.family);
	int64_t result;

	if (!length)
		return 0;
	if ((result = user_read(&room, length, sizeof(room))) < 0)
		return result;
	if ((int32_t)room < 0)
		return ERR_INVAL;
	if (name_bytes) {
		memcpy(un.path, name, MIN_OF(name_bytes, sizeof(un.path)));
		bytes += name_bytes + (name[0] && name_bytes < sizeof(un.path));        /* a path's length counts its 0 */
	}
	if (address && (result = user_write(address, &un, MIN_OF(room, bytes))) < 0)
		return result;
	return user_write(length, &bytes, sizeof(bytes));
}

static int64_t names_open(void) { return NATIVE_OPEN("unix", "", OPEN_READ | OPEN_WRITE | OPEN_PRIVATE); }

/* The write end behind a name: a private handle. */
static int64_t find_name(struct thread *t, const char *name, size_t bytes)
{
	handle_t found = HANDLE_NONE;
	struct path_request q = { .code = FILE_CONNECT, .before = "", .received = &found };
	int64_t result;

	if (bytes == 0)
		return ERR_INVAL;
	if (name[0]) {
		result = path_call(t, LINUX_AT_FDCWD, name, &q);
	} else {
		int64_t names = names_open();
		if (names < 0)
			return ERR_CONNREFUSED;
		result = native_call_handle((handle_t)names, UNIX_FIND, REQUEST_INTERRUPTIBLE, HANDLE_NONE, name, bytes, NULL, 0, 0, &found);
		native_close((handle_t)names);
	}
	if (result < 0)
		return call_interrupted(result == ERR_NOTTY ? ERR_CONNREFUSED : result);
	return found == HANDLE_NONE ? ERR_CONNREFUSED : found;
}

int64_t socket_find(struct thread *t, uint64_t address, uint64_t bytes)
{
	char name[PIPE_NAME_MAX + 1];
	int64_t length = read_address(address, bytes, name);

	return length < 0 ? length : find_name(t, name, (size_t)length);
}

/* Gives the write end its name; in name is the one it got. Its length. */
static int64_t give_name(struct thread *t, handle_t end, char name[PIPE_NAME_MAX + 1], size_t bytes)
{
	uint32_t mode = MODE_SOCKET | (0777 & ~t->process->kept.file.umask);
	struct path_request q = { .code = FILE_MKNOD, .word = mode, .before = "", .pass = &end };
	handle_t ignored;

	if (bytes && name[0]) {
		int64_t result = path_call(t, LINUX_AT_FDCWD, name, &q);
		return result < 0 ? result == ERR_EXIST ? ERR_ADDRINUSE : result : (int64_t)bytes;
	}
	int64_t names = names_open();
	if (names < 0)
		return names;
	int64_t result = native_call_handle((handle_t)names, UNIX_BIND, REQUEST_INTERRUPTIBLE, end, name, bytes, name, PIPE_NAME_MAX, 0, &ignored);
	native_close((handle_t)names);
	return result;
}

int64_t linux_bind(struct thread *t, const uint64_t *a)
{
	char name[PIPE_NAME_MAX + 1];
	struct pipe_info info;
	int64_t result, length;

	if ((result = socket_info(a[0], &info)) < 0)
		return result;
	if ((length = read_address(a[1], (uint32_t)a[2], name)) < 0)
		return length;
	if (info.name_bytes)
		return ERR_INVAL;
	int64_t end = open_at((handle_t)a[0], "write", OPEN_WRITE | OPEN_PRIVATE);
	if (end < 0)
		return end;
	length = give_name(t, (handle_t)end, name, (size_t)length);
	native_close((handle_t)end);
	if (length < 0)
		return call_interrupted(length);
	info.name_bytes = (uint32_t)length;
	memcpy(info.name, name, (size_t)length);
	return set_info((handle_t)a[0], &info);
}

int64_t linux_listen(struct thread *t, const uint64_t *a)
{
	struct pipe_info info, peer;
	int64_t result = socket_info(a[0], &info);

	(void)t;
	if (result < 0)
		return result;
	if (!is_connecting(info.kind))
		return ERR_OPNOTSUPP;
	if (!info.name_bytes || native_call((handle_t)a[0], PIPE_INFO, 0, NULL, 0, &peer, sizeof(peer), 1) >= 0)
		return ERR_INVAL;
	info.state |= SOCKET_LISTENS;
	return set_info((handle_t)a[0], &info);
}

static int64_t write_peer_name(handle_t h, uint64_t address, uint64_t length)
{
	struct pipe_info info;
	int64_t result = native_call(h, PIPE_INFO, 0, NULL, 0, &info, sizeof(info), 1);

	return result < 0 ? socket_result(result) : socket_write_name(address, length, info.name, info.name_bytes);
}

int64_t linux_getsockname(struct thread *t, const uint64_t *a)
{
	struct pipe_info info;
	int64_t result = socket_info(a[0], &info);

	(void)t;
	return result < 0 ? result : socket_write_name(a[1], a[2], info.name, info.name_bytes);
}

int64_t linux_getpeername(struct thread *t, const uint64_t *a)
{
	(void)t;
	return fd_is_valid(a[0]) ? write_peer_name((handle_t)a[0], a[1], a[2]) : ERR_BADF;
}

/* ---- connecting ---- */

static bool is_nonblocking(handle_t h)
{
	return native(OP_CONTROL, 0, h, CONTROL_GET, 0, 0, 0, 0, 0) & OPEN_NONBLOCK;
}

/* For one more connection. */
static bool has_room(handle_t to)
{
	struct poll_entry e = { .handle = to, .wanted = READY_WRITE };

	return native(OP_POLL, 0, HANDLE_NONE, (uint64_t)&e, 1, DEADLINE_NOW, 0, 0, 0) > 0;
}

/* After a connection that came to nothing: the descriptor is an unconnected socket again. */
static void start_over(handle_t own, uint32_t kind)
{
	int64_t flags = native(OP_CONTROL, 0, own, CONTROL_GET, 0, 0, 0, 0, 0);
	int64_t fresh = make(LINUX_AF_UNIX, kind, 0, OPEN_PRIVATE | ((uint64_t)flags & OPEN_NONBLOCK));

	if (flags < 0 || fresh < 0)
		return;
	native(OP_DUP, 0, (handle_t)fresh, (uint64_t)own, DUP_EXACT | (flags & OPEN_CLOEXEC ? DUP_CLOEXEC : 0), RIGHT_ALL, 0, 0, 0);
	native_close((handle_t)fresh);
}

/* Sends a peer of ours, which bears the listener's name, to who listens at `to`. */
static int64_t connect_to(handle_t own, struct pipe_info *info, handle_t to)
{
	struct pipe_info listener, peer = {0};
	handle_t ignored;
	int64_t result;

	if ((result = native_call(to, PIPE_INFO, REQUEST_KERNEL, NULL, 0, &listener, sizeof(listener), 0)) < 0)
		return ERR_CONNREFUSED;
	if (listener.kind != info->kind)
		return ERR_PROTOTYPE;
	if (!is_connecting(info->kind))
		return native_call_handle(own, PIPE_CONNECT, 0, to, NULL, 0, NULL, 0, 0, &ignored);
	if (!(listener.state & SOCKET_LISTENS) || (uint32_t)native_call(to, PIPE_ENDS, 0, NULL, 0, NULL, 0, 0) == 0)
		return ERR_CONNREFUSED;
	/* Who does not want to wait is better refused before anything has changed. Who does waits in PIPE_SEND. */
	bool may_wait = !is_nonblocking(own);
	if (!may_wait && !has_room(to))
		return ERR_AGAIN;
	info->state |= SOCKET_HAS_PEER;
	info->peer_pid = listener.pid;
	info->peer_uid = listener.uid;
	info->peer_gid = listener.gid;
	peer.name_bytes = listener.name_bytes;
	memcpy(peer.name, listener.name, sizeof(peer.name));
	int64_t end = open_at(own, "peer", OPEN_PRIVATE);
	if (end < 0)
		return end;
	if ((result = set_info(own, info)) >= 0 && (result = set_info((handle_t)end, &peer)) >= 0)
		result = native_call_handle(to, PIPE_SEND, may_wait ? REQUEST_INTERRUPTIBLE : REQUEST_NONBLOCK, (handle_t)end, info->name, info->name_bytes, NULL, 0, 1, &ignored);
	native_close((handle_t)end);
	if (result < 0)
		start_over(own, info->kind);
	return result == ERR_PIPE ? ERR_CONNREFUSED : result < 0 ? call_interrupted(result) : 0;
}

int64_t linux_connect(struct thread *t, const uint64_t *a)
{
	struct pipe_info info, peer;
	int64_t result = socket_info(a[0], &info);

	if (result < 0)
		return result;
	if (info.state & SOCKET_LISTENS)
		return ERR_INVAL;
	if (native_call((handle_t)a[0], PIPE_INFO, 0, NULL, 0, &peer, sizeof(peer), 1) >= 0)
		return ERR_ISCONN;
	int64_t to = socket_find(t, a[1], (uint32_t)a[2]);
	if (to < 0)
		return to;
	result = connect_to((handle_t)a[0], &info, (handle_t)to);
	native_close((handle_t)to);
	return result;
}

/* A received peer as the program's descriptor. */
static int64_t adopt(handle_t h, const struct pipe_info *listener, const struct pipe_received *from, uint64_t linux_flags)
{
	uint64_t flags = file_open_flags((uint32_t)linux_flags);
	struct pipe_info info = {
		.name_bytes = listener->name_bytes, .state = SOCKET_HAS_PEER | (listener->state & SOCKET_PASSES_CREDENTIALS),
		.peer_pid = from->sender.pid, .peer_uid = from->sender.uid, .peer_gid = from->sender.gid,
	};

	memcpy(info.name, listener->name, sizeof(info.name));
	int64_t result = set_info(h, &info);
	if (result >= 0 && flags & OPEN_NONBLOCK)
		result = native(OP_CONTROL, 0, h, CONTROL_OPEN_FLAGS, OPEN_NONBLOCK, 0, 0, 0, 0);
	return result < 0 ? result : native(OP_DUP, 0, h, 0, flags & OPEN_CLOEXEC ? DUP_CLOEXEC : 0, RIGHT_ALL, 0, 0, 0);
}

static int64_t accept(uint64_t fd, uint64_t address, uint64_t length, uint64_t flags)
{
	char client[PIPE_NAME_MAX];
	struct pipe_receive where = { (uint64_t)client, sizeof(client) };
	struct pipe_received from;
	struct pipe_info info;
	handle_t h;
	int64_t result = socket_info(fd, &info), named;

	if (result < 0)
		return result;
	if (flags & ~(uint64_t)(LINUX_SOCK_NONBLOCK | LINUX_SOCK_CLOEXEC) || !(info.state & SOCKET_LISTENS))
		return is_connecting(info.kind) ? ERR_INVAL : ERR_OPNOTSUPP;
	/* Without a number for it a connection stays where it is. (What other threads open meanwhile may still take the last.) */
	if ((result = native(OP_DUP, 0, (handle_t)fd, 0, DUP_CLOEXEC, RIGHT_ALL, 0, 0, 0)) < 0)
		return result;
	native_close((handle_t)result);
	named = native_call_handle((handle_t)fd, PIPE_RECEIVE, REQUEST_INTERRUPTIBLE, HANDLE_NONE, &where, sizeof(where), &from, sizeof(from),
	                           PIPE_ACCEPT, &h);
	if (named < 0)
		return call_interrupted(named);
	if (h == HANDLE_NONE)   /* nothing at all came: shut down */
		return from.bytes || from.word ? -LINUX_ECONNABORTED : ERR_INVAL;
	result = adopt(h, &info, &from, flags);
	native_close(h);
	if (result >= 0 && (named = socket_write_name(address, length, client, (uint32_t)named)) < 0) {
		native_close((handle_t)result);
		return named;
	}
	return result;
}

int64_t linux_accept(struct thread *t, const uint64_t *a)
{
	(void)t;
	return accept(a[0], a[1], a[2], 0);
}

int64_t linux_accept4(struct thread *t, const uint64_t *a)
{
	(void)t;
	return accept(a[0], a[1], a[2], (uint32_t)a[3]);
}

int64_t linux_shutdown(struct thread *t, const uint64_t *a)
{
	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if (a[1] > 2)
		return ERR_INVAL;
	return socket_result(native_call((handle_t)a[0], PIPE_SHUTDOWN, 0, NULL, 0, NULL, 0, a[1] + 1));
}

/* ---- options ---- */

struct linux_ucred socket_peer(handle_t h, const struct pipe_info *own)
{
	struct pipe_info peer;

	if (own->state & SOCKET_HAS_PEER)
		return (struct linux_ucred){ own->peer_pid, own->peer_uid, own->peer_gid };
	if (native_call(h, PIPE_INFO, 0, NULL, 0, &peer, sizeof(peer), 1) >= 0)
		return (struct linux_ucred){ peer.pid, peer.uid, peer.gid };
	return (struct linux_ucred){ 0, UINT32_MAX, UINT32_MAX };
}

/* What SOL_SOCKET's option says, to *value. */
static int64_t get_option(handle_t h, const struct pipe_info *info, uint64_t option, int32_t *value)
{
	switch (option) {
	case LINUX_SO_TYPE:
		*value = (int32_t)info->kind;
		return 0;
	case LINUX_SO_DOMAIN:
		*value = LINUX_AF_UNIX;
		return 0;
	case LINUX_SO_PASSCRED:
		*value = (info->state & SOCKET_PASSES_CREDENTIALS) != 0;
		return 0;
	case LINUX_SO_ACCEPTCONN:
		*value = (info->state & SOCKET_LISTENS) != 0;
		return 0;
	case LINUX_SO_SNDBUF:
	case LINUX_SO_RCVBUF:
		*value = (int32_t)native_call(h, PIPE_SIZE, 0, NULL, 0, NULL, 0, 0);
		return 0;
	case LINUX_SO_ERROR: case LINUX_SO_PROTOCOL: case LINUX_SO_DEBUG: case LINUX_SO_REUSEADDR: case LINUX_SO_BROADCAST:
	case LINUX_SO_KEEPALIVE: case LINUX_SO_PRIORITY: case LINUX_SO_REUSEPORT:
		*value = 0;
		return 0;
	default:
		return -LINUX_ENOPROTOOPT;
	}
}

int64_t linux_getsockopt(struct thread *t, const uint64_t *a)
{
	struct linux_ucred peer;
	struct pipe_info info;
	int32_t value;
	uint32_t room, bytes = sizeof(value);
	const void *from = &value;
	int64_t result = socket_info(a[0], &info);

	(void)t;
	if (result < 0 || (result = user_read(&room, a[4], sizeof(room))) < 0)
		return result;
	if ((int32_t)room < 0)
		return ERR_INVAL;
	if (a[1] != LINUX_SOL_SOCKET)
		return ERR_OPNOTSUPP;
	if (a[2] == LINUX_SO_PEERCRED) {
		peer = socket_peer((handle_t)a[0], &info);
		from = &peer;
		bytes = sizeof(peer);
	} else if ((result = get_option((handle_t)a[0], &info, a[2], &value)) < 0) {
		return result;
	}
	bytes = MIN_OF(bytes, room);
	return (result = user_write(a[3], from, bytes)) < 0 ? result : user_write(a[4], &bytes, sizeof(bytes));
}

int64_t linux_setsockopt(struct thread *t, const uint64_t *a)
{
	struct pipe_info info;
	int32_t value;
	int64_t result = socket_info(a[0], &info);

	(void)t;
	if (result < 0)
		return result;
	if (a[1] != LINUX_SOL_SOCKET)
		return ERR_OPNOTSUPP;
	if ((int32_t)a[4] < (int32_t)sizeof(value))
		return ERR_INVAL;
	if ((result = user_read(&value, a[3], sizeof(value))) < 0)
		return result;
	switch (a[2]) {
	case LINUX_SO_PASSCRED:
		info.state = value ? info.state | SOCKET_PASSES_CREDENTIALS : info.state & ~(uint32_t)SOCKET_PASSES_CREDENTIALS;
		return set_info((handle_t)a[0], &info);
	/* Of no use here, and no harm: the kernel has one size, and nothing lingers. */
	case LINUX_SO_SNDBUF: case LINUX_SO_RCVBUF: case LINUX_SO_DEBUG: case LINUX_SO_REUSEADDR: case LINUX_SO_BROADCAST:
	case LINUX_SO_KEEPALIVE: case LINUX_SO_PRIORITY: case LINUX_SO_LINGER: case LINUX_SO_REUSEPORT:
		return 0;
	default:
		return -LINUX_ENOPROTOOPT;
	}
}
