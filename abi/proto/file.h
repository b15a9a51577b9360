/* abi/proto/file.h - structs of the file protocol (file.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

/* Type bits of a mode, as POSIX and Linux have them (stat.h). */
enum file_mode {
	MODE_TYPE = 0170000, MODE_SOCKET = 0140000, MODE_SYMLINK = 0120000, MODE_FILE = 0100000,
	MODE_BLOCK = 0060000, MODE_DIRECTORY = 0040000, MODE_CHARACTER = 0020000, MODE_FIFO = 0010000,
	MODE_SETUID = 04000, MODE_SETGID = 02000, MODE_STICKY = 01000, MODE_PERMISSIONS = 07777,
};

enum file_at {
	AT_NOFOLLOW  = 1 << 0,          /* the last component itself, if a symlink */
	AT_DIRECTORY = 1 << 1,          /* FILE_UNLINK: rmdir */
	AT_NOREPLACE = 1 << 2,          /* FILE_RENAME */
	AT_EXCHANGE  = 1 << 3,          /* FILE_RENAME */
	AT_REAL_ID   = 1 << 4,          /* FILE_ACCESS: word carries no other ids; as the sender's real ids */
};

struct file_time { int64_t seconds; uint32_t nanoseconds; uint32_t reserved; };
enum { FILE_TIME_NOW = 0x3fffffff, FILE_TIME_OMIT = 0x3ffffffe };   /* in nanoseconds, as UTIME_NOW, UTIME_OMIT */

struct file_stat {
	uint64_t device, node;
	uint32_t mode, links, uid, gid;
	uint64_t rdev;                  /* major << 32 | minor of a special node */
	uint64_t bytes, blocks;         /* blocks of 512 bytes */
	uint32_t block_bytes, reserved;
	struct file_time accessed, modified, changed, born;
};

struct file_entry {
	uint64_t node, cookie;          /* cookie: FILE_LIST with it goes on after this entry */
	uint16_t entry_bytes;           /* to the next entry */
	uint16_t name_bytes;
	uint32_t mode;                  /* type bits */
};

struct file_owner { uint32_t uid, gid; };
struct file_times { struct file_time accessed, modified; };
struct file_range { uint64_t offset, bytes; };
enum file_allocate { ALLOCATE_RESERVE = 0, ALLOCATE_KEEP_SIZE = 1, ALLOCATE_PUNCH = 2, ALLOCATE_ZERO = 3 };

enum file_lock_how {
	LOCK_TEST = 0, LOCK_SET = 1, LOCK_SET_WAIT = 2,
	LOCK_WHOLE = 4,                 /* the whole file, seen by whole-file locks only */
	LOCK_OPEN = 8,                  /* a range that the open resource owns, not the process */
};
enum file_lock_kind { LOCK_SHARED = 0, LOCK_EXCLUSIVE = 1, LOCK_NONE = 2 };
struct file_lock {
	uint32_t kind, pid;
	uint64_t start, bytes;          /* bytes 0: to the end */
};

struct file_system {
	uint64_t type, block_bytes, blocks, free_blocks, nodes, free_nodes, name_max;
};
