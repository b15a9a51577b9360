/* personality/linux/path.c - finding the server of a path and asking it. */
#include "personality/linux/path.h"
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "abi/proto/tty.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"

enum { CROSSINGS_MAX = 16, DEVICE_URL_BYTES = 24 };

/* Where a path leads first. scheme NULL: rest is relative to handle. */
struct target {
	handle_t handle;
	struct path_place place;
};

/* ---- /proc/self/... that only we know ---- */

enum magic { MAGIC_NONE, MAGIC_FD, MAGIC_EXE, MAGIC_CWD, MAGIC_ROOT };

/* Is it one of our own process's links? rest follows /proc/. *after: what follows the link. */
static enum magic magic_find(const struct thread *t, const struct path_place *place, uint64_t *fd, const char **after)
{
	const char *rest = place->rest;
	uint64_t pid;
	size_t digits;

	if (place->scheme_bytes != 6 || memcmp(place->scheme, "procfs", 6))
		return MAGIC_NONE;
	if (strncmp(rest, "self/", 5) == 0)
		rest += 5;
	else if (strncmp(rest, "thread-self/", 12) == 0)
		rest += 12;
	else if ((digits = number_scan(rest, strlen(rest), 10, &pid)) && pid == t->process->pid && rest[digits] == '/')
		rest += digits + 1;
	else
		return MAGIC_NONE;
	if (strncmp(rest, "fd/", 3) == 0 && (digits = number_scan(rest + 3, strlen(rest + 3), 10, fd))) {
		*after = rest + 3 + digits;
		return **after == 0 || **after == '/' ? MAGIC_FD : MAGIC_NONE;
	}
	static const struct { const char *name; enum magic magic; } names[] = {
		{ "exe", MAGIC_EXE }, { "cwd", MAGIC_CWD }, { "root", MAGIC_ROOT },
	};
	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(names[i].name);
		if (strncmp(rest, names[i].name, length) == 0 && (rest[length] == 0 || rest[length] == '/')) {
			*after = rest + length;
			return names[i].magic;
		}
	}
	return MAGIC_NONE;
}

/* The handle behind such a link; HANDLE_NONE for the program's file, which is named by its path. */
static handle_t magic_handle(const struct thread *t, enum magic magic, uint64_t fd)
{
	const struct file_kept *kept = &t->process->kept.file;

	switch (magic) {
	case MAGIC_FD:
		return fd_is_valid(fd) ? (handle_t)fd : HANDLE_NONE;
	case MAGIC_CWD:
		return kept->cwd;
	case MAGIC_ROOT:
		return kept->root;
	default:
		return HANDLE_NONE;
	}
}

/* ---- where a path leads ---- */

static bool climbs(const char *path)
{
	for (const char *s = path; (s = strchr(s, '.')); s++)
		if (s[1] == '.' && (s == path || s[-1] == '/') && (s[2] == 0 || s[2] == '/'))
			return true;
	return false;
}

/* A path that climbs inside a foreign tree may climb out of it: only its full name tells. */
static int64_t full_name(struct thread *t, const char *path, char *full)
{
	char base[LINUX_PATH_MAX];
	int64_t length = 0;

	if (*path != '/' && (length = path_of(t, t->process->kept.file.cwd, base, sizeof(base))) < 0)
		return length;
	return path_normalize(base, path, full, LINUX_PATH_MAX);
}

