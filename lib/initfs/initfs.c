/* lib/initfs/initfs.c - all the checks are in initfs_open; the rest trusts it. */
#include "lib/initfs/initfs.h"
#include "abi/proto/file.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { CONTENT_ALIGN = 4096 };

static struct initfs_node node_read(const struct initfs *fs, uint32_t index)
{
	struct initfs_node n;

	memcpy(&n, fs->image + sizeof(struct initfs_header) + (size_t)index * sizeof n, sizeof n);
	return n;
}

static bool type_is(uint32_t mode, uint32_t type)
{
	return (mode & MODE_TYPE) == type;
}

static bool mode_is_valid(uint32_t mode)
{
	switch (mode & MODE_TYPE) {
	case MODE_FILE: case MODE_DIRECTORY: case MODE_SYMLINK:
	case MODE_BLOCK: case MODE_CHARACTER: case MODE_FIFO: case MODE_SOCKET:
		return (mode & ~(uint32_t)(MODE_TYPE | MODE_PERMISSIONS)) == 0;
	default:
		return false;
	}
}

static bool name_is_valid(const char *name, uint32_t bytes)
{
	if (bytes == 0 || bytes > INITFS_NAME_MAX)
		return false;
	if (memchr(name, '/', bytes) || memchr(name, 0, bytes))
		return false;
	return !string_is(name, bytes, ".") && !string_is(name, bytes, "..");
}

static bool content_is_valid(const struct initfs *fs, const struct initfs_node *n)
{
	if (!type_is(n->mode, MODE_FILE) && !type_is(n->mode, MODE_SYMLINK))
		return true;    /* the field is rdev, or unused */
	if (!range_fits(n->content_offset, n->content_bytes, fs->image_bytes))
		return false;
	return !type_is(n->mode, MODE_FILE) || n->content_bytes == 0 || n->content_offset % CONTENT_ALIGN == 0;
}

/* Is it another name of a node before it, which is not just a name itself? */
static bool other_name_is_valid(const struct initfs *fs, uint32_t index, const struct initfs_node *n)
{
	if (n->mode != INITFS_OTHER_NAME || n->content_offset >= index)
		return false;
	uint32_t mode = node_read(fs, (uint32_t)n->content_offset).mode;
	return mode != INITFS_OTHER_NAME && !type_is(mode, MODE_DIRECTORY);
}

/* Nodes before index are checked already. */
static bool node_is_valid(const struct initfs *fs, uint32_t index, uint32_t strings_bytes)
{
	struct initfs_node n = node_read(fs, index);

	if (!other_name_is_valid(fs, index, &n) && (!mode_is_valid(n.mode) || !content_is_valid(fs, &n)))
		return false;
	if (index == INITFS_ROOT)
		return type_is(n.mode, MODE_DIRECTORY);
	if (n.parent >= index || !type_is(node_read(fs, n.parent).mode, MODE_DIRECTORY))
		return false;
	return range_fits(n.name_offset, n.name_bytes, strings_bytes) && name_is_valid(fs->strings + n.name_offset, n.name_bytes);
}

static bool depth_is_valid(const struct initfs *fs, uint32_t index)
{
	for (uint32_t depth = 0; depth < INITFS_DEPTH_MAX; depth++) {
		if (index == INITFS_ROOT)
			return true;
		index = node_read(fs, index).parent;
	}
	return false;
}

err_t initfs_open(const void *image, uint64_t image_bytes, struct initfs *out)
{
	struct initfs_header h;
	struct initfs fs = { .image = image };

	if (image_bytes < sizeof h)
		return ERR_INVAL;
	memcpy(&h, image, sizeof h);
	if (h.magic != INITFS_MAGIC || h.image_bytes > image_bytes || h.image_bytes < sizeof h)
		return ERR_INVAL;
	uint64_t room = h.image_bytes - sizeof h;
	if (h.node_count == 0 || h.node_count > room / sizeof(struct initfs_node))
		return ERR_INVAL;
	if (!range_fits(h.strings_offset, h.strings_bytes, h.image_bytes))
		return ERR_INVAL;
	fs.image_bytes = h.image_bytes;
	fs.node_count = h.node_count;
	fs.strings = (const char *)fs.image + h.strings_offset;
	for (uint32_t i = 0; i < fs.node_count; i++)
		if (!node_is_valid(&fs, i, h.strings_bytes) || !depth_is_valid(&fs, i))
			return ERR_INVAL;
	*out = fs;
	return OK;
}

void initfs_node(const struct initfs *fs, uint32_t index, struct initfs_entry *out)
{
	struct initfs_node named = node_read(fs, index);
	uint32_t node = named.mode == INITFS_OTHER_NAME ? (uint32_t)named.content_offset : index;
	struct initfs_node n = node_read(fs, node);

	*out = (struct initfs_entry){
		.index = index, .parent = index == INITFS_ROOT ? INITFS_ROOT : named.parent, .node = node,
		.mode = n.mode, .uid = n.uid, .gid = n.gid, .modified_ns = n.modified_ns,
		.name = "", .content = fs->image,
	};
	if (index != INITFS_ROOT) {
		out->name = fs->strings + named.name_offset;
		out->name_bytes = named.name_bytes;
	}
	if (type_is(n.mode, MODE_FILE) || type_is(n.mode, MODE_SYMLINK)) {
		out->content_offset = n.content_offset;
		out->content_bytes = n.content_bytes;
		out->content = fs->image + n.content_offset;
	} else if (type_is(n.mode, MODE_BLOCK) || type_is(n.mode, MODE_CHARACTER)) {
		out->rdev = n.content_bytes;
	}
}

err_t initfs_next_child(const struct initfs *fs, uint32_t directory, uint32_t from, struct initfs_entry *out)
{
	for (uint32_t i = MAX_OF(from, directory + 1); i < fs->node_count; i++)
		if (node_read(fs, i).parent == directory) {
			initfs_node(fs, i, out);
			return OK;
		}
	return ERR_NOENT;
}

static err_t child_find(const struct initfs *fs, uint32_t directory, const char *name, size_t bytes, struct initfs_entry *out)
{
	for (uint32_t i = directory + 1; i < fs->node_count; i++) {
		struct initfs_node n = node_read(fs, i);
		if (n.parent == directory && n.name_bytes == bytes && memcmp(fs->strings + n.name_offset, name, bytes) == 0) {
			initfs_node(fs, i, out);
			return OK;
		}
	}
	return ERR_NOENT;
}

/* One component of a walk; out holds the node so far. */
static err_t step(const struct initfs *fs, const char *name, size_t bytes, struct initfs_entry *out)
{
	if (!type_is(out->mode, MODE_DIRECTORY))
		return ERR_NOTDIR;
	if (bytes == 0 || string_is(name, bytes, "."))
		return OK;
	if (string_is(name, bytes, "..")) {
		initfs_node(fs, out->parent, out);
		return OK;
	}
	return child_find(fs, out->index, name, bytes, out);
}

err_t initfs_find(const struct initfs *fs, uint32_t at, const char *path, size_t path_bytes, struct initfs_entry *out)
{
	struct initfs_entry e;
	const char *end = path + path_bytes;
	err_t err;

	initfs_node(fs, at, &e);
	if (path_bytes == 0) {
		*out = e;
		return OK;
	}
	for (;;) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const char *name_end = slash ? slash : end;
		if ((err = step(fs, path, (size_t)(name_end - path), &e)))
			return err;
		if (!slash)
			break;
		path = slash + 1;
		/* A trailing slash asks for a directory: the empty component checks that. */
	}
	*out = e;
	return OK;
}
