/* personality/linux/stat.c - what a file is, and changing its owner, mode and times. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/tty.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"
#include "personality/linux/path.h"

/* ---- stat ---- */

/* Linux's packed device number (include/linux/kdev_t.h: new_encode_dev). */
static uint64_t linux_device(uint64_t rdev)
{
	uint64_t major = rdev >> 32, minor = (uint32_t)rdev;
	return (minor & 0xff) | major << 8 | (minor & ~0xffull) << 12;
}

/* What answers no FILE_STAT is a pipe or something else of the kernel's. */
int64_t stat_unnamed(handle_t h, struct file_stat *out)
{
	int64_t number = native_call(h, PIPE_NUMBER, 0, NULL, 0, NULL, 0, 0);
	struct pipe_info info;

	*out = (struct file_stat){ .node = number > 0 ? (uint64_t)number : 1, .links = 1, .block_bytes = LINUX_PAGE };
	if (number > 0)
		out->mode = native_call(h, PIPE_INFO, 0, NULL, 0, &info, sizeof(info), 0) >= 0 ? MODE_SOCKET | 0777 : MODE_FIFO | 0600;
	else if (native(OP_SEEK, 0, h, 0, SEEK_FROM_HERE, 0, 0, 0, 0) >= 0)
		out->mode = MODE_CHARACTER | 0666, out->rdev = 1ull << 32 | 3;
	else
		out->mode = 0600;       /* as Linux shows its anonymous inodes */
	return 0;
}

/* A terminal knows its own path. Programs compare its fstat with the stat of that path (ttyname), so both must
 * be of the same node. */
static void stat_terminal(struct thread *t, handle_t h, struct file_stat *out)
{
	char path[64];
	struct file_stat named;
	int64_t bytes = native_call(h, TTY_NAME, REQUEST_INTERRUPTIBLE, NULL, 0, path, sizeof(path) - 1, 0);

	if (bytes <= 0 || bytes >= (int64_t)sizeof(path))
		return;
	path[bytes] = 0;
	if (path_stat(t, LINUX_AT_FDCWD, path, 0, &named) == 0 && named.mode >> 12 == out->mode >> 12 && named.rdev == out->rdev)
		*out = named;
}

static int64_t stat_handle(struct thread *t, uint64_t fd, struct file_stat *out)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	int64_t result = native_call((handle_t)fd, FILE_STAT, REQUEST_INTERRUPTIBLE, "", 0, out, sizeof(*out), 0);
	if (result == ERR_NOTTY)
		return stat_unnamed((handle_t)fd, out);
	if (result >= 0 && (out->mode & MODE_TYPE) == MODE_CHARACTER)
		stat_terminal(t, (handle_t)fd, out);
	return result;
}

static int64_t stat_at(struct thread *t, uint64_t directory, uint64_t user_path, uint64_t flags, struct file_stat *out)
{
	char path[LINUX_PATH_MAX];
	int64_t length = flags & LINUX_AT_EMPTY_PATH && !user_path ? (path[0] = 0, 0) : user_string(path, user_path, sizeof(path));

	if (length < 0)
		return length;
	if (length == 0 && !(flags & LINUX_AT_EMPTY_PATH))
		return ERR_NOENT;
	if (length == 0 && (int32_t)directory != LINUX_AT_FDCWD)
		return stat_handle(t, (uint32_t)directory, out);
	return path_stat(t, (int32_t)directory, path, flags & LINUX_AT_SYMLINK_NOFOLLOW ? AT_NOFOLLOW : 0, out);
}

static int64_t write_stat(uint64_t pointer, int64_t result, const struct file_stat *s)
{
	if (result < 0)
		return call_interrupted(result);
	struct linux_stat l = {
		.dev = s->device, .ino = s->node, .nlink = s->links, .mode = s->mode, .uid = s->uid, .gid = s->gid,
		.rdev = linux_device(s->rdev), .size = (int64_t)s->bytes, .blksize = s->block_bytes, .blocks = (int64_t)s->blocks,
		.atime = s->accessed.seconds, .atime_ns = s->accessed.nanoseconds,
		.mtime = s->modified.seconds, .mtime_ns = s->modified.nanoseconds,
		.ctime = s->changed.seconds, .ctime_ns = s->changed.nanoseconds,
	};
	return user_write(pointer, &l, sizeof(l));
}

