/* personality/linux/message.c - sending and receiving on AF_UNIX sockets: bytes, addresses, and what goes along with them.
 *
 * A kernel packet carries one handle. More than one descriptor travel in a box: a socket that holds one packet for each.
 * The packet's word says how many there are (RIGHTS_MASK), and whether the sender wants to be known.
 */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/area.h"
#include "personality/linux/deliver.h"
#include "personality/linux/socket.h"

enum { BOUNCE_ON_STACK = 4096, BOUNCE_MAX = 1 << 20 };
enum { RIGHTS_MASK = 0xffff, WORD_CREDENTIALS = 1 << 16 };
#define MESSAGE_FLAGS (LINUX_MSG_PEEK | LINUX_MSG_TRUNC | LINUX_MSG_DONTWAIT | LINUX_MSG_EOR | LINUX_MSG_WAITALL | LINUX_MSG_NOSIGNAL | \
                       LINUX_MSG_CMSG_CLOEXEC | LINUX_MSG_CTRUNC)

static uint32_t request_flags(uint64_t flags)
{
	return REQUEST_INTERRUPTIBLE | REQUEST_KERNEL | (flags & LINUX_MSG_DONTWAIT ? REQUEST_NONBLOCK : 0);
}

/* ---- a program's pieces as one ---- */

struct bounce {
	uint64_t at;                    /* the bytes: the program's own when there is only one piece */
	size_t bytes;
	void *area;                     /* ours, or NULL */
	char small[BOUNCE_ON_STACK];
};

static int64_t vector_total(uint64_t vector, uint64_t count, struct linux_iovec *only)
{
	uint64_t total = 0;

	if (count > LINUX_IOV_MAX)
		return -LINUX_EMSGSIZE;
	*only = (struct linux_iovec){ 0 };
	for (uint64_t i = 0; i < count; i++) {
		struct linux_iovec v;
		int64_t result = user_read(&v, vector + i * sizeof(v), sizeof(v));
		if (result < 0)
			return result;
		if (v.bytes > INT32_MAX - total)
			return ERR_INVAL;
		if (v.bytes)
			*only = v;
		total += v.bytes;
	}
	return (int64_t)total;
}

/* Makes room for what the pieces hold. */
static int64_t bounce_begin(struct thread *t, struct bounce *b, uint64_t vector, uint64_t count)
{
	struct linux_iovec only;
	int64_t total = vector_total(vector, count, &only);

	if (total < 0)
		return total;
	b->area = NULL;
	b->bytes = (size_t)total;
	b->at = only.base;
	if (only.bytes == b->bytes)
		return 0;
	b->bytes = MIN_OF(b->bytes, BOUNCE_MAX);
	b->at = (uint64_t)b->small;
	if (b->bytes <= sizeof(b->small))
		return 0;
	int64_t result = area_map(t->process, b->bytes, &b->area);
	b->at = (uint64_t)b->area;
	return result;
}

static void bounce_end(struct bounce *b)
{
	if (b->area)
		area_unmap(b->area, b->bytes);
}

static bool is_bounced(const struct bounce *b) { return b->area || b->at == (uint64_t)b->small; }

/* Between the pieces and the bounce buffer, bytes of it. */
static int64_t bounce_copy(struct bounce *b, uint64_t vector, uint64_t count, size_t bytes, bool to_program)
{
	size_t at = 0;

	for (uint64_t i = 0; i < count && at < bytes; i++) {
		struct linux_iovec v;
		int64_t result = user_read(&v, vector + i * sizeof(v), sizeof(v));
		size_t run = MIN_OF(v.bytes, bytes - at);
		if (result >= 0)
			result = to_program ? user_write(v.base, (void *)(b->at + at), run) : user_read((void *)(b->at + at), v.base, run);
		if (result < 0)
			return result;
		at += run;
	}
	return 0;
}

/* ---- sending ---- */

