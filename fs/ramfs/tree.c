/* fs/ramfs/tree.c - what is done to the tree by path: every rule of POSIX about names and attributes.
 *
 * Each function walks and checks all before it changes anything, so that an error leaves the tree as it was.
 * The order of the checks is Linux's, which programs (and their tests) know.
 */
#include "fs/ramfs/tree.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

static err_t walk_where(struct fs *fs, const struct where *w, unsigned flags, struct walk *out)
{
	return walk(fs, w->sender, w->at, w->path, w->bytes, flags, out);
}

/* To the node that attributes are asked of or given to. */
static err_t walk_at(struct fs *fs, const struct where *w, unsigned at_flags, struct walk *out)
{
	return walk_to_node(fs, w->sender, w->at, w->path, w->bytes, at_flags & AT_NOFOLLOW ? WALK_NOFOLLOW : WALK_FOLLOW, out);
}

err_t tree_may_add(const struct node *dir, const struct sender *s)
{
	if (dir->links == 0)
		return ERR_NOENT;
	return node_access(dir, s, MAY_WRITE | MAY_EXEC);
}

err_t tree_may_remove(const struct entry *e, const struct sender *s)
{
	err_t err = node_access(e->dir, s, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((e->dir->mode & MODE_STICKY) && !node_is_owner(e->node, s) && !node_is_owner(e->dir, s))
		return ERR_PERM;
	return OK;
}

/* Group and set-group-id of a node made in dir. */
static void inherit(const struct node *dir, const struct sender *s, uint32_t *mode, uint32_t *gid)
{
	*gid = s->gid;
	if (dir->mode & MODE_SETGID) {
		*gid = dir->gid;
		if ((*mode & MODE_TYPE) == MODE_DIRECTORY) {
			*mode |= MODE_SETGID;
			return;
		}
	}
	if ((*mode & MODE_SETGID) && (*mode & 010) && s->uid != 0 && !sender_in_group(s, *gid))
		*mode &= ~(uint32_t)MODE_SETGID;
}

err_t tree_create_at(struct fs *fs, const struct sender *s, const struct walk *place, uint32_t mode, uint64_t rdev,
                     const char *target, size_t target_bytes, struct entry **out)
{
	uint32_t type = mode & MODE_TYPE, gid;
	struct entry *e;
	struct node *n;
	err_t err;

	if (place->node)
		return ERR_EXIST;
	if (place->slash && type != MODE_DIRECTORY)
		return ERR_NOENT;
	if ((err = tree_may_add(place->dir, s)))
		return err;
	inherit(place->dir, s, &mode, &gid);
	if ((err = node_create(fs, mode, s->uid, gid, fs->backing->now_ns(), &n)))
		return err;
	if (type == MODE_SYMLINK)
		err = node_set_target(n, target, target_bytes, false);
	else if (type != MODE_DIRECTORY && type != MODE_FILE)
		n->special.rdev = rdev;
	if (!err)
		err = dir_add(fs, place->dir, place->name, place->name_bytes, false, n, &e);
	if (!err) {
		node_touch(fs, place->dir, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
		if (out)
			*out = e;
	}
	node_put(fs, n);
	return err;
}

static err_t create(struct fs *fs, const struct where *w, uint32_t mode, uint64_t rdev, const char *target, size_t target_bytes,
                    struct entry **out)
{
	struct walk place;
	err_t err;

	if (w->bytes == 0)
		return ERR_NOENT;
	if ((err = walk_where(fs, w, WALK_RAW | WALK_MOUNT, &place)))
		return err;
	return tree_create_at(fs, w->sender, &place, mode, rdev, target, target_bytes, out);
}

err_t tree_mkdir(struct fs *fs, const struct where *w, uint32_t mode)
{
	return create(fs, w, MODE_DIRECTORY | (mode & (0777 | MODE_STICKY)), 0, NULL, 0, NULL);
}

err_t tree_mknod(struct fs *fs, const struct where *w, uint32_t mode, uint64_t rdev, content_t socket)
{
	uint32_t type = mode & MODE_TYPE;
	struct entry *e;
	err_t err;

	if (type == 0)
		type = MODE_FILE;
	if (type == MODE_DIRECTORY)
		return ERR_PERM;
	if (type != MODE_FILE && type != MODE_FIFO && type != MODE_SOCKET && type != MODE_CHARACTER && type != MODE_BLOCK)
		return ERR_INVAL;
	if ((type == MODE_CHARACTER || type == MODE_BLOCK) && w->sender->uid != 0)
		return ERR_PERM;
	rdev = type == MODE_CHARACTER || type == MODE_BLOCK ? rdev : 0;
	if ((err = create(fs, w, type | (mode & MODE_PERMISSIONS), rdev, NULL, 0, &e)))
		return err;
	if (type == MODE_SOCKET)
		e->node->special.pipe = socket;
	return OK;
}

err_t tree_connect(struct fs *fs, const struct where *w, content_t *out)
{
	struct walk place;
	err_t err;

	if ((err = walk_at(fs, w, 0, &place)) || (err = node_access(place.node, w->sender, MAY_WRITE)))
		return err;
	if (!node_is(place.node, MODE_SOCKET) || place.node->special.pipe == CONTENT_NONE)
		return ERR_CONNREFUSED;
	*out = place.node->special.pipe;
	return OK;
}

err_t tree_symlink(struct fs *fs, const struct where *w, const char *target, size_t target_bytes)
{
	if (target_bytes == 0)
		return ERR_NOENT;
	if (target_bytes > PATH_BYTES_MAX)
		return ERR_NAMETOOLONG;
	return create(fs, w, MODE_SYMLINK | 0777, 0, target, target_bytes, NULL);
}

/* A link keeps a file alive that its owner deletes, a set-user-id one with a hole too: so only for owners, and for who could
 * copy the content back and forth anyway (Linux: protected_hardlinks). */
static bool may_link_node(const struct node *n, const struct sender *s)
{
	if (node_is_owner(n, s))
		return true;
	if (!node_is(n, MODE_FILE) || (n->mode & MODE_SETUID) || (n->mode & (MODE_SETGID | 010)) == (MODE_SETGID | 010))
		return false;
	return node_access(n, s, MAY_READ | MAY_WRITE) == OK;
}

err_t tree_link(struct fs *fs, const struct where *old, const struct where *new, unsigned at_flags)
{
	struct walk from, to;
	err_t err;

	if ((err = walk_at(fs, old, at_flags, &from)))
		return err;
	if (new->bytes == 0)
		return ERR_NOENT;
	if ((err = walk_where(fs, new, WALK_RAW | WALK_MOUNT, &to)))
		return err;
	if (to.node)
		return ERR_EXIST;
	if (to.slash)
		return ERR_NOENT;
	if (!may_link_node(from.node, new->sender))
		return ERR_PERM;
	if ((err = tree_may_add(to.dir, new->sender)))
		return err;
	if (node_is_dir(from.node))
		return ERR_PERM;
	if (from.node->links == 0 && !from.node->may_link)
		return ERR_NOENT;
	if ((err = dir_add(fs, to.dir, to.name, to.name_bytes, false, from.node, NULL)))
		return err;
	from.node->may_link = false;
	node_touch(fs, from.node, NODE_TIME_CHANGED);
	node_touch(fs, to.dir, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
	return OK;
}

static void remove_entry(struct fs *fs, struct entry *e)
{
	node_touch(fs, e->node, NODE_TIME_CHANGED);
	node_touch(fs, e->dir, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
	dir_remove(fs, e);
}

/* The errors of the names that are no names. */
static err_t check_last(const struct walk *place, bool want_dir)
{
	if (place->last == LAST_NAME)
		return OK;
	if (!want_dir)
		return place->last == LAST_SELF ? ERR_NOENT : ERR_ISDIR;
	switch (place->last) {
	case LAST_DOT:
		return ERR_INVAL;
	case LAST_DOTDOT:
		return ERR_NOTEMPTY;
	case LAST_ROOT:
		return ERR_BUSY;
	default:
		return ERR_NOENT;
	}
}

static err_t check_rmdir(const struct node *n)
{
	if (!node_is_dir(n))
		return ERR_NOTDIR;
	if (n->is_mount)
		return ERR_BUSY;
	return n->dir.count > 0 ? ERR_NOTEMPTY : OK;
}

err_t tree_unlink(struct fs *fs, const struct where *w, unsigned at_flags)
{
	bool want_dir = at_flags & AT_DIRECTORY;
	struct walk place;
	err_t err;

	if ((err = walk_where(fs, w, WALK_RAW | WALK_MOUNT, &place)))
		return err;
	if ((err = check_last(&place, want_dir)))
		return err;
	if (!place.node)
		return ERR_NOENT;
	if (!want_dir && place.slash)
		return node_is_dir(place.node) ? ERR_ISDIR : ERR_NOTDIR;
	if ((err = tree_may_remove(place.entry, w->sender)))
		return err;
	if (want_dir)
		err = check_rmdir(place.node);
	else if (node_is_dir(place.node))
		err = ERR_ISDIR;
	if (err)
		return err;
	remove_entry(fs, place.entry);
	return OK;
}

err_t tree_unlink_serial(struct fs *fs, const struct sender *s, struct node *n, uint64_t serial)
{
	struct entry *e = dir_entry_by_serial(n, serial);
	err_t err;

	if (!e)
		return ERR_NOENT;
	if ((err = tree_may_remove(e, s)))
		return err;
	if (node_is_dir(n) && (err = check_rmdir(n)))
		return err;
	remove_entry(fs, e);
	return OK;
}

err_t tree_stat(struct fs *fs, const struct where *w, unsigned at_flags, struct file_stat *out)
{
	struct walk at;
	err_t err;

	if ((err = walk_at(fs, w, at_flags, &at)))
		return err;
	node_stat(fs, at.node, out);
	return OK;
}

err_t tree_readlink(struct fs *fs, const struct where *w, const char **target, size_t *bytes)
{
	struct walk at;
	err_t err;

	if ((err = walk_at(fs, w, AT_NOFOLLOW, &at)))
		return err;
	if (!node_is(at.node, MODE_SYMLINK))
		return ERR_INVAL;
	node_touch_accessed(fs, at.node);
	*target = at.node->link.target;
	*bytes = at.node->link.bytes;
	return OK;
}

err_t tree_chmod(struct fs *fs, const struct where *w, uint32_t mode, unsigned at_flags)
{
	struct walk at;
	err_t err;

	if ((err = walk_at(fs, w, at_flags, &at)))
		return err;
	if (node_is(at.node, MODE_SYMLINK))
		return ERR_OPNOTSUPP;
	if (!node_is_owner(at.node, w->sender))
		return ERR_PERM;
	/* Writes before this call must not take away what it sets. */
	node_refresh(fs, at.node);
	mode &= MODE_PERMISSIONS;
	if (w->sender->uid != 0 && !sender_in_group(w->sender, at.node->gid))
		mode &= ~(uint32_t)MODE_SETGID;
	at.node->mode = (at.node->mode & MODE_TYPE) | mode;
	node_touch(fs, at.node, NODE_TIME_CHANGED);
	return OK;
}

err_t tree_chown(struct fs *fs, const struct where *w, const struct file_owner *owner, unsigned at_flags)
{
	const struct sender *s = w->sender;
	struct walk at;
	err_t err;

	if ((err = walk_at(fs, w, at_flags, &at)))
		return err;
	if (!node_is_owner(at.node, s) && node_lost_setid(at.node, s))
		return ERR_PERM;
	if (s->uid != 0) {
		if (owner->uid != ~0u && (s->uid != at.node->uid || owner->uid != at.node->uid))
			return ERR_PERM;
		if (owner->gid != ~0u && (s->uid != at.node->uid || (owner->gid != at.node->gid && !sender_in_group(s, owner->gid))))
			return ERR_PERM;
	}
	if (owner->uid != ~0u)
		at.node->uid = owner->uid;
	if (owner->gid != ~0u)
		at.node->gid = owner->gid;
	node_drop_setid(at.node, w->sender);
	node_touch(fs, at.node, NODE_TIME_CHANGED);
	return OK;
}

static bool time_is_valid(const struct file_time *t)
{
	return t->nanoseconds < 1000000000u || t->nanoseconds == FILE_TIME_NOW || t->nanoseconds == FILE_TIME_OMIT;
}

static void time_set(int64_t *to, const struct file_time *t, int64_t now)
{
	if (t->nanoseconds == FILE_TIME_OMIT)
		return;
	*to = t->nanoseconds == FILE_TIME_NOW ? now : time_to_ns(t);
}

err_t tree_utime(struct fs *fs, const struct where *w, const struct file_times *times, unsigned at_flags)
{
	uint32_t accessed = times->accessed.nanoseconds, modified = times->modified.nanoseconds;
	int64_t now = fs->backing->now_ns();
	struct walk at;
	err_t err;

	if (!time_is_valid(&times->accessed) || !time_is_valid(&times->modified))
		return ERR_INVAL;
	if ((err = walk_at(fs, w, at_flags, &at)))
		return err;
	if (accessed == FILE_TIME_OMIT && modified == FILE_TIME_OMIT)
		return OK;
	if (!node_is_owner(at.node, w->sender)) {
		if (accessed != FILE_TIME_NOW || modified != FILE_TIME_NOW)
			return ERR_PERM;
		if ((err = node_access(at.node, w->sender, MAY_WRITE)))
			return err;
	}
	/* Writes before this call must not show up after it. */
	node_refresh(fs, at.node);
	time_set(&at.node->accessed_ns, &times->accessed, now);
	time_set(&at.node->modified_ns, &times->modified, now);
	at.node->changed_ns = now;
	return OK;
}

err_t tree_truncate(struct fs *fs, const struct where *w, uint64_t bytes, bool is_open_for_writing)
{
	struct walk at;
	err_t err;

	if ((int64_t)bytes < 0)
		return ERR_INVAL;
	if ((err = walk_at(fs, w, 0, &at)))
		return err;
	if (at.last == LAST_SELF && !is_open_for_writing)
		return ERR_INVAL;
	if (node_is_dir(at.node))
		return ERR_ISDIR;
	if (!node_is(at.node, MODE_FILE))
		return ERR_INVAL;
	if (at.last != LAST_SELF && (err = node_access(at.node, w->sender, MAY_WRITE)))
		return err;
	if ((err = node_resize(fs, at.node, bytes)))
		return err;
	if (w->sender->uid != 0)
		node_drop_setid(at.node, w->sender);
	return OK;
}

err_t tree_access(struct fs *fs, const struct where *w, uint32_t open_flags, unsigned at_flags)
{
	unsigned want = 0;
	struct walk at;
	err_t err;

	if ((err = walk_at(fs, w, at_flags, &at)))
		return err;
	if (open_flags & OPEN_READ)
		want |= MAY_READ;
	if (open_flags & OPEN_WRITE)
		want |= MAY_WRITE;
	if (open_flags & OPEN_EXEC)
		want |= MAY_EXEC;
	return node_access(at.node, w->sender, want);
}

static err_t append(char *buffer, size_t bytes, size_t *used, const char *from, const char *end)
{
	if ((size_t)(end - from) > bytes - *used)
		return ERR_NAMETOOLONG;
	memcpy(buffer + *used, from, (size_t)(end - from));
	*used += (size_t)(end - from);
	return OK;
}

/* Writes the part of the path that a walk ended by XDEV did not go, with a slash before it. */
static err_t copy_rest(const struct walk *at, char *buffer, size_t bytes, size_t *used)
{
	struct walk_part p;
	err_t err;

	*used = 0;
	for (unsigned i = at->depth + 1; i-- > 0;) {
		p = at->part[i];
		while (p.at < p.end && *p.at == '/')
			p.at++;
		if (p.at == p.end)
			continue;
		if ((err = append(buffer, bytes, used, "/", &"/"[1])) || (err = append(buffer, bytes, used, p.at, p.end)))
			return err;
	}
	return OK;
}

err_t tree_resolve(struct fs *fs, const struct where *w, unsigned at_flags, char *buffer, size_t bytes, char **out)
{
	struct walk at;
	size_t rest = 0;
	err_t err = walk_at(fs, w, at_flags, &at);

	if (err && err != ERR_XDEV)
		return err;
	/* The rest is put down first, then moved to the end, where the path grows down before it. */
	if (err && (err = copy_rest(&at, buffer, bytes, &rest)))
		return err;
	memmove(buffer + bytes - rest, buffer, rest);
	return dir_path(at.node, at.entry ? at.entry->serial : 0, buffer, bytes - rest, out);
}

err_t tree_mount(struct fs *fs, const struct where *w, bool on)
{
	struct walk at;
	err_t err;

	if (w->sender->uid != 0)
		return ERR_PERM;
	if ((err = walk_to_node(fs, w->sender, w->at, w->path, w->bytes, WALK_FOLLOW | WALK_MOUNT, &at)))
		return err;
	if (!node_is_dir(at.node))
		return ERR_NOTDIR;
	if (at.node == fs->root || at.node->is_mount == on)
		return at.node == fs->root ? ERR_BUSY : on ? ERR_BUSY : ERR_INVAL;
	if (at.node->links == 0)
		return ERR_NOENT;
	at.node->is_mount = on;
	return OK;
}
