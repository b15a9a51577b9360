/* fs/ramfs/call.c - the file protocol (abi/proto/file.def): takes a CALL apart and has it done. */
#include "fs/ramfs/call.h"
#include "abi/proto/kernel.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/lock.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

#define TMPFS_TYPE 0x01021994u

static struct where where_of(const struct call *c, const struct open *o, size_t skip)
{
	return (struct where){ c->sender, o->node, c->in + skip, c->in_bytes - skip };
}

/* A struct at the front of what came in. */
static err_t take_in(const struct call *c, void *to, size_t bytes)
{
	if (c->in_bytes < bytes)
		return ERR_INVAL;
	memcpy(to, c->in, bytes);
	return OK;
}

static err_t put_out(struct call *c, const void *from, size_t bytes)
{
	if (c->out_bytes < bytes)
		return ERR_INVAL;
	memcpy(c->out, from, bytes);
	c->out_used = bytes;
	return OK;
}

/* Two strings with a 0 between them. */
static err_t split(const struct call *c, const struct open *o, struct where *first, struct where *second)
{
	const char *zero = c->in_bytes ? memchr(c->in, 0, c->in_bytes) : NULL;
	size_t first_bytes = zero ? (size_t)(zero - c->in) : 0;

	if (!zero)
		return ERR_INVAL;
	*second = where_of(c, o, first_bytes + 1);
	*first = where_of(c, o, 0);
	first->bytes = first_bytes;
	return OK;
}

/* As split; the second is relative to the passed handle, if any. */
static err_t split_two(const struct call *c, const struct open *o, struct where *old, struct where *new)
{
	err_t err = split(c, o, old, new);

	if (err || !c->has_other)
		return err;
	if (!c->other)
		return ERR_XDEV;
	new->at = c->other->node;
	return OK;
}

static int64_t call_stat(struct fs *fs, struct call *c, struct open *o)
{
	struct where w = where_of(c, o, 0);
	struct file_stat s;

	if (c->has_other) {
		if (!c->other)
			return ERR_XDEV;
		w.at = c->other->node;
	}
	err_t err = tree_stat(fs, &w, (unsigned)c->word, &s);

	return err ? err : put_out(c, &s, sizeof(s));
}

static int64_t call_list(struct call *c, struct open *o)
{
	err_t err;

	if (!node_is_dir(o->node))
		return ERR_NOTDIR;
	if (o->flags & OPEN_PATH)
		return ERR_BADF;
	err = dir_list(o->node, c->word, c->out, c->out_bytes, &c->out_used);
	return err ? (int64_t)err : (int64_t)c->out_used;
}

static int64_t call_two_paths(struct fs *fs, struct call *c, struct open *o)
{
	struct where old, new;
	err_t err = split_two(c, o, &old, &new);

	if (err)
		return err;
	return c->code == FILE_RENAME ? tree_rename(fs, &old, &new, (unsigned)c->word)
	                              : tree_link(fs, &old, &new, (unsigned)c->word);
}

static int64_t call_symlink(struct fs *fs, struct call *c, struct open *o)
{
	struct where target, path;
	err_t err = split(c, o, &target, &path);

	return err ? err : tree_symlink(fs, &path, target.path, target.bytes);
}

static int64_t call_readlink(struct fs *fs, struct call *c, struct open *o)
{
	struct where w = where_of(c, o, 0);
	const char *target;
	size_t bytes;
	err_t err = tree_readlink(fs, &w, &target, &bytes);

	if (err)
		return err;
	bytes = MIN_OF(bytes, c->out_bytes);
	err = put_out(c, target, bytes);
	return err ? (int64_t)err : (int64_t)bytes;
}

static int64_t call_chown(struct fs *fs, struct call *c, struct open *o)
{
	struct file_owner owner;
	struct where w;
	err_t err = take_in(c, &owner, sizeof(owner));

	if (err)
		return err;
	w = where_of(c, o, sizeof(owner));
	return tree_chown(fs, &w, &owner, (unsigned)c->word);
}

static int64_t call_utime(struct fs *fs, struct call *c, struct open *o)
{
	struct file_times times;
	struct where w;
	err_t err = take_in(c, &times, sizeof(times));

	if (err)
		return err;
	w = where_of(c, o, sizeof(times));
	return tree_utime(fs, &w, &times, (unsigned)c->word);
}

/* The path was built at the end of out: brings it to its front. */
static int64_t path_out(struct call *c, const char *path)
{
	c->out_used = (size_t)(c->out + c->out_bytes - path);
	memmove(c->out, path, c->out_used);
	return (int64_t)c->out_used;
}

static int64_t call_resolve(struct fs *fs, struct call *c, struct open *o)
{
	struct where w = where_of(c, o, 0);
	char *path;
	err_t err = tree_resolve(fs, &w, (unsigned)c->word, c->out, c->out_bytes, &path);

	return err ? err : path_out(c, path);
}

static int64_t call_path(struct call *c, struct open *o)
{
	char *path;
	err_t err = dir_path(o->node, o->serial, c->out, c->out_bytes, &path);

	if (err)
		return err == ERR_NAMETOOLONG ? ERR_RANGE : err;
	return path_out(c, path);
}

static int64_t call_statfs(struct fs *fs, struct call *c)
{
	uint64_t total, free;
	struct file_system s = { .type = TMPFS_TYPE, .block_bytes = 4096, .name_max = NAME_BYTES_MAX };

	fs->backing->space(&total, &free);
	s.blocks = total / s.block_bytes;
	s.free_blocks = free / s.block_bytes;
	s.nodes = MIN_OF(fs->node_max, fs->node_count + free / sizeof(struct node));
	s.free_nodes = s.nodes - fs->node_count;
	return put_out(c, &s, sizeof(s));
}

