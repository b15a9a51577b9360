/* fs/ramfs/open.c - opens: what a client's handle stands for. */
#include "fs/ramfs/open.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/fifo.h"
#include "fs/ramfs/lock.h"
#include "fs/ramfs/node.h"
#include "lib/native/heap.h"

static struct open *open_create(struct fs *fs, struct node *n, uint64_t serial, uint32_t flags)
{
	struct open *o = heap_new(struct open);

	if (!o)
		return NULL;
	node_get(n);
	o->node = n;
	o->serial = serial;
	o->flags = flags;
	list_push_back(&fs->opens, &o->link);
	return o;
}

void open_hurry(const struct fs *fs, struct open *o)
{
	uint64_t number = o->number;

	o->number = 0;
	if (number)
		fs->backing->close_soon(number);
}

void open_hurry_all(const struct fs *fs, const struct node *n)
{
	struct open *o, *next;

	list_each_safe(o, next, &fs->opens, link)
		if (o->node == n)
			open_hurry(fs, o);
}

void open_close(struct fs *fs, struct open *o)
{
	struct node *n = o->node;

	lock_drop_open(fs, o);
	if (o->has_content)
		node_content_close(fs, n);
	list_remove(&o->link);
	heap_delete(o);
	node_put(fs, n);
}

static unsigned wanted_access(uint32_t flags)
{
	unsigned want = 0;

	if (flags & OPEN_READ)
		want |= MAY_READ;
	if (flags & (OPEN_WRITE | OPEN_TRUNCATE))
		want |= MAY_WRITE;
	if (flags & OPEN_EXEC)
		want |= MAY_EXEC;
	return want;
}

/* Is an existing node one that these flags may open? */
static err_t check_existing(const struct node *n, const struct sender *s, uint32_t flags)
{
	if ((flags & OPEN_DIRECTORY) && !node_is_dir(n))
		return ERR_NOTDIR;
	if (flags & OPEN_PATH)
		return OK;
	if (node_is(n, MODE_SYMLINK))
		return ERR_LOOP;
	if (node_is_dir(n) && (flags & (OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE)))
		return ERR_ISDIR;
	return node_access(n, s, wanted_access(flags));
}

/* Gives a regular file's open its object, cut off when asked. */
static err_t open_content(struct fs *fs, struct open *o, const struct sender *s, bool is_new, struct opened *out)
{
	uint32_t flags = o->flags;
	struct node *n = o->node;
	err_t err;

	if (!is_new && (flags & OPEN_TRUNCATE) && (err = node_resize(fs, n, 0)))
		return err;
	if ((err = node_content(fs, n, &out->content)))
		return err;
	node_content_open(fs, n, flags & OPEN_WRITE);
	n->file.user_writes |= s->uid != 0 && (flags & OPEN_WRITE);
	o->has_content = true;
	if (!is_new && s->uid != 0 && (flags & OPEN_TRUNCATE))
		node_drop_setid(n, s);
	if (flags & OPEN_READ)
		node_touch_accessed(fs, n);
	out->how = OPENED_CONTENT;
	return OK;
}

/* e is NULL for a node without a name. */
static err_t open_node(struct fs *fs, struct node *n, struct entry *e, const struct sender *s, uint32_t flags, bool is_new,
                       uint64_t tag, struct opened *out)
{
	struct open *o;
	err_t err;

	*out = (struct opened){ .how = OPENED_PLAIN, .content = CONTENT_NONE };
	if (!(flags & OPEN_PATH)) {
		if (node_is(n, MODE_FIFO))
			return fifo_open(fs, n, flags, tag, out);
		if (node_is(n, MODE_CHARACTER) || node_is(n, MODE_BLOCK) || node_is(n, MODE_SOCKET))
			return ERR_NXIO;
	}
	if (!(o = open_create(fs, n, e ? e->serial : 0, flags)))
		return ERR_NOMEM;
	if (node_is(n, MODE_FILE) && !(flags & OPEN_PATH) && (err = open_content(fs, o, s, is_new, out))) {
		open_close(fs, o);
		return err;
	}
	if (node_is_dir(n) && !(flags & OPEN_PATH))
		node_touch_accessed(fs, n);
	out->open = o;
	return OK;
}

static err_t open_new(struct fs *fs, const struct where *w, const struct walk *place, uint32_t flags, uint32_t mode, struct opened *out)
{
	struct entry *e;
	err_t err;

	if ((err = tree_create_at(fs, w->sender, place, MODE_FILE | (mode & MODE_PERMISSIONS), 0, NULL, 0, &e)))
		return err;
	if ((err = open_node(fs, e->node, e, w->sender, flags, true, 0, out)))
		dir_remove(fs, e);
	return err;
}

static err_t open_unnamed(struct fs *fs, const struct where *w, const struct node *dir, uint32_t flags, uint32_t mode, struct opened *out)
{
	const struct sender *s = w->sender;
	struct node *n;
	err_t err;

	if (!(flags & OPEN_WRITE))
		return ERR_INVAL;
	if (!node_is_dir(dir))
		return ERR_NOTDIR;
	if ((err = tree_may_add(dir, s)))
		return err;
	if ((err = node_create(fs, MODE_FILE | (mode & MODE_PERMISSIONS), s->uid, dir->mode & MODE_SETGID ? dir->gid : s->gid,
	                       fs->backing->now_ns(), &n)))
		return err;
	n->may_link = !(flags & OPEN_EXCLUSIVE);
	err = open_node(fs, n, NULL, s, flags, true, 0, out);
	node_put(fs, n);
	return err;
}

/* How the walk is to treat the last name. */
static unsigned walk_flags_of(uint32_t flags)
{
	unsigned create = flags & OPEN_CREATE ? WALK_CREATE : 0;

	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return create | WALK_RAW | WALK_MOUNT;
	return create | (flags & OPEN_NOFOLLOW ? WALK_NOFOLLOW : WALK_FOLLOW);
}

err_t open_path(struct fs *fs, const struct where *w, uint32_t flags, uint32_t mode, uint64_t tag, struct opened *out)
{
	struct walk place;
	err_t err;

	if (flags & OPEN_PATH)
		flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NOFOLLOW;
	if (flags & OPEN_UNNAMED)
		flags &= ~(uint32_t)(OPEN_CREATE | OPEN_TRUNCATE | OPEN_DIRECTORY);
	if ((flags & OPEN_CREATE) && (flags & OPEN_DIRECTORY))
		return ERR_INVAL;
	if ((err = walk(fs, w->sender, w->at, w->path, w->bytes, walk_flags_of(flags), &place)))
		return err;
	if (!place.node)
		return flags & OPEN_CREATE ? open_new(fs, w, &place, flags, mode, out) : ERR_NOENT;
	if (flags & OPEN_UNNAMED)
		return open_unnamed(fs, w, place.node, flags, mode, out);
	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return ERR_EXIST;
	if ((err = check_existing(place.node, w->sender, flags)))
		return err;
	return open_node(fs, place.node, place.entry, w->sender, flags, false, tag, out);
}
