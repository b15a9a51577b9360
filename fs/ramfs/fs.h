/* fs/ramfs/fs.h - one file system in memory: its nodes, names and opens.
 *
 * A node is a file, directory, link or special file. It lives while it has a name (links) or somebody
 * uses it (refs: opens, waiting requests, and child directories, so that .. works below a removed one).
 * An entry is a name: it sits in the table of all names (look-up), in its directory's list
 * (listing) and in its node's list (paths). Everything runs in one thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/file.h"
#include "fs/ramfs/backing.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

enum {
	NAME_BYTES_MAX = 255,
	PATH_BYTES_MAX = 4095,
	SYMLINKS_MAX = 40,
	LINKS_MAX = 65000,
	COOKIE_FIRST = 3,               /* 1 is after ".", 2 after ".." */
};
#define FILE_BYTES_MAX ((uint64_t)1 << 46)

struct fs;
struct open;

struct entry {
	struct node *node;              /* what it names; the name counts in node->links */
	struct node *dir;               /* where */
	struct entry *hash_next;
	struct list_node in_dir;        /* sorted by cookie */
	struct list_node in_names;
	uint64_t cookie;
	uint64_t serial;                /* stays when the name is moved: whose handle was opened here? */
	const char *name;               /* behind the entry, or in the initfs image */
	uint32_t hash;
	uint16_t name_bytes;
};

struct node {
	uint64_t number;
	uint32_t mode, links, uid, gid;
	uint32_t refs;
	bool is_mount;                  /* directory: another file system lies over it */
	bool may_link;                  /* made without a name (OPEN_UNNAMED): link may give it its first */
	int64_t accessed_ns, modified_ns, changed_ns, born_ns;
	struct list_node names;         /* struct entry.in_names */
	struct list_node locks;         /* struct lock.link, by owner class and start */
	union {
		struct {
			struct node *parent;            /* a reference; the root's is itself, without one */
			struct list_node entries;       /* struct entry.in_dir */
			uint32_t count, dirs;           /* entries; directories among them */
			uint64_t next_cookie;
			struct entry *cursor;           /* where the last listing ended, or NULL */
		} dir;
		struct {
			uint64_t bytes;                 /* as last known */
			uint64_t held_bytes;
			uint64_t image_offset;          /* content in the initfs image, not yet cloned or cloned */
			uint64_t image_bytes;           /* of it what was never cut off; 0 none */
			uint64_t seen_ns;               /* the object's last change that our times have in them */
			content_t content;
			uint32_t opens;
			bool user_writes;               /* open for writing by other than user 0 */
			bool written;                   /* its object was open for writing: that knows better */
			struct list_node idle;          /* fs.idle: the object can be made again at will */
		} file;
		struct {
			const char *target;
			uint32_t bytes;
			bool borrowed;                  /* lies in the initfs image */
		} link;
		struct {
			uint64_t rdev;
			content_t pipe;
		} special;
	};
};

struct fs {
	const struct backing *backing;
	struct node *root;
	uint64_t next_number, next_serial;
	uint64_t node_count, node_max;
	/* All names. */
	struct entry **table;
	size_t table_count, entry_count;        /* a power of two; names there are */
	uint64_t hash_seed;
	struct list_node opens;                 /* struct open.link */
	struct list_node idle;                  /* struct node.file.idle, oldest first */
	uint32_t idle_count;
	struct list_node lock_waiters;          /* lock.c */
	struct list_node fifo_waiters;          /* fifo.c */
};

/* An empty file system. seed makes name hashes unguessable. NOMEM. */
err_t fs_init(struct fs *fs, const struct backing *backing, uint64_t seed) NONNULL MUST_CHECK;
/* Frees everything, open or not; waiting requests are not answered. */
void fs_fini(struct fs *fs) NONNULL;
