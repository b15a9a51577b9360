/* personality/linux/path.h - Linux paths become URLs: through the prefix table, root, cwd and directory handles. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"

struct thread;

/* Opens path (0-terminated, in our memory), relative to the fd directory (LINUX_AT_FDCWD: cwd) unless it is absolute.
 * open_flags is enum open_flags; add OPEN_PRIVATE for a handle of our own. A handle or -errno. */
int64_t path_open(struct thread *t, int32_t directory, const char *path, uint64_t open_flags, uint32_t mode) NONNULL MUST_CHECK;
/* An absolute path of an open handle, as the program may name it, 0-terminated: its length or -errno. */
int64_t path_of(struct thread *t, handle_t handle, char *to, size_t bytes) NONNULL MUST_CHECK;
