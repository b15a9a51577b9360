/* personality/linux/file.c - opening, reading and writing. */
#include "personality/linux/file.h"
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/path.h"
#include "personality/linux/tty.h"

/* Linux cuts longer transfers (MAX_RW_COUNT). */
#define TRANSFER_MAX 0x7ffff000ull
enum { GATHER_BYTES = 4096, COPY_BYTES = 16384 };

/* Directories of the root's tree that other servers serve; marking them again does no harm. */
static void mark_mounts(handle_t root)
{
	static const char *const mounts[] = { "proc", "dev/pts", "scheme", "host" };
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		native_call(root, FILE_MOUNT, 0, mounts[i], __builtin_strlen(mounts[i]), NULL, 0, 1);
}

void file_start(struct process *p, handle_t root, handle_t cwd)
{
	p->kept.file = (struct file_kept){ .root = root, .cwd = cwd, .umask = 022 };
	if (cwd == HANDLE_NONE)
		p->kept.file.cwd = (handle_t)native(OP_DUP, 0, root, HANDLE_PRIVATE, 0, RIGHT_ALL, 0, 0, 0);
	mark_mounts(root);
}

void file_forked(struct process *p)
{
	p->file.has_locks = false;      /* they stay the parent's; handles and numbers are as they were */
}

/* ---- open ---- */

static const struct { uint32_t linux_flag, open_flag; } open_bits[] = {
	{ LINUX_O_CREAT, OPEN_CREATE }, { LINUX_O_EXCL, OPEN_EXCLUSIVE }, { LINUX_O_NOCTTY, OPEN_NOCTTY },
	{ LINUX_O_TRUNC, OPEN_TRUNCATE }, { LINUX_O_APPEND, OPEN_APPEND }, { LINUX_O_NONBLOCK, OPEN_NONBLOCK },
	{ LINUX_O_DIRECTORY, OPEN_DIRECTORY }, { LINUX_O_NOFOLLOW, OPEN_NOFOLLOW }, { LINUX_O_CLOEXEC, OPEN_CLOEXEC },
	{ LINUX_O_DSYNC, OPEN_SYNC }, { LINUX_O_PATH, OPEN_PATH },
};

uint64_t file_open_flags(uint32_t linux_flags)
{
	static const uint64_t access[4] = { OPEN_READ, OPEN_WRITE, OPEN_READ | OPEN_WRITE, OPEN_READ | OPEN_WRITE };
	uint64_t flags = access[linux_flags & LINUX_O_ACCMODE];

	if ((linux_flags & LINUX_O_TMPFILE) == LINUX_O_TMPFILE)
		return flags | OPEN_UNNAMED | (linux_flags & LINUX_O_CLOEXEC ? OPEN_CLOEXEC : 0);
	if (linux_flags & LINUX_O_PATH)
		linux_flags &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC, flags = 0;
	for (size_t i = 0; i < sizeof(open_bits) / sizeof(*open_bits); i++)
		if (linux_flags & open_bits[i].linux_flag)
			flags |= open_bits[i].open_flag;
	return flags;
}

uint32_t file_linux_flags(uint64_t open_flags)
{
	const uint64_t kept = OPEN_APPEND | OPEN_NONBLOCK | OPEN_DIRECTORY | OPEN_SYNC | OPEN_PATH | OPEN_NOFOLLOW;
	uint32_t flags = open_flags & OPEN_WRITE ? (open_flags & OPEN_READ ? LINUX_O_RDWR : LINUX_O_WRONLY) : LINUX_O_RDONLY;

	for (size_t i = 0; i < sizeof(open_bits) / sizeof(*open_bits); i++)
		if (open_flags & kept & open_bits[i].open_flag)
			flags |= open_bits[i].linux_flag;
	return flags | LINUX_O_LARGEFILE;
}

static int64_t open_at(struct thread *t, int32_t directory, uint64_t user_path, uint32_t linux_flags, uint32_t mode)
{
	char path[LINUX_PATH_MAX];
	int64_t length = user_string(path, user_path, sizeof(path));

	if (length < 0)
		return length;
	if (length == 0)
		return ERR_NOENT;
	mode = mode & MODE_PERMISSIONS & ~t->process->kept.file.umask;
	return call_interrupted(path_open(t, directory, path, file_open_flags(linux_flags), mode));
}

