/* fs/ramfs/import.c - the initial tree, out of the initfs image. */
#include "fs/ramfs/import.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

static void set_times(struct node *n, uint64_t ns)
{
	n->accessed_ns = n->modified_ns = n->changed_ns = n->born_ns = ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static err_t fill(struct node *n, const struct initfs_entry *e)
{
	switch (n->mode & MODE_TYPE) {
	case MODE_DIRECTORY:
		return OK;
	case MODE_FILE:
		n->file.image_offset = e->content_offset;
		n->file.image_bytes = n->file.bytes = e->content_bytes;
		return e->content_bytes > FILE_BYTES_MAX ? ERR_FBIG : OK;
	case MODE_SYMLINK:
		if (e->content_bytes == 0 || e->content_bytes > PATH_BYTES_MAX || memchr(e->content, 0, e->content_bytes))
			return ERR_INVAL;
		return node_set_target(n, (const char *)e->content, e->content_bytes, true);
	case MODE_CHARACTER:
	case MODE_BLOCK:
	case MODE_FIFO:
	case MODE_SOCKET:
		n->special.rdev = e->rdev;
		return OK;
	default:
		return ERR_INVAL;
	}
}

/* same: the node of which this is another name, or NULL. */
static err_t import_node(struct fs *fs, struct node *dir, const struct initfs_entry *e, struct node *same, struct node **out)
{
	struct node *n;
	err_t err;

	if (!dir || !node_is_dir(dir) || e->name_bytes == 0 || e->name_bytes > NAME_BYTES_MAX)
		return ERR_INVAL;
	if (dir_find(fs, dir, e->name, e->name_bytes))
		return ERR_EXIST;
	*out = same;
	if (same)
		return node_is_dir(same) ? ERR_INVAL : dir_add(fs, dir, e->name, e->name_bytes, true, same, NULL);
	if ((err = node_create(fs, e->mode & (MODE_TYPE | MODE_PERMISSIONS), e->uid, e->gid, 0, &n)))
		return err;
	set_times(n, e->modified_ns);
	if (!(err = fill(n, e)))
		err = dir_add(fs, dir, e->name, e->name_bytes, true, n, NULL);
	*out = n;
	node_put(fs, n);
	return err;
}

err_t import_image(struct fs *fs, const struct initfs *image)
{
	struct node **nodes = heap_alloc(image->node_count * sizeof(struct node *));
	struct initfs_entry e;
	err_t err = OK;

	if (!nodes)
		return ERR_NOMEM;
	dir_reserve(fs, image->node_count);
	initfs_node(image, INITFS_ROOT, &e);
	fs->root->mode = MODE_DIRECTORY | (e.mode & MODE_PERMISSIONS);
	fs->root->uid = e.uid;
	fs->root->gid = e.gid;
	set_times(fs->root, e.modified_ns);
	nodes[INITFS_ROOT] = fs->root;
	for (uint32_t i = INITFS_ROOT + 1; i < image->node_count && !err; i++) {
		initfs_node(image, i, &e);
		err = import_node(fs, nodes[e.parent], &e, e.node == i ? NULL : nodes[e.node], &nodes[i]);
	}
	heap_free(nodes, image->node_count * sizeof(struct node *));
	return err;
}
