/* fs/ramfs/walk.c - from a path to the node or the place it names.
 *
 * The path still to go is a stack of parts: a symlink's target is pushed on what follows the link. So a
 * link needs no copying and no recursion, and its last name is the path's last name when nothing follows.
 */
#include "fs/ramfs/walk.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "lib/base/string.h"

static void skip_slashes(struct walk_part *p)
{
	while (p->at < p->end && *p->at == '/')
		p->at++;
}

/* Takes the next name off the path; false at its end. */
static bool next_name(struct walk *w)
{
	struct walk_part *p;

	for (;;) {
		p = &w->part[w->depth];
		skip_slashes(p);
		if (p->at < p->end)
			break;
		if (w->depth == 0)
			return false;
		w->depth--;
	}
	w->name = p->at;
	while (p->at < p->end && *p->at != '/')
		p->at++;
	w->name_bytes = (size_t)(p->at - w->name);
	return true;
}

/* Is the name just taken the last? Then w->slash says whether slashes follow it. */
static bool at_last(struct walk *w)
{
	const struct walk_part *here = &w->part[w->depth];
	bool slash = false;

	/* Mostly one slash and a name follow. */
	if (here->end - here->at >= 2 && here->at[1] != '/')
		return false;
	for (unsigned i = 0; i <= w->depth; i++) {
		struct walk_part p = w->part[i];
		slash |= p.at < p.end;
		skip_slashes(&p);
		if (p.at < p.end)
			return false;
	}
	w->slash |= slash;
	return true;
}

static enum last_kind name_kind(const struct walk *w)
{
	if (w->name_bytes == 1 && w->name[0] == '.')
		return LAST_DOT;
	if (w->name_bytes == 2 && w->name[0] == '.' && w->name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NAME;
}

/* May the next name be looked up in here? */
static err_t check_dir(const struct walk *w, const struct node *here, bool below_mount, const struct sender *s)
{
	if (!node_is_dir(here))
		return ERR_NOTDIR;
	/* What lies over a mount point is another server's; only the way up from it is ours. */
	if (here->is_mount && !below_mount && name_kind(w) == LAST_NAME)
		return ERR_XDEV;
	if (w->name_bytes > NAME_BYTES_MAX)
		return ERR_NAMETOOLONG;
	return node_access(here, s, MAY_EXEC);
}

static err_t finish(struct walk *w, bool below_mount, unsigned flags)
{
	if (!w->node)
		return OK;
	if (w->slash && !node_is_dir(w->node) && !(flags & WALK_RAW))
		return ERR_NOTDIR;
	if (w->node->is_mount && !below_mount && !(flags & WALK_MOUNT))
		return ERR_XDEV;
	return OK;
}

static bool must_follow(const struct walk *w, bool last, unsigned flags)
{
	if (!node_is(w->node, MODE_SYMLINK))
		return false;
	return !last || (!(flags & WALK_RAW) && (!(flags & WALK_NOFOLLOW) || w->slash));
}

static err_t push_target(struct walk *w, const struct node *link)
{
	if (++w->links > SYMLINKS_MAX)
		return ERR_LOOP;
	w->depth++;
	w->part[w->depth] = (struct walk_part){ link->link.target, link->link.target + link->link.bytes };
	return OK;
}

err_t walk(struct fs *fs, const struct sender *s, struct node *start, const char *path, size_t bytes,
           unsigned flags, struct walk *w)
{
	struct node *here = start;
	/* A handle of the directory below a mount point goes on meaning that. */
	bool below_mount = bytes == 0 || path[0] != '/';
	bool last;
	err_t err;

	w->node = start;
	w->entry = NULL;
	w->dir = NULL;
	w->last = LAST_SELF;
	w->slash = false;
	w->depth = w->links = 0;
	w->part[0] = (struct walk_part){ path, path + bytes };
	if (bytes > PATH_BYTES_MAX)
		return ERR_NAMETOOLONG;
	if (bytes == 0)
		return OK;
	if (path[0] == '/')
		here = fs->root;
	w->node = here;
	w->last = LAST_ROOT;
	while (next_name(w)) {
		w->node = here;
		if ((err = check_dir(w, here, below_mount, s))) {
			/* The rest of the path begins with this name. */
			w->part[w->depth].at = w->name;
			return err;
		}
		w->dir = here;
		w->last = name_kind(w);
		w->entry = NULL;
		last = at_last(w);
		if (last && w->slash && w->last == LAST_NAME && (flags & WALK_CREATE))
			return ERR_ISDIR;
		if (w->last == LAST_DOTDOT) {
			w->node = here->dir.parent;
		} else if (w->last == LAST_NAME) {
			w->entry = dir_find(fs, here, w->name, w->name_bytes);
			w->node = w->entry ? w->entry->node : NULL;
		}
		/* (No name that there is has a 0 in it.) */
		if (!w->node && memchr(w->name, 0, w->name_bytes))
			return ERR_INVAL;
		if (!w->node)
			return last ? OK : ERR_NOENT;
		if (must_follow(w, last, flags)) {
			if ((err = push_target(w, w->node)))
				return err;
			if (*w->node->link.target == '/') {
				here = fs->root;
				below_mount = false;
			}
			w->node = here;
			w->last = LAST_ROOT;
			continue;
		}
		below_mount &= w->last == LAST_DOT;
		if (last)
			break;
		here = w->node;
	}
	return finish(w, below_mount, flags);
}

err_t walk_to_node(struct fs *fs, const struct sender *s, struct node *start, const char *path, size_t bytes,
                   unsigned flags, struct walk *w)
{
	err_t err = walk(fs, s, start, path, bytes, flags, w);

	if (err)
		return err;
	return w->node ? OK : ERR_NOENT;
}
