/* fs/ramfs/rename.c - moving a name: the operation with the most rules. */
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/tree.h"

static err_t check_places(const struct walk *old, const struct walk *new, unsigned flags)
{
	if (old->last != LAST_NAME)
		return old->last == LAST_SELF ? ERR_NOENT : ERR_BUSY;
	if (new->last != LAST_NAME)
		return new->last == LAST_SELF ? ERR_NOENT : flags & AT_NOREPLACE ? ERR_EXIST : ERR_BUSY;
	if (!old->node)
		return ERR_NOENT;
	if ((flags & AT_NOREPLACE) && new->node)
		return ERR_EXIST;
	if ((flags & AT_EXCHANGE) && !new->node)
		return ERR_NOENT;
	return OK;
}

/* name/ must be a directory. */
static err_t check_slashes(const struct walk *old, const struct walk *new, unsigned flags)
{
	const struct node *becomes_new = flags & AT_EXCHANGE ? new->node : old->node;

	if (old->slash && !node_is_dir(old->node))
		return ERR_NOTDIR;
	return new->slash && !node_is_dir(becomes_new) ? ERR_NOTDIR : OK;
}

static err_t check_loops(const struct walk *old, const struct walk *new, unsigned flags)
{
	if (node_is_dir(old->node) && dir_is_within(new->dir, old->node))
		return ERR_INVAL;
	if (new->node && node_is_dir(new->node) && dir_is_within(old->dir, new->node))
		return flags & AT_EXCHANGE ? ERR_INVAL : ERR_NOTEMPTY;
	return OK;
}

/* A directory that gets another parent is itself changed (its ".."). */
static err_t check_move(const struct node *n, const struct node *from, const struct node *to, const struct sender *s)
{
	if (!node_is_dir(n) || from == to)
		return OK;
	return node_access(n, s, MAY_WRITE);
}

static err_t check_kinds(const struct node *old, const struct node *new)
{
	if (node_is_dir(old) == node_is_dir(new))
		return OK;
	return node_is_dir(old) ? ERR_NOTDIR : ERR_ISDIR;
}

static err_t check_permissions(const struct walk *old, const struct walk *new, const struct sender *s, unsigned flags)
{
	err_t err;

	if ((err = tree_may_remove(old->entry, s)))
		return err;
	if (new->dir->links == 0)
		return ERR_NOENT;
	err = new->node ? tree_may_remove(new->entry, s) : tree_may_add(new->dir, s);
	if (err)
		return err;
	if (!(flags & AT_EXCHANGE) && new->node && (err = check_kinds(old->node, new->node)))
		return err;
	if ((err = check_move(old->node, old->dir, new->dir, s)))
		return err;
	return flags & AT_EXCHANGE ? check_move(new->node, new->dir, old->dir, s) : OK;
}

static void touch_moved(struct fs *fs, struct node *n, struct node *from, struct node *to)
{
	node_touch(fs, n, NODE_TIME_CHANGED);
	node_touch(fs, from, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
	node_touch(fs, to, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
}

static err_t exchange(struct fs *fs, const struct walk *old, const struct walk *new)
{
	bool old_is_dir = node_is_dir(old->node), new_is_dir = node_is_dir(new->node);

	if (old->dir != new->dir && old_is_dir != new_is_dir &&
	    (old_is_dir ? new->dir : old->dir)->links >= LINKS_MAX)
		return ERR_MLINK;
	touch_moved(fs, old->node, old->dir, new->dir);
	node_touch(fs, new->node, NODE_TIME_CHANGED);
	dir_swap(fs, old->entry, new->entry);
	return OK;
}

/* What is replaced gets the old name first: so replacing needs no memory and cannot fail. */
static err_t move(struct fs *fs, const struct walk *old, const struct walk *new)
{
	struct node *moved = old->node, *from = old->dir;
	err_t err;

	if (new->node) {
		node_touch(fs, new->node, NODE_TIME_CHANGED);
		dir_swap(fs, old->entry, new->entry);
		dir_remove(fs, old->entry);
	} else if ((err = dir_move(fs, old->entry, new->dir, new->name, new->name_bytes))) {
		return err;
	}
	touch_moved(fs, moved, from, new->dir);
	return OK;
}

err_t tree_rename(struct fs *fs, const struct where *from, const struct where *to, unsigned flags)
{
	struct walk old, new;
	err_t err;

	if ((flags & AT_EXCHANGE) && (flags & AT_NOREPLACE))
		return ERR_INVAL;
	if ((err = walk(fs, from->sender, from->at, from->path, from->bytes, WALK_RAW | WALK_MOUNT, &old)))
		return err;
	if ((err = walk(fs, to->sender, to->at, to->path, to->bytes, WALK_RAW | WALK_MOUNT, &new)))
		return err;
	if ((err = check_places(&old, &new, flags)) || (err = check_slashes(&old, &new, flags)) ||
	    (err = check_loops(&old, &new, flags)))
		return err;
	if (old.node == new.node)
		return OK;
	if ((err = check_permissions(&old, &new, from->sender, flags)))
		return err;
	if (old.node->is_mount || (new.node && new.node->is_mount))
		return ERR_BUSY;
	if (!(flags & AT_EXCHANGE) && new.node && node_is_dir(new.node) && new.node->dir.count > 0)
		return ERR_NOTEMPTY;
	return flags & AT_EXCHANGE ? exchange(fs, &old, &new) : move(fs, &old, &new);
}
