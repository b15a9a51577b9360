/* fs/ramfs/open.h - opens: what a client's handle stands for. */
#pragma once
#include "fs/ramfs/fs.h"
#include "fs/ramfs/tree.h"

struct open {
	struct list_node link;          /* fs.opens */
	struct node *node;              /* a reference */
	uint64_t serial;                /* of the name it was opened by, 0 none */
	uint32_t flags;                 /* enum open_flags, as at open */
	bool has_content;               /* counts in node->file.opens */
	uint64_t number;                /* what the outside calls it; 0: its close is told at once */
};

enum opened_how {
	OPENED_PLAIN,                   /* a directory, or OPEN_PATH: requests come here */
	OPENED_CONTENT,                 /* a regular file: content holds its bytes; borrowed */
	OPENED_FORWARD,                 /* a FIFO: the client gets content itself, which is now the caller's */
	OPENED_LATER,                   /* a FIFO without a peer: backing->finish_open tells */
};

struct opened {
	enum opened_how how;
	struct open *open;              /* PLAIN, CONTENT: until open_close */
	content_t content;
};

/* OPEN of w->path. tag is the request's, for OPENED_LATER. */
err_t open_path(struct fs *fs, const struct where *w, uint32_t open_flags, uint32_t mode, uint64_t tag,
                struct opened *out) NONNULL MUST_CHECK;
/* When o is closed matters from now on: others wait for that. It may be closed already, and gone afterwards. */
void open_hurry(const struct fs *fs, struct open *o) NONNULL;
/* n lost its last name: what it takes is free once its opens are closed. */
void open_hurry_all(const struct fs *fs, const struct node *n) NONNULL;
/* The last handle is gone: frees o. */
void open_close(struct fs *fs, struct open *o) NONNULL;
