/* lib/ninep/share.h - a host's folder as the file protocol (abi/proto/file.def).
 *
 * Names are walked here, one by one, so that symbolic links are followed as the guest sees them (never by the host): one that leads out of the folder leads
 * to the guest's own tree (ERR_XDEV). Permissions are judged here by sender and attributes, and by the host in its own way. Nothing is kept of what the
 * host said: each request asks it.
 * Functions that take a job may wait for the host, and other jobs run meanwhile; else nothing here is thread-safe. Pure.
 */
#pragma once
#include "abi/proto/file.h"
#include "abi/types.h"
#include "lib/base/list.h"
#include "lib/ninep/client.h"
#include "lib/ninep/records.h"

enum { SHARE_PATH_MAX = 4095, SHARE_GROUPS_MAX = 64, SHARE_MOUNT_MAX = 31 };

/* Something that is open. Its fid is found by its path when an earlier instance opened it. */
struct share_open {
	struct list_node link;          /* of share.opens */
	struct list_node closing;       /* the server's own: for who cannot wait when the last handle goes */
	uint32_t refs;
	uint32_t open_flags;            /* enum open_flags */
	uint32_t fid;                   /* NINEP_NO_FID: to be found */
	uint32_t list_fid;              /* open for FILE_LIST; NINEP_NO_FID: not yet */
	uint32_t record;                /* in the records, or RECORD_NONE */
	uint64_t node;
	uint8_t kind;                   /* of its qid */
	bool is_removed;
	char *path;                     /* in the share, counted; of the heap */
	size_t path_bytes;
};

struct share {
	struct ninep ninep;
	struct records *records;
	char mount[SHARE_MOUNT_MAX + 1];        /* where the guest's programs see it: "/host" */
	struct list_node opens;
};

/* One request while it is worked on. */
struct share_job {
	struct share *share;
	struct sender sender;
	uint32_t hash;                  /* of what is asked */
	/* Fills group with the sender's supplementary groups: how many. May be NULL. */
	uint32_t (*groups)(struct share_job *j, uint32_t group[SHARE_GROUPS_MAX]);
	struct record_change *change;    /* the share's: noted, until share_job_end */
	bool is_repeated;
};

void share_init(struct share *s, struct records *records, const char *mount) NONNULL;
/* The job's client has its answer. */
void share_job_end(struct share_job *j) NONNULL;

/* ---- Opens ---- */

/* Opens path relative to at (NULL: the folder). On OK *out is the caller's reference. */
err_t share_open_path(struct share_job *j, struct share_open *at, const char *path, size_t bytes, uint32_t open_flags, uint32_t mode, struct share_open **out)
	__attribute__((nonnull(1, 3, 7))) MUST_CHECK;
static inline void share_open_get(struct share_open *o) { o->refs++; }
/* o may be NULL. */
void share_open_put(struct share *s, struct share_open *o) __attribute__((nonnull(1)));
/* What an earlier instance gave as id. NOENT; NOMEM. */
err_t share_open_revive(struct share *s, uint64_t id, struct share_open **out) NONNULL MUST_CHECK;
/* The last handle is gone: the record and a reference go. */
void share_open_close(struct share *s, struct share_open *o) NONNULL;
/* o's fid, found anew if need be. CONNRESET: there is not that file any more. */
err_t share_open_fid(struct share_job *j, struct share_open *o, uint32_t *out) NONNULL MUST_CHECK;

/* ---- Data: results are bytes or a negated error ---- */

int64_t share_read(struct share_job *j, struct share_open *o, uint64_t offset, size_t bytes, err_t (*put)(void *user, const uint8_t *from, size_t bytes), void *user)
	__attribute__((nonnull(1, 2, 5))) MUST_CHECK;
/* appends: at the end, wherever that is. */
int64_t share_write(struct share_job *j, struct share_open *o, uint64_t offset, bool appends, size_t bytes,
                    err_t (*fill)(void *user, uint8_t *to, size_t bytes), void *user) __attribute__((nonnull(1, 2, 6))) MUST_CHECK;
err_t share_attributes(struct share_job *j, struct share_open *o, struct ninep_attr *out) NONNULL MUST_CHECK;

/* ---- The rest of the protocol ---- */

struct share_call {
	struct share_open *open;
	uint32_t code;
	uint64_t word;
	const char *in;
	size_t in_bytes;
	bool has_other;                 /* a handle was passed... */
	struct share_open *other;       /* ...and is this open of ours (NULL: another server's) */
	uint8_t *out;                   /* 8-aligned */
	size_t out_room, out_bytes;
};
int64_t share_call(struct share_job *j, struct share_call *c) NONNULL MUST_CHECK;