/* What goes along. */
struct sent {
	uint64_t word;
	handle_t pass;                  /* HANDLE_NONE: none; ours when is_box */
	bool is_box;
};

static int64_t box_fill(handle_t in, const int32_t *fds, size_t count)
{
	handle_t ignored;

	for (size_t i = 0; i < count; i++) {
		int64_t result = fd_is_valid((uint32_t)fds[i])
		               ? native_call_handle(in, PIPE_SEND, REQUEST_NONBLOCK, fds[i], NULL, 0, NULL, 0, 1, &ignored) : ERR_BADF;
		if (result < 0)
			return result;
	}
	return 0;
}

/* A socket that holds these descriptors: private. */
static int64_t box_make(const int32_t *fds, size_t count)
{
	int64_t box = NATIVE_OPEN("pipe", "sequence", OPEN_PRIVATE | OPEN_READ | OPEN_WRITE);

	if (box < 0)
		return box;
	int64_t in = native(OP_OPEN, 0, (handle_t)box, 0, 0, (uint64_t)"peer", 4, OPEN_PRIVATE, 0);
	int64_t result = in < 0 ? in : box_fill((handle_t)in, fds, count);
	if (in >= 0)
		native_close((handle_t)in);
	if (result >= 0)
		return box;
	native_close((handle_t)box);
	return result;
}

static int64_t read_rights(uint64_t at, size_t bytes, struct sent *s)
{
	int32_t fds[LINUX_SCM_MAX_FD];
	size_t count = bytes / sizeof(fds[0]);
	int64_t result;

	if (count > LINUX_SCM_MAX_FD || s->pass != HANDLE_NONE)
		return ERR_INVAL;
	if (count == 0)
		return 0;
	if ((result = user_read(fds, at, count * sizeof(fds[0]))) < 0)
		return result;
	s->is_box = count > 1;
	if (!s->is_box && !fd_is_valid((uint32_t)fds[0]))
		return ERR_BADF;
	if (s->is_box && (result = box_make(fds, count)) < 0)
		return result;
	s->pass = s->is_box ? (handle_t)result : fds[0];
	s->word |= count;
	return 0;
}

/* The kernel stamps who sends: here one may only say what is so. */
static int64_t read_credentials(struct thread *t, uint64_t at, size_t bytes, struct sent *s)
{
	const struct process_ids *ids = process_ids(t->process);
	struct linux_ucred u;
	int64_t result;

	if (bytes != sizeof(u))
		return ERR_INVAL;
	if ((result = user_read(&u, at, sizeof(u))) < 0)
		return result;
	if (u.pid != t->process->pid || (u.uid != ids->uid && u.uid != ids->euid && u.uid != ids->suid) ||
	    (u.gid != ids->gid && u.gid != ids->egid && u.gid != ids->sgid))
		return ERR_PERM;
	s->word |= WORD_CREDENTIALS;
	return 0;
}

static int64_t read_control(struct thread *t, uint64_t control, uint64_t bytes, struct sent *s)
{
	uint64_t at = 0;

	if (bytes > INT32_MAX)
		return -LINUX_ENOBUFS;
	while (at < bytes && bytes - at >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr c;
		int64_t result = user_read(&c, control + at, sizeof(c));
		if (result < 0)
			return result;
		if (c.len < sizeof(c) || c.len > bytes - at)
			return ERR_INVAL;
		if (c.level == LINUX_SOL_SOCKET && c.type == LINUX_SCM_RIGHTS)
			result = read_rights(control + at + sizeof(c), c.len - sizeof(c), s);
		else if (c.level == LINUX_SOL_SOCKET && c.type == LINUX_SCM_CREDENTIALS)
			result = read_credentials(t, control + at + sizeof(c), c.len - sizeof(c), s);
		else if (c.level == LINUX_SOL_SOCKET)
			result = ERR_INVAL;
		if (result < 0)
			return result;
		at += round_up(c.len, 8);
	}
	return 0;
}

