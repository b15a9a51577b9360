/* abi/initfs.h - the initial file tree: one read-only image, made by tools/mkinitfs.
 *
 * Header, then an array of nodes, then strings, then contents (each page-aligned, so that
 * they can be mapped). Node 0 is the root directory; a node's parent has a smaller index.
 * The image comes from outside: lib/initfs checks it.
 */
#pragma once
#include <stdint.h>

/* The mode of what is no node but another name (a hard link) of the earlier node whose number is in content_offset. */
enum { INITFS_OTHER_NAME = 0 };

#define INITFS_MAGIC 0x31534654494e4943ull      /* "CINITFS1", little endian */

struct initfs_header {
	uint64_t magic, image_bytes;
	uint32_t node_count, strings_bytes;
	uint64_t strings_offset;
};

struct initfs_node {
	uint32_t parent, name_offset;   /* name_offset into the strings */
	uint16_t name_bytes, reserved;
	uint32_t mode;                  /* type and permission bits as in abi/proto/file.h */
	uint32_t uid, gid;
	uint64_t modified_ns;
	uint64_t content_offset;        /* from the image's start, page-aligned; symlinks: into the image, any alignment; INITFS_OTHER_NAME: see there */
	uint64_t content_bytes;         /* special nodes: rdev = major << 32 | minor */
};