/* full is for a rewritten path: LINUX_PATH_MAX bytes that live as long as the target. */
static int64_t find(struct thread *t, int32_t directory, const char *path, char *full, struct target *out)
{
	const struct file_kept *kept = &t->process->kept.file;
	bool is_foreign = *path != '/' && directory == LINUX_AT_FDCWD && kept->cwd_is_foreign;

	if (is_foreign && climbs(path)) {
		int64_t length = full_name(t, path, full);
		if (length < 0)
			return length;
		path = full;
	}
	*out = (struct target){ .handle = HANDLE_NONE };
	if (*path != '/') {
		if (directory < 0 && directory != LINUX_AT_FDCWD)
			return ERR_BADF;
		out->handle = directory == LINUX_AT_FDCWD ? kept->cwd : directory;
		out->place.rest = path;
		return 0;
	}
	if (path_prefix(path, &out->place)) {
		if (!climbs(out->place.rest))
			return 0;
		int64_t length = path_normalize("/", path, full, LINUX_PATH_MAX);
		if (length < 0)
			return length;
		if (path_prefix(full, &out->place))
			return 0;
		path = full;
	}
	while (*path == '/')
		path++;
	out->handle = kept->root;
	out->place = (struct path_place){ .rest = *path ? path : "." };     /* "/" exists, whoever asks to make it */
	return 0;
}

/* A handle that path calls can be sent to; to be closed when *own. */
static int64_t target_handle(const struct target *target, bool *own)
{
	*own = target->place.scheme != NULL;
	if (!*own)
		return target->handle;
	return native_open(target->place.scheme, target->place.scheme_bytes, "", 0, OPEN_PATH | OPEN_PRIVATE);
}

static int64_t send(const struct target *target, const struct path_request *q)
{
	char in[LINUX_PATH_MAX + 64];
	const char *sent = target->place.rest;
	size_t rest_bytes = strlen(sent);
	bool own;

	if (q->before_bytes + rest_bytes > sizeof(in))
		return ERR_NAMETOOLONG;
	if (q->before_bytes) {
		memcpy(in, q->before, q->before_bytes);
		memcpy(in + q->before_bytes, sent, rest_bytes);
		sent = in;
	}
	int64_t handle = target_handle(target, &own);
	if (handle < 0)
		return !own ? ERR_BADF : handle == ERR_NODEV ? ERR_NOENT : handle;
	handle_t ignored;
	int64_t result = native_call_handle((handle_t)handle, q->code, REQUEST_INTERRUPTIBLE, q->pass ? *q->pass : HANDLE_NONE, sent,
	                                    q->before_bytes + rest_bytes, q->out, q->out_bytes, q->word, q->received ? q->received : &ignored);
	if (own)
		native_close((handle_t)handle);
	return result;
}

/* After ERR_XDEV: the path from the mount point on, absolute. */
static int64_t resolve(const struct target *target, uint64_t at, char *to)
{
	struct path_request q = { .code = FILE_RESOLVE, .word = at, .before = "", .out = to, .out_bytes = LINUX_PATH_MAX - 1 };
	int64_t length = send(target, &q);

	if (length < 0)
		return length;
	if (length == 0 || length >= LINUX_PATH_MAX || *to != '/')
		return ERR_PROTO;
	to[length] = 0;
	return length;
}

static uint64_t at_of(const struct path_request *q)
{
	if (q->code == FILE_CHMOD || q->code == FILE_ACCESS)
		return q->word >> 32;
	return q->code == FILE_STAT || q->code == FILE_CHOWN || q->code == FILE_UTIME ? q->word : 0;
}

/* A code sent to the handle behind one of our /proc links. */
static int64_t magic_call(struct thread *t, enum magic magic, uint64_t fd, const char *after, const struct path_request *q)
{
	if (magic == MAGIC_EXE)
		return path_call(t, LINUX_AT_FDCWD, t->process->path, q);
	while (*after == '/')
		after++;
	int64_t result = path_call(t, magic_handle(t, magic, fd), after, q);
	if (result == ERR_NOTTY && !*after && q->code == FILE_STAT)
		return stat_unnamed(magic_handle(t, magic, fd), q->out);
	return result;
}

