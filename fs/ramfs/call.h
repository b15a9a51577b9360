/* fs/ramfs/call.h - the file protocol (abi/proto/file.def): takes a CALL apart and has it done. */
#pragma once
#include "fs/ramfs/fs.h"

struct open;

/* A CALL as it came in; all of it may be hostile but sender, opens and tag. */
struct call {
	const struct sender *sender;
	struct open *open;              /* it was sent to */
	uint64_t tag;
	uint32_t code;
	uint64_t word;
	const char *in;
	size_t in_bytes;
	bool has_other;                 /* a handle was passed... */
	struct open *other;             /* ...and is this open of ours (NULL: another server's) */
	content_t passed;               /* that one's, to be kept (passed_kept), or CONTENT_NONE */
	char *out;                      /* 8-aligned */
	size_t out_bytes;               /* room for the answer */
	/* Filled: */
	size_t out_used;
	bool passed_kept;
	content_t reply;                /* goes to the sender and stays ours; or CONTENT_NONE */
	bool later;                     /* no answer now: backing->finish will give it */
};

/* The result, >= 0 or a negated error. */
int64_t call_run(struct fs *fs, struct call *c) NONNULL;