static int64_t send_bytes(handle_t to, uint64_t at, size_t bytes, const struct sent *s, uint64_t flags)
{
	handle_t ignored;

	return native_call_handle(to, PIPE_SEND, request_flags(flags), s->pass, (void *)at, bytes, NULL, 0, s->word, &ignored);
}

/* A datagram to an address: from a socket of the same name, connected there, for the receiver is to see that name. */
static int64_t send_to(struct thread *t, uint64_t fd, uint64_t address, uint64_t address_bytes, uint64_t at, size_t bytes,
                       const struct sent *s, uint64_t flags)
{
	struct pipe_info info, target;
	handle_t ignored;
	int64_t result = socket_info(fd, &info);

	if (result < 0)
		return result;
	if (info.kind != PIPE_DATAGRAM)
		return native_call((handle_t)fd, PIPE_INFO, 0, NULL, 0, &info, sizeof(info), 1) < 0 ? ERR_OPNOTSUPP : ERR_ISCONN;
	int64_t to = socket_find(t, address, address_bytes);
	if (to < 0)
		return to;
	int64_t from = NATIVE_OPEN("pipe", "datagram", OPEN_PRIVATE | OPEN_READ | OPEN_WRITE);
	result = from < 0 ? from : native_call((handle_t)to, PIPE_INFO, REQUEST_KERNEL, NULL, 0, &target, sizeof(target), 0);
	if (result >= 0 && target.kind != PIPE_DATAGRAM)
		result = ERR_PROTOTYPE;
	if (result >= 0 && (result = native_call((handle_t)from, PIPE_NAME, 0, &info, sizeof(info), NULL, 0, 0)) >= 0)
		result = native_call_handle((handle_t)from, PIPE_CONNECT, 0, (handle_t)to, NULL, 0, NULL, 0, 0, &ignored);
	if (native(OP_CONTROL, 0, (handle_t)fd, CONTROL_GET, 0, 0, 0, 0, 0) & OPEN_NONBLOCK)
		flags |= LINUX_MSG_DONTWAIT;
	if (result >= 0)
		result = send_bytes((handle_t)from, at, bytes, s, flags);
	if (from >= 0)
		native_close((handle_t)from);
	native_close((handle_t)to);
	return result;
}

static int64_t finish_send(struct thread *t, int64_t result, uint64_t flags)
{
	if (result == ERR_PIPE && !(flags & LINUX_MSG_NOSIGNAL))
		signal_send_self(t, t->tid, LINUX_SIGPIPE, 0);
	return socket_result(result);
}

int64_t linux_sendto(struct thread *t, const uint64_t *a)
{
	const struct sent nothing = { .pass = HANDLE_NONE };
	int64_t result;

	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if (a[3] & ~(uint64_t)MESSAGE_FLAGS)
		return ERR_OPNOTSUPP;
	if (a[4] && (uint32_t)a[5])
		result = send_to(t, a[0], a[4], (uint32_t)a[5], a[1], a[2], &nothing, a[3]);
	else
		result = send_bytes((handle_t)a[0], a[1], a[2], &nothing, a[3]);
	return finish_send(t, result, a[3]);
}

static int64_t send_gathered(struct thread *t, uint64_t fd, const struct linux_msghdr *m, const struct sent *s, uint64_t flags)
{
	struct bounce b;
	int64_t result = bounce_begin(t, &b, m->vector, m->count);

	if (result < 0)
		return result;
	if (is_bounced(&b))
		result = bounce_copy(&b, m->vector, m->count, b.bytes, false);
	if (result >= 0 && m->name && m->name_bytes)
		result = send_to(t, fd, m->name, m->name_bytes, b.at, b.bytes, s, flags);
	else if (result >= 0)
		result = send_bytes((handle_t)fd, b.at, b.bytes, s, flags);
	bounce_end(&b);
	return result;
}

