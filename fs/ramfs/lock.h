/* fs/ramfs/lock.h - advisory locks: of whole files (flock) and of ranges (POSIX), which do not see each other.
 *
 * A whole-file lock belongs to the open, so that dup and fork share it, and so does a range set with LOCK_OPEN; other ranges
 * belong to the process, but also end with the open they were set through.
 */
#pragma once
#include "fs/ramfs/fs.h"

struct open;

/* FILE_LOCK. how is enum file_lock_how; want's kind, start and bytes are outside input. LOCK_TEST changes want into what is in
 * the way, or kind LOCK_NONE. *later: SET_WAIT must wait, backing->finish tells. AGAIN (in the way), DEADLK, NOLCK, INVAL,
 * OVERFLOW, BADF (not open for it). */
err_t lock_apply(struct fs *fs, struct open *o, const struct sender *s, unsigned how, struct file_lock *want,
                 uint64_t tag, bool *later) NONNULL MUST_CHECK;
/* The request of tag stops waiting; finish says INTR. false: it does not wait here. */
bool lock_cancel(struct fs *fs, uint64_t tag) NONNULL;
/* An open ends: its locks go, and whoever waits through it gets BADF. */
void lock_drop_open(struct fs *fs, struct open *o) NONNULL;
