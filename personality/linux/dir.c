/* personality/linux/dir.c - directories: names made, moved, removed and listed; the working directory. */
#include "abi/proto/file.h"
#include "abi/proto/posix.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"
#include "personality/linux/path.h"

enum { LIST_BYTES = 8192, DIRENT_NAME = 19 };

static const uint64_t here = (uint32_t)LINUX_AT_FDCWD;

/* One path from the program, one code. */
static int64_t send(struct thread *t, uint64_t directory, uint64_t user_path, enum code code, uint64_t word)
{
	struct path_request q = { .code = code, .word = word, .before = "" };
	char path[LINUX_PATH_MAX];
	int64_t length = user_string(path, user_path, sizeof(path));

	if (length < 0)
		return length;
	if (length == 0)
		return ERR_NOENT;
	int64_t result = path_call(t, (int32_t)directory, path, &q);
	return call_interrupted(result == ERR_NOTTY ? ERR_PERM : result);
}

static uint64_t with_umask(const struct thread *t, uint64_t mode)
{
	return mode & (MODE_TYPE | MODE_PERMISSIONS) & ~(uint64_t)t->process->kept.file.umask;
}

int64_t linux_mkdir(struct thread *t, const uint64_t *a)
{
	return send(t, here, a[0], FILE_MKDIR, with_umask(t, a[1] & MODE_PERMISSIONS));
}

int64_t linux_mkdirat(struct thread *t, const uint64_t *a)
{
	return send(t, a[0], a[1], FILE_MKDIR, with_umask(t, a[2] & MODE_PERMISSIONS));
}

int64_t linux_rmdir(struct thread *t, const uint64_t *a)
{
	return send(t, here, a[0], FILE_UNLINK, AT_DIRECTORY);
}

int64_t linux_unlink(struct thread *t, const uint64_t *a)
{
	return send(t, here, a[0], FILE_UNLINK, 0);
}

int64_t linux_unlinkat(struct thread *t, const uint64_t *a)
{
	if (a[2] & ~(uint64_t)LINUX_AT_REMOVEDIR)
		return ERR_INVAL;
	return send(t, a[0], a[1], FILE_UNLINK, a[2] ? AT_DIRECTORY : 0);
}

static int64_t make_node(struct thread *t, uint64_t directory, uint64_t path, uint64_t mode, uint64_t device)
{
	uint64_t major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);

	if (!(mode & MODE_TYPE))
		mode |= MODE_FILE;
	/* The word has 32 bits for the device: major << 20 | minor would not say it all, so 12 and 20 as Linux. */
	return send(t, directory, path, FILE_MKNOD, with_umask(t, mode) | (major << 20 | minor) << 32);
}

int64_t linux_mknod(struct thread *t, const uint64_t *a)
{
	return make_node(t, here, a[0], a[1] & 0xffff, a[2]);
}

int64_t linux_mknodat(struct thread *t, const uint64_t *a)
{
	return make_node(t, a[0], a[1], a[2] & 0xffff, a[3]);
}

/* ---- two paths ---- */

static int64_t send_two(struct thread *t, const uint64_t at[4], enum code code, uint64_t word)
{
	char from[LINUX_PATH_MAX], to[LINUX_PATH_MAX];
	int64_t from_length = user_string(from, at[1], sizeof(from)), to_length = user_string(to, at[3], sizeof(to));

	if (from_length < 0 || to_length < 0)
		return from_length < 0 ? from_length : to_length;
	if (from_length == 0 || to_length == 0)
		return ERR_NOENT;
	return call_interrupted(path_call_two(t, (int32_t)at[0], from, (int32_t)at[2], to, code, word));
}

int64_t linux_rename(struct thread *t, const uint64_t *a)
{
	return send_two(t, (uint64_t[]){ here, a[0], here, a[1] }, FILE_RENAME, 0);
}

int64_t linux_renameat(struct thread *t, const uint64_t *a)
{
	return send_two(t, a, FILE_RENAME, 0);
}

