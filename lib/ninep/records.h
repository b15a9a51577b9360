/* lib/ninep/records.h - what one instance of a share's server leaves for the next: what clients have open, and which changes were under way.
 *
 * It lies in a memory object that the supervisor keeps, or in ordinary memory. A change (make, remove, rename, append) that was asked of the host but not yet
 * answered is asked again of the next instance, which finds it done already: it knows by the note that this is no error. Everything read from an
 * earlier instance's memory is checked. Pure.
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

enum { RECORDS_MAX = 1024, RECORD_CHANGES_MAX = 64, RECORD_PATH_MAX = 984, RECORD_NONE = UINT32_MAX };
#define RECORD_LENGTH_UNKNOWN UINT64_MAX

struct record {
	uint64_t id;                    /* 0: free; UINT64_MAX: its number is not yet known, so after a restart it is nobody's */
	uint64_t node;                  /* the host's number for it: another file in its place is not it */
	uint64_t reserved;
	uint32_t open_flags;            /* enum open_flags */
	uint32_t path_bytes;
	uint8_t kind, reserved_bytes[7];        /* of its qid */
	char path[RECORD_PATH_MAX];      /* in the share, without a slash before it */
};
STATIC_ASSERT(sizeof(struct record) == 1024, "as long as the manifest's state is computed with");

struct record_change {
	uint32_t pid, tid;              /* whose; tid 0: free */
	uint32_t hash;                  /* of what was asked */
	uint32_t instance;              /* that noted it */
	uint64_t bytes;                 /* an append: the length before it, or RECORD_LENGTH_UNKNOWN: nothing was written yet */
};

struct records {
	uint64_t magic;
	uint32_t instance, reserved;
	struct record_change change[RECORD_CHANGES_MAX];
	struct record open[RECORDS_MAX];
};

/* Memory of sizeof(struct records) bytes: taken over when it makes sense, else emptied. */
void records_start(struct records *s) NONNULL;
/* A record without a number, or RECORD_NONE: there is no room, or the path is too long. What has none is lost at a restart. */
uint32_t record_add(struct records *s, uint32_t open_flags, uint64_t node, uint8_t kind, const char *path, size_t path_bytes) NONNULL;
/* RECORD_NONE is fine in these. */
void record_named(struct records *s, uint32_t index, uint64_t id) NONNULL;
void record_remove(struct records *s, uint32_t index) NONNULL;
/* It has another path now: its index (RECORD_NONE: that is too long). */
uint32_t record_moved(struct records *s, uint32_t index, const char *path, size_t path_bytes) NONNULL MUST_CHECK;
/* The record of a number that an earlier instance gave. NOENT. */
err_t record_find(const struct records *s, uint64_t id, uint32_t *out) NONNULL MUST_CHECK;
/* Notes a change that is about to be made; NULL: too many are under way (it is made all the same). *is_repeated: an earlier instance had noted the same. */
struct record_change *record_change_begin(struct records *s, const struct sender *sender, uint32_t hash, bool *is_repeated) NONNULL MUST_CHECK;
/* Its client has the answer. NULL is fine. */
void record_change_end(struct record_change *c);