int64_t path_call(struct thread *t, int32_t directory, const char *path, const struct path_request *q)
{
	char full[LINUX_PATH_MAX], crossed[LINUX_PATH_MAX];
	const char *after;
	struct target target;
	uint64_t fd;
	int64_t result;

	for (int i = 0; i < CROSSINGS_MAX; i++) {
		if ((result = find(t, directory, path, full, &target)) < 0)
			return result;
		enum magic magic = target.place.scheme ? magic_find(t, &target.place, &fd, &after) : MAGIC_NONE;
		if (magic && (*after || !(at_of(q) & AT_NOFOLLOW)))
			return magic_call(t, magic, fd, after, q);
		result = send(&target, q);
		if (result == ERR_NOTTY && !target.place.scheme && *target.place.rest)
			return ERR_NOTDIR;      /* relative to what has no names in it */
		if (result != ERR_XDEV)
			return result;
		if ((result = resolve(&target, at_of(q), crossed)) < 0)
			return result;
		path = crossed;
		directory = LINUX_AT_FDCWD;
	}
	return ERR_LOOP;
}

/* b goes along unless both are relative to the same. */
static int64_t send_pair(const struct target *a, handle_t from, const struct target *b, handle_t to, enum code code, uint64_t word)
{
	size_t from_bytes = strlen(a->place.rest), to_bytes = strlen(b->place.rest);
	char in[2 * LINUX_PATH_MAX];
	handle_t ignored;

	memcpy(in, a->place.rest, from_bytes + 1);
	memcpy(in + from_bytes + 1, b->place.rest, to_bytes);
	return native_call_handle(from, code, REQUEST_INTERRUPTIBLE, from == to ? HANDLE_NONE : to, in, from_bytes + 1 + to_bytes, NULL, 0, word, &ignored);
}

/* Only these servers' names can be moved and linked. */
static bool has_own_names(const struct target *target)
{
	return !target->place.scheme || (target->place.scheme_bytes == 4 && !memcmp(target->place.scheme, "host", 4));
}

/* The server of the first knows whether the second is its own. */
static int64_t send_two(const struct target *a, const struct target *b, enum code code, uint64_t word)
{
	bool own_from, own_to;

	if (!has_own_names(a) || !has_own_names(b))
		return ERR_XDEV;
	int64_t from = target_handle(a, &own_from), to = target_handle(b, &own_to), result;

	if (from < 0 || to < 0)
		result = from == ERR_NODEV || to == ERR_NODEV ? ERR_NOENT : ERR_BADF;
	else
		result = send_pair(a, (handle_t)from, b, (handle_t)to, code, word);
	if (own_from && from >= 0)
		native_close((handle_t)from);
	if (own_to && to >= 0)
		native_close((handle_t)to);
	if (result == ERR_NOTTY)
		return own_from || own_to ? ERR_XDEV : ERR_NOTDIR;
	return result;
}

int64_t path_call_two(struct thread *t, int32_t from_directory, const char *from, int32_t to_directory, const char *to,
                      enum code code, uint64_t word)
{
	char full[2][LINUX_PATH_MAX];
	const char *after;
	struct target a, b;
	uint64_t fd;
	int64_t result;

	if ((result = find(t, from_directory, from, full[0], &a)) < 0 || (result = find(t, to_directory, to, full[1], &b)) < 0)
		return result;
	/* How a file without a name (O_TMPFILE) gets one. */
	if (code == FILE_LINK && !(word & AT_NOFOLLOW) && a.place.scheme && magic_find(t, &a.place, &fd, &after) == MAGIC_FD && !*after)
		a = (struct target){ .handle = magic_handle(t, MAGIC_FD, fd), .place.rest = "" };
	return send_two(&a, &b, code, word);
}

int64_t path_stat(struct thread *t, int32_t directory, const char *path, uint64_t at, struct file_stat *out)
{
	struct path_request q = { .code = FILE_STAT, .word = at, .before = "", .out = out, .out_bytes = sizeof(*out) };
	return path_call(t, directory, path, &q);
}

/* ---- devices ---- */

enum { MAJOR_MEMORY = 1, MAJOR_TTY = 4, MAJOR_TTY_AUX = 5, MAJOR_PTY = 136, PTY_PER_MAJOR = 256 };