int64_t linux_renameat2(struct thread *t, const uint64_t *a)
{
	uint64_t word = (a[4] & LINUX_RENAME_NOREPLACE ? AT_NOREPLACE : 0) | (a[4] & LINUX_RENAME_EXCHANGE ? AT_EXCHANGE : 0);

	if (a[4] & ~(uint64_t)(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE) || word == (AT_NOREPLACE | AT_EXCHANGE))
		return ERR_INVAL;
	return send_two(t, a, FILE_RENAME, word);
}

int64_t linux_link(struct thread *t, const uint64_t *a)
{
	return send_two(t, (uint64_t[]){ here, a[0], here, a[1] }, FILE_LINK, AT_NOFOLLOW);
}

int64_t linux_linkat(struct thread *t, const uint64_t *a)
{
	if (a[4] & ~(uint64_t)LINUX_AT_SYMLINK_FOLLOW)
		return a[4] & LINUX_AT_EMPTY_PATH ? ERR_NOENT : ERR_INVAL;      /* Linux: without CAP_DAC_READ_SEARCH */
	return send_two(t, a, FILE_LINK, a[4] ? 0 : AT_NOFOLLOW);
}

/* ---- symbolic links ---- */

static int64_t make_symlink(struct thread *t, uint64_t user_target, uint64_t directory, uint64_t user_path)
{
	char target[LINUX_PATH_MAX + 1], path[LINUX_PATH_MAX];
	int64_t length = user_string(target, user_target, LINUX_PATH_MAX), result;

	if (length < 0)
		return length;
	if (length == 0)
		return ERR_NOENT;
	if ((result = user_string(path, user_path, sizeof(path))) <= 0)
		return result < 0 ? result : ERR_NOENT;
	struct path_request q = { .code = FILE_SYMLINK, .before = target, .before_bytes = (size_t)length + 1 };
	return call_interrupted(path_call(t, (int32_t)directory, path, &q));
}

int64_t linux_symlink(struct thread *t, const uint64_t *a)
{
	return make_symlink(t, a[0], here, a[1]);
}

int64_t linux_symlinkat(struct thread *t, const uint64_t *a)
{
	return make_symlink(t, a[0], a[1], a[2]);
}

static int64_t read_symlink(struct thread *t, uint64_t directory, uint64_t user_path, uint64_t buffer, uint64_t bytes)
{
	char path[LINUX_PATH_MAX], target[LINUX_PATH_MAX];
	int64_t length = user_string(path, user_path, sizeof(path));

	if (length < 0)
		return length;
	if ((int64_t)bytes <= 0)
		return ERR_INVAL;
	if (length == 0 && (int32_t)directory == LINUX_AT_FDCWD)
		return ERR_NOENT;
	length = path_readlink(t, (int32_t)directory, path, target, bytes < sizeof(target) ? bytes : sizeof(target));
	if (length < 0)
		return call_interrupted(length == ERR_NOTTY ? ERR_INVAL : length);
	int64_t result = user_write(buffer, target, (size_t)length);
	return result < 0 ? result : length;
}

/* Every static program of glibc asks where it lies: not worth the buffers of a path. */
static bool names_own_program(uint64_t user_path)
{
	static const char own[] = "/proc/self/exe";
	char path[sizeof(own)];

	return user_string(path, user_path, sizeof(path)) == sizeof(own) - 1 && memcmp(path, own, sizeof(own)) == 0;
}

int64_t linux_readlink(struct thread *t, const uint64_t *a)
{
	if ((int32_t)a[2] > 0 && names_own_program(a[0])) {
		size_t bytes = MIN_OF(strlen(t->process->path), (size_t)(uint32_t)a[2]);
		return user_write(a[1], t->process->path, bytes) ? ERR_FAULT : (int64_t)bytes;
	}
	return read_symlink(t, here, a[0], a[1], a[2]);
}

int64_t linux_readlinkat(struct thread *t, const uint64_t *a)
{
	return read_symlink(t, a[0], a[1], a[2], a[3]);
}

/* ---- the working directory, root and umask ---- */

static int64_t change_directory(struct thread *t, uint64_t user_path, bool root)
{
	char path[LINUX_PATH_MAX];
	int64_t length = user_string(path, user_path, sizeof(path));

	if (length <= 0)
		return length < 0 ? length : ERR_NOENT;
	return path_change(t, LINUX_AT_FDCWD, path, root);
}

int64_t linux_chdir(struct thread *t, const uint64_t *a)
{
	return change_directory(t, a[0], false);
}

