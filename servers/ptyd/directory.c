/* servers/ptyd/directory.c - /dev/pts as a directory: its entries and what they are. */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "servers/ptyd/pty.h"

enum { NODE_ROOT = 1, NODE_PTMX = 2, NAME_MAX_BYTES = 16, COOKIE_PTYS = 3 };

err_t pty_parse_name(const char *name, size_t bytes, uint32_t *number)
{
	uint32_t value = 0;

	for (; bytes > 0 && *name == '/'; name++)
		bytes--;
	if (bytes == 0 || bytes > 6 || (bytes > 1 && *name == '0'))
		return ERR_NOENT;
	for (size_t i = 0; i < bytes; i++) {
		if (name[i] < '0' || name[i] > '9')
			return ERR_NOENT;
		value = value * 10 + (uint32_t)(name[i] - '0');
	}
	*number = value;
	return OK;
}

/* ---- Names --------------------------------------------------------------------------------------------------------- */

/* What a path names: the directory (both out NULL), ptmx or a slave. */
struct node {
	bool is_ptmx;
	struct pty *pty;
};

static err_t find_node(const struct ptys *p, const char *path, size_t bytes, struct node *out)
{
	uint32_t number;
	err_t err;

	*out = (struct node){ 0 };
	for (; bytes > 0 && *path == '/'; path++)
		bytes--;
	if (bytes == 0 || string_is(path, bytes, "."))
		return OK;
	if (string_is(path, bytes, "ptmx")) {
		out->is_ptmx = true;
		return OK;
	}
	if ((err = pty_parse_name(path, bytes, &number)))
		return err;
	out->pty = pty_find(p, number);
	return out->pty ? OK : ERR_NOENT;
}

static void stat_node(const struct node *n, struct file_stat *out)
{
	if (n->pty) {
		tty_serve_stat(&n->pty->slave, out);
		return;
	}
	*out = (struct file_stat){ .device = 0x1cd1, .links = 1, .block_bytes = 1024 };
	out->node = n->is_ptmx ? NODE_PTMX : NODE_ROOT;
	out->mode = n->is_ptmx ? MODE_CHARACTER | 0666 : MODE_DIRECTORY | 0755;
	out->gid = n->is_ptmx ? PTY_GROUP_TTY : 0;
	out->rdev = n->is_ptmx ? (uint64_t)PTY_MASTER_MAJOR << 32 | PTY_MASTER_MINOR : 0;
	out->links = n->is_ptmx ? 1 : 2;
}

/* ---- Listing ------------------------------------------------------------------------------------------------------- */

/* Adds an entry if it fits. */
static bool add_entry(struct scheme_request *r, uint64_t node, uint64_t cookie, uint32_t mode, const char *name)
{
	uint8_t bytes[sizeof(struct file_entry) + NAME_MAX_BYTES] = { 0 };
	size_t name_bytes = strlen(name), total = (sizeof(struct file_entry) + name_bytes + 7) & ~(size_t)7;
	struct file_entry entry = {
		.node = node, .cookie = cookie, .entry_bytes = (uint16_t)total, .name_bytes = (uint16_t)name_bytes,
		.mode = mode & MODE_TYPE,
	};

	memcpy(bytes, &entry, sizeof(entry));
	memcpy(bytes + sizeof(entry), name, name_bytes);
	return total <= sizeof(bytes) && scheme_out(r, bytes, total) == OK;
}

/* Entry number cookie; *exists says whether there is one. */
static bool add_entry_at(const struct ptys *p, struct scheme_request *r, uint64_t cookie, bool *exists)
{
	char name[NAME_MAX_BYTES];
	struct pty *pty;

	*exists = true;
	if (cookie < 2)
		return add_entry(r, NODE_ROOT, cookie + 1, MODE_DIRECTORY, cookie == 0 ? "." : "..");
	if (cookie == 2)
		return add_entry(r, NODE_PTMX, cookie + 1, MODE_CHARACTER, "ptmx");
	pty = pty_find(p, (uint32_t)(cookie - COOKIE_PTYS));
	*exists = pty;
	if (!pty)
		return true;
	fmt(name, sizeof(name), "%u", pty->number);
	return add_entry(r, pty->slave.node, cookie + 1, MODE_CHARACTER, name);
}

