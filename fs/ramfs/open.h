/* fs/ramfs/open.h - opens: what a client's handle stands for, by the id that the kernel says. */
#pragma once
#include "fs/ramfs/fs.h"
#include "fs/ramfs/tree.h"

struct open {
	struct node *node;              /* a reference; NULL: free */
	uint64_t serial;                /* of the name it was opened by, 0 none */
	uint32_t flags;                 /* enum open_flags, as at open */
	uint32_t generation;
	uint32_t next_free;
	bool has_content;               /* counts in node->file.opens */
};

enum opened_how {
	OPENED_PLAIN,                   /* a directory, or OPEN_PATH: requests come here */
	OPENED_CONTENT,                 /* a regular file: content holds its bytes; borrowed */
	OPENED_FORWARD,                 /* a FIFO: the client gets content itself, which is now the caller's */
	OPENED_LATER,                   /* a FIFO without a peer: backing->finish_open tells */
};

struct opened {
	enum opened_how how;
	uint64_t id;
	content_t content;
};

/* OPEN of w->path. tag is the request's, for OPENED_LATER. */
err_t open_path(struct fs *fs, const struct where *w, uint32_t open_flags, uint32_t mode, uint64_t tag,
                struct opened *out) NONNULL MUST_CHECK;
/* The open with this id, or NULL: borrowed until the next open or close. */
struct open *open_find(struct fs *fs, uint64_t id) NONNULL;
uint64_t open_id(const struct fs *fs, const struct open *o) NONNULL;
/* The last handle is gone. */
void open_close(struct fs *fs, uint64_t id) NONNULL;
