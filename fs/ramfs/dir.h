/* fs/ramfs/dir.h - names: finding, adding, removing and listing them. No permissions here. */
#pragma once
#include "fs/ramfs/fs.h"

/* NULL: dir has no such name. */
struct entry *dir_find(struct fs *fs, const struct node *dir, const char *name, size_t name_bytes) NONNULL;
/* Names node in dir, which has no such name yet; node->links counts it. name is copied unless
 * borrowed. A directory's parent is set. NOSPC, MLINK. */
err_t dir_add(struct fs *fs, struct node *dir, const char *name, size_t name_bytes, bool borrowed,
              struct node *node, struct entry **out) MUST_CHECK;
/* Takes the name away; the node stays until its last name and reference are gone. */
void dir_remove(struct fs *fs, struct entry *e) NONNULL;
/* Gives e another directory and name, which is not there yet; the serial stays. On OK e is gone. NOSPC, MLINK: nothing changed. */
err_t dir_move(struct fs *fs, struct entry *e, struct node *dir, const char *name, size_t name_bytes) NONNULL MUST_CHECK;
/* Swaps what two names stand for. */
void dir_swap(struct fs *fs, struct entry *a, struct entry *b) NONNULL;
/* Fills out with struct file_entry after cookie: as many as fit. Bytes in *used. INVAL: there is one but it does not fit. */
err_t dir_list(struct node *dir, uint64_t cookie, void *out, size_t bytes, size_t *used) NONNULL MUST_CHECK;
/* Is dir below (or the same as) top? */
bool dir_is_within(const struct node *dir, const struct node *top) NONNULL;
/* The absolute path of a node by one of its names: that with this serial if it still has it. Fills
 * buffer from its end; *out is where it begins. NOENT: no name left; NAMETOOLONG. */
err_t dir_path(const struct node *n, uint64_t serial, char *buffer, size_t bytes, char **out) NONNULL MUST_CHECK;
/* The name with this serial, or NULL. */
struct entry *dir_entry_by_serial(const struct node *n, uint64_t serial) NONNULL;
/* Makes room for count names in one go; failing only makes look-ups slower. */
void dir_reserve(struct fs *fs, size_t count) NONNULL;