int64_t linux_stat(struct thread *t, const uint64_t *a)
{
	struct file_stat s;
	return write_stat(a[1], stat_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], 0, &s), &s);
}

int64_t linux_lstat(struct thread *t, const uint64_t *a)
{
	struct file_stat s;
	return write_stat(a[1], stat_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], LINUX_AT_SYMLINK_NOFOLLOW, &s), &s);
}

int64_t linux_fstat(struct thread *t, const uint64_t *a)
{
	struct file_stat s;
	return write_stat(a[1], stat_handle(t, (uint32_t)a[0], &s), &s);
}

int64_t linux_newfstatat(struct thread *t, const uint64_t *a)
{
	struct file_stat s;

	if (a[3] & ~(uint64_t)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT))
		return ERR_INVAL;
	return write_stat(a[2], stat_at(t, a[0], a[1], a[3], &s), &s);
}

static struct linux_statx_time statx_time(const struct file_time *from)
{
	return (struct linux_statx_time){ .seconds = from->seconds, .nanoseconds = from->nanoseconds };
}

int64_t linux_statx(struct thread *t, const uint64_t *a)
{
	struct file_stat s;
	int64_t result;

	if ((uint32_t)a[3] >> 31 || a[2] & ~(uint64_t)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_STATX_SYNC_TYPE) ||
	    (a[2] & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_SYNC_TYPE)
		return ERR_INVAL;
	if ((result = stat_at(t, a[0], a[1], a[2], &s)) < 0)
		return call_interrupted(result);
	struct linux_statx x = {
		.mask = LINUX_STATX_BASIC | LINUX_STATX_BTIME, .blksize = s.block_bytes, .nlink = s.links, .uid = s.uid, .gid = s.gid,
		.mode = (uint16_t)s.mode, .ino = s.node, .size = s.bytes, .blocks = s.blocks,
		.atime = statx_time(&s.accessed), .btime = statx_time(&s.born), .ctime = statx_time(&s.changed),
		.mtime = statx_time(&s.modified), .rdev_major = (uint32_t)(s.rdev >> 32), .rdev_minor = (uint32_t)s.rdev,
		.dev_minor = (uint32_t)s.device,
	};
	return user_write(a[4], &x, sizeof(x));
}

/* ---- access ---- */

static int64_t access_at(struct thread *t, uint64_t directory, uint64_t user_path, uint64_t mode, uint64_t flags)
{
	uint64_t may = (mode & 4 ? OPEN_READ : 0) | (mode & 2 ? OPEN_WRITE : 0) | (mode & 1 ? OPEN_EXEC : 0);
	uint64_t at = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? AT_NOFOLLOW : 0) | (flags & LINUX_AT_EACCESS ? 0 : AT_REAL_ID);
	struct path_request q = { .code = FILE_ACCESS, .word = may | at << 32, .before = "" };
	char path[LINUX_PATH_MAX];
	int64_t length = user_string(path, user_path, sizeof(path));

	if (length < 0)
		return length;
	if (mode & ~7ull)
		return ERR_INVAL;
	if (length == 0 && !(flags & LINUX_AT_EMPTY_PATH))
		return ERR_NOENT;
	int64_t result = path_call(t, (int32_t)directory, path, &q);
	return call_interrupted(result == ERR_NOTTY ? 0 : result);
}

int64_t linux_access(struct thread *t, const uint64_t *a)
{
	return access_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], a[1], 0);
}

int64_t linux_faccessat(struct thread *t, const uint64_t *a)
{
	return access_at(t, a[0], a[1], a[2], 0);
}

