/* fs/ramfs/walk.h - from a path to the node or the place it names. */
#pragma once
#include "fs/ramfs/fs.h"

enum walk_flags {
	WALK_FOLLOW   = 0,              /* a symlink at the end is followed */
	WALK_NOFOLLOW = 1,              /* it is not, unless a slash comes after it */
	WALK_RAW      = 2,              /* it is not; slashes after the last name are only reported */
	WALK_MOUNT    = 4,              /* the end may be a mount point */
	WALK_CREATE   = 8,              /* for a new file: name/ is ISDIR, whatever is there */
};

enum last_kind { LAST_SELF, LAST_ROOT, LAST_NAME, LAST_DOT, LAST_DOTDOT };

/* A walk; all in it is borrowed and good until the tree changes. */
struct walk {
	/* Where the path led. */
	struct node *node;              /* NULL: there is no such name in dir */
	struct entry *entry;            /* its name, when last is LAST_NAME */
	struct node *dir;               /* of the last name */
	const char *name;
	size_t name_bytes;
	enum last_kind last;
	bool slash;                     /* something/ */
	/* On the way. After XDEV, node is the mount point and these hold the rest of the path. */
	unsigned depth, links;
	struct walk_part { const char *at, *end; } part[SYMLINKS_MAX + 1];
};

/* Walks path from start (the root when it begins with /). OK with node NULL when only the last name is missing.
 * NOENT, NOTDIR, ACCES, LOOP, NAMETOOLONG, INVAL (a 0 in it), XDEV (met a mount point). */
err_t walk(struct fs *fs, const struct sender *s, struct node *start, const char *path, size_t bytes,
           unsigned walk_flags, struct walk *w) NONNULL MUST_CHECK;
/* The same, and the node must exist: NOENT. */
err_t walk_to_node(struct fs *fs, const struct sender *s, struct node *start, const char *path, size_t bytes,
                   unsigned walk_flags, struct walk *w) NONNULL MUST_CHECK;
