/* lib/ninep/client.h - a client of a 9P2000.L server: one function for each request. Pure; who carries messages is the caller's.
 *
 * The server may lie and answer anything: an answer that makes no sense is ERR_PROTO, and what it says in one that does is checked only to be
 * well-formed. Errors of the server are its Linux errno numbers (one that we do not have: ERR_IO).
 * Every function may wait (in ninep_carrier's functions), and others may run meanwhile. Fids are the client's: ninep_fid_take gives one, and
 * ninep_clunk takes it back. Names are counted, and checked by the caller: no slash, no 0, at most NINEP_NAME_MAX bytes.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/file.h"
#include "lib/ninep/protocol.h"
#include "lib/ninep/wire.h"

enum { NINEP_FIDS_MAX = 4096, NINEP_HEAD_BYTES = 8192, NINEP_TAIL_BYTES = 4096, NINEP_MSIZE_MIN = 8192 };
enum { NINEP_FID_ROOT = 0 };

/* A request on its way, and the room for its answer. All memory is the carrier's, and the server reaches it. */
struct ninep_message {
	uint16_t tag;                   /* the carrier's choice; not NINEP_NO_TAG */
	uint8_t *head;                  /* NINEP_HEAD_BYTES: the request, or (is_payload) its beginning */
	uint8_t *tail;                  /* NINEP_TAIL_BYTES: the answer, when body is sent */
	uint8_t *body;                  /* body_bytes: the answer, or (is_payload) the rest of the request */
	size_t body_bytes;
	size_t head_used;
	bool is_payload;
	size_t payload_bytes;
	size_t answer_bytes;            /* how much the carrier says came: at most what there was room for */
	uint32_t clunked;               /* the fid that is to be free when a posted message was answered */
};

struct ninep_carrier {
	/* Memory for one message; waits for some. Errors: nothing can be sent any more. */
	err_t (*begin)(void *carrier, struct ninep_message **out);
	/* Sends it and waits for the answer. NODEV, and INTR: the request was flushed. */
	err_t (*transact)(void *carrier, struct ninep_message *m);
	/* Sends it and does not wait: when the answer is there ninep_posted and then end are called. */
	void (*post)(void *carrier, struct ninep_message *m);
	void (*end)(void *carrier, struct ninep_message *m);
};

struct ninep {
	const struct ninep_carrier *carrier;
	void *context;                  /* of the carrier */
	uint32_t msize;
	uint64_t fids[NINEP_FIDS_MAX / 64];
};

struct ninep_attr {
	struct ninep_qid qid;
	uint32_t mode, uid, gid;
	uint64_t links, rdev, bytes, block_bytes, blocks;
	struct file_time accessed, modified, changed;
};

struct ninep_change {
	uint32_t valid;                 /* enum ninep_set */
	uint32_t mode, uid, gid;
	uint64_t bytes;
	struct file_time accessed, modified;
};

struct ninep_name { const char *text; size_t bytes; };

/* Agrees on the version and the length of messages (at most msize, which the carrier's memory has room for), and attaches the folder as
 * NINEP_FID_ROOT for this user. OPNOTSUPP: it speaks something else. */
err_t ninep_start(struct ninep *n, const struct ninep_carrier *carrier, void *context, uint32_t msize, uint32_t uid) NONNULL MUST_CHECK;

/* NFILE: too many. */
err_t ninep_fid_take(struct ninep *n, uint32_t *out) NONNULL MUST_CHECK;
/* Of a fid that the server never heard of. */
void ninep_fid_give(struct ninep *n, uint32_t fid) NONNULL;
/* The fid is the server's no more, and free as soon as it agrees: nobody waits for that. NINEP_NO_FID and the root: nothing. */
void ninep_clunk(struct ninep *n, uint32_t fid) NONNULL;
/* For carriers. */
void ninep_posted(struct ninep *n, const struct ninep_message *m) NONNULL;
/* The request to forget that with this tag, as bytes in m->head. For carriers. */
void ninep_flush(struct ninep_message *m, uint16_t tag) NONNULL;

/* *out: a new fid for what name in fid is (no name: for the same as fid). */
err_t ninep_walk(struct ninep *n, uint32_t fid, const struct ninep_name *name, uint32_t *out, struct ninep_qid *qid) __attribute__((nonnull(1, 4, 5))) MUST_CHECK;
err_t ninep_getattr(struct ninep *n, uint32_t fid, struct ninep_attr *out) NONNULL MUST_CHECK;
err_t ninep_setattr(struct ninep *n, uint32_t fid, const struct ninep_change *change) NONNULL MUST_CHECK;
err_t ninep_lopen(struct ninep *n, uint32_t fid, uint32_t open_flags, struct ninep_qid *qid) NONNULL MUST_CHECK;
/* fid was the directory and is the new, open file on OK. */
err_t ninep_lcreate(struct ninep *n, uint32_t fid, struct ninep_name name, uint32_t open_flags, uint32_t mode, uint32_t gid, struct ninep_qid *qid) NONNULL MUST_CHECK;
err_t ninep_mkdir(struct ninep *n, uint32_t dir, struct ninep_name name, uint32_t mode, uint32_t gid) NONNULL MUST_CHECK;
err_t ninep_symlink(struct ninep *n, uint32_t dir, struct ninep_name name, struct ninep_name target, uint32_t gid) NONNULL MUST_CHECK;
err_t ninep_link(struct ninep *n, uint32_t dir, uint32_t fid, struct ninep_name name) NONNULL MUST_CHECK;
err_t ninep_renameat(struct ninep *n, uint32_t from, struct ninep_name old, uint32_t to, struct ninep_name new) NONNULL MUST_CHECK;
err_t ninep_unlinkat(struct ninep *n, uint32_t dir, struct ninep_name name, bool is_directory) NONNULL MUST_CHECK;
/* At most NINEP_TARGET_MAX bytes to target, without a 0. */
err_t ninep_readlink(struct ninep *n, uint32_t fid, char *target, size_t *bytes) NONNULL MUST_CHECK;
err_t ninep_fsync(struct ninep *n, uint32_t fid) NONNULL MUST_CHECK;
err_t ninep_statfs(struct ninep *n, uint32_t fid, struct file_system *out) NONNULL MUST_CHECK;

/* What a directory has after cookie (0: from the beginning), entry after entry, until take says no (false) or no more came. */
struct ninep_entry {
	struct ninep_qid qid;
	uint64_t cookie;                /* for what comes after it */
	uint8_t type;                   /* as in Linux's getdents64 */
	char name[NINEP_NAME_MAX];      /* no slash, no 0, not empty */
	size_t name_bytes;
};
err_t ninep_readdir(struct ninep *n, uint32_t fid, uint64_t cookie, size_t bytes, bool (*take)(void *taker, const struct ninep_entry *e), void *taker)
	__attribute__((nonnull(1, 5))) MUST_CHECK;

/* One message's worth at most; *done: how much it was. put gets the bytes while the server may still change them; fill is to bring `bytes`. */
err_t ninep_read(struct ninep *n, uint32_t fid, uint64_t offset, size_t bytes, err_t (*put)(void *user, const uint8_t *from, size_t bytes), void *user, size_t *done)
	__attribute__((nonnull(1, 5, 7))) MUST_CHECK;
err_t ninep_write(struct ninep *n, uint32_t fid, uint64_t offset, size_t bytes, err_t (*fill)(void *user, uint8_t *to, size_t bytes), void *user, size_t *done)
	__attribute__((nonnull(1, 5, 7))) MUST_CHECK;
