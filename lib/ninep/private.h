/* lib/ninep/private.h - what the files of a share have in common: walking to a place, and who may do what there. */
#pragma once
#include "lib/ninep/share.h"

enum share_walk {
	WALK_FOLLOW   = 0,              /* a symlink at the end is followed */
	WALK_NOFOLLOW = 1,              /* it is not, unless a slash comes after it */
	WALK_RAW      = 2,              /* it is not; slashes after the last name are only reported */
	WALK_CREATE   = 4,              /* for a new file: name/ is ISDIR, whatever is there */
};
enum share_last { LAST_SELF, LAST_ROOT, LAST_NAME, LAST_DOT, LAST_DOTDOT };
enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4, SYMLINKS_MAX = 40, REST_MAX = 2 * SHARE_PATH_MAX };

/* Where a path led. After an error all but rest is void; else share_place_end ends it. */
struct share_place {
	struct share_job *job;
	uint32_t fid, dir;              /* the node; NINEP_NO_FID: there is no such name in dir, the directory of the last name */
	bool fid_is_ours, dir_is_ours;
	struct ninep_qid qid;           /* of fid; the kind alone counts where no name was walked */
	enum share_last last;
	bool slash;                     /* something/ */
	unsigned links;
	char name[NINEP_NAME_MAX];
	size_t name_bytes;
	char path[SHARE_PATH_MAX];      /* of the node, or what it would be */
	size_t path_bytes;
	char rest[REST_MAX];            /* still to go; after XDEV the absolute path that it leads to */
	size_t rest_at, rest_bytes;
};

struct share_where { struct share_open *at /* NULL: the folder */; const char *path; size_t bytes; };

/* NOENT, NOTDIR, ACCES, LOOP, NAMETOOLONG, INVAL (a 0 in it), XDEV (it leads out of the share). */
err_t share_walk(struct share_job *j, const struct share_where *w, unsigned walk_flags, struct share_place *p) NONNULL MUST_CHECK;
/* The same, and the node must exist. enum file_at. */
err_t share_walk_at(struct share_job *j, const struct share_where *w, uint64_t at_flags, struct share_place *p) NONNULL MUST_CHECK;
void share_place_end(struct share_place *p) NONNULL;
static inline bool share_place_is_dir(const struct share_place *p) { return p->qid.kind & NINEP_KIND_DIRECTORY; }
static inline struct ninep_name share_place_name(const struct share_place *p) { return (struct ninep_name){ p->name, p->name_bytes }; }

/* May the job's sender do all of want (MAY_)? ACCES. */
err_t share_may(struct share_job *j, const struct ninep_attr *a, unsigned want) NONNULL MUST_CHECK;
bool share_in_group(struct share_job *j, uint32_t gid) NONNULL;
static inline bool share_is_owner(const struct share_job *j, const struct ninep_attr *a) { return j->sender.uid == 0 || j->sender.uid == a->uid; }
/* May names be added to the place's directory, or its name be taken out of it? */
err_t share_may_add(struct share_job *j, const struct share_place *p) NONNULL MUST_CHECK;
err_t share_may_remove(struct share_job *j, const struct share_place *p) NONNULL MUST_CHECK;
/* What fid is becomes the sender's, where the host lets it. */
void share_give_to_sender(struct share_job *j, uint32_t fid) NONNULL;

/* Notes the job as a change: job->is_repeated says whether an earlier instance may have made it. */
void share_change(struct share_job *j) NONNULL;
/* err, or OK where it says what a change made twice meets the second time. */
static inline err_t share_done_before(const struct share_job *j, err_t err, err_t met) { return err == met && j->is_repeated ? OK : err; }

/* Opens at or below old have new's path now; what was opened by this path is not named by it any more. */
void share_opens_move(struct share *s, const struct share_place *old, const struct share_place *new) NONNULL;
void share_opens_remove(struct share *s, const struct share_place *p) NONNULL;
/* The directory of o, open for listing. */
err_t share_open_list_fid(struct share_job *j, struct share_open *o, uint32_t *out) NONNULL MUST_CHECK;