int64_t linux_faccessat2(struct thread *t, const uint64_t *a)
{
	if (a[3] & ~(uint64_t)(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return ERR_INVAL;
	return access_at(t, a[0], a[1], a[2], a[3]);
}

/* ---- changes: a path or, when it is NULL, the directory handle itself ---- */

static int64_t change(struct thread *t, uint64_t directory, uint64_t user_path, bool may_be_empty, const struct path_request *q)
{
	char path[LINUX_PATH_MAX];
	int64_t length = user_path ? user_string(path, user_path, sizeof(path)) : (path[0] = 0, 0);

	if (length < 0)
		return length;
	if (length == 0 && !may_be_empty)
		return ERR_NOENT;
	if (length == 0 && (int32_t)directory != LINUX_AT_FDCWD && !fd_is_valid((uint32_t)directory))
		return ERR_BADF;
	if (!user_path && fd_only_names((uint32_t)directory))
		return ERR_BADF;
	int64_t result = path_call(t, (int32_t)directory, path, q);
	return call_interrupted(result == ERR_NOTTY ? ERR_INVAL : result);
}

static int64_t chmod_at(struct thread *t, uint64_t directory, uint64_t path, uint64_t mode, bool empty)
{
	struct path_request q = { .code = FILE_CHMOD, .word = mode & MODE_PERMISSIONS, .before = "" };
	return change(t, directory, path, empty, &q);
}

int64_t linux_chmod(struct thread *t, const uint64_t *a)
{
	return a[0] ? chmod_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], a[1], false) : ERR_FAULT;
}

int64_t linux_fchmod(struct thread *t, const uint64_t *a)
{
	return chmod_at(t, a[0], 0, a[1], true);
}

int64_t linux_fchmodat(struct thread *t, const uint64_t *a)
{
	return a[1] ? chmod_at(t, a[0], a[1], a[2], false) : ERR_FAULT;
}

static int64_t chown_at(struct thread *t, uint64_t directory, uint64_t path, uint64_t uid, uint64_t gid, uint64_t at, bool empty)
{
	struct file_owner owner = { (uint32_t)uid, (uint32_t)gid };
	struct path_request q = { .code = FILE_CHOWN, .word = at, .before = &owner, .before_bytes = sizeof(owner) };
	return change(t, directory, path, empty, &q);
}

int64_t linux_chown(struct thread *t, const uint64_t *a)
{
	return a[0] ? chown_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], a[1], a[2], 0, false) : ERR_FAULT;
}

int64_t linux_lchown(struct thread *t, const uint64_t *a)
{
	return a[0] ? chown_at(t, (uint32_t)LINUX_AT_FDCWD, a[0], a[1], a[2], AT_NOFOLLOW, false) : ERR_FAULT;
}

int64_t linux_fchown(struct thread *t, const uint64_t *a)
{
	return chown_at(t, a[0], 0, a[1], a[2], 0, true);
}

int64_t linux_fchownat(struct thread *t, const uint64_t *a)
{
	if (!a[1])
		return ERR_FAULT;
	return chown_at(t, a[0], a[1], a[2], a[3], a[4] & LINUX_AT_SYMLINK_NOFOLLOW ? AT_NOFOLLOW : 0, a[4] & LINUX_AT_EMPTY_PATH);
}

/* ---- times ---- */

static int64_t time_from(const struct linux_timespec *from, struct file_time *to)
{
	*to = (struct file_time){ .seconds = from->seconds, .nanoseconds = (uint32_t)from->nanoseconds };
	bool special = from->nanoseconds == LINUX_UTIME_NOW || from->nanoseconds == LINUX_UTIME_OMIT;
	return special || (from->nanoseconds >= 0 && from->nanoseconds < 1000000000) ? 0 : ERR_INVAL;
}

static int64_t set_times(struct thread *t, uint64_t directory, uint64_t path, const struct linux_timespec times[2], uint64_t flags)
{
	struct file_times both = { { 0, FILE_TIME_NOW, 0 }, { 0, FILE_TIME_NOW, 0 } };
	struct path_request q = {
		.code = FILE_UTIME, .word = flags & LINUX_AT_SYMLINK_NOFOLLOW ? AT_NOFOLLOW : 0,
		.before = &both, .before_bytes = sizeof(both),
	};
	int64_t result;

	if (times && ((result = time_from(&times[0], &both.accessed)) < 0 || (result = time_from(&times[1], &both.modified)) < 0))
		return result;
	return change(t, directory, path, !path || flags & LINUX_AT_EMPTY_PATH, &q);
}

