/* personality/linux/path.h - Linux paths become URLs: through the prefix table, root, cwd and directory handles.
 *
 * `directory` is an fd, LINUX_AT_FDCWD, or any handle of ours; it counts only when the path is relative. Paths are
 * 0-terminated and in our memory. Results are values or -errno.
 *
 * Most paths go as they are to the server of the root or the working directory, which walks them, symlinks and all. When such a
 * walk meets a mount point the server says ERR_XDEV and, asked, the rest of the way as an absolute path, which
 * the prefix table then sends elsewhere: /proc to procfs:, /dev/pts to pty:, /scheme/NAME to any scheme.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/proto/codes.h"
#include "abi/types.h"
#include "lib/base/attr.h"

struct file_stat;
struct process;
struct thread;

/* Opens path. open_flags is enum open_flags; add OPEN_PRIVATE for a handle of our own. Device nodes open their devices. */
int64_t path_open(struct thread *t, int32_t directory, const char *path, uint64_t open_flags, uint32_t mode) NONNULL MUST_CHECK;
/* An absolute path of an open handle, as the program may name it, 0-terminated: its length. */
int64_t path_of(struct thread *t, handle_t handle, char *to, size_t bytes) NONNULL MUST_CHECK;

/* What fstat says of a handle whose server knows no files. */
int64_t stat_unnamed(handle_t handle, struct file_stat *out) NONNULL;
/* Tells procd which handles our working and root directory are. */
void path_tell_places(struct process *p) NONNULL;

/* A file-protocol code about a path: `before` (a struct, perhaps empty) and the path go in. */
struct path_request {
	enum code code;
	uint64_t word;
	const void *before;
	size_t before_bytes;
	void *out;
	size_t out_bytes;
	const handle_t *pass;           /* a handle to go along; NULL: none */
	handle_t *received;             /* gets the one that comes back; NULL: there is none */
};
int64_t path_call(struct thread *t, int32_t directory, const char *path, const struct path_request *q) NONNULL MUST_CHECK;
/* One about two paths (FILE_RENAME, FILE_LINK). */
int64_t path_call_two(struct thread *t, int32_t from_directory, const char *from, int32_t to_directory, const char *to,
                      enum code code, uint64_t word) NONNULL MUST_CHECK;
/* What path is; at is enum file_at. */
int64_t path_stat(struct thread *t, int32_t directory, const char *path, uint64_t at, struct file_stat *out) NONNULL MUST_CHECK;
/* The target of a symbolic link, not 0-terminated; its length. Those of /proc/self are made here. */
int64_t path_readlink(struct thread *t, int32_t directory, const char *path, char *to, size_t bytes) NONNULL MUST_CHECK;
/* Moves the working directory or the root. */
int64_t path_change(struct thread *t, int32_t directory, const char *path, bool root) NONNULL MUST_CHECK;

/* Pure: path with ".", ".." and double slashes taken out, absolute, 0-terminated; its length. NAMETOOLONG. */
int64_t path_normalize(const char *base, const char *path, char *to, size_t bytes) NONNULL MUST_CHECK;
/* Pure: the scheme that serves an absolute path, and what follows for it. False: the root's server. */
struct path_place {
	const char *scheme;
	size_t scheme_bytes;
	const char *rest;
};
bool path_prefix(const char *path, struct path_place *out) NONNULL;