int64_t linux_open(struct thread *t, const uint64_t *a)
{
	return open_at(t, LINUX_AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

int64_t linux_openat(struct thread *t, const uint64_t *a)
{
	return open_at(t, (int32_t)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]);
}

int64_t linux_creat(struct thread *t, const uint64_t *a)
{
	return open_at(t, LINUX_AT_FDCWD, a[0], LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, (uint32_t)a[1]);
}

int64_t linux_close(struct thread *t, const uint64_t *a)
{
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	file_drop_locks(t->process, a[0]);
	return native_close((handle_t)a[0]);
}

/* ---- read and write ---- */

static int64_t finish_read(struct thread *t, int64_t result)
{
	if (result == ERR_BACKGROUND)
		return tty_background_read(t);
	return call_interrupted(result);
}

int64_t file_read(struct thread *t, uint64_t fd, uint64_t buffer, uint64_t bytes, int64_t offset)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	bytes = bytes < TRANSFER_MAX ? bytes : TRANSFER_MAX;
	return finish_read(t, native(OP_READ, REQUEST_INTERRUPTIBLE, (handle_t)fd, buffer, bytes, (uint64_t)offset, 0, 0, 0));
}

int64_t file_write(struct thread *t, uint64_t fd, uint64_t buffer, uint64_t bytes, int64_t offset)
{
	uint32_t flags = REQUEST_INTERRUPTIBLE;
	int64_t result;

	if (!fd_is_valid(fd))
		return ERR_BADF;
	bytes = bytes < TRANSFER_MAX ? bytes : TRANSFER_MAX;
	result = native(OP_WRITE, flags, (handle_t)fd, buffer, bytes, (uint64_t)offset, 0, 0, 0);
	if (result == ERR_BACKGROUND) {
		if ((result = tty_background_change(t)))
			return result;
		flags |= REQUEST_FROM_BACKGROUND;
		result = native(OP_WRITE, flags, (handle_t)fd, buffer, bytes, (uint64_t)offset, 0, 0, 0);
	}
	if (result == ERR_PIPE)
		signal_send_self(t, t->tid, LINUX_SIGPIPE, 0);
	return call_interrupted(result);
}

int64_t linux_read(struct thread *t, const uint64_t *a)
{
	return file_read(t, a[0], a[1], a[2], -1);
}

int64_t linux_write(struct thread *t, const uint64_t *a)
{
	return file_write(t, a[0], a[1], a[2], -1);
}

int64_t linux_pread64(struct thread *t, const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? ERR_INVAL : file_read(t, a[0], a[1], a[2], (int64_t)a[3]);
}

int64_t linux_pwrite64(struct thread *t, const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? ERR_INVAL : file_write(t, a[0], a[1], a[2], (int64_t)a[3]);
}

/* ---- vectors ---- */

typedef int64_t (*transfer_fn)(struct thread *, uint64_t fd, uint64_t buffer, uint64_t bytes, int64_t offset);

/* The bytes of all pieces, each of which must be sane. */
static int64_t vector_bytes(uint64_t vector, uint64_t count)
{
	uint64_t total = 0;

	if (count > LINUX_IOV_MAX)
		return ERR_INVAL;
	for (uint64_t i = 0; i < count; i++) {
		struct linux_iovec v;
		int64_t result = user_read(&v, vector + i * sizeof(v), sizeof(v));
		if (result < 0)
			return result;
		if (v.bytes > INT64_MAX - total)
			return ERR_INVAL;
		total += v.bytes;
	}
	return (int64_t)total;
}

static int64_t each_piece(struct thread *t, transfer_fn fn, const uint64_t *a, int64_t offset)
{
	int64_t done = 0;

	for (uint64_t i = 0; i < a[2]; i++) {
		struct linux_iovec v;
		int64_t result = user_read(&v, a[1] + i * sizeof(v), sizeof(v));
		if (result >= 0 && v.bytes == 0)
			continue;
		if (result >= 0)
			result = fn(t, a[0], v.base, v.bytes, offset < 0 ? -1 : offset + done);
		if (result < 0)
			return done ? done : result;
		done += result;
		if ((uint64_t)result < v.bytes)
			break;
	}
	return done;
}

/* What is small is written in one piece, so that pipes and terminals get it whole. */
static int64_t write_gathered(struct thread *t, const uint64_t *a, size_t total, int64_t offset)
{
	char all[GATHER_BYTES];
	size_t at = 0;

	for (uint64_t i = 0; i < a[2]; i++) {
		struct linux_iovec v;
		int64_t result = user_read(&v, a[1] + i * sizeof(v), sizeof(v));
		if (result >= 0 && v.bytes > total - at)
			v.bytes = total - at;   /* another thread changed it */
		if (result >= 0)
			result = user_read(all + at, v.base, v.bytes);
		if (result < 0)
			return result;
		at += v.bytes;
	}
	return file_write(t, a[0], (uint64_t)all, at, offset);
}