int64_t linux_utimensat(struct thread *t, const uint64_t *a)
{
	struct linux_timespec times[2];
	int64_t result;

	if (!a[2])
		return set_times(t, a[0], a[1], NULL, a[3]);
	if ((result = user_read(times, a[2], sizeof(times))) < 0)
		return result;
	return set_times(t, a[0], a[1], times, a[3]);
}

static int64_t set_timevals(struct thread *t, uint64_t directory, uint64_t path, uint64_t pointer)
{
	struct linux_timespec times[2];
	struct linux_timeval tv[2];
	int64_t result;

	if (!pointer)
		return set_times(t, directory, path, NULL, 0);
	if ((result = user_read(tv, pointer, sizeof(tv))) < 0)
		return result;
	for (int i = 0; i < 2; i++) {
		if (tv[i].microseconds < 0 || tv[i].microseconds >= 1000000)
			return ERR_INVAL;
		times[i] = (struct linux_timespec){ tv[i].seconds, tv[i].microseconds * 1000 };
	}
	return set_times(t, directory, path, times, 0);
}

int64_t linux_utimes(struct thread *t, const uint64_t *a)
{
	return a[0] ? set_timevals(t, (uint32_t)LINUX_AT_FDCWD, a[0], a[1]) : ERR_FAULT;
}

int64_t linux_futimesat(struct thread *t, const uint64_t *a)
{
	return set_timevals(t, a[0], a[1], a[2]);
}

int64_t linux_utime(struct thread *t, const uint64_t *a)
{
	int64_t seconds[2], result;

	if (!a[0])
		return ERR_FAULT;
	if (!a[1])
		return set_times(t, (uint32_t)LINUX_AT_FDCWD, a[0], NULL, 0);
	if ((result = user_read(seconds, a[1], sizeof(seconds))) < 0)
		return result;
	struct linux_timespec times[2] = { { seconds[0], 0 }, { seconds[1], 0 } };
	return set_times(t, (uint32_t)LINUX_AT_FDCWD, a[0], times, 0);
}

/* ---- file systems ---- */

static int64_t write_statfs(uint64_t pointer, int64_t result, const struct file_system *f)
{
	if (result < 0)
		return call_interrupted(result == ERR_NOTTY ? ERR_NOSYS : result);
	struct linux_statfs l = {
		.type = (int64_t)f->type, .bsize = (int64_t)f->block_bytes, .blocks = (int64_t)f->blocks,
		.bfree = (int64_t)f->free_blocks, .bavail = (int64_t)f->free_blocks, .files = (int64_t)f->nodes,
		.ffree = (int64_t)f->free_nodes, .namelen = (int64_t)f->name_max, .frsize = (int64_t)f->block_bytes,
	};
	return user_write(pointer, &l, sizeof(l));
}

int64_t linux_statfs(struct thread *t, const uint64_t *a)
{
	struct file_system f;
	char path[LINUX_PATH_MAX];
	int64_t length = user_string(path, a[0], sizeof(path)), handle;

	if (length < 0)
		return length;
	if ((handle = path_open(t, LINUX_AT_FDCWD, path, OPEN_PATH | OPEN_PRIVATE, 0)) < 0)
		return call_interrupted(handle);
	int64_t result = native_call((handle_t)handle, FILE_STATFS, 0, NULL, 0, &f, sizeof(f), 0);
	native_close((handle_t)handle);
	return write_statfs(a[1], result, &f);
}

int64_t linux_fstatfs(struct thread *t, const uint64_t *a)
{
	struct file_system f;

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	return write_statfs(a[1], native_call((handle_t)a[0], FILE_STATFS, 0, NULL, 0, &f, sizeof(f), 0), &f);
}

/* ---- extended attributes: no file system has them; programs take this for that ---- */

#define NO_XATTR(name) \
	int64_t linux_##name(struct thread *t, const uint64_t *a) { (void)t; (void)a; return ERR_OPNOTSUPP; }
NO_XATTR(setxattr)
NO_XATTR(lsetxattr)
NO_XATTR(fsetxattr)
NO_XATTR(getxattr)
NO_XATTR(lgetxattr)
NO_XATTR(fgetxattr)
NO_XATTR(listxattr)
NO_XATTR(llistxattr)
NO_XATTR(flistxattr)
NO_XATTR(removexattr)
NO_XATTR(lremovexattr)
NO_XATTR(fremovexattr)
