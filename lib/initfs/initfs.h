/* lib/initfs/initfs.h - reads a checked initfs image (abi/initfs.h).
 *
 * initfs_open checks the whole image once: every node, name and content lies inside, parents come before their
 * children, so that no walk can loop. After that nothing here can fail but by not finding. No allocation; the image stays the
 * caller's and must not change. Common: find a path, walk a directory's children. The walk of children is linear
 * in the image's nodes: who needs more (ramfs) builds its own index from one pass over initfs_node.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/initfs.h"
#include "lib/base/attr.h"

enum { INITFS_ROOT = 0, INITFS_NAME_MAX = 255, INITFS_DEPTH_MAX = 256 };

struct initfs {
	const uint8_t *image;
	uint64_t image_bytes;
	const char *strings;
	uint32_t node_count;
};

/* A node, with its name and content resolved. */
struct initfs_entry {
	uint32_t index, parent;
	uint32_t node;                  /* index, or that of the node of which this is another name; all below but the name is the node's */
	uint32_t mode, uid, gid;
	uint64_t modified_ns;
	const char *name;               /* not 0-terminated; empty for the root */
	uint32_t name_bytes;
	uint64_t rdev;                  /* of special nodes: major << 32 | minor */
	uint64_t content_offset;        /* from the image's start; page-aligned for files */
	uint64_t content_bytes;         /* 0 for directories and special nodes */
	const uint8_t *content;         /* borrowed from the image */
};

/* The image may be longer than it says. INVAL: not an image or a broken one. */
err_t initfs_open(const void *image, uint64_t image_bytes, struct initfs *out) NONNULL MUST_CHECK;
/* index < node_count. */
void initfs_node(const struct initfs *fs, uint32_t index, struct initfs_entry *out) NONNULL;
/* Walks a path (with or without leading and double slashes, "." and ".." as usual; an empty one is at itself) from node at, without
 * following symlinks. NOENT, NOTDIR. */
err_t initfs_find(const struct initfs *fs, uint32_t at, const char *path, size_t path_bytes, struct initfs_entry *out) NONNULL MUST_CHECK;
/* The first child of directory with an index >= from: start with 0, go on with out->index + 1. NOENT at the end. */
err_t initfs_next_child(const struct initfs *fs, uint32_t directory, uint32_t from, struct initfs_entry *out) NONNULL MUST_CHECK;
