/* fs/ramfs/tree.h - what is done to the tree by path: every rule of POSIX about names and attributes.
 *
 * A path is relative to a node (at); open is the handle's open resource where its access matters, else unused.
 */
#pragma once
#include "fs/ramfs/fs.h"
#include "fs/ramfs/walk.h"

/* Who asks, and about which path. */
struct where {
	const struct sender *sender;
	struct node *at;
	const char *path;
	size_t bytes;
};

/* A new node at the place the walk found missing. NOENT, EXIST, ACCES, NOSPC, MLINK. */
err_t tree_create_at(struct fs *fs, const struct sender *s, const struct walk *place, uint32_t mode, uint64_t rdev,
                     const char *target, size_t target_bytes, struct entry **out) MUST_CHECK;
/* May s add a name to dir, or take e out of it? (Search permission was asked by the walk.) */
err_t tree_may_add(const struct node *dir, const struct sender *s) NONNULL MUST_CHECK;
err_t tree_may_remove(const struct entry *e, const struct sender *s) NONNULL MUST_CHECK;

err_t tree_mkdir(struct fs *fs, const struct where *w, uint32_t mode) NONNULL MUST_CHECK;
/* socket: what a socket's node keeps on OK (others do not); or CONTENT_NONE. */
err_t tree_mknod(struct fs *fs, const struct where *w, uint32_t mode, uint64_t rdev, content_t socket) NONNULL MUST_CHECK;
/* What a socket's node keeps, borrowed, for who may write it. CONNREFUSED: nothing, or no socket. */
err_t tree_connect(struct fs *fs, const struct where *w, content_t *out) NONNULL MUST_CHECK;
err_t tree_symlink(struct fs *fs, const struct where *w, const char *target, size_t target_bytes) NONNULL MUST_CHECK;
err_t tree_link(struct fs *fs, const struct where *old, const struct where *new, unsigned at_flags) NONNULL MUST_CHECK;
err_t tree_unlink(struct fs *fs, const struct where *w, unsigned at_flags) NONNULL MUST_CHECK;
/* Removes a name of n by its serial. NOENT: it has it no more. */
err_t tree_unlink_serial(struct fs *fs, const struct sender *s, struct node *n, uint64_t serial) NONNULL MUST_CHECK;
/* rename.c */
err_t tree_rename(struct fs *fs, const struct where *old, const struct where *new, unsigned at_flags) NONNULL MUST_CHECK;

err_t tree_stat(struct fs *fs, const struct where *w, unsigned at_flags, struct file_stat *out) NONNULL MUST_CHECK;
/* The target is borrowed. */
err_t tree_readlink(struct fs *fs, const struct where *w, const char **target, size_t *bytes) NONNULL MUST_CHECK;
err_t tree_chmod(struct fs *fs, const struct where *w, uint32_t mode, unsigned at_flags) NONNULL MUST_CHECK;
err_t tree_chown(struct fs *fs, const struct where *w, const struct file_owner *owner, unsigned at_flags) NONNULL MUST_CHECK;
err_t tree_utime(struct fs *fs, const struct where *w, const struct file_times *times, unsigned at_flags) NONNULL MUST_CHECK;
/* is_open_for_writing: of the handle; it is what counts when the path is empty. */
err_t tree_truncate(struct fs *fs, const struct where *w, uint64_t bytes, bool is_open_for_writing) NONNULL MUST_CHECK;
err_t tree_access(struct fs *fs, const struct where *w, uint32_t open_flags, unsigned at_flags) NONNULL MUST_CHECK;
/* Fills buffer from its end; *out is where the path begins. */
err_t tree_resolve(struct fs *fs, const struct where *w, unsigned at_flags, char *buffer, size_t bytes, char **out) NONNULL MUST_CHECK;
err_t tree_mount(struct fs *fs, const struct where *w, bool on) NONNULL MUST_CHECK;