static int64_t list(const struct ptys *p, struct scheme_request *r, uint64_t cookie)
{
	bool exists;

	for (; cookie < (uint64_t)p->capacity + COOKIE_PTYS; cookie++)
		if (!add_entry_at(p, r, cookie, &exists))
			return r->out_bytes > 0 ? (int64_t)r->out_bytes : ERR_INVAL;
	return (int64_t)r->out_bytes;
}

/* ---- Calls --------------------------------------------------------------------------------------------------------- */

static int64_t put_path(struct scheme_request *r, const char *path)
{
	size_t bytes = strlen(path);
	err_t err;

	if (bytes > r->out_room)
		return ERR_RANGE;
	err = scheme_out(r, path, bytes);
	return err ? err : (int64_t)bytes;
}

static int64_t resolve(const struct node *n, struct scheme_request *r)
{
	char path[NAME_MAX_BYTES];

	if (n->pty)
		fmt(path, sizeof(path), "/%u", n->pty->number);
	else
		string_copy(path, n->is_ptmx ? "/ptmx" : "/", sizeof(path));
	return put_path(r, path);
}

static int64_t put_stat(const struct node *n, struct scheme_request *r)
{
	struct file_stat stat;

	stat_node(n, &stat);
	return scheme_out(r, &stat, sizeof(stat));
}

static int64_t access(const struct node *n, const struct sender *sender, uint64_t word)
{
	if (word & OPEN_EXEC && (n->pty || n->is_ptmx))
		return ERR_ACCES;
	if (n->pty)
		return tty_serve_may(&n->pty->slave, sender, (uint32_t)word) ? 0 : ERR_ACCES;
	return !n->is_ptmx && (word & OPEN_WRITE) && sender->uid != 0 ? ERR_ACCES : 0;
}

static int64_t put_file_system(const struct ptys *p, struct scheme_request *r)
{
	struct file_system fs = { .type = 0x1cd1, .block_bytes = 1024, .nodes = p->capacity, .name_max = 255 };

	return scheme_out(r, &fs, sizeof(fs));
}

/* Owner and mode of a slave, which is how a terminal is given to who logs in. */
static int64_t change(const struct node *n, struct scheme_request *r, uint32_t code, uint64_t word, const struct file_owner *owner)
{
	if (!n->pty)
		return ERR_PERM;
	return code == FILE_CHMOD ? tty_serve_chmod(&n->pty->slave, &r->message->sender, (uint32_t)word)
	                          : tty_serve_chown(&n->pty->slave, &r->message->sender, owner);
}

int64_t pty_directory_call(struct ptys *p, struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct file_owner owner = { 0 };
	size_t skip = code == FILE_CHOWN ? sizeof(owner) : code == FILE_UTIME ? sizeof(struct file_times) : 0;
	struct node node;
	err_t err;

	if (code == FILE_LIST)
		return list(p, r, word);
	if (code == FILE_STATFS)
		return put_file_system(p, r);
	if (code == FILE_PATH)
		return put_path(r, "/dev/pts");
	if (r->in_here != r->in_bytes)
		return ERR_NAMETOOLONG;
	if (r->in_here < skip)
		return ERR_INVAL;
	memcpy(&owner, r->in, MIN_OF(skip, sizeof(owner)));
	if ((err = find_node(p, (const char *)r->in + skip, r->in_here - skip, &node)))
		return err == ERR_NOENT && (code == FILE_MKDIR || code == FILE_SYMLINK || code == FILE_MKNOD) ? ERR_PERM : err;
	switch (code) {
	case FILE_STAT:
		return put_stat(&node, r);
	case FILE_ACCESS:
		return access(&node, &r->message->sender, word);
	case FILE_RESOLVE:
		return resolve(&node, r);
	case FILE_READLINK:
		return ERR_INVAL;
	case FILE_CHMOD: case FILE_CHOWN:
		return change(&node, r, code, word, &owner);
	case FILE_UTIME: case FILE_SYNC:
		return 0;
	case FILE_MKDIR: case FILE_MKNOD: case FILE_SYMLINK: case FILE_UNLINK: case FILE_RENAME: case FILE_LINK: case FILE_TRUNCATE:
		return ERR_PERM;
	default:
		return ERR_NOTTY;
	}
}