/* The scheme and reference of a character device. Linux: Documentation/admin-guide/devices.txt. */
static bool device_url(uint32_t major, uint32_t minor, const char **scheme, char ref[DEVICE_URL_BYTES])
{
	static const struct { uint8_t major, minor; const char *scheme, *ref; } devices[] = {
		{ MAJOR_MEMORY, 3, "null", "" }, { MAJOR_MEMORY, 5, "zero", "" }, { MAJOR_MEMORY, 7, "zero", "full" },
		{ MAJOR_MEMORY, 8, "rand", "" }, { MAJOR_MEMORY, 9, "rand", "" }, { MAJOR_MEMORY, 11, "log", "" },
		{ MAJOR_TTY_AUX, 1, "tty", "console" }, { MAJOR_TTY_AUX, 2, "pty", "new" },
	};
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		if (devices[i].major == major && devices[i].minor == minor) {
			*scheme = devices[i].scheme;
			string_copy(ref, devices[i].ref, DEVICE_URL_BYTES);
			return true;
		}
	if (major == MAJOR_TTY) {
		/* tty1 is screen 1; ttyS0, 64, the serial line. */
		*scheme = minor < 64 ? "display" : "tty";
		fmt(ref, DEVICE_URL_BYTES, minor < 64 ? "%u" : "console", minor);
		return true;
	}
	if (major < MAJOR_PTY || major >= MAJOR_PTY + 8)
		return false;
	*scheme = "pty";
	fmt(ref, DEVICE_URL_BYTES, "%u", (major - MAJOR_PTY) * PTY_PER_MAJOR + minor);
	return true;
}

/* The controlling terminal's device number; NXIO: there is none. */
static int64_t own_terminal(struct thread *t, uint32_t *major, uint32_t *minor)
{
	struct posix_ids ids;
	int64_t result = native_call(process_posix(t->process), POSIX_GET_IDS, 0, NULL, 0, &ids, sizeof(ids), 0);

	if (result < 0)
		return result;
	if (!ids.tty)
		return ERR_NXIO;
	*major = ids.tty >> 8 & 0xfff;
	*minor = (ids.tty & 0xff) | (ids.tty >> 12 & 0xfff00);
	return 0;
}

static bool is_terminal(uint32_t major, uint32_t minor)
{
	return major == MAJOR_TTY || (major == MAJOR_TTY_AUX && minor == 1) || (major >= MAJOR_PTY && major < MAJOR_PTY + 8);
}

static int64_t device_open(struct thread *t, uint64_t rdev, uint64_t open_flags)
{
	uint32_t major = (uint32_t)(rdev >> 32), minor = (uint32_t)rdev;
	bool own = major == MAJOR_TTY_AUX && minor == 0;
	char ref[DEVICE_URL_BYTES];
	const char *scheme;
	int64_t result;

	if (own && (result = own_terminal(t, &major, &minor)) < 0)
		return result;
	if (!device_url(major, minor, &scheme, ref))
		return ERR_NXIO;
	open_flags &= ~(uint64_t)(OPEN_CREATE | OPEN_TRUNCATE | OPEN_EXCLUSIVE);
	int64_t handle = native_open(scheme, strlen(scheme), ref, strlen(ref), open_flags);
	if (handle == ERR_NODEV)
		return ERR_NXIO;
	/* A session leader without a terminal gets this one (POSIX 11.1.3); the server knows who may. */
	if (handle >= 0 && is_terminal(major, minor) && !own && !(open_flags & (OPEN_NOCTTY | OPEN_PRIVATE)))
		native_call((handle_t)handle, TTY_ACQUIRE, 0, NULL, 0, NULL, 0, 0);
	return handle;
}

/* diskd knows disks by their numbers too. */
static int64_t block_open(uint64_t rdev, uint64_t open_flags)
{
	char ref[DEVICE_URL_BYTES];
	int length = (int)fmt(ref, sizeof(ref), "%u:%u", (uint32_t)(rdev >> 32), (uint32_t)rdev);
	int64_t handle = native_open("disk", 4, ref, (size_t)length, open_flags & ~(uint64_t)(OPEN_CREATE | OPEN_TRUNCATE | OPEN_EXCLUSIVE));

	return handle == ERR_NODEV || handle == ERR_NOENT ? ERR_NXIO : handle;
}

