/* lib/ninep/protocol.h - numbers of 9P2000.L, which QEMU and others serve folders with.
 *
 * Source: diod's protocol description (protocol.md) and Linux's Documentation/filesystems/9p.rst. All little-endian; error numbers are Linux's.
 */
#pragma once
#include <stdint.h>

/* A request's type; its answer has the next number, or is NINEP_RLERROR. */
enum ninep_type {
	NINEP_RLERROR = 7, NINEP_STATFS = 8, NINEP_LOPEN = 12, NINEP_LCREATE = 14, NINEP_SYMLINK = 16, NINEP_READLINK = 22,
	NINEP_GETATTR = 24, NINEP_SETATTR = 26, NINEP_READDIR = 40, NINEP_FSYNC = 50, NINEP_LINK = 70, NINEP_MKDIR = 72, NINEP_RENAMEAT = 74,
	NINEP_UNLINKAT = 76, NINEP_VERSION = 100, NINEP_ATTACH = 104, NINEP_FLUSH = 108, NINEP_WALK = 110, NINEP_READ = 116, NINEP_WRITE = 118,
	NINEP_CLUNK = 120,
};

enum { NINEP_HEADER_BYTES = 7, NINEP_QID_BYTES = 13, NINEP_NAME_MAX = 255, NINEP_WALK_MAX = 16, NINEP_TARGET_MAX = 4095 };
enum { NINEP_READ_HEADER = NINEP_HEADER_BYTES + 4, NINEP_WRITE_HEADER = NINEP_HEADER_BYTES + 16 };
enum { NINEP_NO_TAG = 0xffff };
#define NINEP_NO_FID UINT32_MAX

/* Of a qid's kind. */
enum { NINEP_KIND_DIRECTORY = 0x80, NINEP_KIND_SYMLINK = 0x02 };

/* LOPEN, LCREATE: Linux's open flags, as the protocol has them on every machine. */
enum ninep_open_flags {
	NINEP_OPEN_READ = 0, NINEP_OPEN_WRITE = 1, NINEP_OPEN_BOTH = 2, NINEP_OPEN_EXCLUSIVE = 0200, NINEP_OPEN_TRUNCATE = 01000, NINEP_OPEN_APPEND = 02000,
	NINEP_OPEN_SYNC_DATA = 010000, NINEP_OPEN_DIRECTORY = 0200000, NINEP_OPEN_NOFOLLOW = 0400000,
};

#define NINEP_ATTR_BASIC 0x7ffull
enum ninep_set {
	NINEP_SET_MODE = 1, NINEP_SET_UID = 2, NINEP_SET_GID = 4, NINEP_SET_SIZE = 8, NINEP_SET_ACCESSED = 0x10, NINEP_SET_MODIFIED = 0x20,
	NINEP_SET_ACCESSED_GIVEN = 0x80, NINEP_SET_MODIFIED_GIVEN = 0x100,
};
enum { NINEP_REMOVE_DIRECTORY = 0x200 };