int64_t linux_fchdir(struct thread *t, const uint64_t *a)
{
	return fd_is_valid(a[0]) ? path_change(t, (int32_t)a[0], "", false) : ERR_BADF;
}

int64_t linux_chroot(struct thread *t, const uint64_t *a)
{
	struct posix_ids ids;
	int64_t result = native_call(process_posix(t->process), POSIX_GET_IDS, 0, NULL, 0, &ids, sizeof(ids), 0);

	if (result < 0)
		return result;
	return ids.euid == 0 ? change_directory(t, a[0], true) : ERR_PERM;
}

int64_t linux_getcwd(struct thread *t, const uint64_t *a)
{
	char path[LINUX_PATH_MAX];
	int64_t length = path_of(t, t->process->kept.file.cwd, path, sizeof(path));

	if (length < 0)
		return length;
	if ((uint64_t)length + 1 > a[1])
		return ERR_RANGE;
	int64_t result = user_write(a[0], path, (size_t)length + 1);
	return result < 0 ? result : length + 1;
}

int64_t linux_umask(struct thread *t, const uint64_t *a)
{
	uint32_t old = t->process->kept.file.umask;
	t->process->kept.file.umask = a[0] & 0777;
	return old;
}

/* ---- listing ---- */

/* Linux's entry is never longer than ours, so a list that fits one fits the other. */
STATIC_ASSERT(sizeof(struct file_entry) >= DIRENT_NAME, "entries shrink");

/* Writes entries [0, bytes) to the program; how many bytes, and the cookie to go on with. */
static int64_t write_entries(const char *list, size_t bytes, uint64_t user, uint64_t user_bytes, uint64_t *cookie)
{
	char out[sizeof(struct linux_dirent64) + 256 + 8];
	uint64_t done = 0;

	for (size_t at = 0; at + sizeof(struct file_entry) <= bytes;) {
		struct file_entry e;
		memcpy(&e, list + at, sizeof(e));
		if (e.entry_bytes < sizeof(e) || e.entry_bytes > bytes - at || e.name_bytes > e.entry_bytes - sizeof(e) || e.name_bytes > 255)
			return ERR_PROTO;
		struct linux_dirent64 d = {
			.ino = e.node, .off = (int64_t)e.cookie, .type = (uint8_t)(e.mode >> 12 & 15),
			.reclen = (uint16_t)((DIRENT_NAME + e.name_bytes + 1 + 7) & ~7u),
		};
		if (done + d.reclen > user_bytes)
			break;
		memset(out, 0, d.reclen);
		memcpy(out, &d, sizeof(d));
		memcpy(out + DIRENT_NAME, list + at + sizeof(e), e.name_bytes);
		int64_t result = user_write(user + done, out, d.reclen);
		if (result < 0)
			return done ? (int64_t)done : result;
		done += d.reclen;
		*cookie = e.cookie;
		at += e.entry_bytes;
	}
	return done || !bytes ? (int64_t)done : ERR_INVAL;
}

int64_t linux_getdents64(struct thread *t, const uint64_t *a)
{
	char list[LIST_BYTES];
	handle_t h = (handle_t)a[0];
	uint64_t cookie;

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	/* The handle's offset is the place in the list, so that lseek and dup act on it as they should. */
	int64_t offset = native(OP_SEEK, 0, h, 0, SEEK_FROM_HERE, 0, 0, 0, 0);
	if (offset < 0)
		return offset == ERR_SPIPE ? ERR_NOTDIR : offset;
	cookie = (uint64_t)offset;
	size_t want = a[2] < sizeof(list) ? a[2] : sizeof(list);
	int64_t bytes = native_call(h, FILE_LIST, REQUEST_INTERRUPTIBLE, NULL, 0, list, want, cookie);
	if (bytes < 0)
		return call_interrupted(bytes == ERR_NOTTY ? ERR_NOTDIR : bytes);
	if ((size_t)bytes > want)
		return ERR_PROTO;
	int64_t done = write_entries(list, (size_t)bytes, a[1], a[2], &cookie);
	if (done > 0)
		native(OP_SEEK, 0, h, cookie, SEEK_FROM_START, 0, 0, 0, 0);
	return done;
}
