/* fs/ramfs/import.h - the initial tree, out of the initfs image. */
#pragma once
#include "fs/ramfs/fs.h"
#include "lib/initfs/initfs.h"

/* Puts every node of the image into the empty file system. Names, link targets and contents stay in
 * the image, which must live as long. INVAL, EXIST (a name twice), NOSPC, NOMEM. */
err_t import_image(struct fs *fs, const struct initfs *image) NONNULL MUST_CHECK;