static int64_t send_message(struct thread *t, uint64_t fd, uint64_t header, uint64_t flags)
{
	struct sent s = { .pass = HANDLE_NONE };
	struct linux_msghdr m;
	int64_t result;

	if (!fd_is_valid(fd))
		return ERR_BADF;
	if (flags & ~(uint64_t)MESSAGE_FLAGS)
		return ERR_OPNOTSUPP;
	if ((result = user_read(&m, header, sizeof(m))) < 0)
		return result;
	if (m.control_bytes)
		result = read_control(t, m.control, m.control_bytes, &s);
	if (result >= 0)
		result = send_gathered(t, fd, &m, &s, flags);
	if (s.is_box)
		native_close(s.pass);
	return finish_send(t, result, flags);
}

int64_t linux_sendmsg(struct thread *t, const uint64_t *a)
{
	return send_message(t, a[0], a[1], (uint32_t)a[2]);
}

/* ---- receiving ---- */

static int64_t receive(uint64_t fd, uint64_t at, size_t bytes, uint64_t flags, struct pipe_received *about, handle_t *h)
{
	struct pipe_receive where = { at, bytes };

	*h = HANDLE_NONE;
	return native_call_handle((handle_t)fd, PIPE_RECEIVE, request_flags(flags), HANDLE_NONE, &where, sizeof(where), about, sizeof(*about),
	                          flags & LINUX_MSG_PEEK ? PIPE_PEEK : 0, h);
}

/* As receive; MSG_WAITALL: until all are there or something else comes. */
static int64_t receive_all(uint64_t fd, uint64_t at, size_t bytes, uint64_t flags, struct pipe_received *about, handle_t *h)
{
	int64_t done = receive(fd, at, bytes, flags, about, h), more;

	if (!(flags & LINUX_MSG_WAITALL) || flags & LINUX_MSG_PEEK || done <= 0 || about->sender.kind)
		return done;
	struct pipe_received next;
	handle_t none;
	while ((size_t)done < bytes && (more = receive(fd, at + (size_t)done, bytes - (size_t)done, flags, &next, &none)) > 0) {
		done += more;
		if (none == HANDLE_NONE)
			continue;
		*h = none;              /* what came with a later piece is not lost: it ends the wait */
		*about = next;
		break;
	}
	return done;
}

/* What a receive call says of a packet that was longer than the room. */
static int64_t whole_length(int64_t result, const struct pipe_received *about, uint64_t flags, uint32_t *out_flags)
{
	bool is_packet = about->sender.kind == PIPE_DATAGRAM || about->sender.kind == PIPE_SEQUENCE;

	if (result < 0 || !is_packet || about->bytes <= (uint64_t)result)
		return result;
	*out_flags |= LINUX_MSG_TRUNC;
	return flags & LINUX_MSG_TRUNC ? (int64_t)about->bytes : result;
}

int64_t linux_recvfrom(struct thread *t, const uint64_t *a)
{
	struct pipe_received about;
	uint32_t out_flags;
	handle_t h;

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if (a[3] & LINUX_MSG_OOB)
		return ERR_OPNOTSUPP;
	if (!(a[3] & ~(uint64_t)(LINUX_MSG_DONTWAIT | LINUX_MSG_NOSIGNAL)) && !a[4])    /* common: only bytes */
		return socket_result(native_call((handle_t)a[0], PIPE_RECEIVE, request_flags(a[3]), NULL, 0, (void *)a[1], a[2], 0));
	int64_t result = receive_all(a[0], a[1], a[2], a[3], &about, &h);
	if (h != HANDLE_NONE)
		native_close(h);
	result = whole_length(result, &about, a[3], &out_flags);
	if (result >= 0 && a[4]) {
		int64_t err = socket_write_name(a[4], a[5], about.sender.name, about.sender.kind == PIPE_DATAGRAM ? about.sender.name_bytes : 0);
		if (err < 0)
			return err;
	}
	return socket_result(result);
}

/* Control messages on their way to the program. */
struct ancillary {
	uint64_t at, room, used;
	uint32_t flags;                 /* MSG_CTRUNC */
};