static int64_t read_vector(struct thread *t, const uint64_t *a, int64_t offset)
{
	int64_t total = vector_bytes(a[1], a[2]);

	if (total <= 0)
		return total < 0 ? total : file_read(t, a[0], 0, 0, offset);
	return each_piece(t, file_read, a, offset);
}

static int64_t write_vector(struct thread *t, const uint64_t *a, int64_t offset)
{
	int64_t total = vector_bytes(a[1], a[2]);

	if (total < 0)
		return total;
	if (total <= GATHER_BYTES)
		return write_gathered(t, a, (size_t)total, offset);
	return each_piece(t, file_write, a, offset);
}

int64_t linux_readv(struct thread *t, const uint64_t *a)
{
	return read_vector(t, a, -1);
}

int64_t linux_writev(struct thread *t, const uint64_t *a)
{
	return write_vector(t, a, -1);
}

int64_t linux_preadv(struct thread *t, const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? ERR_INVAL : read_vector(t, a, (int64_t)a[3]);
}

int64_t linux_pwritev(struct thread *t, const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? ERR_INVAL : write_vector(t, a, (int64_t)a[3]);
}

/* ---- offsets and lengths ---- */

static int64_t seek_data(handle_t h, int64_t offset, bool hole)
{
	struct file_stat stat;
	int64_t result = native_call(h, FILE_STAT, 0, "", 0, &stat, sizeof(stat), 0);

	if (result < 0)
		return result == ERR_NOTTY ? ERR_SPIPE : result;
	if (offset < 0 || (uint64_t)offset >= stat.bytes)
		return ERR_NXIO;
	return native(OP_SEEK, 0, h, hole ? stat.bytes : (uint64_t)offset, SEEK_FROM_START, 0, 0, 0, 0);
}

int64_t linux_lseek(struct thread *t, const uint64_t *a)
{
	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if (a[2] == LINUX_SEEK_DATA || a[2] == LINUX_SEEK_HOLE)
		return seek_data((handle_t)a[0], (int64_t)a[1], a[2] == LINUX_SEEK_HOLE);
	return native(OP_SEEK, 0, (handle_t)a[0], a[1], a[2], 0, 0, 0, 0);
}

int64_t linux_ftruncate(struct thread *t, const uint64_t *a)
{
	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if ((int64_t)a[1] < 0)
		return ERR_INVAL;
	int64_t flags = native(OP_CONTROL, 0, (handle_t)a[0], CONTROL_GET, 0, 0, 0, 0, 0);
	if (flags < 0)
		return flags;
	if (flags & OPEN_PATH)
		return ERR_BADF;
	if (!(flags & OPEN_WRITE))
		return ERR_INVAL;
	int64_t result = native_call((handle_t)a[0], FILE_TRUNCATE, 0, "", 0, NULL, 0, a[1]);
	return result == ERR_NOTTY ? ERR_INVAL : result;
}

int64_t linux_truncate(struct thread *t, const uint64_t *a)
{
	struct path_request q = { .code = FILE_TRUNCATE, .word = a[1], .before = "" };
	char path[LINUX_PATH_MAX];
	int64_t result = user_string(path, a[0], sizeof(path));

	if (result < 0)
		return result;
	if ((int64_t)a[1] < 0)
		return ERR_INVAL;
	/* (An empty path would mean the directory itself.) */
	return path[0] ? path_call(t, LINUX_AT_FDCWD, path, &q) : ERR_NOENT;
}

static int64_t sync_handle(uint64_t fd)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	int64_t result = native_call((handle_t)fd, FILE_SYNC, 0, NULL, 0, NULL, 0, 0);
	return result == ERR_NOTTY ? ERR_INVAL : result;
}

int64_t linux_fsync(struct thread *t, const uint64_t *a)
{
	(void)t;
	return sync_handle(a[0]);
}

int64_t linux_fdatasync(struct thread *t, const uint64_t *a)
{
	(void)t;
	return sync_handle(a[0]);
}

int64_t linux_syncfs(struct thread *t, const uint64_t *a)
{
	(void)t;
	return sync_handle(a[0]);
}

int64_t linux_sync(struct thread *t, const uint64_t *a)
{
	(void)a;
	native_call(t->process->kept.file.root, FILE_SYNC, 0, NULL, 0, NULL, 0, 0);
	return 0;
}

int64_t linux_fadvise64(struct thread *t, const uint64_t *a)
{
	(void)t;
	if (!fd_is_valid(a[0]) || native(OP_CONTROL, 0, (handle_t)a[0], CONTROL_GET, 0, 0, 0, 0, 0) < 0)
		return ERR_BADF;
	return a[3] > 5 ? ERR_INVAL : 0;        /* advice may be left untaken */
}

