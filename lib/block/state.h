/* lib/block/state.h - what one instance of a block driver leaves for the next: who has what open, and the statistics.
 *
 * It lies in the memory object that the supervisor keeps (handle "state"), in memory that only this driver's instances write. A broken one did
 * write it: everything read from it is checked. Without such an object it is ordinary memory. Pure.
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "abi/proto/disk.h"
#include "lib/base/attr.h"
#include "lib/block/block.h"

enum { STATE_OPENS_MAX = 1024 };

struct state_open {
	uint64_t id;                    /* 0: free */
	uint64_t first, bytes;          /* bytes 0: to the end */
	uint64_t rdev;
	uint32_t disk;                  /* index of the record; STATE_OPENS_MAX: the scheme itself */
	uint32_t open_flags;            /* OPEN_READ, OPEN_WRITE */
};

struct state_disk {
	char name[BLOCK_NAME_MAX + 1];  /* "": free */
	uint32_t identity, reserved;    /* of which disk: a checksum of its model and serial number */
	struct disk_statistics statistics;
};

struct state {
	uint64_t magic;
	struct state_disk disk[BLOCK_DISKS_MAX];
	struct state_open open[STATE_OPENS_MAX];
};

/* Memory of sizeof(struct state) bytes: taken over when it makes sense, else emptied. */
void state_init(struct state *s) NONNULL;
/* The record of the disk with this name, made if there is none. Another disk than an instance before us had there: what was open is not open any
 * more, and it is counted anew. NOSPC. */
err_t state_disk(struct state *s, const char *name, const struct disk_info *info, uint32_t *out) NONNULL MUST_CHECK;
/* A record for what is just being opened: *out is its index. Its id is 0 until state_open_named. NFILE: too many are open. */
err_t state_open_add(struct state *s, const struct state_open *o, uint32_t *out) NONNULL MUST_CHECK;
void state_open_named(struct state *s, uint32_t index, uint64_t id) NONNULL;
void state_open_remove(struct state *s, uint32_t index) NONNULL;
/* The record of a number that an instance before this one gave. NOENT. */
err_t state_open_find(const struct state *s, uint64_t id, uint32_t *out) NONNULL MUST_CHECK;
