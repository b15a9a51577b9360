/* fs/ramfs/fifo.h - FIFOs: which open waits for a peer, and the kernel pipe that they then share. */
#pragma once
#include "fs/ramfs/fs.h"

struct opened;

/* Opens n (a FIFO). OPENED_FORWARD with an end, or OPENED_LATER. NXIO (write end, NONBLOCK, no reader), NOMEM. */
err_t fifo_open(struct fs *fs, struct node *n, uint32_t open_flags, uint64_t tag, struct opened *out) NONNULL MUST_CHECK;
/* The open of tag stops waiting; finish says INTR. false: it does not wait here. */
bool fifo_cancel(struct fs *fs, uint64_t tag) NONNULL;
