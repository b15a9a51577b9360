/* fs/ramfs/node.h - nodes: making, freeing, permissions, times, attributes. */
#pragma once
#include "fs/ramfs/fs.h"

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
enum { NODE_TIME_MODIFIED = 1, NODE_TIME_CHANGED = 2, NODE_TIME_ACCESSED = 4 };

static inline bool node_is(const struct node *n, uint32_t type) { return (n->mode & MODE_TYPE) == type; }
static inline bool node_is_dir(const struct node *n) { return node_is(n, MODE_DIRECTORY); }

/* A node without a name and with one reference. NOSPC. A directory still lacks its parent. */
err_t node_create(struct fs *fs, uint32_t mode, uint32_t uid, uint32_t gid, int64_t now_ns, struct node **out) NONNULL MUST_CHECK;
static inline void node_get(struct node *n) { n->refs++; }
/* Frees the node when no name and no reference is left. */
void node_put(struct fs *fs, struct node *n) NONNULL;
/* Gives a symlink its target; copied unless borrowed. NOSPC. */
err_t node_set_target(struct node *n, const char *target, size_t bytes, bool borrowed) NONNULL MUST_CHECK;

/* Is gid one of the sender's groups? The message names one; sender_has_group (NULL: there are none) looks for the
 * supplementary ones. */
bool sender_in_group(const struct sender *s, uint32_t gid) NONNULL;
extern bool (*sender_has_group)(const struct sender *s, uint32_t gid);
/* May s do all of want (MAY_)? ACCES. */
err_t node_access(const struct node *n, const struct sender *s, unsigned want) NONNULL MUST_CHECK;
static inline bool node_is_owner(const struct node *n, const struct sender *s) { return s->uid == 0 || s->uid == n->uid; }

/* Sets the times named (NODE_TIME_) to now. */
void node_touch(struct fs *fs, struct node *n, unsigned times) NONNULL;
/* As reads do: at most once a day, unless the file changed since. */
void node_touch_accessed(struct fs *fs, struct node *n) NONNULL;
/* Asks a file's object what it has become. */
void node_refresh(struct fs *fs, struct node *n) NONNULL;
/* What a change of content or owner takes away: set-user-id, and set-group-id of what the group may run or s (NULL: not known)
 * is not of. */
uint32_t node_lost_setid(const struct node *n, const struct sender *s);
void node_drop_setid(struct node *n, const struct sender *s);
void node_stat(struct fs *fs, struct node *n, struct file_stat *out) NONNULL;
int64_t time_to_ns(const struct file_time *t) NONNULL;

/* A file's object, made now if need be: borrowed. NOMEM, NOSPC. */
err_t node_content(struct fs *fs, struct node *n, content_t *out) NONNULL MUST_CHECK;
/* An open of the file begins or ends: its object stays meanwhile. */
void node_content_open(struct fs *fs, struct node *n, bool for_writing) NONNULL;
void node_content_close(struct fs *fs, struct node *n) NONNULL;
/* FBIG, NOSPC, NOMEM. */
err_t node_resize(struct fs *fs, struct node *n, uint64_t bytes) NONNULL MUST_CHECK;