static int64_t put_control(struct ancillary *c, int32_t type, const void *data, size_t bytes)
{
	struct linux_cmsghdr header = { .len = sizeof(header) + bytes, .level = LINUX_SOL_SOCKET, .type = type };
	uint64_t at = c->at + c->used;
	int64_t result;

	if (c->room - c->used < header.len) {
		c->flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if ((result = user_write(at, &header, sizeof(header))) < 0 || (result = user_write(at + sizeof(header), data, bytes)) < 0)
		return result;
	c->used = MIN_OF(c->used + round_up(header.len, 8), c->room);
	return 0;
}

/* A received handle as a descriptor of the program's; eaten. */
static int64_t fd_from(handle_t h, bool cloexec)
{
	int64_t fd = native(OP_DUP, 0, h, 0, cloexec ? DUP_CLOEXEC : 0, RIGHT_ALL, 0, 0, 0);

	native_close(h);
	return fd;
}

/* Up to room descriptors out of what came; how many. The rest is dropped. */
static size_t take_rights(handle_t h, size_t count, size_t room, bool cloexec, int32_t *fds)
{
	struct pipe_received about;
	handle_t one = h;
	size_t taken = 0;

	for (size_t i = 0; i < count && i < room; i++) {
		if (count > 1 && (receive((uint64_t)h, 0, 0, LINUX_MSG_DONTWAIT, &about, &one) < 0 || one == HANDLE_NONE))
			break;
		int64_t fd = fd_from(one, cloexec);
		if (fd < 0)
			break;
		fds[taken++] = (int32_t)fd;
	}
	if (count != 1 || room == 0)
		native_close(h);
	return taken;
}

static int64_t put_rights(struct ancillary *c, handle_t h, uint64_t word, bool cloexec)
{
	int32_t fds[LINUX_SCM_MAX_FD];
	size_t count = MIN_OF(word & RIGHTS_MASK, LINUX_SCM_MAX_FD), left = c->room - c->used;
	size_t room = left < sizeof(struct linux_cmsghdr) ? 0 : (left - sizeof(struct linux_cmsghdr)) / sizeof(fds[0]);
	size_t taken = take_rights(h, count, room, cloexec, fds);

	if (taken < count)
		c->flags |= LINUX_MSG_CTRUNC;
	return taken ? put_control(c, LINUX_SCM_RIGHTS, fds, taken * sizeof(fds[0])) : 0;
}

/* Who sent it, if the program wants to know. */
static int64_t put_credentials(struct ancillary *c, uint64_t fd, const struct pipe_received *about)
{
	struct linux_ucred u = { about->sender.pid, about->sender.uid, about->sender.gid };
	struct pipe_info info;

	if (socket_info(fd, &info) < 0 || !(info.state & SOCKET_PASSES_CREDENTIALS))
		return 0;
	if (!about->sender.kind)
		u = socket_peer((handle_t)fd, &info);
	return put_control(c, LINUX_SCM_CREDENTIALS, &u, sizeof(u));
}

static int64_t receive_scattered(struct thread *t, uint64_t fd, const struct linux_msghdr *m, uint64_t flags, struct pipe_received *about, handle_t *h)
{
	struct bounce b;
	int64_t result = bounce_begin(t, &b, m->vector, m->count);

	if (result < 0)
		return result;
	result = receive_all(fd, b.at, b.bytes, flags, about, h);
	if (result > 0 && is_bounced(&b)) {
		int64_t err = bounce_copy(&b, m->vector, m->count, (size_t)result, true);
		result = err < 0 ? err : result;
	}
	if (result < 0 && *h != HANDLE_NONE)
		native_close(*h);
	bounce_end(&b);
	return result;
}

/* What came beside the bytes, into the message's header, which goes back to the program. */
static int64_t finish_message(uint64_t fd, uint64_t header, struct linux_msghdr *m, uint64_t flags, const struct pipe_received *about, handle_t h)
{
	struct ancillary c = { .at = m->control, .room = m->control ? m->control_bytes : 0 };
	int64_t result = 0;

	if (c.room)
		result = put_credentials(&c, fd, about);
	if (h != HANDLE_NONE && result >= 0)
		result = put_rights(&c, h, about->word, flags & LINUX_MSG_CMSG_CLOEXEC);
	else if (h != HANDLE_NONE)
		native_close(h);
	if (result >= 0 && m->name) {
		bool is_named = about->sender.kind == PIPE_DATAGRAM && about->sender.name_bytes;
		if (is_named)
			result = socket_write_name(m->name, header + offsetof(struct linux_msghdr, name_bytes), about->sender.name, about->sender.name_bytes);
		else
			result = user_write(header + offsetof(struct linux_msghdr, name_bytes), &(uint32_t){ 0 }, sizeof(uint32_t));
	}
	if (result >= 0)
		result = user_write(header + offsetof(struct linux_msghdr, control_bytes), &c.used, sizeof(c.used));
	int32_t said = (int32_t)(m->flags | (int32_t)c.flags | (int32_t)(flags & LINUX_MSG_CMSG_CLOEXEC));
	return result < 0 ? result : user_write(header + offsetof(struct linux_msghdr, flags), &said, sizeof(said));
}

static int64_t receive_message(struct thread *t, uint64_t fd, uint64_t header, uint64_t flags)
{
	struct pipe_received about;
	struct linux_msghdr m;
	uint32_t out_flags = 0;
	handle_t h;
	int64_t result;

	if (!fd_is_valid(fd))
		return ERR_BADF;
	if (flags & LINUX_MSG_OOB)
		return ERR_OPNOTSUPP;
	if ((result = user_read(&m, header, sizeof(m))) < 0)
		return result;
	if ((result = receive_scattered(t, fd, &m, flags, &about, &h)) < 0)
		return socket_result(result);
	result = whole_length(result, &about, flags, &out_flags);
	m.flags = (int32_t)(out_flags | (about.sender.kind == PIPE_SEQUENCE ? LINUX_MSG_EOR : 0));
	int64_t err = finish_message(fd, header, &m, flags, &about, h);
	return err < 0 ? err : result;
}

int64_t linux_recvmsg(struct thread *t, const uint64_t *a)
{
	return receive_message(t, a[0], a[1], (uint32_t)a[2]);
}

/* ---- several at once ---- */

int64_t linux_sendmmsg(struct thread *t, const uint64_t *a)
{
	uint64_t count = MIN_OF((uint32_t)a[2], LINUX_IOV_MAX);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = a[1] + i * sizeof(struct linux_mmsghdr);
		int64_t result = send_message(t, a[0], at, (uint32_t)a[3]);
		uint32_t sent = (uint32_t)result;
		if (result >= 0)
			result = user_write(at + offsetof(struct linux_mmsghdr, bytes), &sent, sizeof(sent));
		if (result < 0)
			return i ? (int64_t)i : result;
	}
	return (int64_t)count;
}

/* The timeout (looked at between messages only, on Linux too) counts as none. */
int64_t linux_recvmmsg(struct thread *t, const uint64_t *a)
{
	enum { LINUX_MSG_WAITFORONE = 0x10000 };
	uint64_t count = MIN_OF((uint32_t)a[2], LINUX_IOV_MAX), flags = (uint32_t)a[3];

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = a[1] + i * sizeof(struct linux_mmsghdr);
		int64_t result = receive_message(t, a[0], at, flags & ~(uint64_t)LINUX_MSG_WAITFORONE);
		uint32_t got = (uint32_t)result;
		if (result >= 0)
			result = user_write(at + offsetof(struct linux_mmsghdr, bytes), &got, sizeof(got));
		if (result < 0)
			return i ? (int64_t)i : result;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
	}
	return (int64_t)count;
}
