/* fs/ramfs/fs.c - one file system in memory: its beginning and its end. */
#include "fs/ramfs/fs.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/native/heap.h"

enum { ROOT_NUMBER = 2, NAMES_FIRST = 256 };

err_t fs_init(struct fs *fs, const struct backing *backing, uint64_t seed)
{
	struct node *root;
	err_t err;

	*fs = (struct fs){
		.backing = backing, .hash_seed = seed,
		.next_number = ROOT_NUMBER, .next_serial = 1, .node_max = UINT32_MAX,
	};
	list_init(&fs->opens);
	list_init(&fs->idle);
	list_init(&fs->lock_waiters);
	list_init(&fs->fifo_waiters);
	dir_reserve(fs, NAMES_FIRST);
	if (!fs->table)
		return ERR_NOMEM;
	if ((err = node_create(fs, MODE_DIRECTORY | 0755, 0, 0, backing->now_ns(), &root))) {
		heap_free(fs->table, fs->table_count * sizeof(struct entry *));
		return err;
	}
	root->dir.parent = root;
	root->links = 2;
	fs->root = root;
	return OK;
}

void fs_fini(struct fs *fs)
{
	struct node *here = fs->root;

	while (!list_is_empty(&fs->opens))
		open_close(fs, list_first(&fs->opens, struct open, link));
	/* From the leaves up, without recursion. */
	while (here != fs->root || here->dir.count > 0) {
		if (here->dir.count == 0) {
			here = here->dir.parent;
			dir_remove(fs, list_first(&here->dir.entries, struct entry, in_dir));
			continue;
		}
		struct entry *e = list_first(&here->dir.entries, struct entry, in_dir);
		if (node_is_dir(e->node))
			here = e->node;
		else
			dir_remove(fs, e);
	}
	fs->root->links = 0;
	fs->root->dir.parent = NULL;
	node_put(fs, fs->root);
	heap_free(fs->table, fs->table_count * sizeof(struct entry *));
}
