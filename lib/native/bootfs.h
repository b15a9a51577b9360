/* lib/native/bootfs.h - the initfs image, mapped from a handle of its memory object. */
#pragma once
#include "abi/types.h"
#include "lib/base/attr.h"
#include "lib/initfs/initfs.h"

/* Stays mapped. The errors of the calls, and INVAL for a broken image. */
err_t bootfs_map(handle_t object, struct initfs *out) NONNULL MUST_CHECK;
/* Where a program lies in it. NOENT, NOTDIR, ACCES: no regular file. */
err_t bootfs_find(const struct initfs *fs, const char *path, uint64_t *offset, uint64_t *bytes) NONNULL MUST_CHECK;
