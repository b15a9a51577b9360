/* kernel/call/batch.h - requests run one after another in one entry of the kernel: BULK's array, and what lies on a ring.
 *
 * A batch remembers the last results, for the entries that are linked to them, and whether an error stopped it.
 */
#pragma once
#include "abi/types.h"
#include "lib/base/attr.h"

/* Recorded of an entry that has no result yet: it stops nothing, and what is linked to it is cancelled. */
#define BATCH_ASIDE INT64_MIN

/* All zero: a new one. */
struct batch {
	struct batch_result {
		int64_t result;
		handle_t handle;        /* that came with it, or HANDLE_NONE */
	} results[REQUEST_LINK_BACK_MAX + 1];
	uint32_t count;                 /* entries recorded so far; the last ones are in results[count % ...] */
	bool is_stopped;                /* an entry failed that had no REQUEST_GO_ON: the others are cancelled */
};

/* Runs the next entry; batch_record it then. */
int64_t batch_execute(struct batch *b, struct request *q) NONNULL;
/* Remembers the entry's result; in q->handle is then what came with it. */
void batch_record(struct batch *b, struct request *q, int64_t result) NONNULL;