static err_t allocate_zero(struct fs *fs, struct node *n, const struct file_range *r)
{
	uint64_t end = MIN_OF(r->offset + r->bytes, n->file.bytes);
	content_t content;
	err_t err;

	if (r->offset >= end)
		return OK;
	if ((err = node_content(fs, n, &content)))
		return err;
	if ((err = fs->backing->content_zero(content, r->offset, end - r->offset)))
		return err;
	/* What the image held there is no longer ours to count. */
	if (r->offset < n->file.image_bytes)
		n->file.image_bytes = r->offset;
	node_touch(fs, n, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
	return OK;
}

static int64_t call_allocate(struct fs *fs, struct call *c, struct open *o)
{
	struct node *n = o->node;
	struct file_range r;
	err_t err = take_in(c, &r, sizeof(r));

	if (err)
		return err;
	if (!node_is(n, MODE_FILE))
		return node_is_dir(n) ? ERR_ISDIR : ERR_NODEV;
	if (!(o->flags & OPEN_WRITE))
		return ERR_BADF;
	if (r.bytes == 0 || r.offset > INT64_MAX || r.bytes > INT64_MAX || c->word > ALLOCATE_ZERO)
		return ERR_INVAL;
	if (r.offset + r.bytes > FILE_BYTES_MAX)
		return ERR_FBIG;
	node_refresh(fs, n);
	if ((c->word == ALLOCATE_PUNCH || c->word == ALLOCATE_ZERO) && (err = allocate_zero(fs, n, &r)))
		return err;
	if ((c->word == ALLOCATE_RESERVE || c->word == ALLOCATE_ZERO) && r.offset + r.bytes > n->file.bytes &&
	    (err = node_resize(fs, n, r.offset + r.bytes)))
		return err;
	if (c->sender->uid != 0)
		node_drop_setid(n, c->sender);
	return OK;
}

/* For SEEK_DATA; the image's part of a file is data all over. */
static int64_t call_next_data(struct fs *fs, struct call *c, struct open *o)
{
	struct node *n = o->node;
	uint64_t at;
	err_t err;

	if (!node_is(n, MODE_FILE) || n->file.content == CONTENT_NONE)
		return ERR_NOTTY;
	node_refresh(fs, n);
	if (c->word >= n->file.bytes)
		return ERR_NXIO;
	if (c->word < n->file.image_bytes)
		return (int64_t)c->word;
	if ((err = fs->backing->content_next_data(n->file.content, c->word, &at)))
		return err;
	return at < n->file.bytes ? (int64_t)MAX_OF(at, c->word) : (int64_t)ERR_NXIO;
}

static int64_t call_lock(struct fs *fs, struct call *c, struct open *o)
{
	struct file_lock lock;
	err_t err = take_in(c, &lock, sizeof(lock));

	if (err)
		return err;
	open_hurry(fs, o);
	err = lock_apply(fs, o, c->sender, (unsigned)c->word, &lock, c->tag, &c->later);
	return err || c->out_bytes == 0 ? err : put_out(c, &lock, sizeof(lock));
}

static int64_t call_mknod(struct fs *fs, struct call *c, const struct where *w)
{
	err_t err = tree_mknod(fs, w, (uint32_t)c->word, c->word >> 52 << 32 | (c->word >> 32 & 0xfffff), c->passed);

	c->passed_kept = !err && (c->word & MODE_TYPE) == MODE_SOCKET;
	return err;
}

int64_t call_run(struct fs *fs, struct call *c)
{
	struct open *o = c->open;
	struct where w = where_of(c, o, 0);

	c->out_used = 0;
	c->later = c->passed_kept = false;
	c->reply = CONTENT_NONE;
	switch (c->code) {
	case FILE_STAT:
		return call_stat(fs, c, o);
	case FILE_LIST:
		return call_list(c, o);
	case FILE_MKDIR:
		return tree_mkdir(fs, &w, (uint32_t)c->word);
	case FILE_UNLINK:
		return tree_unlink(fs, &w, (unsigned)c->word);
	case FILE_RENAME:
	case FILE_LINK:
		return call_two_paths(fs, c, o);
	case FILE_SYMLINK:
		return call_symlink(fs, c, o);
	case FILE_READLINK:
		return call_readlink(fs, c, o);
	case FILE_MKNOD:
		return call_mknod(fs, c, &w);
	case FILE_CONNECT:
		return tree_connect(fs, &w, &c->reply);
	case FILE_CHMOD:
		return tree_chmod(fs, &w, (uint32_t)c->word, (unsigned)(c->word >> 32));
	case FILE_CHOWN:
		return call_chown(fs, c, o);
	case FILE_UTIME:
		return call_utime(fs, c, o);
	case FILE_TRUNCATE:
		return o->flags & OPEN_PATH && w.bytes == 0 ? (int64_t)ERR_BADF : tree_truncate(fs, &w, c->word, o->flags & OPEN_WRITE);
	case FILE_ACCESS:
		return tree_access(fs, &w, (uint32_t)c->word, (unsigned)(c->word >> 32));
	case FILE_RESOLVE:
		return call_resolve(fs, c, o);
	case FILE_PATH:
		return call_path(c, o);
	case FILE_STATFS:
		return call_statfs(fs, c);
	case FILE_SYNC:
		return OK;
	case FILE_ALLOCATE:
		return call_allocate(fs, c, o);
	case FILE_LOCK:
		return call_lock(fs, c, o);
	case FILE_MOUNT:
		return tree_mount(fs, &w, c->word != 0);
	case FILE_UNLINK_SELF:
		return tree_unlink_serial(fs, c->sender, o->node, o->serial);
	case MEM_NEXT_DATA:
		return call_next_data(fs, c, o);
	default:
		return ERR_NOTTY;
	}
}