static int64_t special_open(struct thread *t, const struct file_stat *stat, uint64_t open_flags)
{
	switch (stat->mode & MODE_TYPE) {
	case MODE_CHARACTER:
		return device_open(t, stat->rdev, open_flags);
	case MODE_BLOCK:
		return block_open(stat->rdev, open_flags);
	default:
		return ERR_NXIO;
	}
}

/* ---- open ---- */

static int64_t duplicate(handle_t handle, uint64_t open_flags)
{
	return native(OP_DUP, 0, handle, open_flags & OPEN_PRIVATE ? HANDLE_PRIVATE : 0,
	              open_flags & OPEN_CLOEXEC ? DUP_CLOEXEC : 0, RIGHT_ALL, 0, 0, 0);
}

static int64_t magic_open(struct thread *t, enum magic magic, uint64_t fd, const char *after, uint64_t open_flags, uint32_t mode)
{
	if (magic == MAGIC_EXE)
		return path_open(t, LINUX_AT_FDCWD, t->process->path, open_flags, mode);
	handle_t handle = magic_handle(t, magic, fd);
	while (*after == '/')
		after++;
	if (*after || magic != MAGIC_FD)
		return path_open(t, handle, after, open_flags, mode);
	/* Linux opens the file anew; what has no name is shared, as dup does. */
	int64_t opened = native(OP_OPEN, 0, handle, 0, 0, (uint64_t)"", 0, open_flags, mode);
	return opened >= 0 ? opened : duplicate(handle, open_flags);
}

int64_t path_open(struct thread *t, int32_t directory, const char *path, uint64_t open_flags, uint32_t mode)
{
	char full[LINUX_PATH_MAX], crossed[LINUX_PATH_MAX];
	const char *after;
	struct target target;
	struct file_stat stat;
	uint64_t fd;
	int64_t result;

	for (int i = 0; i < CROSSINGS_MAX; i++) {
		if ((result = find(t, directory, path, full, &target)) < 0)
			return result;
		enum magic magic = target.place.scheme ? magic_find(t, &target.place, &fd, &after) : MAGIC_NONE;
		if (magic && (*after || !(open_flags & OPEN_NOFOLLOW)))
			return magic_open(t, magic, fd, after, open_flags, mode);
		result = native(OP_OPEN, REQUEST_INTERRUPTIBLE, target.place.scheme ? HANDLE_NONE : target.handle,
		                (uint64_t)target.place.scheme, target.place.scheme_bytes, (uint64_t)target.place.rest,
		                strlen(target.place.rest), open_flags, mode);
		if (result == ERR_NXIO && !path_stat(t, directory, path, 0, &stat))
			return special_open(t, &stat, open_flags);
		if (result == ERR_NODEV && target.place.scheme)
			return ERR_NOENT;
		if (result != ERR_XDEV)
			return result;
		if ((result = resolve(&target, open_flags & OPEN_NOFOLLOW ? AT_NOFOLLOW : 0, crossed)) < 0)
			return result;
		path = crossed;
		directory = LINUX_AT_FDCWD;
	}
	return ERR_LOOP;
}

/* ---- names of handles ---- */

/* What Linux calls things without a path. */
static int64_t name_unnamed(handle_t handle, char *to, size_t bytes)
{
	int64_t number = native_call(handle, PIPE_NUMBER, 0, NULL, 0, NULL, 0, 0);
	struct pipe_info info;

	if (number > 0 && native_call(handle, PIPE_INFO, 0, NULL, 0, &info, sizeof(info), 0) >= 0)
		return (int64_t)fmt(to, bytes, "socket:[%lu]", (uint64_t)number);
	if (number > 0)
		return (int64_t)fmt(to, bytes, "pipe:[%lu]", (uint64_t)number);
	/* As stat_unnamed takes it for. */
	if (native(OP_SEEK, 0, handle, 0, SEEK_FROM_HERE, 0, 0, 0, 0) >= 0)
		return (int64_t)string_copy(to, "/dev/null", bytes);
	return (int64_t)fmt(to, bytes, "anon_inode:[handle]");
}