int64_t linux_fallocate(struct thread *t, const uint64_t *a)
{
	struct file_range range = { a[2], a[3] };
	uint64_t how;

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if ((int64_t)a[2] < 0 || (int64_t)a[3] <= 0)
		return ERR_INVAL;
	switch (a[1]) {
	case 0:
		how = ALLOCATE_RESERVE;
		break;
	case LINUX_FALLOC_KEEP_SIZE:
		how = ALLOCATE_KEEP_SIZE;
		break;
	case LINUX_FALLOC_KEEP_SIZE | LINUX_FALLOC_PUNCH_HOLE:
		how = ALLOCATE_PUNCH;
		break;
	case LINUX_FALLOC_ZERO_RANGE:
		how = ALLOCATE_ZERO;
		break;
	default:
		return ERR_OPNOTSUPP;
	}
	int64_t result = native_call((handle_t)a[0], FILE_ALLOCATE, 0, &range, sizeof(range), NULL, 0, how);
	return result == ERR_NOTTY ? ERR_NODEV : result;
}

/* ---- from one to another ---- */

static int64_t user_offset(uint64_t pointer, int64_t *out)
{
	*out = -1;
	if (!pointer)
		return 0;
	int64_t result = user_read(out, pointer, sizeof(*out));
	return result < 0 ? result : *out < 0 ? ERR_INVAL : 0;
}

/* Copies up to bytes; in_offset and out_offset -1: the handles' own, which move. */
static int64_t copy_between(struct thread *t, uint64_t in, int64_t in_offset, uint64_t out, int64_t out_offset, uint64_t bytes)
{
	char chunk[COPY_BYTES];
	uint64_t done = 0;

	while (done < bytes) {
		size_t want = bytes - done < sizeof(chunk) ? bytes - done : sizeof(chunk);
		int64_t got = file_read(t, in, (uint64_t)chunk, want, in_offset < 0 ? -1 : in_offset + (int64_t)done);
		if (got <= 0)
			return done ? (int64_t)done : got;
		int64_t put = file_write(t, out, (uint64_t)chunk, (uint64_t)got, out_offset < 0 ? -1 : out_offset + (int64_t)done);
		if (put < got && in_offset < 0)         /* what was read but not written is read again */
			native(OP_SEEK, 0, (handle_t)in, (uint64_t)((put < 0 ? 0 : put) - got), SEEK_FROM_HERE, 0, 0, 0, 0);
		if (put < 0)
			return done ? (int64_t)done : put;
		done += (uint64_t)put;
		if (put < got)
			break;
	}
	return (int64_t)done;
}

int64_t linux_sendfile(struct thread *t, const uint64_t *a)
{
	int64_t offset, result = user_offset(a[2], &offset);

	if (result < 0)
		return result;
	/* Only what can be read again may be sent: else a short write would lose bytes. */
	if (!fd_is_valid(a[1]))
		return ERR_BADF;
	if (native(OP_SEEK, 0, (handle_t)a[1], 0, SEEK_FROM_HERE, 0, 0, 0, 0) < 0)
		return ERR_INVAL;
	if (!fd_is_valid(a[0]) || (result = native(OP_CONTROL, 0, (handle_t)a[0], CONTROL_GET, 0, 0, 0, 0, 0)) < 0 || !(result & OPEN_WRITE))
		return ERR_BADF;
	if (a[2] && (result = user_write(a[2], &offset, sizeof(offset))) < 0)
		return result;
	result = copy_between(t, a[1], offset, a[0], -1, a[3] < TRANSFER_MAX ? a[3] : TRANSFER_MAX);
	if (result > 0 && a[2]) {
		offset += result;
		int64_t err = user_write(a[2], &offset, sizeof(offset));
		return err < 0 ? err : result;
	}
	return result;
}

int64_t linux_copy_file_range(struct thread *t, const uint64_t *a)
{
	int64_t in, out, result;

	if ((result = user_offset(a[1], &in)) < 0 || (result = user_offset(a[3], &out)) < 0)
		return result;
	if (a[5])
		return ERR_INVAL;
	result = copy_between(t, a[0], in, a[2], out, a[4] < TRANSFER_MAX ? a[4] : TRANSFER_MAX);
	if (result <= 0)
		return result;
	in += result;
	out += result;
	int64_t err = a[1] ? user_write(a[1], &in, sizeof(in)) : 0;
	if (err >= 0 && a[3])
		err = user_write(a[3], &out, sizeof(out));
	return err < 0 ? err : result;
}