int64_t path_of(struct thread *t, handle_t handle, char *to, size_t bytes)
{
	(void)t;
	int64_t length = native_call(handle, FILE_PATH, 0, NULL, 0, to, bytes - 1, 0);
	if (length == ERR_NOTTY)
		length = native_call(handle, TTY_NAME, 0, NULL, 0, to, bytes - 1, 0);
	if (length == ERR_NOTTY)
		return name_unnamed(handle, to, bytes);
	if (length < 0)
		return length;
	if ((size_t)length >= bytes)
		return ERR_NAMETOOLONG;
	to[length] = 0;
	return length;
}

/* A link of /proc that stands for what another process has open: it is opened to see what it is. */
static int64_t readlink_open(struct thread *t, int32_t directory, const char *path, char *to, size_t bytes)
{
	int64_t handle = path_open(t, directory, path, OPEN_PATH | OPEN_PRIVATE, 0);

	if (handle < 0)
		return handle;
	int64_t length = path_of(t, (handle_t)handle, to, bytes);
	native_close((handle_t)handle);
	return length;
}

int64_t path_readlink(struct thread *t, int32_t directory, const char *path, char *to, size_t bytes)
{
	struct path_request q = { .code = FILE_READLINK, .before = "", .out = to, .out_bytes = bytes };
	char full[LINUX_PATH_MAX], name[LINUX_PATH_MAX];
	const char *after;
	struct target target;
	uint64_t fd;
	int64_t result;

	if ((result = find(t, directory, path, full, &target)) < 0)
		return result;
	enum magic magic = target.place.scheme ? magic_find(t, &target.place, &fd, &after) : MAGIC_NONE;
	if (!magic || *after) {
		result = path_call(t, directory, path, &q);
		if (result != ERR_XDEV || !target.place.scheme)
			return result;
		result = readlink_open(t, directory, path, name, sizeof(name));
	} else if (magic == MAGIC_EXE) {
		result = (int64_t)string_copy(name, t->process->path, sizeof(name));
	} else {
		result = path_of(t, magic_handle(t, magic, fd), name, sizeof(name));
	}
	if (result < 0)
		return result == ERR_BADF ? ERR_NOENT : result;
	size_t length = (size_t)result < bytes ? (size_t)result : bytes;
	memcpy(to, name, length);
	return (int64_t)length;
}

void path_tell_places(struct process *p)
{
	const struct file_kept *kept = &p->kept.file;

	(void)native_call(process_posix(p), POSIX_PLACES, 0, NULL, 0, NULL, 0, (uint32_t)kept->cwd | (uint64_t)(uint32_t)kept->root << 32);
}

int64_t path_change(struct thread *t, int32_t directory, const char *path, bool root)
{
	struct file_kept *kept = &t->process->kept.file;
	struct path_request may = { .code = FILE_ACCESS, .word = OPEN_EXEC, .before = "" };
	char name[LINUX_PATH_MAX];
	struct path_place place;
	int64_t result;

	int64_t handle = path_open(t, directory, path, OPEN_PATH | OPEN_DIRECTORY | OPEN_PRIVATE, 0);
	if (handle < 0)
		return handle;
	result = path_call(t, (int32_t)handle, "", &may);
	if (result < 0 && result != ERR_NOTTY) {
		native_close((handle_t)handle);
		return result;
	}
	bool is_foreign = path_of(t, (handle_t)handle, name, sizeof(name)) > 0 && path_prefix(name, &place);
	lock_take(&t->process->lock);
	handle_t *place_of = root ? &kept->root : &kept->cwd;
	handle_t old = *place_of;
	*place_of = (handle_t)handle;
	if (!root)
		kept->cwd_is_foreign = is_foreign;
	path_tell_places(t->process);
	lock_release(&t->process->lock);
	native_close(old);
	return 0;
}
